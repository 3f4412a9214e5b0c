//! What is thrown away with time.

use crate::{Error, JobId, Millis, Store};

/// How long an idempotency key is remembered.
const IDEMPOTENCY_LIFE: Millis = 24 * 60 * 60 * 1000;

/// How long a delivery that ended is remembered.
const DELIVERY_LIFE: Millis = 30 * 24 * 60 * 60 * 1000;
/// Jobs forgotten in one transaction.
const BATCH: u64 = 200;

/// A completed job whose files are still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFilm {
    /// The job.
    pub id: JobId,
    /// When it ended.
    pub finished: Millis,
}

impl Store {
    /// Completed jobs whose files are still there, the oldest first.
    pub async fn kept_films(&self) -> Result<Vec<KeptFilm>, Error> {
        let rows: Vec<(String, Millis)> = sqlx::query_as(
            "SELECT id, finished FROM film_jobs WHERE state = 'completed' AND swept = 0 AND finished IS NOT NULL
             ORDER BY finished, id",
        )
        .fetch_all(&self.reader)
        .await?;
        Ok(rows.into_iter().map(|(id, finished)| KeptFilm { id: JobId::from_text(id), finished }).collect())
    }

    /// Notes that a job's files are about to be deleted.
    pub async fn mark_swept(&self, id: &JobId, now: Millis) -> Result<(), Error> {
        sqlx::query("UPDATE film_jobs SET swept = 1, updated = ?2 WHERE id = ?1")
            .bind(id.as_str())
            .bind(now)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Forgets expired tokens, old idempotency keys and deliveries that ended long ago.
    pub async fn forget_expired(&self, now: Millis) -> Result<(), Error> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM api_tokens WHERE expires <= ?1").bind(now).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM idempotency_keys WHERE created <= ?1")
            .bind(now - IDEMPOTENCY_LIFE)
            .execute(&mut *tx)
            .await?;
        sqlx::query("DELETE FROM hook_deliveries WHERE updated <= ?1 AND state <> 'pending'")
            .bind(now - DELIVERY_LIFE)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Forgets jobs that ended by `before` and have neither files nor a delivery to make; says how many. The pages
    /// that they filled go back to the disk.
    pub async fn forget_jobs(&self, before: Millis) -> Result<u64, Error> {
        let mut forgotten = 0;
        loop {
            let batch = self.forget_some_jobs(before).await?;
            forgotten += batch;
            // In parts, so that a job is accepted in between.
            if batch < BATCH {
                break;
            }
        }
        if forgotten > 0 {
            sqlx::query("PRAGMA incremental_vacuum").fetch_all(&self.writer).await?;
        }
        Ok(forgotten)
    }

    async fn forget_some_jobs(&self, before: Millis) -> Result<u64, Error> {
        let mut tx = self.write().await?;
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM film_jobs WHERE finished <= ?1 AND (state <> 'completed' OR swept = 1) AND NOT EXISTS
                (SELECT 1 FROM hook_deliveries WHERE job = film_jobs.id AND state = 'pending')
             ORDER BY finished LIMIT ?2",
        )
        .bind(before)
        .bind(i64::try_from(BATCH).unwrap_or(i64::MAX))
        .fetch_all(&mut *tx)
        .await?;
        for id in &ids {
            for verb in [
                "DELETE FROM idempotency_keys WHERE job = ?1",
                "DELETE FROM hook_deliveries WHERE job = ?1",
                "UPDATE film_jobs SET parent = NULL WHERE parent = ?1",
                "DELETE FROM film_jobs WHERE id = ?1",
            ] {
                sqlx::query(verb).bind(id).execute(&mut *tx).await?;
            }
        }
        tx.commit().await?;
        Ok(ids.len() as u64)
    }
}
