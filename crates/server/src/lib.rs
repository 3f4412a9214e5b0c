//! Routes, auth, jobs, webhooks: the HTTP API.
