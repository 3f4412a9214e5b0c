//! JSON text to a value, with the members that were given twice.
//!
//! serde_json keeps the last of two equal names in silence; a client should know that the first was ignored.

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::pointer::child;
use crate::problem::{Problem, Warning};

/// More duplicates than this are not listed.
const MOST: usize = 100;

/// A JSON text read once.
pub(crate) struct Document {
    pub(crate) value: Value,
    /// Pointers of members that were given more than once; the last one counts.
    pub(crate) duplicates: Vec<String>,
}

/// Reads a client's JSON for whoever looks into it before parsing, such as `renderParams` that may be absent: the
/// value with a warning for each member given twice. Errors: one problem, `MALFORMED_JSON`, with line and column.
pub fn read_json(text: &[u8]) -> Result<(Value, Vec<Warning>), Vec<Problem>> {
    let document = read(text)?;
    Ok((document.value, document.duplicates.into_iter().map(duplicate).collect()))
}

/// Says that a member was given twice.
pub(crate) fn duplicate(pointer: String) -> Warning {
    Warning::at(pointer, "DUPLICATE_FIELD", "This field is given more than once; the last one counts.")
}

/// Reads a JSON text. The one problem that malformed text gives names line and column.
pub(crate) fn read(text: &[u8]) -> Result<Document, Vec<Problem>> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut duplicates = Vec::new();
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let seed = Seed { path: &Path::Root, duplicates: &mut duplicates };
    let value = seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    match value {
        Ok(value) => Ok(Document { value, duplicates }),
        Err(error) => {
            let problem = if error.is_eof() && text.iter().all(u8::is_ascii_whitespace) {
                Problem::author("", "MALFORMED_JSON", "The request body is empty.")
            } else {
                // serde_json's message holds positions and token kinds, never the text itself.
                Problem::author("", "MALFORMED_JSON", format!("The request body is not valid JSON: {error}."))
            };
            Err(vec![
                problem
                    .fix("Send a JSON object in UTF-8; NaN, Infinity and numbers beyond 1e308 are not JSON."),
            ])
        }
    }
}

/// Where the reader is. A chain of borrowed names, made into a pointer only for a duplicate: building one for each
/// value would let a long name with many values under it cost their product.
enum Path<'p> {
    Root,
    Name(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl Path<'_> {
    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Name(parent, name) => child(&parent.pointer(), &name.chars().take(60).collect::<String>()),
            Self::Index(parent, index) => child(&parent.pointer(), &index.to_string()),
        }
    }
}

struct Seed<'a> {
    path: &'a Path<'a>,
    duplicates: &'a mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        loop {
            let path = Path::Index(self.path, array.len());
            match items.next_element_seed(Seed { path: &path, duplicates: &mut *self.duplicates })? {
                Some(value) => array.push(value),
                None => return Ok(Value::Array(array)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let path = Path::Name(self.path, &name);
            let value = members.next_value_seed(Seed { path: &path, duplicates: &mut *self.duplicates })?;
            if map.contains_key(&name) && self.duplicates.len() < MOST {
                self.duplicates.push(path.pointer());
            }
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}
