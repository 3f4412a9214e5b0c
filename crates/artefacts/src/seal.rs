//! The trailer behind a body, which proves it: magic, length of the body (u64, little end first), SHA-256.
//!
//! The digest begins with kind and key, so that a file under another's name does not pass either.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use sha2::{Digest as _, Sha256};

use crate::{Key, Kind};

const MAGIC: [u8; 8] = *b"srlart1\n";
/// Bytes of the trailer.
pub(crate) const LENGTH: u64 = 8 + 8 + 32;
const STEP: u64 = 256 << 10;

/// Writes the trailer behind the first `bytes` bytes of the file.
pub(crate) fn set(file: &File, bytes: u64, kind: Kind, key: &Key) -> io::Result<()> {
    file.write_all_at(&trailer(file, bytes, kind, key)?, bytes)
}

/// The length of the body, where the trailer proves it.
pub(crate) fn verify(file: &File, kind: Kind, key: &Key) -> io::Result<Option<u64>> {
    let Some(bytes) = file.metadata()?.len().checked_sub(LENGTH) else { return Ok(None) };
    let mut found = [0; LENGTH as usize];
    file.read_exact_at(&mut found, bytes)?;
    // The cheap part first: most of what was never an artefact ends here.
    if found[..8] != MAGIC || found[8..16] != bytes.to_le_bytes() {
        return Ok(None);
    }
    Ok((found == trailer(file, bytes, kind, key)?).then_some(bytes))
}

fn trailer(file: &File, bytes: u64, kind: Kind, key: &Key) -> io::Result<[u8; LENGTH as usize]> {
    let mut digest = Sha256::new();
    digest.update(kind.name());
    digest.update([0]);
    digest.update(key.bytes());
    let mut buffer = vec![0; STEP.min(bytes) as usize];
    let mut at = 0;
    while at < bytes {
        let part = &mut buffer[..STEP.min(bytes - at) as usize];
        file.read_exact_at(part, at)?;
        digest.update(&*part);
        at += part.len() as u64;
    }
    let mut trailer = [0; LENGTH as usize];
    trailer[..8].copy_from_slice(&MAGIC);
    trailer[8..16].copy_from_slice(&bytes.to_le_bytes());
    trailer[16..].copy_from_slice(&digest.finalize());
    Ok(trailer)
}
