//! The server's own AWS identity, and the HTTP client that all calls share.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, tls};
use media::{Opener, SourceError};
use storyboard::Class;
use tokio::sync::OnceCell;

use crate::answer::Answer;
use crate::opener::{ConnectionSpec, S3Opener};
use crate::policy::principal_of;

/// What the operator may set; all else comes from the SDK's default chain and standard variables.
#[derive(Debug, Clone, Default)]
pub struct AwsSettings {
    /// Path style, for S3-compatible stores.
    pub path_style: bool,
    /// Region of the server where the SDK's chain names none; `us-east-1` where this is `None` too.
    pub region: Option<String>,
    /// Endpoint of all services, over `AWS_ENDPOINT_URL`. For `demo` and tests.
    pub endpoint_url: Option<String>,
    /// The base identity, instead of the SDK's chain. For `demo` and tests.
    pub credentials: Option<StaticCredentials>,
}

/// A key pair. Its secret is never shown.
#[derive(Clone)]
pub struct StaticCredentials {
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret: String,
}

impl std::fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StaticCredentials(hidden)")
    }
}

/// AWS as this server sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Aws {
    base: Arc<Base>,
}

#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) config: SdkConfig,
    pub(crate) path_style: bool,
    caller: OnceCell<String>,
}

impl Aws {
    /// Loads the base identity; no call to AWS is made, and missing credentials are told when they are used.
    pub async fn load(settings: AwsSettings) -> Self {
        // Shared by all clients: one pool of connections, one TLS provider.
        let http = Builder::new().tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build_https();
        let fallback = settings.region.unwrap_or_else(|| "us-east-1".to_owned());
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_secs(25))
            .operation_timeout(Duration::from_secs(90))
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard())
            // Ranges carry no checksum of their own, and S3-compatible stores differ.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if let Ok(name) = AppName::new("storyreel") {
            loader = loader.app_name(name);
        }
        if let Some(endpoint) = settings.endpoint_url {
            loader = loader.endpoint_url(endpoint);
        }
        if let Some(keys) = settings.credentials {
            // Nothing is left to ask the chain for, which may wait for a machine's metadata service.
            loader = loader.region(Region::new(fallback.clone()));
            let credentials =
                Credentials::new(keys.access_key, keys.secret, None, None, "storyreel-settings");
            loader = loader.credentials_provider(SharedCredentialsProvider::new(credentials));
        }
        let mut config = loader.load().await;
        if config.region().is_none() {
            config = config.into_builder().region(Region::new(fallback)).build();
        }
        Self { base: Arc::new(Base { config, path_style: settings.path_style, caller: OnceCell::new() }) }
    }

    /// The opener of one job: it reads what these connections (by id, all of the job's owner) let it read.
    pub fn opener(&self, job_id: &str, connections: HashMap<String, ConnectionSpec>) -> Arc<dyn Opener> {
        Arc::new(S3Opener::new(Arc::clone(&self.base), job_id, connections))
    }

    /// ARN of the base identity as a trust policy names it; asked once.
    ///
    /// # Errors
    /// `SERVER_CREDENTIALS` where the server has none or AWS refuses them; class transient where AWS is silent.
    pub async fn caller_arn(&self) -> Result<String, SourceError> {
        self.base.caller_arn().await
    }
}

impl Base {
    pub(crate) fn sts(&self) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.config)
    }

    pub(crate) async fn caller_arn(&self) -> Result<String, SourceError> {
        self.caller
            .get_or_try_init(|| async {
                let identity = self.sts().get_caller_identity().send().await.map_err(|error| {
                    let answer = Answer::of("GetCallerIdentity", &error);
                    answer.common().unwrap_or_else(|| server_credentials(&answer))
                })?;
                identity.arn().map(principal_of).ok_or_else(|| {
                    SourceError::new(Class::Internal, "CALLER_UNKNOWN", "AWS did not say who this server is.")
                })
            })
            .await
            .cloned()
    }
}

/// AWS does not accept the server's own credentials.
pub(crate) fn server_credentials(answer: &Answer) -> SourceError {
    SourceError::new(
        Class::Access,
        "SERVER_CREDENTIALS",
        "AWS does not accept this server's own credentials.",
    )
    .fix("The operator renews the server's credentials and checks its clock. The connection is not at fault.")
    .evidence(answer.evidence())
}
