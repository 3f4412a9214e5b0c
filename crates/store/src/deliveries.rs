//! Webhook deliveries: at least once, under an id that stays.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqliteConnection};
use storyboard::Warning;

use crate::queue::{self, Line};
use crate::{DeliveryId, Error, JobId, Millis, Owner, Store};

/// One message to one webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id, the same over all tries.
    pub id: DeliveryId,
    /// Whose job it reports.
    pub owner: Owner,
    /// The job it reports.
    pub job: JobId,
    /// Where it goes.
    pub url: String,
    /// Tries that failed.
    pub attempts: u32,
}

/// Makes a delivery and its wake-up.
pub(crate) async fn create(
    tx: &mut SqliteConnection,
    id: &DeliveryId,
    owner: &Owner,
    job: &JobId,
    url: &str,
    now: Millis,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO hook_deliveries (id, owner, job, url, state, run_after, created, updated)
         VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?5, ?5)",
    )
    .bind(id.as_str())
    .bind(owner.as_str())
    .bind(job.as_str())
    .bind(url)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    queue::wake(tx, Line::Hooks, id.as_str(), now).await
}

impl Store {
    /// Takes a delivery to try it. `None` if it has ended, is not due or is held.
    pub async fn claim_delivery(
        &self,
        id: &DeliveryId,
        holder: &str,
        now: Millis,
    ) -> Result<Option<Delivery>, Error> {
        let row = sqlx::query(
            "UPDATE hook_deliveries SET holder = ?2, updated = ?3
             WHERE id = ?1 AND holder IS NULL AND state = 'pending' AND run_after <= ?3 RETURNING *",
        )
        .bind(id.as_str())
        .bind(holder)
        .bind(now)
        .fetch_optional(&self.writer)
        .await?;
        Ok(row.as_ref().map(delivery).transpose()?)
    }

    /// The receiver took it.
    pub async fn delivered(&self, id: &DeliveryId, holder: &str, now: Millis) -> Result<(), Error> {
        sqlx::query(
            "UPDATE hook_deliveries SET state = 'delivered', holder = NULL, last_error = NULL, updated = ?3
             WHERE id = ?1 AND holder = ?2",
        )
        .bind(id.as_str())
        .bind(holder)
        .bind(now)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// It failed and is tried again at `run_after`; `None` puts it back untried, because this process stops.
    pub async fn retry_delivery(
        &self,
        id: &DeliveryId,
        holder: &str,
        failed: Option<(Millis, &str)>,
        now: Millis,
    ) -> Result<(), Error> {
        let mut tx = self.write().await?;
        sqlx::query(
            "UPDATE hook_deliveries SET holder = NULL, attempts = attempts + ?3, run_after = coalesce(?4, run_after),
                last_error = coalesce(?5, last_error), updated = ?6
             WHERE id = ?1 AND holder = ?2",
        )
        .bind(id.as_str())
        .bind(holder)
        .bind(i64::from(failed.is_some()))
        .bind(failed.map(|(run_after, _)| run_after))
        .bind(failed.map(|(_, error)| error))
        .bind(now)
        .execute(&mut *tx)
        .await?;
        if let Some((run_after, _)) = failed {
            queue::wake(&mut tx, Line::Hooks, id.as_str(), run_after).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// It is given up; the job's client finds the warning in the job.
    pub async fn fail_delivery(
        &self,
        delivery: &Delivery,
        holder: &str,
        error: &str,
        warning: &Warning,
        now: Millis,
    ) -> Result<(), Error> {
        let mut tx = self.write().await?;
        let ours = sqlx::query(
            "UPDATE hook_deliveries SET state = 'failed', holder = NULL, attempts = attempts + 1, last_error = ?3,
                updated = ?4
             WHERE id = ?1 AND holder = ?2",
        )
        .bind(delivery.id.as_str())
        .bind(holder)
        .bind(error)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        if ours.rows_affected() > 0 {
            let text: String = sqlx::query_scalar("SELECT warnings FROM film_jobs WHERE id = ?1")
                .bind(delivery.job.as_str())
                .fetch_one(&mut *tx)
                .await?;
            let mut warnings: Vec<Warning> = serde_json::from_str(&text)?;
            warnings.push(warning.clone());
            sqlx::query("UPDATE film_jobs SET warnings = ?2 WHERE id = ?1")
                .bind(delivery.job.as_str())
                .bind(serde_json::to_string(&warnings)?)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

fn delivery(row: &SqliteRow) -> Result<Delivery, sqlx::Error> {
    Ok(Delivery {
        id: DeliveryId::from_text(row.try_get::<String, _>("id")?),
        owner: Owner::from_text(row.try_get::<String, _>("owner")?),
        job: JobId::from_text(row.try_get::<String, _>("job")?),
        url: row.try_get("url")?,
        attempts: row.try_get("attempts")?,
    })
}
