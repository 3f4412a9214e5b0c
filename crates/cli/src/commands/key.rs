//! `storyreel key`: the keys that clients call the server with.

use std::process::ExitCode;

use serde_json::{Value, json};
use server::SigningKey;
use store::{Key, Millis, Owner, Store};

use crate::arguments::{
    CommonArguments, KeyArguments, KeyCommand, KeyCreateArguments, KeyListArguments, KeyRevokeArguments,
};
use crate::config::Config;
use crate::{data, exit};

/// Runs the subcommand.
pub(crate) async fn run(arguments: KeyArguments) -> ExitCode {
    let result = match &arguments.command {
        KeyCommand::Create(arguments) => create(arguments).await,
        KeyCommand::List(arguments) => list(arguments).await,
        KeyCommand::Revoke(arguments) => revoke(arguments).await,
    };
    result.unwrap_or_else(|error| exit::internal(&error))
}

async fn create(arguments: &KeyCreateArguments) -> anyhow::Result<ExitCode> {
    for (flag, text) in [("--owner", &arguments.owner), ("--name", &arguments.name)] {
        if text.trim().is_empty() || text.chars().count() > 100 || text.chars().any(char::is_control) {
            return Ok(exit::usage(&format!(
                "{flag} takes 1 to 100 characters, none of them a control character"
            )));
        }
    }
    let directory = data::directory(&Config::load(&arguments.common)?)?;
    let store = data::open(&directory).await?;
    let issued = store
        .create_key(&Owner::from_text(arguments.owner.trim()), arguments.name.trim(), data::now())
        .await?;
    let webhook_secret = SigningKey::open(&directory)?.webhook_secret(&issued.key.id);
    store.close().await;
    if arguments.json {
        let mut shown = shown(&issued.key);
        shown["clientSecret"] = json!(issued.client_secret);
        shown["apiKey"] = json!(issued.api_key);
        shown["webhookSecret"] = json!(webhook_secret);
        say!("{shown:#}");
    } else {
        say!("key            {} ({}, of {})", issued.key.id, issued.key.name, issued.key.owner);
        say!("client id      {}", issued.key.client_id);
        say!("client secret  {}", issued.client_secret);
        say!("API key        {}", issued.api_key);
        say!("webhook secret {webhook_secret}");
        say!("Keep them: they are not shown again.");
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(arguments: &KeyListArguments) -> anyhow::Result<ExitCode> {
    let store = open(&arguments.common).await?;
    let keys = store.keys().await?;
    store.close().await;
    if arguments.json {
        say!("{:#}", Value::from_iter(keys.iter().map(shown)));
        return Ok(ExitCode::SUCCESS);
    }
    if keys.is_empty() {
        say!("There is no key; make one with: storyreel key create");
    }
    for key in &keys {
        let state = key.revoked.map_or_else(|| "good".to_owned(), |time| format!("revoked {}", date(time)));
        say!(
            "{}  {}  {}  {}  made {}  {state}",
            key.id,
            key.client_id,
            key.owner,
            key.name,
            date(key.created)
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn revoke(arguments: &KeyRevokeArguments) -> anyhow::Result<ExitCode> {
    let store = open(&arguments.common).await?;
    let revoked = store.revoke_key(&arguments.id, data::now()).await;
    store.close().await;
    match revoked {
        Ok(key) => {
            say!("revoked {} ({}, of {})", key.id, key.name, key.owner);
            Ok(ExitCode::SUCCESS)
        }
        Err(store::Error::NotFound) => {
            Ok(exit::usage(&format!("there is no key {:?}; see storyreel key list", arguments.id)))
        }
        Err(error) => Err(error.into()),
    }
}

async fn open(arguments: &CommonArguments) -> anyhow::Result<Store> {
    data::open(&data::directory(&Config::load(arguments)?)?).await
}

/// A key without its secrets.
fn shown(key: &Key) -> Value {
    json!({
        "id": key.id,
        "owner": key.owner,
        "name": key.name,
        "clientId": key.client_id,
        "createdDate": date(key.created),
        "revokedDate": key.revoked.map(date),
    })
}

fn date(time: Millis) -> String {
    jiff::Timestamp::from_millisecond(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}
