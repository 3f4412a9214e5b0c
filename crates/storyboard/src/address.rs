//! Media addresses: which spellings are accepted, and what they mean.
//!
//! Invariants: only a host that *is* S3 (matched from the right, on a dot boundary) becomes [`Address::S3`], so that a
//! look-alike never sees a signed request; a key is decoded exactly once; nothing here makes a network call, and no
//! message repeats user info or a query, which may hold secrets.

mod host;

use crate::{Address, S3Address};
use host::{Host, S3Host};
use url::Url;

/// Longest URL in bytes.
const MAX_URL: usize = 4096;
/// Longest S3 key in bytes, S3's own limit.
const MAX_KEY: usize = 1024;

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressError {
    /// `ADDRESS_INVALID` (no known form), `ADDRESS_UNSUPPORTED` (a form that is understood and not offered) or
    /// `ADDRESS_CREDENTIALS` (user info in a URL).
    pub code: &'static str,
    /// What is wrong, in a sentence that stands alone.
    pub message: String,
    /// What to write instead.
    pub fix: Option<String>,
}

impl std::fmt::Display for AddressError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AddressError {}

fn invalid(message: impl Into<String>, fix: &str) -> AddressError {
    AddressError { code: "ADDRESS_INVALID", message: message.into(), fix: Some(fix.to_owned()) }
}

fn unsupported(message: impl Into<String>, fix: &str) -> AddressError {
    AddressError { code: "ADDRESS_UNSUPPORTED", message: message.into(), fix: Some(fix.to_owned()) }
}

const FORMS: &str = "Write s3://BUCKET/KEY, https://BUCKET.s3.REGION.amazonaws.com/KEY, or the https:// URL of a public file.";

/// Reads an address; the strings are warnings for its author.
///
/// `http://` URLs and relative paths parse too ([`Address::Url`], [`Address::File`]): whether they are allowed is the
/// caller's decision. A presigned S3 URL is a plain [`Address::Url`], since no connection is needed to read it.
///
/// # Errors
/// [`AddressError`] where the text has no accepted form.
pub fn parse_address(text: &str) -> Result<(Address, Vec<String>), AddressError> {
    if text.trim().is_empty() {
        return Err(invalid("The address is empty.", FORMS));
    }
    if text.chars().any(char::is_control) {
        return Err(invalid(
            "The address contains a control character.",
            "Remove line breaks and invisible characters.",
        ));
    }
    let Some((scheme, rest)) = split_scheme(text) else {
        return parse_file(text).map(|address| (address, Vec::new()));
    };
    match scheme.as_str() {
        "s3" => parse_s3(rest),
        "https" | "http" => parse_url(text, &scheme, rest),
        "arn" => Err(unsupported("ARNs are not addresses of media here.", "Write s3://BUCKET/KEY.")),
        "file" => Err(unsupported(
            "file:// addresses are not accepted.",
            "On the command line, name a path relative to --media; over the API, use s3:// or https://.",
        )),
        _ => Err(unsupported(format!("Addresses that start with {scheme}: are not accepted."), FORMS)),
    }
}

/// `scheme:rest`, the scheme in lower case; `rest` is without `//` where it stood there.
fn split_scheme(text: &str) -> Option<(String, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let mut bytes = scheme.bytes();
    let good = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if !good {
        return None;
    }
    let scheme = scheme.to_ascii_lowercase();
    let slashes = matches!(scheme.as_str(), "s3" | "http" | "https");
    match rest.strip_prefix("//") {
        Some(rest) => Some((scheme, rest)),
        // `s3:x` and `https:x` are broken URLs: let their parsers say so.
        None if slashes => Some((scheme, "")),
        None => Some((scheme, rest)),
    }
}

fn parse_file(text: &str) -> Result<Address, AddressError> {
    if text.contains('\\') {
        return Err(invalid("The address contains a backslash.", "Separate folders with /."));
    }
    if text.starts_with('/') || text.starts_with('~') {
        return Err(invalid(
            "The path is not relative.",
            "Name a path below the media directory, such as clips/intro.mp4.",
        ));
    }
    if text.split('/').any(|part| matches!(part, "." | ".." | "")) {
        return Err(invalid(
            "The path has an empty, . or .. part.",
            "Name a path below the media directory, such as clips/intro.mp4.",
        ));
    }
    Ok(Address::File(text.to_owned()))
}

fn parse_s3(rest: &str) -> Result<(Address, Vec<String>), AddressError> {
    if rest.starts_with("arn:") {
        return Err(unsupported(
            "Access point ARNs are not supported.",
            "Write s3://BUCKET/KEY with the bucket's own name.",
        ));
    }
    if rest.split('/').next().unwrap_or_default().contains('@') {
        return Err(credentials());
    }
    let Some((bucket, key)) = rest.split_once('/') else {
        return Err(invalid("The s3:// address names no object.", "Write s3://BUCKET/KEY."));
    };
    check_bucket(bucket)?;
    check_key(key)?;
    let mut warnings = Vec::new();
    if key.to_ascii_lowercase().contains("?versionid=") {
        warnings.push(
            "In an s3:// address everything after the bucket is the key, also ?versionId=. To name a version, write \
             https://BUCKET.s3.REGION.amazonaws.com/KEY?versionId=ID."
                .to_owned(),
        );
    } else if has_percent_escape(key) {
        warnings.push(
            "The key of an s3:// address is taken as it stands: %-escapes in it are not decoded.".to_owned(),
        );
    }
    let address = S3Address { bucket: bucket.to_owned(), key: key.to_owned(), version: None, region: None };
    Ok((Address::S3(address), warnings))
}

fn parse_url(text: &str, scheme: &str, rest: &str) -> Result<(Address, Vec<String>), AddressError> {
    if text.len() > MAX_URL {
        return Err(invalid(format!("The URL is longer than {MAX_URL} bytes."), "Use a shorter address."));
    }
    if text.contains('\\') {
        return Err(invalid(
            "The URL contains a backslash.",
            "Write / between its parts, or %5C for a backslash in a name.",
        ));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() {
        return Err(invalid("The URL names no host.", FORMS));
    }
    if authority.contains('@') {
        return Err(credentials());
    }
    let mut url =
        Url::parse(text).map_err(|error| invalid(format!("The URL cannot be read: {error}."), FORMS))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    if host.is_empty() {
        return Err(invalid("The URL names no host.", FORMS));
    }
    if host.ends_with('.') {
        return Err(invalid("The URL's host ends with a dot.", "Remove the dot."));
    }
    let parsed = host::classify(&host)?;
    if let Host::S3(s3) = parsed {
        if is_presigned(&url) {
            url.set_fragment(None);
            let warning = presigned_warning(&url);
            return Ok((Address::Url(url.into()), vec![warning]));
        }
        return parse_s3_url(scheme, rest, authority, &url, s3);
    }
    url.set_fragment(None);
    let mut warnings = Vec::new();
    if host.contains("amazonaws.com")
        && !host.ends_with(".amazonaws.com")
        && !host.ends_with(".amazonaws.com.cn")
    {
        warnings.push(
            "The host looks like S3 and is not: it is read like any public web address, without the connection."
                .to_owned(),
        );
    }
    Ok((Address::Url(url.into()), warnings))
}

/// An unsigned https URL of an S3 host. Works on the raw text, since a URL parser folds dot segments silently.
fn parse_s3_url(
    scheme: &str,
    rest: &str,
    authority: &str,
    url: &Url,
    host: S3Host,
) -> Result<(Address, Vec<String>), AddressError> {
    if scheme == "http" {
        return Err(invalid("Objects in S3 are read over https only.", "Write https:// or s3://BUCKET/KEY."));
    }
    if authority.contains(':') {
        return Err(invalid("An address in S3 names no port.", "Remove the port."));
    }
    if !url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(authority)) {
        return Err(invalid("The host is not spelled in plain ASCII.", FORMS));
    }
    let tail = rest.get(authority.len()..).unwrap_or_default();
    if tail.contains('#') {
        return Err(invalid("The URL has a fragment.", "Write %23 for a # in the key."));
    }
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    let path = decode(path.strip_prefix('/').unwrap_or_default())?;
    let (bucket, key) = match host.bucket {
        Some(bucket) => (bucket, path),
        None => match path.split_once('/') {
            Some((bucket, key)) => (bucket.to_owned(), key.to_owned()),
            None => return Err(invalid("The URL names no object.", FORMS)),
        },
    };
    check_bucket(&bucket)?;
    check_key(&key)?;
    let version = parse_version(query)?;
    Ok((Address::S3(S3Address { bucket, key, version, region: host.region }), Vec::new()))
}

fn parse_version(query: &str) -> Result<Option<String>, AddressError> {
    let mut version = None;
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        if name != "versionId" {
            return Err(invalid(
                "The URL's query has a parameter other than versionId.",
                "Remove the query; only ?versionId=ID is accepted.",
            ));
        }
        let value = decode(value)?;
        let good = (1..=1024).contains(&value.len())
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-+/=".contains(&byte));
        if !good || version.replace(value).is_some() {
            return Err(invalid(
                "The URL's versionId is malformed or stands twice.",
                "Write ?versionId=ID once.",
            ));
        }
    }
    Ok(version)
}

fn is_presigned(url: &Url) -> bool {
    url.query_pairs().any(|(name, _)| {
        ["x-amz-signature", "x-amz-credential", "awsaccesskeyid", "signature"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
    })
}

/// Says what a presigned URL means; repeats of its query only the two times, and only where they are digits.
fn presigned_warning(url: &Url) -> String {
    let find = |wanted: &str| {
        url.query_pairs()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.into_owned())
    };
    let plain = |value: &String| {
        value.len() <= 16 && value.bytes().all(|byte| byte.is_ascii_digit() || b"TZ".contains(&byte))
    };
    let validity = match (find("X-Amz-Date").filter(plain), find("X-Amz-Expires").filter(plain)) {
        (Some(date), Some(seconds)) => format!(" It is valid for {seconds} s from {date}."),
        _ => String::new(),
    };
    format!(
        "The URL is presigned: it is read as it stands, without the connection, and has to stay valid until the film \
         is made.{validity}"
    )
}

fn credentials() -> AddressError {
    AddressError {
        code: "ADDRESS_CREDENTIALS",
        message: "The address contains a user name or a password.".to_owned(),
        fix: Some("Remove them; private media is read through a connection.".to_owned()),
    }
}

/// Decodes %-escapes once. A `+` stays: whether it means a space is asked of the bucket.
fn decode(text: &str) -> Result<String, AddressError> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits =
            [bytes.next(), bytes.next()].map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
        match digits {
            [Some(high), Some(low)] => out.push((high * 16 + low) as u8),
            _ => return Err(invalid("The URL has a broken %-escape.", "Write %25 for a percent sign.")),
        }
    }
    let out = String::from_utf8(out)
        .map_err(|_| invalid("The URL's %-escapes are not UTF-8.", "Encode the key's name as UTF-8."))?;
    if out.chars().any(char::is_control) {
        return Err(invalid("The address contains a control character.", "Rename the object."));
    }
    Ok(out)
}

fn has_percent_escape(key: &str) -> bool {
    key.as_bytes()
        .windows(3)
        .any(|window| window[0] == b'%' && window[1].is_ascii_hexdigit() && window[2].is_ascii_hexdigit())
}

fn check_key(key: &str) -> Result<(), AddressError> {
    if key.is_empty() || key.ends_with('/') {
        return Err(invalid("The address names a folder, not an object.", "Name one object of the bucket."));
    }
    if key.len() > MAX_KEY {
        return Err(invalid(
            format!("The key is longer than {MAX_KEY} bytes."),
            "S3 has no such key; check it.",
        ));
    }
    if key.split('/').any(|part| matches!(part, "." | "..")) {
        return Err(invalid("The key has a . or .. part.", "Write the key as the bucket lists it."));
    }
    Ok(())
}

fn check_bucket(bucket: &str) -> Result<(), AddressError> {
    let aliases = [
        ("-s3alias", "Access point aliases are not supported."),
        ("--ol-s3", "Object Lambda aliases are not supported."),
        ("--x-s3", "Directory buckets (S3 Express) are not supported."),
        ("--table-s3", "Table buckets are not supported."),
        (".mrap", "Multi-Region Access Points are not supported."),
    ];
    if let Some((_, message)) = aliases.iter().find(|(suffix, _)| bucket.ends_with(suffix)) {
        return Err(unsupported(*message, "Write s3://BUCKET/KEY with the bucket's own name."));
    }
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let good = (3..=63).contains(&bucket.len())
        && bucket
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
        && edge(bucket.bytes().next())
        && edge(bucket.bytes().last())
        && !bucket.contains("..")
        && bucket.parse::<std::net::Ipv4Addr>().is_err();
    if good {
        Ok(())
    } else {
        Err(invalid(
            "The address has no valid bucket name.",
            "A bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens.",
        ))
    }
}

#[cfg(test)]
mod tests;
