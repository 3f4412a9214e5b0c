//! From a client's text to a [`MediaRef`], and back to a text that parses to the same address.

use crate::address::parse_address;
use crate::model::{Address, MediaRef, S3Address};
use crate::options::Options;
use crate::wire::members::Member;

/// Longest address that is looked at: S3 keys have 1024 bytes, each at most three characters when encoded.
const LONGEST: usize = 4000;

/// Reads a member as the address of a media object, read with `connection` where it lies in S3.
/// An empty text counts as absent.
pub(crate) fn read_media(
    member: &Member<'_>,
    connection: Option<&str>,
    options: &Options,
) -> Option<MediaRef> {
    let text = member.text(LONGEST)?.trim();
    let address = read_address(member, text, options)?;
    let connection = match &address {
        Address::S3(_) => match connection {
            Some(id) => Some(id.to_owned()),
            None => {
                member.problem(
                    "CONNECTION_REQUIRED",
                    format!("`{}` lies in S3, and no connection says how to read it.", member.name),
                    "Register the AWS account with POST /v1/awsconnections and give its connectionId as awsConnectionId.",
                );
                return None;
            }
        },
        Address::Url(_) | Address::File(_) => None,
    };
    Some(MediaRef { address, connection, pointer: member.pointer.clone() })
}

fn read_address(member: &Member<'_>, text: &str, options: &Options) -> Option<Address> {
    if text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("http://")) && !options.allow_http {
        member.problem(
            "HTTP_NOT_ALLOWED",
            format!("`{}` is plain http, which anyone on the way can change.", member.name),
            "Use https; the operator of this server can allow http.",
        );
        return None;
    }
    match parse_address(text) {
        Ok((Address::File(_), _)) if !options.allow_files => {
            member.problem(
                "ADDRESS_INVALID",
                format!("`{}` is a path; a server reads no files of its own.", member.name),
                "Write s3://BUCKET/KEY, https://BUCKET.s3.REGION.amazonaws.com/KEY, or the https:// URL of a public file.",
            );
            None
        }
        Ok((address, warnings)) => {
            for warning in warnings {
                member.warn("ADDRESS", warning);
            }
            Some(address)
        }
        Err(error) => {
            member.problem(
                error.code,
                error.message,
                error.fix.unwrap_or_else(|| "Give an s3:// or https:// address.".to_owned()),
            );
            None
        }
    }
}

/// A text that [`parse_address`] reads as exactly this address, for `renderParams`.
pub(crate) fn address_text(address: &Address) -> String {
    match address {
        Address::Url(text) | Address::File(text) => text.clone(),
        Address::S3(s3) => s3_text(s3),
    }
}

fn s3_text(s3: &S3Address) -> String {
    if s3.version.is_none() && s3.region.is_none() {
        return format!("s3://{}/{}", s3.bucket, s3.key);
    }
    let region = s3.region.as_ref().map(|region| format!(".{region}")).unwrap_or_default();
    let suffix = if s3.region.as_ref().is_some_and(|region| region.starts_with("cn-")) { ".cn" } else { "" };
    let query =
        s3.version.as_ref().map(|version| format!("?versionId={}", encoded(version))).unwrap_or_default();
    format!("https://{}.s3{region}.amazonaws.com{suffix}/{}{query}", s3.bucket, encoded(&s3.key))
}

/// Percent-encodes all but what is plain in a key's path.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
