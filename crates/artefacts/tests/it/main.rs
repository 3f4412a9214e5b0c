//! The cache on a real file system: what it keeps, what it heals, who else may be there.

#![allow(clippy::unwrap_used)] // helpers of tests, outside of #[test] functions

mod damage;
mod eviction;
mod model;
mod processes;
mod strangers;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use artefacts::{Artefact, Artefacts, Found, Key, Kind};

/// Bytes of a trailer.
const TRAILER: u64 = 48;

fn key(value: u64) -> Key {
    Key::of(&value).unwrap()
}

fn keep(cache: &Artefacts, kind: Kind, key: &Key, body: &[u8]) -> Artefact {
    let draft = cache.draft(kind).unwrap();
    draft.file().write_all(body).unwrap();
    draft.keep(key).unwrap()
}

/// The body of a hit.
fn body(found: &Found) -> Option<Vec<u8>> {
    match found {
        Found::Hit(artefact) => {
            let body = artefact.read().unwrap();
            assert_eq!(body.len() as u64, artefact.bytes);
            Some(body)
        }
        Found::Miss | Found::Damaged => None,
    }
}

/// Where an entry lies.
fn place(cache: &Artefacts, kind: Kind, key: &Key) -> PathBuf {
    let name = key.to_string();
    cache.directory().join(kind.name()).join(&name[..2]).join(name)
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
