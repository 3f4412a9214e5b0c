//! Registered AWS accounts.

use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::{ConnectionId, Error, Millis, Owner, Store};

/// A registered AWS account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Whose it is.
    pub owner: Owner,
    /// Its name, unique among its owner's.
    pub name: String,
    /// Free text; may be empty.
    pub description: String,
    /// 12 digits.
    pub account_id: String,
    /// The buckets' region, as the owner says.
    pub region: String,
    /// Whether jobs may use it.
    pub enabled: bool,
    /// Sent with every AssumeRole; made by the server.
    pub external_id: String,
    /// Name of the role in the account.
    pub role_name: String,
    /// Counts updates, from 1.
    pub version: i64,
    /// When it was made.
    pub created: Millis,
    /// When it was last changed.
    pub updated: Millis,
}

/// What a new connection is made of.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// Its name, unique among its owner's.
    pub name: String,
    /// Free text; may be empty.
    pub description: String,
    /// 12 digits.
    pub account_id: String,
    /// The buckets' region, as the owner says.
    pub region: String,
    /// Whether jobs may use it.
    pub enabled: bool,
    /// Sent with every AssumeRole.
    pub external_id: String,
    /// Name of the role in the account.
    pub role_name: String,
}

/// What an update changes; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ConnectionChange {
    /// Its name.
    pub name: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Whether jobs may use it.
    pub enabled: Option<bool>,
}

impl Store {
    /// Registers an account. [`Error::NameTaken`] where the owner has one of that name.
    pub async fn create_connection(
        &self,
        owner: &Owner,
        new: NewConnection,
        now: Millis,
    ) -> Result<Connection, Error> {
        let connection = Connection {
            id: ConnectionId::create(now),
            owner: owner.clone(),
            name: new.name,
            description: new.description,
            account_id: new.account_id,
            region: new.region,
            enabled: new.enabled,
            external_id: new.external_id,
            role_name: new.role_name,
            version: 1,
            created: now,
            updated: now,
        };
        sqlx::query(
            "INSERT INTO aws_connections (id, owner, name, description, account_id, region, enabled, external_id,
                role_name, version, created, updated)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10, ?10)",
        )
        .bind(connection.id.as_str())
        .bind(owner.as_str())
        .bind(&connection.name)
        .bind(&connection.description)
        .bind(&connection.account_id)
        .bind(&connection.region)
        .bind(connection.enabled)
        .bind(&connection.external_id)
        .bind(&connection.role_name)
        .bind(now)
        .execute(&self.writer)
        .await
        .map_err(name_taken)?;
        Ok(connection)
    }

    /// The owner's connections, the oldest first.
    pub async fn connections(&self, owner: &Owner) -> Result<Vec<Connection>, Error> {
        let rows = sqlx::query("SELECT * FROM aws_connections WHERE owner = ?1 ORDER BY created, id")
            .bind(owner.as_str())
            .fetch_all(&self.reader)
            .await?;
        Ok(rows.iter().map(connection).collect::<Result<_, _>>()?)
    }

    /// One of the owner's connections.
    pub async fn connection(&self, owner: &Owner, id: &ConnectionId) -> Result<Connection, Error> {
        let row = sqlx::query("SELECT * FROM aws_connections WHERE owner = ?1 AND id = ?2")
            .bind(owner.as_str())
            .bind(id.as_str())
            .fetch_one(&self.reader)
            .await?;
        Ok(connection(&row)?)
    }

    /// Changes a connection that is still at `version`; [`Error::VersionMismatch`] otherwise.
    pub async fn update_connection(
        &self,
        owner: &Owner,
        id: &ConnectionId,
        version: i64,
        change: &ConnectionChange,
        now: Millis,
    ) -> Result<Connection, Error> {
        let mut tx = self.write().await?;
        let current: i64 =
            sqlx::query_scalar("SELECT version FROM aws_connections WHERE owner = ?1 AND id = ?2")
                .bind(owner.as_str())
                .bind(id.as_str())
                .fetch_one(&mut *tx)
                .await?;
        if current != version {
            return Err(Error::VersionMismatch { current });
        }
        let row = sqlx::query(
            "UPDATE aws_connections SET name = coalesce(?3, name), description = coalesce(?4, description),
                enabled = coalesce(?5, enabled), version = version + 1, updated = ?6
             WHERE owner = ?1 AND id = ?2 RETURNING *",
        )
        .bind(owner.as_str())
        .bind(id.as_str())
        .bind(&change.name)
        .bind(&change.description)
        .bind(change.enabled)
        .bind(now)
        .fetch_one(&mut *tx)
        .await
        .map_err(name_taken)?;
        let connection = connection(&row)?;
        tx.commit().await?;
        Ok(connection)
    }

    /// Forgets a connection; jobs that name it fail from now on.
    pub async fn delete_connection(&self, owner: &Owner, id: &ConnectionId) -> Result<(), Error> {
        let done = sqlx::query("DELETE FROM aws_connections WHERE owner = ?1 AND id = ?2")
            .bind(owner.as_str())
            .bind(id.as_str())
            .execute(&self.writer)
            .await?;
        if done.rows_affected() == 0 { Err(Error::NotFound) } else { Ok(()) }
    }
}

fn name_taken(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(inner)
            if inner.is_unique_violation() && inner.message().contains("aws_connections.name") =>
        {
            Error::NameTaken
        }
        _ => error.into(),
    }
}

fn connection(row: &SqliteRow) -> Result<Connection, sqlx::Error> {
    Ok(Connection {
        id: ConnectionId::from_text(row.try_get::<String, _>("id")?),
        owner: Owner::from_text(row.try_get::<String, _>("owner")?),
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        account_id: row.try_get("account_id")?,
        region: row.try_get("region")?,
        enabled: row.try_get("enabled")?,
        external_id: row.try_get("external_id")?,
        role_name: row.try_get("role_name")?,
        version: row.try_get("version")?,
        created: row.try_get("created")?,
        updated: row.try_get("updated")?,
    })
}
