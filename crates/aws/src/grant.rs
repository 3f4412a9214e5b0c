//! A grant: temporary credentials for one job on one connection, narrowed by a session policy.
//!
//! Invariants: credentials live in memory only and are never shown; they are renewed when they are needed and about
//! to expire; one AssumeRole is under way at a time.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use media::SourceError;
use storyboard::Class;
use tokio::sync::Mutex;

use crate::answer::{Answer, Failure};
use crate::base::{Base, server_credentials};
use crate::opener::ConnectionSpec;
use crate::policy::{role_arn, trust_policy};
use crate::region::partition;

/// Length of a session in seconds, the least that STS gives.
const SESSION: i32 = 900;
/// Renewed when less than this is left.
const MARGIN: Duration = Duration::from_secs(90);

/// What a session is asked for.
pub(crate) struct Grant {
    base: Arc<Base>,
    connection: ConnectionSpec,
    session: String,
    policy: String,
    held: Mutex<Option<Credentials>>,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant").field("session", &self.session).finish_non_exhaustive()
    }
}

impl Grant {
    pub(crate) fn new(
        base: Arc<Base>,
        connection: &ConnectionSpec,
        session: &str,
        policy: String,
    ) -> Arc<Self> {
        Arc::new(Self {
            base,
            connection: connection.clone(),
            session: session.to_owned(),
            policy,
            held: Mutex::new(None),
        })
    }

    pub(crate) fn connection(&self) -> &ConnectionSpec {
        &self.connection
    }

    /// Sees to it that credentials are at hand; where they cannot be had, says why.
    pub(crate) async fn ready(&self) -> Result<Credentials, SourceError> {
        let mut held = self.held.lock().await;
        if let Some(credentials) = held.as_ref().filter(|credentials| fresh(credentials)) {
            return Ok(credentials.clone());
        }
        let credentials = self.assume().await?;
        *held = Some(credentials.clone());
        Ok(credentials)
    }

    /// Forgets the credentials: AWS has called them expired.
    pub(crate) async fn forget(&self) {
        *self.held.lock().await = None;
    }

    async fn assume(&self) -> Result<Credentials, SourceError> {
        let arn = role_arn(
            partition(&self.connection.region),
            &self.connection.account_id,
            &self.connection.role_name,
        );
        let answer = self
            .base
            .sts()
            .assume_role()
            .role_arn(arn)
            .external_id(&self.connection.external_id)
            .role_session_name(&self.session)
            .duration_seconds(SESSION)
            .policy(&self.policy)
            .send()
            .await;
        let credentials = match answer {
            Ok(output) => output.credentials,
            Err(error) => return Err(self.refusal(&Answer::of("AssumeRole", &error)).await),
        };
        let Some(found) = credentials else {
            return Err(SourceError::new(Class::Internal, "GRANT_EMPTY", "STS gave no credentials."));
        };
        let expiry = SystemTime::try_from(*found.expiration())
            .unwrap_or_else(|_| SystemTime::now() + Duration::from_secs(SESSION as u64));
        Ok(Credentials::new(
            found.access_key_id,
            found.secret_access_key,
            Some(found.session_token),
            Some(expiry),
            "storyreel-grant",
        ))
    }

    /// Maps a refused AssumeRole by status and code.
    async fn refusal(&self, answer: &Answer) -> SourceError {
        const OWN: [&str; 10] = [
            "InvalidClientTokenId",
            "InvalidAccessKeyId",
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidToken",
            "SignatureDoesNotMatch",
            "RequestTimeTooSkewed",
            "RequestExpired",
            "IncompleteSignature",
            "UnrecognizedClientException",
        ];
        if let Some(error) = answer.common() {
            return error;
        }
        match answer.code.as_deref() {
            Some(code) if OWN.contains(&code) => server_credentials(answer),
            Some("RegionDisabledException") => {
                SourceError::new(Class::Access, "STS_REGION_DISABLED", "STS is switched off in the server's region for that account.")
                    .fix("The account's owner activates the region under IAM, account settings, or the operator sets another AWS_REGION.")
                    .evidence(answer.evidence())
            }
            Some("PackedPolicyTooLarge" | "MalformedPolicyDocument") => {
                SourceError::new(Class::Internal, code_of_policy(answer), "AWS does not take the session's policy.")
                    .evidence(answer.evidence())
            }
            _ if matches!(answer.status, 403 | 404) => self.not_assumable(answer).await,
            _ => answer.unexpected(),
        }
    }

    /// AWS answers alike for all causes: name them in order, with the exact text to paste.
    async fn not_assumable(&self, answer: &Answer) -> SourceError {
        let ConnectionSpec { account_id, role_name, external_id, region, .. } = &self.connection;
        let principal = self.base.caller_arn().await.unwrap_or_else(|_| "ARN_OF_THIS_SERVER".to_owned());
        let border = if partition(&principal_region(&principal)) == partition(region) {
            ""
        } else {
            " Also, no role reaches over the border between AWS's partitions (commercial, China, GovCloud)."
        };
        SourceError::new(
            Class::Access,
            "ROLE_NOT_ASSUMABLE",
            format!("The role {role_name} of account {account_id} cannot be assumed."),
        )
        .fix(format!(
            "AWS answers alike for four causes; check in this order: (1) the role {role_name} exists in account \
             {account_id}; (2) its trust policy names this server; (3) its trust policy asks for this connection's \
             external id; (4) this server's own policy allows sts:AssumeRole on the role (the operator's part). A new \
             role needs up to a minute until it works.{border} The trust policy to paste: {}",
            trust_policy(&principal, external_id)
        ))
        .evidence(answer.evidence())
    }
}

/// A region of the principal's partition, to compare partitions.
fn principal_region(principal: &str) -> String {
    match principal.split(':').nth(1) {
        Some("aws-cn") => "cn-north-1",
        Some("aws-us-gov") => "us-gov-west-1",
        Some("aws-eusc") => "eusc-de-east-1",
        _ => "us-east-1",
    }
    .to_owned()
}

fn code_of_policy(answer: &Answer) -> &'static str {
    if answer.is("PackedPolicyTooLarge") { "GRANT_TOO_LARGE" } else { "GRANT_MALFORMED" }
}

fn fresh(credentials: &Credentials) -> bool {
    credentials
        .expiry()
        .is_none_or(|expiry| expiry.duration_since(SystemTime::now()).is_ok_and(|left| left > MARGIN))
}

/// Lets the S3 client sign with a grant.
#[derive(Debug)]
pub(crate) struct GrantCredentials(pub(crate) Arc<Grant>);

impl ProvideCredentials for GrantCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let ready: provider::Result = self.0.ready().await.map_err(CredentialsError::provider_error);
            ready
        })
    }
}

/// Whether an answer means that the session is over.
pub(crate) fn expired(answer: &Answer) -> bool {
    answer.failure == Failure::Answered
        && matches!(
            answer.code.as_deref(),
            Some("ExpiredToken" | "ExpiredTokenException" | "InvalidToken" | "TokenRefreshRequired")
        )
}
