//! Opening a database that another version of the program left.

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use store::{Error, Owner, Store};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

#[tokio::test]
async fn an_older_database_is_copied_before_it_is_migrated() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("storyreel.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let old = SqlitePool::connect_with(options.clone()).await.unwrap();
    MIGRATIONS.run_to(1, &old).await.unwrap();
    let row = "INSERT INTO api_keys (id, owner, name, client_id, secret_hash, api_key_hash, created)
        VALUES ('k', 'anna', 'laptop', 'c', 's', 'a', 1)";
    sqlx::query(row).execute(&old).await.unwrap();
    old.close().await;

    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.keys().await.unwrap()[0].owner, Owner::from_text("anna"));
    store.close().await;
    let copy = dir.path().join("backup-1.db");
    let kept = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&copy)).await.unwrap();
    let columns: Vec<String> =
        sqlx::query_scalar("SELECT name FROM pragma_table_info('film_jobs')").fetch_all(&kept).await.unwrap();
    assert!(!columns.contains(&"claimed".to_owned()), "the copy is of before the migration: {columns:?}");
    let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM api_keys").fetch_one(&kept).await.unwrap();
    assert_eq!(keys, 1);
    kept.close().await;
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    std::fs::remove_file(&copy).unwrap();
    Store::open(&path).await.unwrap().close().await;
    assert!(!copy.exists(), "nothing is pending, so nothing is copied");
}

#[tokio::test]
async fn a_newer_database_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("storyreel.db");
    Store::open(&path).await.unwrap().close().await;
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&path)).await.unwrap();
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (999, 'later', 1, x'00', 0)";
    sqlx::query(later).execute(&pool).await.unwrap();
    pool.close().await;
    let refused = Store::open(&path).await;
    assert!(
        matches!(&refused, Err(Error::Open(text)) if text.contains("newer") && text.contains("999")),
        "{refused:?}"
    );
}
