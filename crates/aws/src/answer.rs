//! What AWS answered, as facts: operation, status, code, request id. Errors are mapped by these, never by text.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use media::SourceError;
use storyboard::Class;

/// A failed call.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) operation: &'static str,
    pub(crate) failure: Failure,
    pub(crate) status: u16,
    pub(crate) code: Option<String>,
    request_id: Option<String>,
    /// `x-amz-bucket-region`, which S3 sends on refusals too.
    pub(crate) region: Option<String>,
    /// `x-amz-delete-marker: true`.
    pub(crate) deleted: bool,
}

/// How far a failed call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// AWS answered.
    Answered,
    /// No answer came: network, time.
    Silent,
    /// There was nothing to sign with.
    NoCredentials,
}

impl Answer {
    pub(crate) fn of<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let raw = error.raw_response();
        let header = |name: &str| raw.and_then(|raw| raw.headers().get(name)).map(str::to_owned);
        let failure = match raw {
            Some(_) => Failure::Answered,
            None if has_credentials_error(error) => Failure::NoCredentials,
            None => Failure::Silent,
        };
        Self {
            operation,
            failure,
            status: raw.map(|raw| raw.status().as_u16()).unwrap_or_default(),
            code: error.as_service_error().and_then(ProvideErrorMetadata::code).map(str::to_owned),
            request_id: header("x-amz-request-id").or_else(|| header("x-amzn-requestid")),
            region: header("x-amz-bucket-region"),
            deleted: header("x-amz-delete-marker").is_some_and(|value| value == "true"),
        }
    }

    pub(crate) fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether it may pass by itself.
    pub(crate) fn passing(&self) -> bool {
        const CODES: [&str; 6] = [
            "SlowDown",
            "RequestTimeout",
            "Throttling",
            "ThrottlingException",
            "InternalError",
            "ServiceUnavailable",
        ];
        self.failure == Failure::Silent
            || self.status >= 500
            || self.status == 429
            || self.code.as_deref().is_some_and(|code| CODES.contains(&code))
    }

    /// For support: never a text that AWS wrote, since it may repeat what was sent.
    pub(crate) fn evidence(&self) -> String {
        let mut evidence = self.operation.to_owned();
        match self.failure {
            Failure::Answered => evidence += &format!(" {}", self.status),
            Failure::Silent => evidence += ": no answer",
            Failure::NoCredentials => evidence += ": not sent, no credentials",
        }
        if let Some(code) = &self.code {
            evidence += &format!(" {code}");
        }
        if let Some(id) = &self.request_id {
            evidence += &format!(", request id {id}");
        }
        evidence
    }

    /// The errors that any call can meet: what passes, and this server's own credentials.
    pub(crate) fn common(&self) -> Option<SourceError> {
        let error = if self.failure == Failure::NoCredentials {
            SourceError::new(
                Class::Access,
                "SERVER_CREDENTIALS",
                "This server has no AWS credentials of its own.",
            )
            .fix(
                "The operator gives the server an identity: a role of the machine, or AWS_ACCESS_KEY_ID and \
                 AWS_SECRET_ACCESS_KEY in its environment. The connection is not at fault.",
            )
        } else if self.failure == Failure::Silent {
            SourceError::new(Class::Transient, "AWS_UNREACHABLE", "AWS did not answer.")
                .fix("Try again later; if it stays so, the operator checks the server's network and AWS_ENDPOINT_URL.")
        } else if self.passing() {
            SourceError::new(Class::Transient, "AWS_BUSY", "AWS is busy or failing.").fix("Try again later.")
        } else {
            return None;
        };
        Some(error.evidence(self.evidence()))
    }

    /// A refusal that no table names.
    pub(crate) fn unexpected(&self) -> SourceError {
        SourceError::new(Class::Access, "AWS_REFUSED", "AWS refused the request.")
            .fix("The operation and the code say why; the request id is for AWS's support.")
            .evidence(self.evidence())
    }
}

fn has_credentials_error(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(one) = cause {
        if one.is::<CredentialsError>() {
            return true;
        }
        cause = one.source();
    }
    false
}
