//! Host names: which of them are S3, and what they say.
//!
//! Matched from the right, since a bucket's name may contain dots and even a label `s3`.

use super::{AddressError, invalid, unsupported};

/// What a host is.
pub(super) enum Host {
    /// An endpoint of S3.
    S3(S3Host),
    /// Anything else.
    Web,
}

/// What a host of S3 says.
pub(super) struct S3Host {
    /// The bucket, where it stands in the host; `None` means path style.
    pub(super) bucket: Option<String>,
    /// The region, where it stands in the host.
    pub(super) region: Option<String>,
}

/// Sorts a lower-case host name.
pub(super) fn classify(host: &str) -> Result<Host, AddressError> {
    let (rest, china) = if let Some(rest) = host.strip_suffix(".amazonaws.com.cn") {
        (rest, true)
    } else if let Some(rest) = host.strip_suffix(".amazonaws.com") {
        (rest, false)
    } else {
        return Ok(Host::Web);
    };
    let labels: Vec<&str> = rest.split('.').collect();
    refuse_relatives(&labels)?;
    let Some((bucket, region, accelerated)) = endpoint(&labels) else {
        return Ok(Host::Web);
    };
    if region.is_some_and(|region| region.starts_with("cn-") != china) {
        return Err(invalid(
            "The host's region and its ending do not belong together.",
            "Regions cn-* end in .amazonaws.com.cn, all others in .amazonaws.com.",
        ));
    }
    if accelerated && bucket.is_empty() {
        return Err(invalid("The host names no bucket.", "Write s3://BUCKET/KEY."));
    }
    let bucket = (!bucket.is_empty()).then(|| bucket.join("."));
    Ok(Host::S3(S3Host { bucket, region: region.map(str::to_owned) }))
}

/// Bucket labels, region and whether it is an acceleration endpoint.
fn endpoint<'a, 'b>(labels: &'b [&'a str]) -> Option<(&'b [&'a str], Option<&'a str>, bool)> {
    let (&last, rest) = labels.split_last()?;
    match last {
        "s3" | "s3-external-1" => return Some((rest, None, false)),
        "s3-accelerate" => return Some((rest, None, true)),
        "dualstack" if rest.last() == Some(&"s3-accelerate") => {
            return Some((rest.get(..rest.len().saturating_sub(1))?, None, true));
        }
        _ => {}
    }
    if let Some(region) =
        last.strip_prefix("s3-fips-").or(last.strip_prefix("s3-")).filter(|name| is_region(name))
    {
        return Some((rest, Some(region), false));
    }
    if !is_region(last) {
        return None;
    }
    let rest = match rest.split_last() {
        Some((&"dualstack", rest)) => rest,
        _ => rest,
    };
    match rest.split_last() {
        Some((&("s3" | "s3-fips"), bucket)) => Some((bucket, Some(last), false)),
        _ => None,
    }
}

/// Refuses what belongs to S3 and is no bucket endpoint, with what to write instead.
fn refuse_relatives(labels: &[&str]) -> Result<(), AddressError> {
    const OWN: &str = "Write s3://BUCKET/KEY with the bucket's own name.";
    // The service's label is the last one, or stands before the region, `dualstack` or `vpce`.
    let service =
        labels.iter().rev().find(|label| !is_region(label) && !matches!(**label, "dualstack" | "vpce"));
    let service = service.copied().unwrap_or_default();
    if labels.last() == Some(&"vpce") {
        return Err(unsupported("Addresses of VPC endpoints are not supported.", OWN));
    }
    let relatives = [
        ("s3-website", "Website addresses of S3 are not supported: they know neither https nor permissions."),
        ("s3-accesspoint", "Access point addresses are not supported."),
        ("s3-object-lambda", "Object Lambda addresses are not supported."),
        ("s3-outposts", "Outposts addresses are not supported."),
        ("s3-control", "The control address of S3 has no objects."),
        ("s3-global", "Multi-Region Access Points are not supported."),
        ("s3express", "Directory buckets (S3 Express) are not supported."),
    ];
    match relatives.iter().find(|(prefix, _)| service.starts_with(prefix)) {
        Some((_, message)) => Err(unsupported(*message, OWN)),
        None => Ok(()),
    }
}

/// Whether a label has the shape of a region, such as `us-gov-west-1`.
fn is_region(label: &str) -> bool {
    let parts: Vec<&str> = label.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    (2..=4).contains(&words.len())
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && (2..=3).contains(&words[0].len())
        && words.iter().all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}
