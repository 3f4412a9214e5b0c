//! Routes, auth, jobs, webhooks: the HTTP API in Pictory's wire format.
//!
//! What the parts are: `serving` keeps the socket; `routes` translate HTTP to verbs of the store and back; `runner` works on jobs that the
//! store's queue wakes; `webhooks` reports their ends; `sweeper` throws old films away. They share one
//! [`App`](state::App). What this crate needs from outside comes through the ports in [`Deps`].
//!
//! Invariants: an address that is handed out is built from the public URL, never from a request; a film is
//! published by one rename under its job's id; a handler that takes a `Caller` is authenticated; only
//! `errors` knows status codes.

mod addresses;
mod auth;
mod connections_of;
mod disk;
mod errors;
mod extract;
mod films;
mod looking;
mod ports;
mod preview;
mod reading;
mod request_log;
mod routes;
mod runner;
mod serving;
mod settings;
mod signing;
mod state;
mod sweeper;
mod webhooks;
mod wire;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use ports::{Access, Draft, Filmmaker, HookError, Look, Papers, Shot, WebhookSender};
pub use settings::Settings;
pub use signing::SigningKey;

/// What the server is made of.
#[derive(Clone)]
pub struct Deps {
    /// The database.
    pub store: store::Store,
    /// Makes films; `Arc::new(studio)` of a [`pipeline::Studio`].
    pub studio: std::sync::Arc<dyn Filmmaker>,
    /// The operator's settings.
    pub settings: Settings,
    /// Reads clients' media through their connections.
    pub access: std::sync::Arc<dyn Access>,
    /// Sends webhooks behind the URL guard.
    pub webhook: std::sync::Arc<dyn WebhookSender>,
    /// How strong the cage of the children is; shown by readiness as it stands.
    pub cage: serde_json::Value,
    /// Called once, when the data directory is this process's and requests are taken.
    pub ready: std::sync::Arc<dyn Fn(std::net::SocketAddr) + Send + Sync>,
}

/// Why the server did not start or did not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Another process serves this data directory.
    #[error("another storyreel serves the data directory {0}; stop it first or choose another with --data")]
    Locked(std::path::PathBuf),
    /// The data directory cannot be used.
    #[error("the data directory cannot be used: {0}")]
    Data(#[source] std::io::Error),
    /// The socket failed.
    #[error("the socket failed: {0}")]
    Socket(#[source] std::io::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// How often the server may die over a job before the job is given up. Media is decoded in children, whose end is a
/// failed job and not a dead server; so this many deaths in a row are mostly the machine's, and the job must outlive
/// them. It is a bound only against a job that takes the server down each time.
const MAX_CRASHES: u32 = 100;

/// Serves until `shutdown`; then takes no more jobs, puts the running ones back, and returns. At start it takes over
/// what a dead process left in the data directory.
pub async fn serve(listener: TcpListener, deps: Deps, shutdown: CancellationToken) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(ServeError::Socket)?;
    let ready = std::sync::Arc::clone(&deps.ready);
    let app = state::App::open(deps, address, shutdown.clone())?;
    let recovered = app.store.recover(MAX_CRASHES, state::now()).await?;
    tracing::info!(
        base = %app.addresses.base(),
        jobs.resumed = recovered.resumed,
        jobs.waiting = recovered.waiting,
        jobs.poisoned = recovered.poisoned,
        "the server is ready"
    );
    ready(address);
    let router = routes::router(std::sync::Arc::clone(&app));
    tokio::join!(
        serving::serve(listener, router, &app.settings, &shutdown),
        runner::work(&app),
        webhooks::work(&app),
        sweeper::work(&app)
    );
    app.studio.close().await;
    Ok(())
}
