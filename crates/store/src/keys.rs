//! Keys of owners and the short-lived tokens bought with them.
//!
//! Secrets are 256 random bits, so a plain SHA-256 is enough to keep; they are looked up by their hash, which
//! leaves nothing to time.

use sha2::{Digest as _, Sha256};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{Error, KeyId, Millis, Owner, Store};

/// A key without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub owner: Owner,
    /// What its owner calls it.
    pub name: String,
    /// The public half of the pair.
    pub client_id: String,
    /// When it was made.
    pub created: Millis,
    /// When it was revoked.
    pub revoked: Option<Millis>,
}

/// A key as it is shown once.
#[derive(Clone)]
pub struct IssuedKey {
    /// The key.
    pub key: Key,
    /// The private half of the pair; kept nowhere.
    pub client_secret: String,
    /// The API key, good in place of a token; kept nowhere.
    pub api_key: String,
}

/// How an API key begins.
const API_KEY_PREFIX: &str = "sr_";
/// How a token begins.
const TOKEN_PREFIX: &str = "srt_";
/// Tokens of one key that live at once: a client that buys one for each request must not fill the disk.
const TOKENS: i64 = 1000;
const COLUMNS: &str = "id, owner, name, client_id, created, revoked";

impl Store {
    /// Makes a key; its secrets are returned this once.
    pub async fn create_key(&self, owner: &Owner, name: &str, now: Millis) -> Result<IssuedKey, Error> {
        let key = Key {
            id: KeyId::create(),
            owner: owner.clone(),
            name: name.to_owned(),
            client_id: random_hex(16)?,
            created: now,
            revoked: None,
        };
        let client_secret = random_hex(32)?;
        let api_key = format!("{API_KEY_PREFIX}{}", random_hex(32)?);
        sqlx::query(
            "INSERT INTO api_keys (id, owner, name, client_id, secret_hash, api_key_hash, created)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(key.id.as_str())
        .bind(owner.as_str())
        .bind(name)
        .bind(&key.client_id)
        .bind(hash(&client_secret))
        .bind(hash(&api_key))
        .bind(now)
        .execute(&self.writer)
        .await?;
        Ok(IssuedKey { key, client_secret, api_key })
    }

    /// All keys, the newest first; the operator's view, over all owners.
    pub async fn keys(&self) -> Result<Vec<Key>, Error> {
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM api_keys ORDER BY id DESC")))
                .fetch_all(&self.reader)
                .await?;
        Ok(rows.iter().map(key).collect::<Result<_, _>>()?)
    }

    /// Revokes a key and ends its tokens; the operator's verb, by id or client id.
    pub async fn revoke_key(&self, id_or_client: &str, now: Millis) -> Result<Key, Error> {
        let mut tx = self.write().await?;
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "UPDATE api_keys SET revoked = coalesce(revoked, ?2) WHERE id = ?1 OR client_id = ?1 RETURNING {COLUMNS}"
        )))
        .bind(id_or_client)
        .bind(now)
        .fetch_one(&mut *tx)
        .await?;
        let key = key(&row)?;
        sqlx::query("DELETE FROM api_tokens WHERE key_id = ?1")
            .bind(key.id.as_str())
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(key)
    }

    /// The key of a client id and secret.
    pub async fn key_by_secret(&self, client_id: &str, secret: &str) -> Result<Key, Error> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM api_keys WHERE client_id = ?1 AND secret_hash = ?2 AND revoked IS NULL"
        )))
        .bind(client_id)
        .bind(hash(secret))
        .fetch_one(&self.reader)
        .await?;
        Ok(key(&row)?)
    }

    /// Makes a token for a key, good until `expires`. A key has [`TOKENS`] at most; the oldest end first.
    pub async fn issue_token(&self, key: &KeyId, expires: Millis) -> Result<String, Error> {
        let token = format!("{TOKEN_PREFIX}{}", random_hex(32)?);
        let mut tx = self.write().await?;
        sqlx::query("INSERT INTO api_tokens (hash, key_id, expires) VALUES (?1, ?2, ?3)")
            .bind(hash(&token))
            .bind(key.as_str())
            .bind(expires)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "DELETE FROM api_tokens WHERE key_id = ?1 AND expires <
                (SELECT expires FROM api_tokens WHERE key_id = ?1 ORDER BY expires DESC LIMIT 1 OFFSET ?2)",
        )
        .bind(key.as_str())
        .bind(TOKENS - 1)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(token)
    }

    /// The key behind what stands in an `Authorization` header: a token that has not expired, or an API key.
    pub async fn key_by_bearer(&self, bearer: &str, now: Millis) -> Result<Key, Error> {
        let row = sqlx::query(
            "SELECT k.id, k.owner, k.name, k.client_id, k.created, k.revoked FROM api_keys k
             WHERE k.revoked IS NULL AND (k.api_key_hash = ?1
                OR k.id = (SELECT key_id FROM api_tokens WHERE hash = ?1 AND expires > ?2))",
        )
        .bind(hash(bearer))
        .bind(now)
        .fetch_one(&self.reader)
        .await?;
        Ok(key(&row)?)
    }
}

fn key(row: &SqliteRow) -> Result<Key, sqlx::Error> {
    Ok(Key {
        id: KeyId::from_text(row.try_get::<String, _>("id")?),
        owner: Owner::from_text(row.try_get::<String, _>("owner")?),
        name: row.try_get("name")?,
        client_id: row.try_get("client_id")?,
        created: row.try_get("created")?,
        revoked: row.try_get("revoked")?,
    })
}

fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

fn random_hex(bytes: usize) -> Result<String, Error> {
    let mut buffer = vec![0; bytes];
    getrandom::fill(&mut buffer).map_err(|error| Error::Open(format!("no randomness: {error}")))?;
    Ok(hex::encode(buffer))
}
