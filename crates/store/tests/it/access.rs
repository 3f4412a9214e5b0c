//! Keys, tokens and connections: secrets, owners, versions.

use store::{ConnectionChange, Error, NewConnection, Store};

use crate::{owner, shelf};

fn connection(name: &str, external_id: &str) -> NewConnection {
    NewConnection {
        name: name.to_owned(),
        description: String::new(),
        account_id: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        enabled: true,
        external_id: external_id.to_owned(),
        role_name: "PictoryCloudIntegrationRole".to_owned(),
    }
}

#[tokio::test]
async fn a_key_opens_by_secret_token_and_api_key_until_revoked() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let issued = store.create_key(&owner("anna"), "laptop", 1).await.unwrap();
    let key = store.key_by_secret(&issued.key.client_id, &issued.client_secret).await.unwrap();
    assert_eq!(key, issued.key);
    assert!(matches!(store.key_by_secret(&issued.key.client_id, "x").await, Err(Error::NotFound)));
    let token = store.issue_token(&key.id, 1000).await.unwrap();
    assert_eq!(store.key_by_bearer(&token, 999).await.unwrap(), key);
    assert!(matches!(store.key_by_bearer(&token, 1000).await, Err(Error::NotFound)));
    assert_eq!(store.key_by_bearer(&issued.api_key, 5).await.unwrap(), key);

    store.revoke_key(key.id.as_str(), 7).await.unwrap();
    for bearer in [&token, &issued.api_key] {
        assert!(matches!(store.key_by_bearer(bearer, 8).await, Err(Error::NotFound)));
    }
    assert_eq!(store.keys().await.unwrap()[0].revoked, Some(7));

    store.close().await;
    let bytes = std::fs::read(&shelf.path).unwrap();
    for secret in [&issued.client_secret, &issued.api_key, &token] {
        assert!(
            !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
            "a secret in the file"
        );
    }
}

#[tokio::test]
async fn connections_have_owners_unique_names_and_versions() {
    let shelf = shelf().await;
    let store = &shelf.store;
    let (anna, ben) = (owner("anna"), owner("ben"));
    let mine = store.create_connection(&anna, connection("films", "e1"), 1_733_545_463_053).await.unwrap();
    assert!(mine.id.as_str().starts_with("20241207042423053"), "{}", mine.id);
    assert_eq!(mine.id.as_str().len(), 32);
    assert!(matches!(
        store.create_connection(&anna, connection("films", "e2"), 2).await,
        Err(Error::NameTaken)
    ));
    let other = store.create_connection(&ben, connection("films", "e3"), 2).await.unwrap();

    assert!(matches!(store.connection(&ben, &mine.id).await, Err(Error::NotFound)));
    assert!(matches!(store.delete_connection(&ben, &mine.id).await, Err(Error::NotFound)));
    let change = ConnectionChange { enabled: Some(false), ..ConnectionChange::default() };
    assert!(matches!(store.update_connection(&ben, &mine.id, 1, &change, 3).await, Err(Error::NotFound)));
    assert_eq!(store.connections(&ben).await.unwrap(), [other]);

    let changed = store.update_connection(&anna, &mine.id, 1, &change, 3).await.unwrap();
    assert_eq!((changed.version, changed.enabled, changed.name.as_str()), (2, false, "films"));
    assert!(matches!(
        store.update_connection(&anna, &mine.id, 1, &change, 4).await,
        Err(Error::VersionMismatch { current: 2 })
    ));
    store.delete_connection(&anna, &mine.id).await.unwrap();
    assert!(store.connections(&anna).await.unwrap().is_empty());
}

#[tokio::test]
async fn opening_twice_migrates_once_and_makes_no_copy() {
    let shelf = shelf().await;
    shelf.store.create_key(&owner("anna"), "k", 1).await.unwrap();
    let again = Store::open(&shelf.path).await.unwrap();
    assert_eq!(again.keys().await.unwrap().len(), 1);
    assert!(!shelf.path.with_file_name("backup-1.db").exists());
}
