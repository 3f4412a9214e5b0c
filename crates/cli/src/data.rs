//! The data directory: where it is, and the database in it.
//!
//! Invariant: only its owner may look into a directory that is made here; keys, films and external ids lie in it.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use store::Store;

use crate::config::Config;

/// The data directory of a configuration.
pub(crate) fn directory(config: &Config) -> anyhow::Result<PathBuf> {
    if let Some(data) = &config.data {
        // Films are found by it for as long as the server lives, wherever the process goes.
        return std::path::absolute(data).with_context(|| format!("finding {}", data.display()));
    }
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    default_directory(rustix::process::geteuid().is_root(), variable("XDG_DATA_HOME"), variable("HOME"))
        .context("there is no home directory to keep data in; name a directory with --data")
}

fn default_directory(root: bool, data_home: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    if root {
        return Some(PathBuf::from("/var/lib/storyreel"));
    }
    let base = data_home.or_else(|| home.map(|home| home.join(".local/share")))?;
    Some(base.join("storyreel"))
}

/// The database file of a data directory.
pub(crate) fn database(directory: &Path) -> PathBuf {
    directory.join("storyreel.db")
}

/// Opens the database of a data directory; makes both where they are missing.
pub(crate) async fn open(directory: &Path) -> anyhow::Result<Store> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).with_context(|| {
        format!("making the data directory {}; choose another with --data", directory.display())
    })?;
    let path = database(directory);
    Store::open(&path).await.with_context(|| format!("opening {}", path.display()))
}

/// The time now, as rows keep it.
pub(crate) fn now() -> store::Millis {
    jiff::Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_directory() {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(default_directory(true, path("/x"), path("/root")), path("/var/lib/storyreel"));
        assert_eq!(default_directory(false, path("/x"), path("/home/a")), path("/x/storyreel"));
        assert_eq!(default_directory(false, None, path("/home/a")), path("/home/a/.local/share/storyreel"));
        assert_eq!(default_directory(false, None, None), None);
    }
}
