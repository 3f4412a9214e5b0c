//! Reporting ends: each delivery is a row of its own, tried until the receiver takes it or the tries are over.
//!
//! The body is the job's body. Headers follow the Standard Webhooks: `webhook-id` stays the same over all tries,
//! `webhook-signature` is made with the secret of the key that sent the job.

use std::sync::Arc;

use store::{Delivery, DeliveryId, Handled, Line, Millis};
use storyboard::Warning;

use crate::ports::HookError;
use crate::runner::write;
use crate::state::{App, now};
use crate::wire::{self, Detail};

/// Deliveries at a time: a slow receiver must not hold up the others.
const AT_ONCE: usize = 4;

/// Delivers until the server stops.
pub(crate) async fn work(app: &Arc<App>) {
    let this = Arc::clone(app);
    app.store
        .consume(Line::Hooks, AT_ONCE, now, app.shutdown.clone().cancelled_owned(), move |row| {
            deliver(Arc::clone(&this), DeliveryId::from_text(row))
        })
        .await;
}

async fn deliver(app: Arc<App>, id: DeliveryId) -> Handled {
    if app.shutdown.is_cancelled() {
        return Handled::Done;
    }
    match app.store.claim_delivery(&id, &app.instance, now()).await {
        Ok(Some(delivery)) => {
            // In a task of its own, so that its panic is a failed try and nothing more.
            let (tried, what) = (Arc::clone(&app), delivery.clone());
            let end = tokio::spawn(async move { attempt(&tried, &what).await }).await;
            let end = end.unwrap_or_else(|error| {
                tracing::error!(webhook.id = %id, %error, "sending a webhook failed inside");
                failed(&app, &delivery, "the server failed while it sent".to_owned(), false)
            });
            // It is held by this process, so an end that is not written would hold it until the next start.
            let (app, delivery, end) = (&app, &delivery, &end);
            write(app, || settle(app, delivery, end)).await;
            Handled::Done
        }
        Ok(None) => Handled::Done,
        Err(error) => {
            tracing::error!(webhook.id = %id, error = &error as &dyn std::error::Error, "a webhook was not claimed");
            Handled::NotNow
        }
    }
}

/// What a try came to.
enum End {
    /// The receiver took it.
    Taken,
    /// It was not tried to the end, because the server stops.
    Stopped,
    /// It failed, and is tried again at this time.
    Later(Millis, String),
    /// It is given up.
    GivenUp(String),
}

async fn settle(app: &App, delivery: &Delivery, end: &End) -> Result<bool, store::Error> {
    let (store, id, holder) = (&app.store, &delivery.id, &app.instance);
    match end {
        End::Taken => store.delivered(id, holder, now()).await?,
        End::Stopped => store.retry_delivery(id, holder, None, now()).await?,
        End::Later(at, error) => store.retry_delivery(id, holder, Some((*at, error)), now()).await?,
        End::GivenUp(error) => {
            let tries = delivery.attempts + 1;
            let message = format!("The webhook was given up after {tries} tries: {error}.");
            let warning = Warning::at("/webhook", "WEBHOOK_FAILED", message);
            store.fail_delivery(delivery, holder, error, &warning, now()).await?;
        }
    }
    Ok(true)
}

async fn attempt(app: &App, delivery: &Delivery) -> End {
    let job = match app.store.any_job(&delivery.job).await {
        Ok(job) => job,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a webhook's job could not be read");
            return failed(app, delivery, "the job could not be read".to_owned(), false);
        }
    };
    let body = wire::job(&job, &app.addresses, Detail::Sent, now()).to_string().into_bytes();
    let timestamp = now() / 1000;
    let mut headers = vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", delivery.id.to_string()),
        ("webhook-timestamp", timestamp.to_string()),
    ];
    if let Some(key) = &job.key {
        headers
            .push(("webhook-signature", app.key.sign_webhook(key, delivery.id.as_str(), timestamp, &body)));
    }
    let sent = match app.webhook.check(&delivery.url) {
        Ok(()) => tokio::select! {
            sent = app.webhook.post(&delivery.url, headers, body) => sent,
            // It may have arrived: at least once, not exactly once.
            () = app.shutdown.cancelled() => return End::Stopped,
        },
        Err(message) => Err(HookError::Refused(message)),
    };
    let (error, last) = match sent {
        Ok(status) if (200..300).contains(&status) => {
            tracing::info!(job.id = %delivery.job, webhook.id = %delivery.id, status, "a webhook was delivered");
            return End::Taken;
        }
        // "Gone" is a receiver's way to say: never again.
        Ok(status) => (format!("the receiver answered {status}"), status == 410),
        Err(HookError::Refused(message)) => (message, true),
        Err(HookError::Failed(message)) => (message, false),
    };
    // The address may hold a secret of the receiver's.
    let error = error.replace(&delivery.url, "the webhook");
    let error = error.trim_end_matches('.').to_owned();
    tracing::warn!(job.id = %delivery.job, webhook.id = %delivery.id, error, "a webhook was not delivered");
    failed(app, delivery, error, last)
}

/// A try that failed: another one if there is one left.
fn failed(app: &App, delivery: &Delivery, error: String, last: bool) -> End {
    match app.settings.webhook_delays.get(delivery.attempts as usize) {
        Some(delay) if !last => End::Later(now() + i64::try_from(delay.as_millis()).unwrap_or(0), error),
        _ => End::GivenUp(error),
    }
}
