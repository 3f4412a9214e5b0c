//! Opening the database: pools, migrations, the copy made before them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{SqlitePool, Transaction};

use crate::Error;
use crate::queue::Bells;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    /// One connection, `synchronous=FULL`.
    pub(crate) writer: SqlitePool,
    /// Read only.
    pub(crate) reader: SqlitePool,
    pub(crate) bells: Arc<Bells>,
}

impl Store {
    /// Opens or creates the database file and brings it to this version. Where migrations are pending and the
    /// file exists already, it is first copied to `backup-<version>.db` beside it.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let existed = path.exists();
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone().auto_vacuum(SqliteAutoVacuum::Incremental))
            .await
            .map_err(open_error)?;
        owner_only(path);
        migrate(&writer, path, existed).await?;
        let reader = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(open_error)?;
        Ok(Self { writer, reader, bells: Arc::default() })
    }

    /// Whether the database answers, for readiness.
    pub async fn ready(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1").execute(&self.reader).await?;
        Ok(())
    }

    /// Closes all connections; the write-ahead log is folded in.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// A transaction that may write; taken at once, so that it never fails half way for another writer.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, sqlx::Sqlite>, Error> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

fn open_error(error: impl std::fmt::Display) -> Error {
    Error::Open(error.to_string())
}

/// Hashes and external ids are nobody else's to read.
fn owner_only(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    if let Err(error) = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)) {
        tracing::warn!(%error, "the database file's permissions could not be narrowed");
    }
}

async fn migrate(writer: &SqlitePool, path: &Path, existed: bool) -> Result<(), Error> {
    if existed && pending(writer).await? {
        back_up(writer, path).await?;
    }
    MIGRATIONS.run(writer).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => Error::Open(format!(
            "it was written by a newer storyreel (its version is {version}); use that one, or the copy made before it"
        )),
        error => open_error(error),
    })
}

async fn pending(writer: &SqlitePool) -> Result<bool, Error> {
    const TABLE: &str = "_sqlx_migrations";
    let mut connection = writer.acquire().await?;
    connection.ensure_migrations_table(TABLE).await.map_err(open_error)?;
    let applied = connection.list_applied_migrations(TABLE).await.map_err(open_error)?;
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    Ok(applied.iter().map(|migration| migration.version).max().unwrap_or(0) < newest)
}

/// Copies the database as it is before the migrations, named by the version it has.
async fn back_up(writer: &SqlitePool, path: &Path) -> Result<(), Error> {
    let version: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
        .fetch_one(writer)
        .await?;
    let copy = path.with_file_name(format!("backup-{version}.db"));
    if copy.exists() {
        std::fs::remove_file(&copy).map_err(open_error)?;
    }
    sqlx::query("VACUUM INTO ?1").bind(copy.to_string_lossy().into_owned()).execute(writer).await?;
    owner_only(&copy);
    tracing::info!(copy = %copy.display(), "the database was copied before its migration");
    Ok(())
}
