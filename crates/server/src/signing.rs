//! The key in the data directory: it signs addresses that are handed out, and webhook secrets come from it.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use store::KeyId;

type HmacSha256 = Hmac<Sha256>;

/// The server's key. Its bytes are shown to nobody.
#[derive(Clone)]
pub struct SigningKey([u8; 32]);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    /// Reads the key of a data directory, or makes one that only the server's user can read.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join("signing.key");
        match std::fs::read(&path) {
            Ok(bytes) => {
                let key =
                    bytes.try_into().map_err(|_| io::Error::other("signing.key is not 32 bytes long"))?;
                Ok(Self(key))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut key = [0; 32];
                getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
                // Written aside and linked, so that two processes that start at once agree on one key.
                let aside = data_dir.join(format!("signing.key.{}", uuid::Uuid::new_v4()));
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
                file.write_all(&key)?;
                file.sync_all()?;
                let linked = std::fs::hard_link(&aside, &path);
                std::fs::remove_file(&aside)?;
                match linked {
                    Ok(()) => Ok(Self(key)),
                    Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::open(data_dir),
                    Err(error) => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// The secret that signs a key's webhooks, in the form `whsec_…` that receivers' libraries take.
    pub fn webhook_secret(&self, key: &KeyId) -> String {
        format!("whsec_{}", STANDARD.encode(self.mac(&["webhook", key.as_str()]).finalize().into_bytes()))
    }

    /// Signs one webhook message.
    pub(crate) fn sign_webhook(&self, key: &KeyId, id: &str, timestamp: i64, body: &[u8]) -> String {
        let secret = self.mac(&["webhook", key.as_str()]).finalize().into_bytes();
        let mut mac = HmacSha256::new_from_slice(&secret).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }

    pub(crate) fn sign(&self, parts: &[&str]) -> String {
        hex::encode(self.mac(parts).finalize().into_bytes())
    }

    /// Compares in constant time.
    pub(crate) fn verify(&self, parts: &[&str], signature: &str) -> bool {
        hex::decode(signature).is_ok_and(|bytes| self.mac(parts).verify_slice(&bytes).is_ok())
    }

    fn mac(&self, parts: &[&str]) -> HmacSha256 {
        let mut mac = HmacSha256::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        for part in parts {
            // Each part with its length, so that no two lists of parts are one message.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}
