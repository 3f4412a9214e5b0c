//! Webhooks go out through the same guarded client as media comes in.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use media::HttpsOpener;
use server::{HookError, WebhookSender};
use storyboard::Class;
use url::Url;

/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// The server's [`WebhookSender`].
pub(crate) struct GuardedSender(pub(crate) Arc<HttpsOpener>);

impl WebhookSender for GuardedSender {
    fn post<'a>(
        &'a self,
        url: &'a str,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    ) -> BoxFuture<'a, Result<u16, HookError>> {
        async move {
            let headers: Vec<(String, String)> = headers
                .into_iter()
                // The client says by itself that it sends JSON.
                .filter(|(name, _)| !name.eq_ignore_ascii_case("content-type"))
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            self.0.client().post_json(url, &headers, body, PATIENCE).await.map_err(|error| {
                match error.class {
                    Class::Access | Class::Author => HookError::Refused(error.message),
                    _ => HookError::Failed(error.message),
                }
            })
        }
        .boxed()
    }

    fn check(&self, url: &str) -> Result<(), String> {
        let url =
            Url::parse(url).map_err(|_| "The webhook is not a URL. Use a full https:// URL.".to_owned())?;
        self.0.client().policy().check(&url).map_err(|error| match error.fix {
            Some(fix) => format!("{} {fix}", error.message),
            None => error.message,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn private_addresses_are_refused_for_good() {
        let sender = GuardedSender(Arc::new(HttpsOpener::new(media::UrlPolicy::default()).unwrap()));
        for url in [
            "http://example.com/",
            "https://127.0.0.1/",
            "https://169.254.169.254/latest",
            "ftp://a.example/",
            "x",
        ] {
            assert!(sender.check(url).is_err(), "{url}");
        }
        assert_eq!(sender.check("https://example.com/hook"), Ok(()));
        let sent = sender.post("https://localhost/hook", Vec::new(), Vec::new()).await;
        assert!(matches!(sent, Err(HookError::Refused(_))), "{sent:?}");
    }
}
