//! Reporting ends: each delivery is a row of its own, tried until the receiver takes it or the tries are over.
//!
//! The body is the job's body. Headers follow the Standard Webhooks: `webhook-id` stays the same over all tries,
//! `webhook-signature` is made with the secret of the key that sent the job.

use std::sync::Arc;

use store::{Delivery, DeliveryId, Line};
use storyboard::Warning;

use crate::ports::HookError;
use crate::state::{App, now};
use crate::wire::{self, Detail};

/// Deliveries at a time: a slow receiver must not hold up the others.
const AT_ONCE: usize = 4;

/// Delivers until the server stops.
pub(crate) async fn work(app: &Arc<App>) {
    let this = Arc::clone(app);
    app.store
        .consume(Line::Hooks, AT_ONCE, app.shutdown.clone().cancelled_owned(), move |row| {
            deliver(Arc::clone(&this), DeliveryId::from_text(row))
        })
        .await;
}

async fn deliver(app: Arc<App>, id: DeliveryId) {
    if app.shutdown.is_cancelled() {
        return;
    }
    let result = async {
        if let Some(delivery) = app.store.claim_delivery(&id, &app.instance, now()).await? {
            attempt(&app, &delivery).await?;
        }
        Ok::<(), store::Error>(())
    };
    if let Err(error) = result.await {
        tracing::error!(webhook.id = %id, error = &error as &dyn std::error::Error, "a webhook was not settled");
    }
}

async fn attempt(app: &App, delivery: &Delivery) -> Result<(), store::Error> {
    let job = app.store.any_job(&delivery.job).await?;
    let body = wire::job(&job, &app.addresses, Detail::Full, now()).to_string().into_bytes();
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
            () = app.shutdown.cancelled() => {
                // It may have arrived: at least once, not exactly once.
                return app.store.retry_delivery(&delivery.id, &app.instance, None, now()).await;
            }
        },
        Err(message) => Err(HookError::Refused(message)),
    };
    let (error, last) = match sent {
        Ok(status) if (200..300).contains(&status) => {
            tracing::info!(job.id = %delivery.job, webhook.id = %delivery.id, status, "a webhook was delivered");
            return app.store.delivered(&delivery.id, &app.instance, now()).await;
        }
        // "Gone" is a receiver's way to say: never again.
        Ok(status) => (format!("the receiver answered {status}"), status == 410),
        Err(HookError::Refused(message)) => (message, true),
        Err(HookError::Failed(message)) => (message, false),
    };
    tracing::warn!(job.id = %delivery.job, webhook.id = %delivery.id, error, "a webhook was not delivered");
    let delay = app.settings.webhook_delays.get(delivery.attempts as usize);
    match delay {
        Some(delay) if !last => {
            let run_after = now() + i64::try_from(delay.as_millis()).unwrap_or(0);
            app.store.retry_delivery(&delivery.id, &app.instance, Some((run_after, &error)), now()).await
        }
        _ => {
            let tries = delivery.attempts + 1;
            let message = format!("The webhook was given up after {tries} tries: {error}.");
            let warning = Warning::at("/webhook", "WEBHOOK_FAILED", message);
            app.store.fail_delivery(delivery, &app.instance, &error, &warning, now()).await
        }
    }
}
