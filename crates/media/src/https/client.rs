//! The guarded client: one pool of connections under one policy.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use storyboard::Class;
use url::Url;

use crate::SourceError;
use crate::guard::{GuardedResolver, PrivateName, UnknownName, UrlPolicy, refused};

/// A client for addresses that come from outside. Cheap to clone.
#[derive(Debug, Clone)]
pub struct GuardedClient {
    http: Client,
    policy: Arc<UrlPolicy>,
}

impl GuardedClient {
    /// A client under a policy: no proxy, no cookies, no redirects of its own.
    ///
    /// # Errors
    /// Class internal where TLS cannot be set up.
    pub fn new(policy: UrlPolicy) -> Result<Self, SourceError> {
        // An error means that the process has a provider already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let policy = Arc::new(policy);
        let http = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .dns_resolver(GuardedResolver::new(Arc::clone(&policy)))
            .connect_timeout(policy.connect_timeout)
            .read_timeout(policy.read_timeout)
            .user_agent(concat!("storyreel/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                SourceError::new(
                    Class::Internal,
                    "TLS_UNAVAILABLE",
                    format!("TLS cannot be set up: {error}."),
                )
            })?;
        Ok(Self { http, policy })
    }

    /// The policy it keeps.
    pub fn policy(&self) -> &UrlPolicy {
        &self.policy
    }

    /// Sends JSON to a webhook and answers with the status, whatever it is. Follows no redirect, reads no body.
    ///
    /// # Errors
    /// `URL_NOT_ALLOWED` where the guard refuses; class transient where no answer came in `timeout`.
    pub async fn post_json(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: impl Into<Bytes>,
        timeout: Duration,
    ) -> Result<u16, SourceError> {
        let url =
            Url::parse(url).map_err(|_| refused("The URL cannot be read.", "Use a full https:// URL."))?;
        self.policy.check(&url)?;
        let mut request =
            self.http.post(url).timeout(timeout).header(CONTENT_TYPE, "application/json").body(body.into());
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            let value = HeaderValue::from_str(value);
            let (Ok(name), Ok(value)) = (name, value) else {
                return Err(SourceError::new(Class::Internal, "HEADER_INVALID", "A header cannot be sent."));
            };
            request = request.header(name, value);
        }
        let response = request.send().await.map_err(|error| request_error(&error))?;
        Ok(response.status().as_u16())
    }

    /// A GET with redirects followed by hand; answers also where it ended.
    pub(super) async fn get(
        &self,
        url: &Url,
        shape: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<(Response, Url), SourceError> {
        let mut url = url.clone();
        for _ in 0..=self.policy.redirects {
            let response = self.get_once(&url, &shape).await?;
            let status = response.status();
            let location = match status {
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => response.headers().get(LOCATION),
                _ => return Ok((response, url)),
            };
            let next =
                location.and_then(|location| location.to_str().ok()).and_then(|text| url.join(text).ok());
            let Some(mut next) = next else {
                return Err(SourceError::new(
                    Class::Source,
                    "MEDIA_REDIRECT_BROKEN",
                    "The server redirects to nowhere.",
                )
                .fix("Use the file's final address."));
            };
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(refused(
                    "The server redirects from https to http.",
                    "Use the file's final address.",
                ));
            }
            next.set_fragment(None);
            url = next;
        }
        Err(SourceError::new(Class::Source, "MEDIA_REDIRECTS", "The server redirects too often.")
            .fix("Use the file's final address."))
    }

    /// One GET without redirects.
    pub(super) async fn get_once(
        &self,
        url: &Url,
        shape: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, SourceError> {
        self.policy.check(url)?;
        let request = self.http.get(url.clone()).header(ACCEPT_ENCODING, "identity");
        let response = shape(request).send().await.map_err(|error| request_error(&error))?;
        let encoded = response.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity");
        if encoded {
            return Err(SourceError::new(
                Class::Source,
                "MEDIA_ENCODED",
                "The server sends the file compressed although it was asked not to.",
            )
            .fix("Serve the file without Content-Encoding."));
        }
        Ok(response)
    }
}

/// What a status other than success means. Statuses are all that is repeated of the other side.
pub(super) fn status_error(status: StatusCode) -> SourceError {
    let evidence = format!("HTTP {}", status.as_u16());
    let (class, code, message, fix) = match status.as_u16() {
        404 | 410 => {
            (Class::Source, "MEDIA_NOT_FOUND", "There is no file at this address.", "Check the URL.")
        }
        401 | 403 => (
            Class::Access,
            "ACCESS_DENIED",
            "The server does not let this file be read.",
            "Make the file public, or put it into S3 and use a connection. A presigned URL may have expired.",
        ),
        408 | 425 | 429 | 500 | 502 | 503 | 504 => (
            Class::Transient,
            "MEDIA_SERVER_BUSY",
            "The file's server is busy or failing.",
            "Try again later.",
        ),
        _ => (
            Class::Source,
            "MEDIA_SERVER_REFUSED",
            "The file's server gave an answer that is no file.",
            "Open the URL in a browser to see what it answers.",
        ),
    };
    SourceError::new(class, code, message).fix(fix).evidence(evidence)
}

/// What a failed request means. The client's own text is not repeated: it holds the URL with its query.
pub(super) fn request_error(error: &reqwest::Error) -> SourceError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut private = false;
    let mut unknown = false;
    let mut certificate = false;
    while let Some(one) = cause {
        private |= one.is::<PrivateName>();
        unknown |= one.is::<UnknownName>();
        certificate |= one.downcast_ref::<rustls::Error>().is_some_and(|error| {
            matches!(error, rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
        });
        // An io::Error hides what it wraps from `source`.
        cause = match one.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => one.source(),
        };
    }
    if private {
        return refused("The host's name leads to a private address.", "Use a public host.");
    }
    if unknown {
        return SourceError::new(Class::Source, "MEDIA_HOST_UNKNOWN", "There is no host of this name.")
            .fix("Check the host's name in the URL.");
    }
    if certificate {
        return SourceError::new(Class::Source, "MEDIA_TLS", "The server's certificate is not valid.")
            .fix("Renew the certificate, or use another host.");
    }
    let (code, message) = if error.is_timeout() {
        ("MEDIA_TIMEOUT", "The server did not answer in time.")
    } else if error.is_connect() {
        (
            "MEDIA_UNREACHABLE",
            "The server cannot be reached: its name is unknown or it does not accept connections.",
        )
    } else {
        ("MEDIA_NETWORK", "The connection to the server failed.")
    };
    SourceError::new(Class::Transient, code, message).fix("Check the host's name, and try again later.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_at_connection_time() {
        // Past the check of the URL, as a rebinding name would be: the resolver is the second wall.
        let client = GuardedClient::new(UrlPolicy { allow_http: true, ..UrlPolicy::default() }).unwrap();
        let error = client.http.get("http://localhost:9/").send().await.unwrap_err();
        let error = request_error(&error);
        assert_eq!((error.class, error.code), (Class::Access, "URL_NOT_ALLOWED"), "{error}");
    }

    #[tokio::test]
    async fn errors_do_not_repeat_the_query() {
        let policy = UrlPolicy { allow_http: true, allow_private: true, ..UrlPolicy::default() };
        let client = GuardedClient::new(policy).unwrap();
        // Port 9 of the loopback is closed.
        let url = Url::parse("http://127.0.0.1:9/a.mp4?X-Amz-Signature=hunter2").unwrap();
        let error = client.get(&url, |request| request).await.unwrap_err();
        assert_eq!((error.class, error.code), (Class::Transient, "MEDIA_UNREACHABLE"));
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
