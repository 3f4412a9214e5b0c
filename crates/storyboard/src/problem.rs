//! Errors and warnings as data: where, what class, what to do.
//!
//! Every stage reports with these two types, so that a client sees one shape whatever went wrong.
//! Invariant: no field ever holds a credential, a token or the query of a URL.

use serde::{Deserialize, Serialize};

/// Whose problem it is; decides the HTTP answer, the exit code and whether a retry can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// The storyboard is wrong: its author mends it.
    Author,
    /// AWS or the address guard refused: the owner of the account or the operator mends it.
    Access,
    /// The media object itself is unusable: missing, empty, truncated, not what it says.
    Source,
    /// May pass by itself: throttling, a network failure. Retried with back-off.
    Transient,
    /// Ours: the client gets an id, the log gets the chain.
    Internal,
}

/// One thing that stops a film from being made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Whose problem it is.
    pub class: Class,
    /// A stable machine-readable name in capitals, such as `MEDIA_NOT_FOUND`.
    pub code: String,
    /// JSON pointer (RFC 6901) into the client's request, such as `/scenes/0/backgroundUri`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pointer: Option<String>,
    /// Number of the client's scene, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scene: Option<usize>,
    /// The media object as the client named it, without any query.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// What is wrong, in a sentence that stands alone.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fix: Option<String>,
    /// The AWS operation, error code and request id, where AWS answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evidence: Option<String>,
}

impl Problem {
    /// A problem with neither place nor fix yet.
    pub fn new(class: Class, code: &str, message: impl Into<String>) -> Self {
        Self {
            class,
            code: code.to_owned(),
            pointer: None,
            scene: None,
            file: None,
            message: message.into(),
            fix: None,
            evidence: None,
        }
    }

    /// The author's error at a JSON pointer.
    pub fn author(pointer: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self::new(Class::Author, code, message).at(pointer)
    }

    /// Says where in the request it is; takes the scene number from a pointer under `/scenes`.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        let pointer = pointer.into();
        self.scene = scene_number(&pointer).or(self.scene);
        self.pointer = Some(pointer);
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Names the media object.
    #[must_use]
    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Adds what the other side answered.
    #[must_use]
    pub fn evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into());
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(scene) = self.scene {
            write!(f, "Scene {scene}: ")?;
        }
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(fix) = &self.fix {
            write!(f, " {fix}")?;
        }
        Ok(())
    }
}

/// Something that a client should know although the film is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// A stable machine-readable name in capitals, such as `UNKNOWN_FIELD`.
    pub code: String,
    /// JSON pointer into the client's request, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pointer: Option<String>,
    /// What was done instead of what was asked.
    pub message: String,
}

impl Warning {
    /// A warning about the whole request.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), pointer: None, message: message.into() }
    }

    /// A warning about one member of the request.
    pub fn at(pointer: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), pointer: Some(pointer.into()), message: message.into() }
    }
}

fn scene_number(pointer: &str) -> Option<usize> {
    let rest = pointer.strip_prefix("/scenes/")?;
    rest.split('/').next()?.parse::<usize>().ok().map(|index| index + 1)
}
