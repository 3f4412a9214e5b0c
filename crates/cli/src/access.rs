//! Clients' media for the server's jobs: S3 through connections, public https behind the URL guard.
//!
//! Invariants: AWS is not asked for anything before it is needed, so that a server without an AWS identity starts and
//! serves public media; a job sees only the connections that it was given.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws::policy::{inline_policy, role_arn};
use aws::{Aws, AwsSettings, ConnectionSpec};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use media::{HttpsOpener, Opened, Opener, Openers, SourceError};
use serde_json::Value;
use server::{Access, Papers};
use store::Connection;
use storyboard::MediaRef;
use tokio::sync::{Mutex, OnceCell};

/// What a trust policy names where the server's own principal cannot be found.
const PLACEHOLDER: &str = "arn:aws:iam::YOUR_SERVER_ACCOUNT:root";
/// How long AWS may take to say who the server is, before an answer goes out without it.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long it is not asked again after it did not say.
const PAUSE: Duration = Duration::from_secs(60);

/// The server's AWS, loaded at its first use. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct LazyAws {
    settings: AwsSettings,
    loaded: Arc<OnceCell<Aws>>,
}

impl LazyAws {
    /// AWS under these settings; nothing is looked up yet.
    pub(crate) fn new(settings: AwsSettings) -> Self {
        Self { settings, loaded: Arc::default() }
    }

    async fn get(&self) -> &Aws {
        self.loaded.get_or_init(|| Aws::load(self.settings.clone())).await
    }
}

/// Reads what connections let a job read.
struct LazyOpener {
    aws: LazyAws,
    job: String,
    connections: HashMap<String, ConnectionSpec>,
}

impl Opener for LazyOpener {
    fn open_all<'a>(&'a self, media: &'a [MediaRef]) -> BoxFuture<'a, Vec<Result<Opened, SourceError>>> {
        async move {
            let opener = self.aws.get().await.opener(&self.job, self.connections.clone());
            opener.open_all(media).await
        }
        .boxed()
    }
}

/// The opener of one job for S3.
pub(crate) fn s3_opener(aws: &LazyAws, job: &str, connections: &[Connection]) -> Arc<dyn Opener> {
    let connections =
        connections.iter().map(|connection| (connection.id.to_string(), spec(connection))).collect();
    Arc::new(LazyOpener { aws: aws.clone(), job: job.to_owned(), connections })
}

fn spec(connection: &Connection) -> ConnectionSpec {
    ConnectionSpec {
        account_id: connection.account_id.clone(),
        region: connection.region.clone(),
        external_id: connection.external_id.clone(),
        role_name: connection.role_name.clone(),
        enabled: connection.enabled,
    }
}

/// The server's [`Access`].
pub(crate) struct ServerAccess {
    aws: LazyAws,
    https: Arc<HttpsOpener>,
    principal: Principal,
}

impl ServerAccess {
    /// Access through `aws` and `https`. `principal` is what the operator says that the server is.
    pub(crate) fn new(aws: LazyAws, https: Arc<HttpsOpener>, principal: Option<String>) -> Self {
        let principal = Principal { configured: principal, silent_since: Mutex::default() };
        Self { aws, https, principal }
    }

    /// Finds out who the server is, and says it in the log.
    pub(crate) async fn introduce(&self) {
        match self.principal.find(&self.aws).await {
            Some(arn) => tracing::info!(aws.principal = arn, "this is who clients' roles must trust"),
            None => tracing::warn!(
                "this server has no AWS identity: public https media works, jobs that read S3 will fail; give it a \
                 role, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            ),
        }
    }
}

impl Access for ServerAccess {
    fn papers<'a>(&'a self, connection: &'a Connection) -> BoxFuture<'a, Papers> {
        async move {
            let partition = aws::partition(&connection.region);
            let principal = self.principal.find(&self.aws).await;
            let principal = principal.as_deref().unwrap_or(PLACEHOLDER);
            Papers {
                role_arn: role_arn(partition, &connection.account_id, &connection.role_name),
                trust_policy: document(&aws::trust_policy(principal, &connection.external_id)),
                inline_policy: document(&inline_policy(partition, None)),
            }
        }
        .boxed()
    }

    fn opener(&self, job: &str, connections: Vec<Connection>) -> Arc<dyn Opener> {
        let s3 = s3_opener(&self.aws, job, &connections);
        let https: Arc<dyn Opener> = Arc::clone(&self.https) as _;
        Arc::new(Openers { s3: Some(s3), https: Some(https), local: None })
    }

    fn known_region(&self, region: &str) -> bool {
        aws::known_region(region)
    }

    fn new_external_id(&self) -> String {
        aws::new_external_id()
    }
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).expect("policy documents are JSON")
}

/// Who the server is to AWS.
struct Principal {
    configured: Option<String>,
    silent_since: Mutex<Option<Instant>>,
}

impl Principal {
    /// The ARN that a trust policy names; `None` where AWS does not say, which is not asked again for a while.
    async fn find(&self, aws: &LazyAws) -> Option<String> {
        if let Some(arn) = &self.configured {
            return Some(arn.clone());
        }
        // Held while asking: a list of connections asks once.
        let mut silent_since = self.silent_since.lock().await;
        if silent_since.is_some_and(|since| since.elapsed() < PAUSE) {
            return None;
        }
        let asked = async { aws.get().await.caller_arn().await };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(arn)) => return Some(arn),
            Ok(Err(error)) => tracing::warn!(code = error.code, evidence = error.evidence, "{error}"),
            Err(_) => tracing::warn!("AWS did not say in time who this server is"),
        }
        tracing::warn!(
            "trust policies name {PLACEHOLDER} instead of this server; set access.principal_arn, or give the server \
             an AWS identity"
        );
        *silent_since = Some(Instant::now());
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(principal: Option<&str>) -> ServerAccess {
        let https = HttpsOpener::new(media::UrlPolicy::default()).unwrap();
        // A port of the loopback that is closed: AWS cannot be reached.
        let settings = AwsSettings {
            endpoint_url: Some("http://127.0.0.1:9".to_owned()),
            credentials: Some(aws::StaticCredentials {
                access_key: "AKIA".to_owned(),
                secret: "s".to_owned(),
            }),
            ..AwsSettings::default()
        };
        ServerAccess::new(LazyAws::new(settings), Arc::new(https), principal.map(str::to_owned))
    }

    fn connection() -> Connection {
        Connection {
            id: store::ConnectionId::create(0),
            owner: store::Owner::from_text("anna"),
            name: "c".to_owned(),
            description: String::new(),
            account_id: "111122223333".to_owned(),
            region: "cn-north-1".to_owned(),
            enabled: true,
            external_id: "sb-1".to_owned(),
            role_name: "Role".to_owned(),
            version: 1,
            created: 0,
            updated: 0,
        }
    }

    #[tokio::test]
    async fn papers_name_the_principal_that_the_operator_set() {
        let papers = access(Some("arn:aws-cn:iam::1:role/r")).papers(&connection()).await;
        assert_eq!(papers.role_arn, "arn:aws-cn:iam::111122223333:role/Role");
        let statement = &papers.trust_policy["Statement"][0];
        assert_eq!(statement["Principal"]["AWS"], "arn:aws-cn:iam::1:role/r");
        assert_eq!(statement["Condition"]["StringEquals"]["sts:ExternalId"], "sb-1");
        assert_eq!(papers.inline_policy["Statement"][0]["Resource"], "arn:aws-cn:s3:::{YOUR_S3_BUCKET}");
    }

    #[tokio::test]
    async fn papers_say_what_is_missing_where_aws_is_silent() {
        let access = access(None);
        let papers = access.papers(&connection()).await;
        assert_eq!(papers.trust_policy["Statement"][0]["Principal"]["AWS"], PLACEHOLDER);
        assert!(access.principal.silent_since.lock().await.is_some());
    }
}
