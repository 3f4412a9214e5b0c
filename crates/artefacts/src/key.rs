//! Keys: the SHA-256 of everything that an artefact depends on.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Names an artefact by what went into it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

/// A value that has no JSON form, such as a path that is no text, so that it has no key.
#[derive(Debug)]
pub struct Unkeyable(serde_json::Error);

impl std::fmt::Display for Unkeyable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a value cannot be a key: {}", self.0)
    }
}

impl std::error::Error for Unkeyable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl Key {
    /// The key of a value: the digest of its JSON with the members of every object in order of their names, so that
    /// neither the order of declaration nor that of a hash map matters. A number that is not finite counts as null.
    ///
    /// # Errors
    /// Where the value has no JSON form.
    pub fn of(value: &impl Serialize) -> Result<Self, Unkeyable> {
        let value = serde_json::to_value(value).map_err(Unkeyable)?;
        let mut digest = Sha256::new();
        write(&value, &mut digest);
        Ok(Self(digest.finalize().into()))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads the form that `Display` writes, and no other.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        let key = Self(bytes);
        (key.to_string() == text).then_some(key)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({self})")
    }
}

/// Canonical JSON. Sorted here, since whether serde_json's own maps are sorted depends on features that others set.
fn write(value: &Value, digest: &mut Sha256) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                digest.update(if index == 0 { "[" } else { "," });
                write(item, digest);
            }
            digest.update(if items.is_empty() { "[]" } else { "]" });
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| name.as_str());
            for (index, (name, member)) in members.iter().enumerate() {
                digest.update(if index == 0 { "{" } else { "," });
                digest.update(Value::from(name.as_str()).to_string());
                digest.update(":");
                write(member, digest);
            }
            digest.update(if members.is_empty() { "{}" } else { "}" });
        }
        simple => digest.update(simple.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn the_digest_is_that_of_sorted_json() {
        #[derive(Serialize)]
        struct Unsorted<'a> {
            b: &'a [u8],
            a: HashMap<&'a str, f64>,
        }
        let value = Unsorted { b: &[1, 2], a: HashMap::from([("y", 0.5), ("x\"", 1.0)]) };
        let text = r#"{"a":{"x\"":1.0,"y":0.5},"b":[1,2]}"#;
        assert_eq!(Key::of(&value).unwrap().0, <[u8; 32]>::from(Sha256::digest(text)));
        let empty = json!({"a": [], "b": {}, "c": null});
        let digest = Sha256::digest(r#"{"a":[],"b":{},"c":null}"#);
        assert_eq!(Key::of(&empty).unwrap().0, <[u8; 32]>::from(digest));
    }

    #[test]
    fn what_differs_has_another_key() {
        let values =
            [json!([]), json!([[]]), json!(["1"]), json!([1]), json!([1.0]), json!({"1": 1}), json!("")];
        let keys: std::collections::BTreeSet<Key> = values.iter().map(|one| Key::of(one).unwrap()).collect();
        assert_eq!(keys.len(), values.len());
    }

    #[test]
    fn what_is_no_text_has_no_key() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = std::path::Path::new(std::ffi::OsStr::from_bytes(b"\xff"));
        assert!(Key::of(&path).unwrap_err().to_string().contains("cannot be a key"));
    }

    #[test]
    fn one_name_for_one_key() {
        let key = Key::of(&1).unwrap();
        assert_eq!(Key::parse(&key.to_string()), Some(key));
        assert_eq!(Key::parse(&key.to_string().to_uppercase()), None);
        for text in ["", "..", "ab", "/etc/passwd", &format!("{key}0")] {
            assert_eq!(Key::parse(text), None);
        }
    }
}
