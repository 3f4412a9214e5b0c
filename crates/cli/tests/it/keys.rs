//! `storyreel key`.

use std::os::unix::fs::PermissionsExt as _;

use crate::kit::Place;

#[test]
fn a_key_is_shown_once_listed_and_revoked() {
    let place = Place::new();
    let made = place
        .run(&["key", "create", "--owner", "anna", "--name", "laptop", "--data", "data", "--json"])
        .json();
    for member in ["id", "clientId", "clientSecret", "apiKey", "webhookSecret"] {
        assert!(made[member].as_str().is_some_and(|text| text.len() >= 16), "{member}: {made}");
    }
    assert_eq!((made["owner"].as_str(), made["name"].as_str()), (Some("anna"), Some("laptop")));
    assert!(made["webhookSecret"].as_str().unwrap().starts_with("whsec_"));
    let plain = place.run(&["key", "create", "--data", "data"]);
    for label in ["client id", "client secret", "API key", "webhook secret"] {
        assert!(plain.out().contains(label), "{}", plain.out());
    }

    let listed = place.run(&["key", "list", "--data", "data", "--json"]);
    assert_eq!(listed.json().as_array().unwrap().len(), 2);
    for secret in ["clientSecret", "apiKey", "webhookSecret"] {
        assert!(!listed.out().contains(made[secret].as_str().unwrap()));
    }
    let database = std::fs::read(place.path("data/storyreel.db")).unwrap();
    let secret = made["clientSecret"].as_str().unwrap().as_bytes();
    assert!(!database.windows(secret.len()).any(|window| window == secret));
    for (name, mode) in [("data", 0o700), ("data/storyreel.db", 0o600), ("data/signing.key", 0o600)] {
        let found = std::fs::metadata(place.path(name)).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{name}");
    }

    let id = made["id"].as_str().unwrap();
    assert_eq!(place.run(&["key", "revoke", id, "--data", "data"]).code(), 0);
    let listed = place.run(&["key", "list", "--data", "data"]).out();
    assert!(listed.lines().any(|line| line.contains(id) && line.contains("revoked")), "{listed}");
    place.run(&["key", "revoke", "nobody", "--data", "data"]).says(2, &["there is no key"]);
    place.run(&["key", "create", "--owner", " ", "--data", "data"]).says(2, &["--owner"]);
}

#[test]
fn the_default_data_directory() {
    let place = Place::new();
    let mut command = place.command();
    // Root keeps its data elsewhere, and tests do not write there.
    if rustix::process::geteuid().is_root() {
        return;
    }
    let output = command.args(["key", "create"]).output().unwrap();
    assert!(output.status.success());
    assert!(place.path(".local/share/storyreel/storyreel.db").exists());
}
