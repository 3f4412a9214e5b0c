//! Typed access to a JSON object's members. Every member that is taken is known; the rest becomes warnings.

use std::cell::RefCell;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::nearest::nearest;
use super::pointer::child;
use super::report::Report;
use crate::problem::{Problem, Warning};

/// An object being read.
pub(crate) struct Members<'a> {
    pub(crate) report: &'a Report,
    pub(crate) pointer: String,
    map: &'a Map<String, Value>,
    known: RefCell<Vec<&'static str>>,
}

/// A member that is there and not `null`.
pub(crate) struct Member<'a> {
    pub(crate) report: &'a Report,
    pub(crate) pointer: String,
    pub(crate) name: String,
    pub(crate) value: &'a Value,
}

impl<'a> Members<'a> {
    /// Opens an object; anything else is a problem.
    pub(crate) fn new(report: &'a Report, pointer: String, value: &'a Value) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self { report, pointer, map, known: RefCell::default() }),
            other => {
                let message = format!("An object is expected here, not {}.", kind(other));
                report.problem(Problem::author(pointer, "WRONG_TYPE", message));
                None
            }
        }
    }

    /// Takes a member under any of its names, the first that is there and not `null`.
    pub(crate) fn take(&self, names: &[&'static str]) -> Option<Member<'a>> {
        self.known.borrow_mut().extend(names);
        let mut given = names.iter().filter_map(|name| {
            let value = self.map.get(*name).filter(|value| !value.is_null())?;
            Some(Member {
                report: self.report,
                pointer: child(&self.pointer, name),
                name: (*name).to_owned(),
                value,
            })
        });
        let first = given.next()?;
        for other in given {
            if other.value != first.value {
                let message = format!(
                    "`{}` and `{}` mean the same and differ; `{}` counts.",
                    first.name, other.name, first.name
                );
                self.report.warn(Warning::at(other.pointer, "ALIAS_CONFLICT", message));
            }
        }
        Some(first)
    }

    /// Takes members that are known and without effect; `instead` says what happens. Nothing is said where the
    /// client asked for nothing: `false`, an empty text, list or object.
    pub(crate) fn not_yet(&self, names: &[&'static str], instead: &str) {
        for name in names {
            if let Some(member) = self.take(&[name])
                && !is_nothing(member.value)
            {
                let message = format!("`{name}` is not supported yet: {instead}");
                self.report.warn(Warning::at(member.pointer, "NOT_SUPPORTED_YET", message));
            }
        }
    }

    /// Takes members that need neither effect nor warning.
    pub(crate) fn ignore(&self, names: &[&'static str]) {
        self.known.borrow_mut().extend(names);
    }

    /// Warns about each member that nobody took.
    pub(crate) fn finish(self) {
        let known = self.known.borrow();
        for name in self.map.keys() {
            if !known.contains(&name.as_str()) {
                let shown: String = name.chars().take(60).collect();
                let mut message = format!("`{shown}` is not a known field and has no effect.");
                // Looking for what was meant is the costly part, and 100,000 unknown names would pay for it in vain.
                if !self.report.is_full_of_warnings()
                    && let Some(meant) = nearest(name, known.iter().copied())
                {
                    message.push_str(&format!(" Did you mean `{meant}`?"));
                }
                self.report.warn(Warning::at(child(&self.pointer, &shown), "UNKNOWN_FIELD", message));
            }
        }
    }
}

impl<'a> Member<'a> {
    /// Reports a problem with this member.
    pub(crate) fn problem(&self, code: &str, message: impl Into<String>, fix: impl Into<String>) {
        self.report.problem(Problem::author(self.pointer.clone(), code, message).fix(fix));
    }

    /// Reports a warning about this member.
    pub(crate) fn warn(&self, code: &str, message: impl Into<String>) {
        self.report.warn(Warning::at(self.pointer.clone(), code, message));
    }

    fn wrong_type(&self, expected: &str) {
        self.problem(
            "WRONG_TYPE",
            format!("`{}` is {}; {expected} is expected.", self.name, kind(self.value)),
            format!("Give {expected}, or leave the field out."),
        );
    }

    /// A text of at most `most` characters. An empty or blank one counts as absent.
    pub(crate) fn text(&self, most: usize) -> Option<&'a str> {
        let Value::String(text) = self.value else {
            self.wrong_type("a text");
            return None;
        };
        if text.chars().nth(most).is_some() {
            let length = text.chars().count();
            self.problem(
                "TOO_LONG",
                format!("`{}` has {length} characters; at most {most} are allowed.", self.name),
                "Shorten it.",
            );
            return None;
        }
        (!text.trim().is_empty()).then_some(text.as_str())
    }

    /// A boolean, also as `"true"`, `"false"`, 1 or 0. An empty text counts as absent.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => return Some(*value),
            Value::Number(number) if number.as_u64() == Some(1) => return Some(true),
            Value::Number(number) if number.as_u64() == Some(0) => return Some(false),
            Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => return Some(true),
                "false" | "0" | "no" => return Some(false),
                "" => return None,
                _ => {}
            },
            _ => {}
        }
        self.wrong_type("true or false");
        None
    }

    /// A finite number within a range, also as a text. An empty text counts as absent.
    pub(crate) fn number(&self, range: RangeInclusive<f64>, unit: &str) -> Option<f64> {
        let value = match self.value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) if text.trim().is_empty() => return None,
            // `parse` also takes "NaN" and "inf", which no client means as a number.
            Value::String(text) if text.len() <= 40 => {
                text.trim().parse::<f64>().ok().filter(|v| v.is_finite())
            }
            _ => None,
        };
        let Some(value) = value.filter(|value| value.is_finite()) else {
            let of = if unit.is_empty() { "" } else { " of" };
            self.wrong_type(&format!("a number{of}{unit}"));
            return None;
        };
        if !range.contains(&value) {
            self.problem(
                "OUT_OF_RANGE",
                format!("`{}` is {value}; {} to {}{unit} is allowed.", self.name, range.start(), range.end()),
                format!("Choose a number from {} to {}.", range.start(), range.end()),
            );
            return None;
        }
        Some(value)
    }

    /// One of a few words, letter case aside. An empty text counts as absent.
    pub(crate) fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> Option<T> {
        if let Value::String(text) = self.value {
            let word = text.trim();
            if word.is_empty() {
                return None;
            }
            if let Some((_, value)) = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
                return Some(*value);
            }
        }
        let names: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        self.problem(
            "INVALID_VALUE",
            format!("`{}` is {}, which is not one of the values allowed.", self.name, shown(self.value)),
            format!("Choose one of {}.", names.join(", ")),
        );
        None
    }

    /// An object.
    pub(crate) fn object(&self) -> Option<Members<'a>> {
        Members::new(self.report, self.pointer.clone(), self.value)
    }

    /// A list.
    pub(crate) fn list(&self) -> Option<&'a [Value]> {
        match self.value {
            Value::Array(items) => Some(items),
            _ => {
                self.wrong_type("a list");
                None
            }
        }
    }
}

/// What kind of value it is, for messages.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(text) if text.trim().is_empty() => "an empty text",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A short value as written, for messages about words and colours; never used for addresses.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", text.chars().take(40).collect::<String>()),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        other => kind(other).to_owned(),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.trim().is_empty() || text.eq_ignore_ascii_case("false"),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}
