//! AWS connections: create, list, show, update with a version as optimistic lock, delete.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use store::{Connection, ConnectionChange, ConnectionId, NewConnection};
use storyboard::{Problem, Warning};

use crate::auth::Caller;
use crate::errors::ApiError;
use crate::extract::{Segments, body};
use crate::state::{App, now};
use crate::wire::date;

const NAME_CHARACTERS: usize = 100;
const DESCRIPTION_CHARACTERS: usize = 250;
/// What an answer carries besides and a client may send back with an update.
const ECHOED: [&str; 10] = [
    "connectionId",
    "type",
    "createdDate",
    "updatedDate",
    "externalId",
    "roleArn",
    "roleName",
    "trustPolicy",
    "inlinePolicy",
    "warnings",
];

pub(crate) async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let mut fields = Fields::read(&body(bytes)?)?;
    let name = fields.name();
    let description = fields.description();
    let account_id = fields.account_id();
    let region = fields.text("awsRegion");
    if let Some(region) = &region
        && !app.access.known_region(region)
    {
        fields.wrong(
            "awsRegion",
            "UNKNOWN_REGION",
            format!("{region:?} is not an AWS region such as us-east-2."),
        );
    }
    let enabled = fields.flag("enabled");
    for (member, missing) in [
        ("name", name.is_none()),
        ("awsAccountId", account_id.is_none()),
        ("awsRegion", region.is_none()),
        ("enabled", enabled.is_none()),
    ] {
        if missing {
            fields.require(member);
        }
    }
    let warnings = fields.finish(&["name", "description", "awsAccountId", "awsRegion", "enabled"], &[])?;
    let (Some(name), Some(account_id), Some(region), Some(enabled)) = (name, account_id, region, enabled)
    else {
        return Err(ApiError::body(
            "",
            "REQUIRED",
            "name, awsAccountId, awsRegion and enabled are required.",
        ));
    };
    let new = NewConnection {
        name,
        description: description.unwrap_or_default(),
        account_id,
        region,
        enabled,
        external_id: app.access.new_external_id(),
        role_name: app.settings.role_name.clone(),
    };
    let connection = app.store.create_connection(&caller.owner, new, now()).await?;
    Ok(Json(shown(&app, &connection, &warnings).await))
}

pub(crate) async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Value>, ApiError> {
    let mut items = Vec::new();
    for connection in app.store.connections(&caller.owner).await? {
        items.push(shown(&app, &connection, &[]).await);
    }
    Ok(Json(json!({"Items": items})))
}

pub(crate) async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<Value>, ApiError> {
    let connection = find(&app, &caller, &id).await?;
    Ok(Json(shown(&app, &connection, &[]).await))
}

pub(crate) async fn update(
    State(app): State<Arc<App>>,
    caller: Caller,
    Segments(id): Segments<String>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, ApiError> {
    let current = find(&app, &caller, &id).await?;
    let mut fields = Fields::read(&body(bytes)?)?;
    let version = fields.version();
    if version.is_none() {
        fields.require("version");
    }
    let change = ConnectionChange {
        name: fields.name(),
        description: fields.description(),
        enabled: fields.flag("enabled"),
    };
    // A client that reads, changes and writes the whole object sends them back as they are.
    let account = fields.account_id();
    let region = fields.text("awsRegion");
    for (member, sent, kept) in
        [("awsAccountId", account, &current.account_id), ("awsRegion", region, &current.region)]
    {
        if sent.is_some_and(|sent| sent != *kept) {
            fields.wrong(
                member,
                "IMMUTABLE",
                format!("{member} cannot be changed; delete the connection and make a new one."),
            );
        }
    }
    let known = ["name", "description", "enabled", "version", "awsAccountId", "awsRegion"];
    let warnings = fields.finish(&known, &ECHOED)?;
    let Some(version) = version else {
        return Err(ApiError::body("/version", "REQUIRED", "version is missing."));
    };
    let connection = app.store.update_connection(&caller.owner, &current.id, version, &change, now()).await?;
    Ok(Json(shown(&app, &connection, &warnings).await))
}

pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<StatusCode, ApiError> {
    match app.store.delete_connection(&caller.owner, &ConnectionId::from_text(&id)).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(store::Error::NotFound) => Err(missing(&id)),
        Err(error) => Err(error.into()),
    }
}

async fn find(app: &App, caller: &Caller, id: &str) -> Result<Connection, ApiError> {
    match app.store.connection(&caller.owner, &ConnectionId::from_text(id)).await {
        Err(store::Error::NotFound) => Err(missing(id)),
        other => Ok(other?),
    }
}

fn missing(_id: &str) -> ApiError {
    ApiError::NotFound("There is no such connection.")
}

async fn shown(app: &App, connection: &Connection, warnings: &[Warning]) -> Value {
    let papers = app.access.papers(connection).await;
    let mut value = json!({
        "connectionId": connection.id,
        "type": "AWS",
        "enabled": connection.enabled,
        "name": connection.name,
        "description": connection.description,
        "awsAccountId": connection.account_id,
        "awsRegion": connection.region,
        "version": connection.version,
        "createdDate": date(connection.created),
        "updatedDate": date(connection.updated),
        "externalId": connection.external_id,
        "roleArn": papers.role_arn,
        "trustPolicy": papers.trust_policy,
        "inlinePolicy": papers.inline_policy,
    });
    if !warnings.is_empty() {
        value["warnings"] = json!(warnings);
    }
    value
}

/// A body's members, and what is wrong with them so far. `null` counts as absent.
struct Fields {
    members: Map<String, Value>,
    problems: Vec<Problem>,
}

impl Fields {
    fn read(bytes: &[u8]) -> Result<Self, ApiError> {
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(mut members)) => {
                members.retain(|_, value| !value.is_null());
                Ok(Self { members, problems: Vec::new() })
            }
            Ok(_) => Err(ApiError::body("", "WRONG_TYPE", "The body must be a JSON object.")),
            Err(error) => Err(ApiError::body("", "INVALID_JSON", format!("The body is not JSON: {error}."))),
        }
    }

    fn wrong(&mut self, member: &str, code: &str, message: String) {
        self.problems.push(Problem::author(format!("/{member}"), code, message));
    }

    fn require(&mut self, member: &str) {
        // A member that is there but wrong has its problem already.
        if !self.members.contains_key(member) {
            self.wrong(member, "REQUIRED", format!("{member} is missing."));
        }
    }

    fn text(&mut self, member: &str) -> Option<String> {
        match self.members.get(member)? {
            Value::String(text) => Some(text.trim().to_owned()),
            _ => {
                self.wrong(member, "WRONG_TYPE", format!("{member} must be a string."));
                None
            }
        }
    }

    fn limited(&mut self, member: &str, most: usize) -> Option<String> {
        let text = self.text(member)?;
        if text.chars().count() > most {
            self.wrong(member, "TOO_LONG", format!("{member} may have {most} characters at most."));
            return None;
        }
        if text.chars().any(char::is_control) {
            self.wrong(member, "CONTROL_CHARACTER", format!("{member} must not contain control characters."));
            return None;
        }
        Some(text)
    }

    fn name(&mut self) -> Option<String> {
        let name = self.limited("name", NAME_CHARACTERS)?;
        if name.is_empty() {
            self.wrong("name", "EMPTY", "name must not be empty.".to_owned());
            return None;
        }
        Some(name)
    }

    fn description(&mut self) -> Option<String> {
        self.limited("description", DESCRIPTION_CHARACTERS)
    }

    fn account_id(&mut self) -> Option<String> {
        let text = match self.members.get("awsAccountId")? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(text);
        }
        self.wrong(
            "awsAccountId",
            "INVALID_ACCOUNT_ID",
            "awsAccountId must be the 12 digits of an AWS account, as a string.".to_owned(),
        );
        None
    }

    fn flag(&mut self, member: &str) -> Option<bool> {
        let flag = match self.members.get(member)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        };
        if flag.is_none() {
            self.wrong(member, "WRONG_TYPE", format!("{member} must be true or false."));
        }
        flag
    }

    fn version(&mut self) -> Option<i64> {
        let version = match self.members.get("version")? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if version.is_none() {
            self.wrong("version", "WRONG_TYPE", "version must be the number that was last read.".to_owned());
        }
        version
    }

    /// All problems at once, or the warnings about members that nobody knows.
    fn finish(self, known: &[&str], echoed: &[&str]) -> Result<Vec<Warning>, ApiError> {
        if !self.problems.is_empty() {
            return Err(ApiError::Body(self.problems));
        }
        let unknown = self
            .members
            .keys()
            .filter(|name| !known.contains(&name.as_str()) && !echoed.contains(&name.as_str()));
        Ok(unknown
            .map(|name| {
                let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
                Warning::at(pointer, "UNKNOWN_FIELD", format!("{name:?} is not known here and was ignored."))
            })
            .collect())
    }
}
