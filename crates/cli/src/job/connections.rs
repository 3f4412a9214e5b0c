//! The connections that a storyboard names, out of the data directory.

use std::collections::BTreeMap;

use store::{Connection, ConnectionId, Owner};
use storyboard::{Class, Problem, Storyboard};

use crate::arguments::JobArguments;
use crate::config::Config;
use crate::data;

/// All of them, or a problem for each place that names one that is unknown or disabled.
pub(super) async fn find(
    config: &Config,
    arguments: &JobArguments,
    storyboard: &Storyboard,
    json: &[u8],
) -> anyhow::Result<Result<Vec<Connection>, Vec<Problem>>> {
    let named = named(storyboard, json);
    if named.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let directory = data::directory(config)?;
    // A directory without a database is not made into one: there are no connections in it.
    let store = match data::database(&directory).exists() {
        true => Some(data::open(&directory).await?),
        false => None,
    };
    let owner = Owner::from_text(&arguments.owner);
    let (mut good, mut problems) = (Vec::new(), Vec::new());
    for (id, pointers) in named {
        let found = match &store {
            Some(store) => store.connection(&owner, &ConnectionId::from_text(&id)).await,
            None => Err(store::Error::NotFound),
        };
        let (code, message, fix) = match found {
            Ok(connection) if connection.enabled => {
                good.push(connection);
                continue;
            }
            Ok(connection) => (
                "CONNECTION_DISABLED",
                format!("The connection {:?} is disabled.", connection.name),
                "Enable it with PUT /v1/awsconnections/{connectionId}, or name another.".to_owned(),
            ),
            Err(store::Error::NotFound) => (
                "CONNECTION_UNKNOWN",
                format!("There is no connection {id:?} of the owner {owner} in {}.", directory.display()),
                "Name the server's data directory with --data and the connection's owner with --owner."
                    .to_owned(),
            ),
            Err(error) => return Err(error.into()),
        };
        problems.extend(
            pointers
                .into_iter()
                .map(|at| Problem::new(Class::Author, code, message.clone()).at(at).fix(fix.clone())),
        );
    }
    if let Some(store) = store {
        store.close().await;
    }
    Ok(if problems.is_empty() { Ok(good) } else { Err(problems) })
}

/// Connections with the places that name them; one that no media needs is still a mistake if it is unknown.
fn named(storyboard: &Storyboard, json: &[u8]) -> BTreeMap<String, Vec<String>> {
    let mut named = storyboard.connections();
    let request: serde_json::Value = serde_json::from_slice(json).unwrap_or_default();
    if let Some(id) = request["awsConnectionId"].as_str().map(str::trim).filter(|id| !id.is_empty()) {
        named.entry(id.to_owned()).or_insert_with(|| vec!["/awsConnectionId".to_owned()]);
    }
    named
}
