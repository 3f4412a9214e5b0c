//! Policy documents, names and ids: pure text, nothing is asked of AWS.
//!
//! Invariants: a key never acts as a pattern (`*`, `?` and `$` are escaped); a document is plain ASCII; a session's
//! policy names objects one by one, never a prefix.

use std::fmt::Write as _;

use serde_json::{Value, json};
use uuid::Uuid;

/// Name of the role in the customer's account unless a connection names another.
pub const DEFAULT_ROLE: &str = "PictoryCloudIntegrationRole";

/// Most characters of a session policy; AWS takes 2,048, the rest is for its own packing.
const MAX_SESSION_POLICY: usize = 1900;

/// One object of a session policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyObject<'a> {
    /// Bucket name.
    pub bucket: &'a str,
    /// Object key, as it is.
    pub key: &'a str,
    /// Whether the storyboard names a version of it.
    pub versioned: bool,
}

/// A session policy and the objects that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionPolicy {
    /// The document.
    pub document: String,
    /// Indices into the objects given.
    pub objects: Vec<usize>,
}

/// The trust policy that lets `principal_arn` assume the role, and only with this external id.
pub fn trust_policy(principal_arn: &str, external_id: &str) -> String {
    ascii(&json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": principal_arn},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        }],
    }))
}

/// The role's inline policy for one bucket, or with `{YOUR_S3_BUCKET}` to fill in.
pub fn inline_policy(partition: &str, bucket: Option<&str>) -> String {
    let bucket = format!("arn:{partition}:s3:::{}", bucket.unwrap_or("{YOUR_S3_BUCKET}"));
    ascii(&json!({
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket},
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:GetObjectVersion"],
                "Resource": format!("{bucket}/*"),
            },
        ],
    }))
}

/// The policies of the sessions that together read exactly `objects`: as few as fit the size that AWS takes.
///
/// An object whose own policy is too long (a key of hundreds of non-ASCII characters) is in none of them.
pub fn session_policies(partition: &str, objects: &[PolicyObject<'_>]) -> Vec<SessionPolicy> {
    let mut policies: Vec<SessionPolicy> = Vec::new();
    for index in 0..objects.len() {
        if let Some(last) = policies.last_mut() {
            last.objects.push(index);
            let document = session_policy(partition, objects, &last.objects);
            if document.len() <= MAX_SESSION_POLICY {
                last.document = document;
                continue;
            }
            last.objects.pop();
        }
        let document = session_policy(partition, objects, &[index]);
        // One object may use what AWS takes.
        if document.len() <= 2048 {
            policies.push(SessionPolicy { document, objects: vec![index] });
        }
    }
    policies
}

/// The session policy for some of the objects. `GetObjectVersion` stands only where a version is named.
pub(crate) fn session_policy(partition: &str, objects: &[PolicyObject<'_>], chosen: &[usize]) -> String {
    let mut statements = Vec::new();
    for (versioned, action) in [(false, "s3:GetObject"), (true, "s3:GetObjectVersion")] {
        let arns: Vec<String> = chosen
            .iter()
            .filter_map(|&index| objects.get(index))
            .filter(|object| object.versioned == versioned)
            .map(|object| format!("arn:{partition}:s3:::{}/{}", object.bucket, escape_key(object.key)))
            .collect();
        if !arns.is_empty() {
            statements.push(json!({"Effect": "Allow", "Action": action, "Resource": arns}));
        }
    }
    ascii(&json!({"Version": "2012-10-17", "Statement": statements}))
}

/// The policy of the short session that asks whether a key exists.
pub(crate) fn listing_policy(partition: &str, bucket: &str) -> String {
    ascii(&json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": format!("arn:{partition}:s3:::{bucket}"),
        }],
    }))
}

/// A key in which no character is a wildcard or the start of a policy variable.
fn escape_key(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for character in key.chars() {
        match character {
            '*' => out.push_str("${*}"),
            '?' => out.push_str("${?}"),
            '$' => out.push_str("${$}"),
            other => out.push(other),
        }
    }
    out
}

/// Compact JSON with every character outside ASCII escaped: AWS takes U+0020 to U+00FF only.
fn ascii(value: &Value) -> String {
    let mut out = String::new();
    for character in value.to_string().chars() {
        if character.is_ascii() && character != '\u{7f}' {
            out.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

/// ARN of the role in a customer's account.
pub fn role_arn(partition: &str, account: &str, role: &str) -> String {
    format!("arn:{partition}:iam::{account}:role/{role}")
}

/// The session's name, visible in the customer's CloudTrail: `sb-` and the job's id, of the characters that STS takes.
pub fn session_name(job_id: &str) -> String {
    let good = |character: char| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character);
    let id = job_id.chars().map(|character| if good(character) { character } else { '-' });
    "sb-".chars().chain(id).take(64).collect()
}

/// A new external id: 244 random bits, never chosen by a client.
pub fn new_external_id() -> String {
    format!("sb-{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// The ARN to trust for a caller: a session's role for an assumed role (a role's path is not in it), else the ARN.
pub fn principal_of(caller_arn: &str) -> String {
    let assumed = caller_arn.split_once(":sts::").and_then(|(partition, rest)| {
        let (account, rest) = rest.split_once(":assumed-role/")?;
        Some(role_arn(partition.strip_prefix("arn:")?, account, rest.split('/').next()?))
    });
    assumed.unwrap_or_else(|| caller_arn.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object<'a>(bucket: &'a str, key: &'a str) -> PolicyObject<'a> {
        PolicyObject { bucket, key, versioned: false }
    }

    #[test]
    fn a_session_names_exactly_its_objects() {
        let objects = [
            object("bkt", "hello world.mp4"),
            object("bkt", "a*b?c$d${aws:username}.mp4"),
            object("bkt", "quote\"back\\slash.mp4"),
            PolicyObject { bucket: "bkt", key: "日é😀.mp4", versioned: true },
        ];
        let policies = session_policies("aws", &objects);
        assert_eq!(policies.len(), 1);
        assert!(policies[0].document.is_ascii());
        assert!(policies[0].document.contains("\\u65e5\\u00e9\\ud83d\\ude00"));
        let document: Value = serde_json::from_str(&policies[0].document).unwrap();
        assert_eq!(
            document,
            json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [
                    "arn:aws:s3:::bkt/hello world.mp4",
                    "arn:aws:s3:::bkt/a${*}b${?}c${$}d${$}{aws:username}.mp4",
                    "arn:aws:s3:::bkt/quote\"back\\slash.mp4",
                ]},
                {"Effect": "Allow", "Action": "s3:GetObjectVersion", "Resource": ["arn:aws:s3:::bkt/日é😀.mp4"]},
            ]})
        );
    }

    #[test]
    fn many_objects_are_spread_over_sessions() {
        let keys: Vec<String> = (0..2000).map(|index| format!("folder/clip number {index}.mp4")).collect();
        let objects: Vec<_> = keys.iter().map(|key| object("my-bucket", key)).collect();
        let policies = session_policies("aws", &objects);
        assert!((50..120).contains(&policies.len()), "{}", policies.len());
        assert!(policies.iter().all(|policy| policy.document.len() <= 1900));
        let all: Vec<usize> = policies.iter().flat_map(|policy| policy.objects.clone()).collect();
        assert_eq!(all, (0..2000).collect::<Vec<_>>());
    }

    #[test]
    fn a_key_too_long_for_a_policy_is_left_out_and_never_widened() {
        let long = "日".repeat(340);
        let fits = "k".repeat(1024);
        let objects = [object("bkt", &long), object("bkt", &fits), object("bkt", "c.mp4")];
        let policies = session_policies("aws", &objects);
        assert_eq!(policies.iter().flat_map(|policy| policy.objects.clone()).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn documents_to_paste() {
        let trust: Value =
            serde_json::from_str(&trust_policy("arn:aws:iam::111122223333:role/server", "sb-1")).unwrap();
        assert_eq!(trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"], "sb-1");
        assert_eq!(trust["Statement"][0]["Principal"]["AWS"], "arn:aws:iam::111122223333:role/server");
        let inline = inline_policy("aws-cn", Some("bkt"));
        assert!(inline.contains("\"arn:aws-cn:s3:::bkt/*\""));
        assert!(inline_policy("aws", None).contains("{YOUR_S3_BUCKET}/*"));
        assert_eq!(role_arn("aws", "111122223333", "r"), "arn:aws:iam::111122223333:role/r");
    }

    #[test]
    fn names_and_ids() {
        assert_eq!(session_name("job/1 ü"), "sb-job-1--");
        assert_eq!(session_name(&"x".repeat(100)).len(), 64);
        assert_eq!(session_name(""), "sb-");
        let id = new_external_id();
        assert!((16..=1224).contains(&id.len()) && id != new_external_id());
        for (caller, principal) in [
            ("arn:aws:sts::111122223333:assumed-role/server/i-0abc", "arn:aws:iam::111122223333:role/server"),
            ("arn:aws-cn:sts::111122223333:assumed-role/s/x", "arn:aws-cn:iam::111122223333:role/s"),
            ("arn:aws:iam::111122223333:user/ann", "arn:aws:iam::111122223333:user/ann"),
            ("arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:root"),
        ] {
            assert_eq!(principal_of(caller), principal);
        }
    }
}
