//! `storyreel serve`: the HTTP API.

use std::process::ExitCode;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::arguments::ServeArguments;
use crate::config::Config;
use crate::service::Service;
use crate::{exit, logs, signals};

/// Runs the subcommand.
pub(crate) async fn run(arguments: ServeArguments) -> ExitCode {
    match serve(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::internal(&error),
    }
}

async fn serve(arguments: &ServeArguments) -> anyhow::Result<()> {
    let config = Config::load_for_server(arguments)?;
    logs::start(&config.log, "info")?;
    let stop = signals::stop_token().context("listening for signals")?;
    let mut service = Service::open(&config, config.aws_settings()).await?;
    let address = config.listen();
    let listener = TcpListener::bind(address).await;
    let listener =
        listener.with_context(|| format!("listening on {address}; choose another address with --listen"))?;
    let address = listener.local_addr().context("looking at the socket")?;
    if !address.ip().is_loopback() && config.public_url.is_none() {
        tracing::warn!("clients are handed addresses that begin with http://{address}; set --public-url");
    }
    // For scripts: the first line, and the only one on standard output; not before the data directory is ours.
    service.when_ready(|address| say!("storyreel listens on http://{address}"));
    if service.store.keys().await?.iter().all(|key| key.revoked.is_some()) {
        let data = service.data.display();
        tracing::info!("there is no key yet; make one with: storyreel key create --data {data}");
    }
    service.introduce();
    service.serve(listener, stop).await?;
    tracing::info!("the server has stopped");
    Ok(())
}
