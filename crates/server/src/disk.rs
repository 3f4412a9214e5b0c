//! Room on the data directory's disk: what is free, and what the directory takes.

use std::path::Path;

/// Bytes that the server may still write; `None` if the system does not say.
pub(crate) fn free(directory: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(directory).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Bytes of all files in a directory and below: films, what is being made, the database and its copies. Links are
/// not followed; what vanishes meanwhile counts nothing.
pub(crate) fn used(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    entries
        .filter_map(Result::ok)
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => used(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_below_counts_once_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a"), [0; 10]).unwrap();
        std::fs::create_dir_all(dir.path().join("b/c")).unwrap();
        std::fs::write(dir.path().join("b/c/d"), [0; 5]).unwrap();
        let without = used(dir.path());
        std::os::unix::fs::symlink("/", dir.path().join("b/root")).unwrap();
        assert_eq!(without, 15);
        assert!(used(dir.path()) < 100);
        assert_eq!(used(&dir.path().join("missing")), 0);
        assert!(free(dir.path()).is_some() && free(&dir.path().join("missing")).is_none());
    }
}
