//! The evaluator of policy documents: the part of IAM that the demo needs, as pure functions.
//!
//! Invariants: an explicit Deny wins; what is not understood (a condition, `NotAction`, another principal) never
//! allows; `${*}`, `${?}` and `${$}` stand for the characters themselves.

use serde_json::Value;

/// A parsed policy document.
#[derive(Debug, Clone)]
pub struct Policy {
    statements: Vec<Value>,
}

/// What a policy says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Some statement allows it and none denies it.
    Allowed,
    /// Some statement denies it.
    Denied,
    /// No statement names it.
    Silent,
}

/// Who assumes a role.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The caller's ARN.
    pub arn: &'a str,
    /// The caller's account.
    pub account: &'a str,
    /// The external id sent.
    pub external_id: Option<&'a str>,
}

impl Policy {
    /// Reads a document.
    ///
    /// # Errors
    /// A text, where it is not JSON or has no statements.
    pub fn parse(document: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(document).map_err(|error| format!("not JSON: {error}"))?;
        let statements: Vec<Value> = many(value.get("Statement")).cloned().collect();
        let sound = statements.iter().all(|statement| {
            matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny"))
        });
        if statements.is_empty() || !sound {
            return Err("no statements with an Effect of Allow or Deny".to_owned());
        }
        Ok(Self { statements })
    }

    /// Whether an action on a resource is allowed.
    pub fn decide(&self, action: &str, resource: &str) -> Decision {
        self.judge(action, |statement| {
            statement.get("Condition").is_none_or(is_empty)
                && texts(statement.get("Resource")).any(|pattern| matches(pattern, resource))
        })
    }

    /// Whether a trust policy lets a caller assume its role.
    pub fn trusts(&self, caller: &Caller<'_>) -> Decision {
        let root = format!("arn:aws:iam::{}:root", caller.account);
        self.judge("sts:AssumeRole", |statement| {
            let known = texts(statement.get("Principal").and_then(|principal| principal.get("AWS")))
                .any(|principal| [caller.arn, caller.account, root.as_str(), "*"].contains(&principal));
            known && condition_holds(statement.get("Condition"), caller.external_id)
        })
    }

    fn judge(&self, action: &str, applies: impl Fn(&Value) -> bool) -> Decision {
        let mut decision = Decision::Silent;
        for statement in &self.statements {
            let named = texts(statement.get("Action"))
                .any(|pattern| matches(&pattern.to_ascii_lowercase(), &action.to_ascii_lowercase()));
            if !named || !applies(statement) {
                continue;
            }
            if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
                return Decision::Denied;
            }
            decision = Decision::Allowed;
        }
        decision
    }
}

fn is_empty(condition: &Value) -> bool {
    condition.as_object().is_some_and(serde_json::Map::is_empty)
}

/// Only `StringEquals` on `sts:ExternalId` is understood; anything else does not hold.
fn condition_holds(condition: Option<&Value>, external_id: Option<&str>) -> bool {
    let Some(condition) = condition.filter(|condition| !is_empty(condition)) else { return true };
    let Some(operators) = condition.as_object() else { return false };
    operators.iter().all(|(operator, keys)| {
        operator == "StringEquals"
            && keys.as_object().is_some_and(|keys| {
                keys.iter().all(|(key, wanted)| {
                    key.eq_ignore_ascii_case("sts:ExternalId")
                        && external_id.is_some_and(|sent| texts(Some(wanted)).any(|wanted| wanted == sent))
                })
            })
    })
}

fn many(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    match value {
        Some(Value::Array(values)) => values.iter(),
        Some(value) => std::slice::from_ref(value).iter(),
        None => [].iter(),
    }
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    many(value).filter_map(Value::as_str)
}

/// One element of a pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Glob {
    Any,
    One,
    Exactly(char),
}

/// Whether a pattern of a policy matches a text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut globs = Vec::new();
    let mut rest = pattern;
    while let Some(character) = rest.chars().next() {
        let escaped = ["${*}", "${?}", "${$}"].into_iter().find(|escape| rest.starts_with(escape));
        let (glob, length) = match (escaped, character) {
            (Some(escape), _) => (Glob::Exactly(escape.chars().nth(2).unwrap_or('$')), escape.len()),
            (None, '*') => (Glob::Any, 1),
            (None, '?') => (Glob::One, 1),
            (None, other) => (Glob::Exactly(other), other.len_utf8()),
        };
        globs.push(glob);
        rest = rest.get(length..).unwrap_or_default();
    }
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut glob) = (0, 0);
    // Where the last star stood, and how much it has taken.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match globs.get(glob) {
            Some(Glob::Any) => {
                star = Some((glob, at));
                glob += 1;
            }
            Some(Glob::One) => {
                at += 1;
                glob += 1;
            }
            Some(Glob::Exactly(wanted)) if *wanted == text[at] => {
                at += 1;
                glob += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    glob = place + 1;
                    at = taken + 1;
                }
                None => return false,
            },
        }
    }
    globs[glob..].iter().all(|glob| *glob == Glob::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let table = [
            ("a", "a", true),
            ("a", "b", false),
            ("*", "", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbbd", false),
            ("a*b*c", "axbxbxc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a${*}c", "a*c", true),
            ("a${*}c", "abc", false),
            ("a${?}c", "abc", false),
            ("${$}{x}", "${x}", true),
            ("ü*", "übung", true),
            ("", "", true),
            ("", "a", false),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn the_seeds_inline_policy() {
        let policy = Policy::parse(
            r#"{ "Version": "2012-10-17", "Statement": [ { "Effect": "Allow", "Action": [ "s3:ListBucket", "s3:GetObject" ], "Resource": [ "arn:aws:s3:::bkt", "arn:aws:s3:::bkt/*" ] }, { "Effect": "Allow", "Action": [ "s3:ListAllMyBuckets" ], "Resource": [ "arn:aws:s3:::*" ] } ] }"#,
        )
        .unwrap();
        assert_eq!(policy.decide("s3:GetObject", "arn:aws:s3:::bkt/a/b.mp4"), Decision::Allowed);
        assert_eq!(policy.decide("s3:ListBucket", "arn:aws:s3:::bkt"), Decision::Allowed);
        assert_eq!(policy.decide("s3:GetObjectVersion", "arn:aws:s3:::bkt/a/b.mp4"), Decision::Silent);
        assert_eq!(policy.decide("s3:PutObject", "arn:aws:s3:::bkt/a"), Decision::Silent);
        assert_eq!(policy.decide("s3:GetObject", "arn:aws:s3:::bkt2/a"), Decision::Silent);
    }

    #[test]
    fn a_deny_wins_and_an_unknown_condition_does_not_allow() {
        let policy = Policy::parse(
            r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:getobject","Resource":"arn:aws:s3:::b/secret*"},{"Effect":"Allow","Action":"kms:Decrypt","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}"#,
        )
        .unwrap();
        assert_eq!(policy.decide("s3:GetObject", "arn:aws:s3:::b/secret.mp4"), Decision::Denied);
        assert_eq!(policy.decide("s3:GetObject", "arn:aws:s3:::b/open.mp4"), Decision::Allowed);
        assert_eq!(policy.decide("kms:Decrypt", "x"), Decision::Silent);
        for broken in ["", "[]", "{}", r#"{"Statement":[]}"#, r#"{"Statement":[{"Effect":"allow"}]}"#] {
            assert!(Policy::parse(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn trust() {
        let trusts = |document: &str, arn: &str, account: &str, external_id: Option<&str>| {
            Policy::parse(document).unwrap().trusts(&Caller { arn, account, external_id })
                == Decision::Allowed
        };
        let server = "arn:aws:iam::701488979254:user/storyreel";
        let own = r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::701488979254:user/storyreel"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"sb-1"}}}]}"#;
        assert!(trusts(own, server, "701488979254", Some("sb-1")));
        assert!(!trusts(own, server, "701488979254", Some("sb-2")));
        assert!(!trusts(own, server, "701488979254", None));
        assert!(!trusts(own, "arn:aws:iam::999988887777:root", "999988887777", Some("sb-1")));
        let root = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::701488979254:root"]},"Action":"sts:AssumeRole","Condition":{}}}"#;
        assert!(trusts(root, server, "701488979254", None));
        let unknown = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}}"#;
        assert!(!trusts(unknown, server, "701488979254", Some("sb-1")));
    }
}
