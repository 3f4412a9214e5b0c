//! One opener out of several, by kind of address.

use std::collections::HashMap;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::{BoxFuture, join_all};
use storyboard::{Address, Class, MediaRef};

use crate::{Opened, Opener, SourceError};

/// The openers of one job, by kind of address; a kind without one is refused with the reason.
#[derive(Clone, Default)]
pub struct Openers {
    /// For `s3://` and its https forms.
    pub s3: Option<Arc<dyn Opener>>,
    /// For public URLs.
    pub https: Option<Arc<dyn Opener>>,
    /// For paths under `--media`.
    pub local: Option<Arc<dyn Opener>>,
}

impl Openers {
    fn of(&self, address: &Address) -> (usize, Option<&Arc<dyn Opener>>) {
        match address {
            Address::S3(_) => (0, self.s3.as_ref()),
            Address::Url(_) => (1, self.https.as_ref()),
            Address::File(_) => (2, self.local.as_ref()),
        }
    }
}

impl Opener for Openers {
    /// References of equal address and connection are one source: it is opened once, and all get the same reader.
    fn open_all<'a>(&'a self, media: &'a [MediaRef]) -> BoxFuture<'a, Vec<Result<Opened, SourceError>>> {
        async move {
            // For each kind the distinct references, and for each reference where its answer will be.
            let mut groups: [Vec<MediaRef>; 3] = Default::default();
            let mut seen: HashMap<(&Address, Option<&str>), (usize, usize)> = HashMap::new();
            let places: Vec<(usize, usize)> = media
                .iter()
                .map(|one| {
                    *seen.entry((&one.address, one.connection.as_deref())).or_insert_with(|| {
                        let (kind, _) = self.of(&one.address);
                        groups[kind].push(one.clone());
                        (kind, groups[kind].len() - 1)
                    })
                })
                .collect();
            let answers = join_all(groups.iter().map(|group| async move {
                match group.first().map(|first| self.of(&first.address)) {
                    None => Vec::new(),
                    Some((_, Some(opener))) => opener.open_all(group).await,
                    Some((kind, None)) => group.iter().map(|_| Err(refused(kind))).collect(),
                }
            }))
            .await;
            places
                .into_iter()
                .map(|(kind, index)| match answers.get(kind).and_then(|answers| answers.get(index)) {
                    Some(Ok(opened)) => {
                        Ok(Opened { reader: Arc::clone(&opened.reader), warnings: opened.warnings.clone() })
                    }
                    Some(Err(error)) => Err(error.clone()),
                    None => Err(SourceError::new(
                        Class::Internal,
                        "OPENER_SILENT",
                        "An opener left an object out.",
                    )),
                })
                .collect()
        }
        .boxed()
    }
}

fn refused(kind: usize) -> SourceError {
    match kind {
        0 => SourceError::new(Class::Access, "S3_NOT_AVAILABLE", "S3 is not set up here.")
            .fix("Give the program AWS credentials, and register a connection."),
        1 => SourceError::new(
            Class::Access,
            "URL_NOT_ALLOWED",
            "Media from web addresses is not allowed here.",
        )
        .fix("Use an object in S3, or ask the operator."),
        _ => SourceError::new(Class::Author, "LOCAL_FILE_NOT_ALLOWED", "Local files are not allowed here.")
            .fix("Use s3:// or https://; only storyreel render --media reads local files."),
    }
}
