//! A server put together from its parts: for `serve`, and for `demo` with an AWS of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use aws::AwsSettings;
use media::HttpsOpener;
use pipeline::Studio;
use serde_json::{Value, json};
use server::Deps;
use store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::access::{LazyAws, ServerAccess};
use crate::config::Config;
use crate::webhooks::GuardedSender;
use crate::{data, studio};

/// A server that is ready to serve.
pub(crate) struct Service {
    /// Its database.
    pub(crate) store: Store,
    /// Its data directory.
    pub(crate) data: PathBuf,
    access: Arc<ServerAccess>,
    deps: Deps,
}

impl Service {
    /// Opens database, studio and access; asks a child to break out of its cage.
    pub(crate) async fn open(config: &Config, aws: AwsSettings) -> anyhow::Result<Self> {
        let data = data::directory(config)?;
        let artefacts = config.artefacts().unwrap_or_else(|error| {
            tracing::warn!(error = format!("{error:#}"), "every film is rendered anew");
            None
        });
        let studio = studio::open(config, artefacts)?;
        let cage = cage(&studio, config).await?;
        let store = data::open(&data).await?;
        let https = Arc::new(HttpsOpener::new(config.url_policy())?);
        let principal = config.access.principal_arn.clone();
        let access = Arc::new(ServerAccess::new(LazyAws::new(aws), Arc::clone(&https), principal));
        let deps = Deps {
            store: store.clone(),
            studio: Arc::new(studio),
            settings: config.server_settings(data.clone()),
            access: Arc::clone(&access) as _,
            webhook: Arc::new(GuardedSender(https)),
            cage,
            ready: Arc::new(|_| ()),
        };
        Ok(Self { store, data, access, deps })
    }

    /// Says in the log who the server is to AWS, once that is known.
    pub(crate) fn introduce(&self) {
        let access = Arc::clone(&self.access);
        tokio::spawn(async move { access.introduce().await });
    }

    /// Has something done once it serves.
    pub(crate) fn when_ready(&mut self, ready: impl Fn(SocketAddr) + Send + Sync + 'static) {
        self.deps.ready = Arc::new(ready);
    }

    /// Serves until `stop`, then folds the database.
    pub(crate) async fn serve(self, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
        let served = server::serve(listener, self.deps, stop).await;
        self.store.close().await;
        Ok(served?)
    }
}

/// What held when a child tried to break out, as readiness shows it.
async fn cage(studio: &Studio, config: &Config) -> anyhow::Result<Value> {
    let report = match studio.check_cage().await {
        Ok(report) => report,
        Err(error) if config.cage.allow_broken => {
            tracing::error!(%error, "the cage could not be checked; going on since cage.allow_broken is set");
            return Ok(json!({ "strength": "broken", "error": error.to_string() }));
        }
        Err(error) => return Err(error).context("checking the cage of the processes that decode media"),
    };
    let strength = report.strength();
    let mut shown = serde_json::to_value(&report)?;
    shown["strength"] = json!(strength);
    match strength {
        "full" => tracing::info!(strength, "the processes that decode media are caged"),
        "broken" if config.cage.allow_broken => {
            tracing::error!(strength, report = %shown, "the cage does not hold; going on since cage.allow_broken is set");
        }
        "broken" => bail!(
            "the cage does not hold: a process that decodes clients' media could break out ({shown}). Run on a Linux \
             kernel with seccomp, or set cage.allow_broken = true in the configuration if all media is trusted"
        ),
        _ => tracing::warn!(
            strength,
            report = %shown,
            "the processes that decode media are caged, but not by every wall: this kernel has no complete Landlock"
        ),
    }
    Ok(shown)
}
