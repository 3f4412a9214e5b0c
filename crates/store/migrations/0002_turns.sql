-- Owners take turns, and what is old is found by its age.

ALTER TABLE film_jobs ADD COLUMN claimed INTEGER; -- when it was last taken to be worked on

-- SQLite takes a partial index only for a query that repeats its condition, so the old ones were never used.
DROP INDEX film_jobs_open;
DROP INDEX hook_deliveries_open;
CREATE INDEX film_jobs_waiting ON film_jobs (kind, owner, id) WHERE state = 'queued';
CREATE INDEX film_jobs_held ON film_jobs (kind, owner) WHERE holder IS NOT NULL;
CREATE INDEX film_jobs_turns ON film_jobs (kind, owner, claimed);
CREATE INDEX film_jobs_by_age ON film_jobs (finished) WHERE finished IS NOT NULL;
CREATE INDEX film_jobs_by_parent ON film_jobs (parent) WHERE parent IS NOT NULL;

CREATE INDEX hook_deliveries_waiting ON hook_deliveries (owner, id) WHERE state = 'pending';
CREATE INDEX hook_deliveries_held ON hook_deliveries (owner) WHERE holder IS NOT NULL;
CREATE INDEX hook_deliveries_by_job ON hook_deliveries (job);
CREATE INDEX hook_deliveries_by_age ON hook_deliveries (updated);

CREATE INDEX idempotency_keys_by_job ON idempotency_keys (job);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created);
CREATE INDEX api_tokens_by_key ON api_tokens (key_id, expires);
