//! No table grows for ever.

use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use store::{DeliveryId, Ending, Error, JobId, JobKind, Outcome, Store};

use crate::{Shelf, accepted, new_job, owner, shelf};

const DAY: i64 = 24 * 60 * 60 * 1000;

async fn ended(store: &Store, id: &JobId, ending: Ending, now: i64) {
    store.claim_job(id, "p", now).await.unwrap().unwrap();
    assert!(store.finish_job(id, "p", &Outcome { ending, warnings: None }, now).await.unwrap());
}

async fn rows(shelf: &Shelf, table: &str) -> i64 {
    let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&shelf.path)).await.unwrap();
    let count = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
        .fetch_one(&pool)
        .await
        .unwrap();
    pool.close().await;
    count
}

#[tokio::test]
async fn old_jobs_are_forgotten_but_for_those_with_files_or_a_delivery_to_make() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let mut request = new_job("anna", JobKind::Storyboard);
    request.idempotency = Some(("key".to_owned(), "hash".to_owned()));
    let parent = accepted(store, &request, 1).await;
    ended(store, &parent, Ending::Completed(json!({})), 2).await;
    let mut request = new_job("anna", JobKind::Render);
    request.parent = Some(parent.clone());
    let child = accepted(store, &request, 3).await;
    ended(store, &child, Ending::Completed(json!({})), 4).await;
    let mut request = new_job("anna", JobKind::Render);
    request.webhook = Some("https://hooks.example/".to_owned());
    let told = accepted(store, &request, 3).await;
    ended(store, &told, Ending::Failed(Vec::new()), 4).await;
    let waiting = accepted(store, &new_job("anna", JobKind::Render), 3).await;

    assert_eq!(store.forget_jobs(10).await.unwrap(), 0, "files, a delivery, not ended");
    store.mark_swept(&parent, 11).await.unwrap();
    assert_eq!(store.forget_jobs(1).await.unwrap(), 0, "too young");
    assert_eq!(store.forget_jobs(10).await.unwrap(), 1);
    assert!(matches!(store.any_job(&parent).await, Err(Error::NotFound)));
    assert_eq!(store.any_job(&child).await.unwrap().parent, None);
    assert_eq!(rows(&shelf, "idempotency_keys").await, 0);

    let delivery: String = {
        let pool = SqlitePool::connect_with(SqliteConnectOptions::new().filename(&shelf.path)).await.unwrap();
        let id = sqlx::query_scalar("SELECT id FROM hook_deliveries").fetch_one(&pool).await.unwrap();
        pool.close().await;
        id
    };
    let delivery = DeliveryId::from_text(delivery);
    store.claim_delivery(&delivery, "p", 12).await.unwrap().unwrap();
    store.delivered(&delivery, "p", 13).await.unwrap();
    assert_eq!(store.forget_jobs(10).await.unwrap(), 1);
    assert_eq!(rows(&shelf, "hook_deliveries").await, 0);
    store.mark_swept(&child, 14).await.unwrap();
    assert_eq!(store.forget_jobs(10).await.unwrap(), 1);
    assert_eq!(store.any_job(&waiting).await.unwrap().id, waiting);
}

#[tokio::test]
async fn tokens_keys_and_deliveries_end_with_time_and_a_keys_tokens_are_bounded() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let issued = store.create_key(&owner("anna"), "k", 1).await.unwrap();
    let first = store.issue_token(&issued.key.id, 10).await.unwrap();
    for expires in 11..=1010 {
        store.issue_token(&issued.key.id, expires).await.unwrap();
    }
    assert_eq!(rows(&shelf, "api_tokens").await, 1000);
    assert!(matches!(store.key_by_bearer(&first, 5).await, Err(Error::NotFound)));

    let mut request = new_job("anna", JobKind::Render);
    request.idempotency = Some(("key".to_owned(), "hash".to_owned()));
    request.webhook = Some("https://hooks.example/".to_owned());
    let id = accepted(store, &request, 1).await;
    store.cancel_job(&owner("anna"), &id, 2).await.unwrap();
    store.forget_expired(2 * DAY).await.unwrap();
    assert_eq!((rows(&shelf, "api_tokens").await, rows(&shelf, "idempotency_keys").await), (0, 0));
    store.forget_expired(100 * DAY).await.unwrap();
    assert_eq!(rows(&shelf, "hook_deliveries").await, 1, "what is not delivered stays");
}

#[tokio::test]
async fn an_owner_may_have_so_many_jobs_waiting_and_no_more() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let mut request = new_job("anna", JobKind::Render);
    request.most_waiting = Some(2);
    let first = accepted(store, &request, 1).await;
    request.idempotency = Some(("key".to_owned(), "hash".to_owned()));
    accepted(store, &request, 1).await;
    assert!(store.accept_job(&request, 1).await.is_ok(), "a repeated request makes no job");
    request.idempotency = None;
    assert!(matches!(store.accept_job(&request, 1).await, Err(Error::TooMany)));
    let mut other = new_job("ben", JobKind::Render);
    other.most_waiting = Some(2);
    accepted(store, &other, 1).await;
    ended(store, &first, Ending::Failed(Vec::new()), 2).await;
    accepted(store, &request, 3).await;
}
