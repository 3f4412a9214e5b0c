//! What is asked about a bucket: its region, and after a refusal whether a key is missing or denied.

use std::sync::Arc;

use aws_sdk_s3::Client;
use media::SourceError;
use storyboard::{Class, S3Address, Warning};

use crate::answer::Answer;
use crate::grant::Grant;
use crate::object::denied;

/// Most keys looked at for a near name.
const LISTED: i32 = 1000;

/// Where a bucket is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) region: String,
}

impl Place {
    /// What the owner should know about the bucket's region.
    pub(crate) fn warning(&self, bucket: &str, grant: &Grant) -> Option<Warning> {
        let said = &grant.connection().region;
        (*said != self.region).then(|| {
            Warning::new(
                "REGION_MISMATCH",
                format!(
                    "The connection says {said}, and the bucket {bucket} is in {}: it is read there. Change the \
                     connection's awsRegion; traffic between regions costs money.",
                    self.region
                ),
            )
        })
    }
}

/// Finds a bucket's region. S3 names it on success, on a redirect and on a refusal alike, so no permission is needed.
pub(crate) async fn find(client: &Client, bucket: &str, said: &str) -> Result<Place, SourceError> {
    let region = match client.head_bucket().bucket(bucket).send().await {
        Ok(output) => output.bucket_region().map(str::to_owned),
        Err(error) => {
            let answer = Answer::of("HeadBucket", &error);
            if answer.status == 404 {
                return Err(missing_bucket(bucket, &answer));
            }
            // Whatever else it is: the first request for an object tells it better.
            answer.region
        }
    };
    Ok(Place { region: region.filter(|region| !region.is_empty()).unwrap_or_else(|| said.to_owned()) })
}

pub(crate) fn missing_bucket(bucket: &str, answer: &Answer) -> SourceError {
    SourceError::new(Class::Source, "BUCKET_NOT_FOUND", format!("There is no bucket {bucket}."))
        .fix("Check the bucket's name.")
        .evidence(answer.evidence())
}

/// After a 403: asks with a session that may only list this bucket whether the key is there.
pub(crate) async fn explain(
    client: &Client,
    listing: &Grant,
    address: &S3Address,
    grant: &Arc<Grant>,
    refused: &Answer,
) -> SourceError {
    let unknown = || {
        denied(address, grant, "The object cannot be read: it is missing, or the role may not read it.")
            .evidence(refused.evidence())
    };
    if listing.ready().await.is_err() {
        return unknown();
    }
    // The key itself sorts first among all that start with it.
    let first =
        client.list_objects_v2().bucket(&address.bucket).prefix(&address.key).max_keys(1).send().await;
    match first {
        Ok(output) if output.contents().first().and_then(|object| object.key()) == Some(&address.key) => {
            denied(address, grant, "The object is there, but the role may not read it.")
                .evidence(refused.evidence())
        }
        Ok(_) => missing(address, &neighbours(client, address).await, refused),
        Err(error) => {
            let answer = Answer::of("ListObjectsV2", &error);
            if answer.status == 404 { missing_bucket(&address.bucket, &answer) } else { unknown() }
        }
    }
}

/// There is no such key.
pub(crate) fn missing(address: &S3Address, near: &[String], answer: &Answer) -> SourceError {
    let error = if answer.deleted {
        SourceError::new(Class::Source, "MEDIA_NOT_FOUND", "The object was deleted (it has a delete marker).")
    } else if address.version.is_some() {
        SourceError::new(Class::Source, "MEDIA_NOT_FOUND", "There is no such version of the object.")
    } else {
        SourceError::new(Class::Source, "MEDIA_NOT_FOUND", "There is no such object in the bucket.")
    };
    let error = error.evidence(answer.evidence());
    if near.is_empty() {
        error.fix("Check the key, also its upper and lower case and its extension.")
    } else {
        error.fix(format!("Check the key. Near names in the bucket: {}.", near.join(", ")))
    }
}

/// The keys of the same folder that look most like the one asked for.
pub(crate) async fn neighbours(client: &Client, address: &S3Address) -> Vec<String> {
    let folder = address.key.rfind('/').map_or("", |end| &address.key[..=end]);
    let listed =
        client.list_objects_v2().bucket(&address.bucket).prefix(folder).max_keys(LISTED).send().await;
    let Ok(listed) = listed else { return Vec::new() };
    let keys = listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect();
    nearest(keys, &address.key)
}

/// The three keys nearest to `key` that are near at all: by case first, then by edits.
fn nearest(keys: Vec<String>, key: &str) -> Vec<String> {
    // Bounded, since keys and their number are not ours.
    let short = |text: &str| -> Vec<char> { text.to_lowercase().chars().rev().take(100).collect() };
    let wanted = short(key);
    let stem = |key: &str| {
        key.to_lowercase().rsplit_once('.').map_or_else(|| key.to_lowercase(), |(stem, _)| stem.to_owned())
    };
    let wanted_stem = stem(key);
    let most = (wanted.len() / 3).max(3);
    let mut ranked: Vec<(usize, String)> = keys
        .into_iter()
        .filter(|found| found != key && !found.ends_with('/'))
        .filter_map(|found| {
            let distance = if stem(&found) == wanted_stem { 1 } else { edits(&short(&found), &wanted) };
            (distance <= most).then_some((distance, found))
        })
        .collect();
    ranked.sort();
    ranked.into_iter().take(3).map(|(_, key)| key).collect()
}

/// Levenshtein's distance.
fn edits(left: &[char], right: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, a) in left.iter().enumerate() {
        let mut diagonal = index;
        row[0] = index + 1;
        for (column, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_keys() {
        let keys = [
            "clips/Hello_World.mp4",
            "clips/hello_world.mov",
            "clips/",
            "clips/helo_world.mp4",
            "clips/zebra-crossing-at-night.mp4",
            "clips/hello_world.mp4.bak",
        ];
        let keys = keys.map(str::to_owned).to_vec();
        assert_eq!(
            nearest(keys, "clips/hello_world.mp4"),
            ["clips/Hello_World.mp4", "clips/hello_world.mov", "clips/helo_world.mp4"]
        );
        assert!(nearest(vec!["completely/different.txt".to_owned()], "a.mp4").is_empty());
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(edits(&chars("kitten"), &chars("sitting")), 3);
        assert_eq!(edits(&[], &chars("abc")), 3);
    }
}
