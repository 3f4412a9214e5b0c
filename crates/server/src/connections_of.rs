//! The connections that a storyboard names, authorised anew against the owner: at the request and in the job.

use store::{Connection, ConnectionId, Owner, Store};
use storyboard::{Class, Problem, Storyboard};

/// All connections that the storyboard reads media with, and what is wrong with the others.
pub(crate) async fn connections_of(
    store: &Store,
    owner: &Owner,
    storyboard: &Storyboard,
    request: &str,
) -> Result<(Vec<Connection>, Vec<Problem>), store::Error> {
    let request: serde_json::Value = serde_json::from_str(request).unwrap_or_default();
    let mut named = storyboard.connections();
    // A connection that no media needs is still a mistake if it is unknown.
    if let Some(id) = request.get("awsConnectionId").and_then(serde_json::Value::as_str)
        && !id.trim().is_empty()
    {
        named.entry(id.trim().to_owned()).or_insert_with(|| vec!["/awsConnectionId".to_owned()]);
    }
    let (mut good, mut problems) = (Vec::new(), Vec::new());
    for (id, pointers) in named {
        let wrong = match store.connection(owner, &ConnectionId::from_text(&id)).await {
            Ok(connection) if connection.enabled => {
                good.push(connection);
                continue;
            }
            Ok(connection) => (
                "CONNECTION_DISABLED",
                format!("The connection {:?} is disabled.", connection.name),
                "Enable it with PUT /v1/awsconnections/{connectionId}, or name another.",
            ),
            // Another owner's connection is no different from none.
            Err(store::Error::NotFound) => (
                "CONNECTION_UNKNOWN",
                format!("There is no connection {id:?} of yours."),
                "Take a connectionId from GET /v1/awsconnections, or make one with POST.",
            ),
            Err(error) => return Err(error),
        };
        let (code, message, fix) = wrong;
        let mut places: Vec<String> = pointers.iter().map(|pointer| place(&request, pointer)).collect();
        places.dedup();
        problems.extend(
            places.into_iter().map(|at| Problem::new(Class::Author, code, message.clone()).at(at).fix(fix)),
        );
    }
    Ok((good, problems))
}

/// Where the request names the connection for the media at a pointer: in the same scene or at the top.
fn place(request: &serde_json::Value, media: &str) -> String {
    let mut parts = media.split('/').skip(1);
    if parts.next() == Some("scenes")
        && let Some(index) = parts.next()
    {
        let here = format!("/scenes/{index}/awsConnectionId");
        if request.pointer(&here).is_some_and(serde_json::Value::is_string) {
            return here;
        }
    }
    if request.get("awsConnectionId").is_some() { "/awsConnectionId".to_owned() } else { media.to_owned() }
}
