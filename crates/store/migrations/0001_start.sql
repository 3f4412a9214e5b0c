-- Times are milliseconds since 1970 UTC. JSON is TEXT. Every row belongs to an owner.
-- The queue's own tables (Jobs, Workers) come from its own migrations; ours must not share their names,
-- which SQLite compares without regard to case.

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    client_id TEXT NOT NULL UNIQUE,
    secret_hash TEXT NOT NULL,
    api_key_hash TEXT NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    revoked INTEGER
) STRICT;

CREATE TABLE api_tokens (
    hash TEXT PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES api_keys (id),
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX api_tokens_by_expiry ON api_tokens (expires);

CREATE TABLE aws_connections (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    external_id TEXT NOT NULL UNIQUE,
    role_name TEXT NOT NULL,
    version INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    UNIQUE (owner, name)
) STRICT;

CREATE TABLE film_jobs (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    key_id TEXT REFERENCES api_keys (id),
    kind TEXT NOT NULL CHECK (kind IN ('storyboard', 'render')),
    format TEXT NOT NULL CHECK (format IN ('storyboard', 'render_params')),
    parent TEXT REFERENCES film_jobs (id),
    state TEXT NOT NULL CHECK (state IN
        ('queued', 'planning', 'rendering', 'assembling', 'delivering', 'completed', 'failed', 'cancelled')),
    percent INTEGER NOT NULL DEFAULT 0,
    scenes_done INTEGER,
    scenes_total INTEGER,
    request TEXT NOT NULL,
    webhook TEXT,
    result TEXT,
    problems TEXT NOT NULL DEFAULT '[]',
    warnings TEXT NOT NULL DEFAULT '[]',
    attempts INTEGER NOT NULL DEFAULT 0,   -- tries that ended in a transient problem
    crashes INTEGER NOT NULL DEFAULT 0,    -- claims that did not end, so far
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    run_after INTEGER NOT NULL,
    holder TEXT,                           -- the process instance at work on it
    swept INTEGER NOT NULL DEFAULT 0,      -- its files were deleted to make room or for age
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    finished INTEGER
) STRICT;
CREATE INDEX film_jobs_by_owner ON film_jobs (owner, id);
CREATE INDEX film_jobs_open ON film_jobs (kind, run_after)
    WHERE state NOT IN ('completed', 'failed', 'cancelled');
CREATE INDEX film_jobs_with_files ON film_jobs (finished) WHERE state = 'completed' AND swept = 0;

CREATE TABLE hook_deliveries (
    id TEXT PRIMARY KEY,                   -- stays the same over all tries: the receiver's key for deduplication
    owner TEXT NOT NULL,
    job TEXT NOT NULL REFERENCES film_jobs (id),
    url TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    run_after INTEGER NOT NULL,
    holder TEXT,
    last_error TEXT,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL
) STRICT;
CREATE INDEX hook_deliveries_open ON hook_deliveries (run_after) WHERE state = 'pending';

CREATE TABLE idempotency_keys (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    job TEXT NOT NULL REFERENCES film_jobs (id),
    created INTEGER NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT;
