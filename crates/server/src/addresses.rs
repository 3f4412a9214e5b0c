//! Addresses handed out: built from the public URL, signed, expiring, good without a header.

use std::time::Duration;

use store::{JobId, Millis};
use url::Url;

use crate::signing::SigningKey;

/// What an address is for; part of what is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A file of a job, shown where it is opened.
    Show,
    /// A file of a job, saved under the film's name.
    Download,
    /// The preview page of a job; its file name is `index`.
    Preview,
}

impl Purpose {
    /// First part of the path.
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::Show => "films",
            Self::Download => "downloads",
            Self::Preview => "previews",
        }
    }
}

/// Why an address does not open anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It was not made by this server for this file.
    Forged,
    /// Its time is over.
    Expired,
}

/// Makes and checks addresses.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    base: Url,
    key: SigningKey,
    life: Duration,
}

impl Addresses {
    pub(crate) fn new(base: &Url, key: SigningKey, life: Duration) -> Self {
        Self { base: base.clone(), key, life }
    }

    /// The public URL without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// A fresh address of a file, percent-encoded.
    pub(crate) fn mint(&self, purpose: Purpose, job: &JobId, file: &str, now: Millis) -> String {
        let expires = now / 1000 + i64::try_from(self.life.as_secs()).unwrap_or(i64::MAX / 2000);
        let signature = self.key.sign(&[purpose.segment(), job.as_str(), file, &expires.to_string()]);
        let mut address = self.base.clone();
        if let Ok(mut path) = address.path_segments_mut() {
            path.pop_if_empty().extend([purpose.segment(), job.as_str(), file]);
        }
        address.set_query(Some(&format!("expires={expires}&signature={signature}")));
        address.into()
    }

    /// Whether an address was made here and still holds.
    pub(crate) fn check(
        &self,
        purpose: Purpose,
        job: &str,
        file: &str,
        expires: &str,
        signature: &str,
        now: Millis,
    ) -> Result<(), Refusal> {
        if !self.key.verify(&[purpose.segment(), job, file, expires], signature) {
            return Err(Refusal::Forged);
        }
        let expires: i64 = expires.parse().map_err(|_| Refusal::Forged)?;
        if now / 1000 >= expires { Err(Refusal::Expired) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_opens_its_file_for_its_time_only() {
        let dir = tempfile::tempdir().unwrap();
        let key = SigningKey::open(dir.path()).unwrap();
        let base = Url::parse("https://films.example/base/").unwrap();
        let addresses = Addresses::new(&base, key, Duration::from_secs(60));
        let job = JobId::from_text("j1");
        let address = Url::parse(&addresses.mint(Purpose::Show, &job, "film.mp4", 1_000_500)).unwrap();
        assert_eq!(address.path(), "/base/films/j1/film.mp4");
        let query: std::collections::HashMap<_, _> = address.query_pairs().into_owned().collect();
        let (expires, signature) = (&query["expires"], &query["signature"]);
        assert_eq!(expires, "1060");
        let check = |purpose, job, file, expires: &str, now| {
            addresses.check(purpose, job, file, expires, signature, now)
        };
        assert_eq!(check(Purpose::Show, "j1", "film.mp4", expires, 1_059_999), Ok(()));
        assert_eq!(check(Purpose::Show, "j1", "film.mp4", expires, 1_060_000), Err(Refusal::Expired));
        assert_eq!(check(Purpose::Download, "j1", "film.mp4", expires, 1), Err(Refusal::Forged));
        assert_eq!(check(Purpose::Show, "j2", "film.mp4", expires, 1), Err(Refusal::Forged));
        assert_eq!(check(Purpose::Show, "j1", "film.srt", expires, 1), Err(Refusal::Forged));
        assert_eq!(check(Purpose::Show, "j1", "film.mp4", "9999", 1), Err(Refusal::Forged));
    }

    #[test]
    fn names_of_any_kind_make_addresses_that_every_client_reads() {
        let dir = tempfile::tempdir().unwrap();
        let key = SigningKey::open(dir.path()).unwrap();
        let base = Url::parse("https://films.example").unwrap();
        let addresses = Addresses::new(&base, key, Duration::from_secs(60));
        for name in ["My holiday film.mp4", "50% off? #1.mp4", "名前😀.mp4"] {
            let address = addresses.mint(Purpose::Show, &JobId::from_text("j1"), name, 0);
            assert!(address.bytes().all(|byte| byte.is_ascii_graphic()), "{address}");
            let read = Url::parse(&address).unwrap();
            let last = read.path_segments().unwrap().next_back().unwrap();
            assert_eq!(percent_decoded(last), name);
            assert!(read.query().unwrap().starts_with("expires=60&signature="));
        }
    }

    /// A path segment without its percent-encoding, read by the parser of forms.
    fn percent_decoded(segment: &str) -> String {
        url::form_urlencoded::parse(segment.as_bytes()).next().unwrap().0.into_owned()
    }

    #[test]
    fn the_key_stays_and_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let first = SigningKey::open(dir.path()).unwrap();
        let second = SigningKey::open(dir.path()).unwrap();
        assert_eq!(first.sign(&["a"]), second.sign(&["a"]));
        assert_ne!(first.sign(&["ab", "c"]), first.sign(&["a", "bc"]));
        let mode = dir.path().join("signing.key").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(format!("{first:?}"), "SigningKey");
    }
}
