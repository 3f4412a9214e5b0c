//! What is thrown away with time.

use crate::{Error, JobId, Millis, Store, queue};

/// How long an idempotency key is remembered.
const IDEMPOTENCY_LIFE: Millis = 24 * 60 * 60 * 1000;

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

    /// Forgets expired tokens, old idempotency keys and the queue's finished rows.
    pub async fn forget_expired(&self, now: Millis) -> Result<(), Error> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM api_tokens WHERE expires <= ?1").bind(now).execute(&mut *tx).await?;
        sqlx::query("DELETE FROM idempotency_keys WHERE created <= ?1")
            .bind(now - IDEMPOTENCY_LIFE)
            .execute(&mut *tx)
            .await?;
        queue::tidy(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }
}
