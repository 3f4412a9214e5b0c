//! The connections that a request names, authorised anew against the owner: at the request and in the job.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use store::{Connection, ConnectionId, Owner, Store};
use storyboard::{Class, Problem, Storyboard};

/// Problems of this kind that one answer lists.
const MOST: usize = 100;
/// Connections that are looked up one by one; for more, the owner's are read at once.
const FEW: usize = 32;

/// All connections that the storyboard reads media with, and what is wrong with any that its request names.
pub(crate) async fn connections_of(
    store: &Store,
    owner: &Owner,
    storyboard: &Storyboard,
    request: &str,
) -> Result<(Vec<Connection>, Vec<Problem>), store::Error> {
    let request: Value = serde_json::from_str(request).unwrap_or_default();
    let used = storyboard.connections();
    let mut named = named_in(&request);
    // Whatever reads media is named somewhere; if it were not, the media's own place is told.
    for (id, pointers) in &used {
        named.entry(id.clone()).or_insert_with(|| pointers.clone());
    }
    let (good, problems) = judged(store, owner, named).await?;
    Ok((good.into_iter().filter(|connection| used.contains_key(connection.id.as_str())).collect(), problems))
}

/// What is wrong with the connections that a request names, although it is no storyboard.
pub(crate) async fn wrong_connections(
    store: &Store,
    owner: &Owner,
    request: &Value,
) -> Result<Vec<Problem>, store::Error> {
    Ok(judged(store, owner, named_in(request)).await?.1)
}

async fn judged(
    store: &Store,
    owner: &Owner,
    named: BTreeMap<String, Vec<String>>,
) -> Result<(Vec<Connection>, Vec<Problem>), store::Error> {
    let (mut good, mut problems) = (Vec::new(), Vec::new());
    if named.is_empty() {
        return Ok((good, problems));
    }
    let mut own = HashMap::new();
    if named.len() > FEW {
        own.extend(store.connections(owner).await?.into_iter().map(by_id));
    } else {
        for id in named.keys() {
            match store.connection(owner, &ConnectionId::from_text(id)).await {
                Ok(connection) => own.extend([by_id(connection)]),
                Err(store::Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
    }
    for (id, pointers) in named {
        let (code, message, fix) = match own.remove(&id) {
            Some(connection) if connection.enabled => {
                good.push(connection);
                continue;
            }
            Some(connection) => (
                "CONNECTION_DISABLED",
                format!("The connection {:?} is disabled.", connection.name),
                "Enable it with PUT /v1/awsconnections/{connectionId}, or name another.",
            ),
            // Another owner's connection is no different from none.
            None => (
                "CONNECTION_UNKNOWN",
                format!("There is no connection {id:?} of yours."),
                "Take a connectionId from GET /v1/awsconnections, or make one with POST.",
            ),
        };
        let problem = Problem::new(Class::Author, code, message).fix(fix);
        problems.extend(pointers.into_iter().map(|at| problem.clone().at(at)));
    }
    problems.truncate(MOST);
    Ok((good, problems))
}

fn by_id(connection: Connection) -> (String, Connection) {
    (connection.id.to_string(), connection)
}

/// Every `awsConnectionId` of a request, used or not, with the places that name it.
fn named_in(request: &Value) -> BTreeMap<String, Vec<String>> {
    let mut named = BTreeMap::new();
    collect(request, &mut String::new(), &mut named);
    named
}

fn collect(value: &Value, pointer: &mut String, named: &mut BTreeMap<String, Vec<String>>) {
    let here = pointer.len();
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                match value {
                    Value::String(id) if name == "awsConnectionId" => {
                        if !id.trim().is_empty() {
                            named.entry(id.trim().to_owned()).or_default().push(pointer.clone());
                        }
                    }
                    value => collect(value, pointer, named),
                }
                pointer.truncate(here);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointer.push('/');
                pointer.push_str(&index.to_string());
                collect(item, pointer, named);
                pointer.truncate(here);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_found_and_empty_names_name_nothing() {
        let request = serde_json::json!({
            "awsConnectionId": " a ",
            "audio": {"awsConnectionId": ""},
            "scenes": [{"awsConnectionId": null}, {"b/c": {"awsConnectionId": "a"}, "awsConnectionId": 5}],
        });
        let found = named_in(&request);
        assert_eq!(found.len(), 1);
        let mut places = found["a"].clone();
        places.sort();
        assert_eq!(places, ["/awsConnectionId", "/scenes/1/b~1c/awsConnectionId"]);
    }
}
