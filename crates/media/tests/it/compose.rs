use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use media::{Opened, Opener, Openers, SourceError};
use storyboard::{Address, MediaRef, S3Address};

use crate::memory::MemoryReader;

/// Opens everything under its name.
struct Named(&'static str, Arc<Mutex<Vec<usize>>>);

impl Opener for Named {
    fn open_all<'a>(&'a self, media: &'a [MediaRef]) -> BoxFuture<'a, Vec<Result<Opened, SourceError>>> {
        self.1.lock().unwrap().push(media.len());
        let opened = media.iter().map(|one| {
            let identity = format!("{} {} {:?}", self.0, one.address, one.connection);
            Ok(Opened { reader: Arc::new(MemoryReader::new(&identity, 1)), warnings: Vec::new() })
        });
        futures::future::ready(opened.collect()).boxed()
    }
}

fn media(address: Address, connection: Option<&str>, pointer: &str) -> MediaRef {
    MediaRef { address, connection: connection.map(str::to_owned), pointer: pointer.to_owned() }
}

#[tokio::test]
async fn answers_stand_in_order_and_one_source_is_opened_once() {
    let s3 = |key: &str| {
        Address::S3(S3Address { bucket: "bkt".to_owned(), key: key.to_owned(), version: None, region: None })
    };
    let url = |text: &str| Address::Url(text.to_owned());
    let calls = Arc::new(Mutex::new(Vec::new()));
    let openers = Openers {
        s3: Some(Arc::new(Named("s3", calls.clone()))),
        https: Some(Arc::new(Named("https", calls.clone()))),
        local: None,
    };
    let asked = [
        media(url("https://x.example/1"), None, "/0"),
        media(s3("a"), Some("c1"), "/1"),
        media(Address::File("f".to_owned()), None, "/2"),
        media(s3("b"), Some("c1"), "/3"),
        media(s3("a"), Some("c2"), "/4"),
        media(s3("a"), Some("c1"), "/5"),
        media(url("https://x.example/2"), None, "/6"),
    ];
    let answers = openers.open_all(&asked).await;
    let found: Vec<String> = answers
        .iter()
        .map(|answer| match answer {
            Ok(opened) => opened.reader.identity().to_owned(),
            Err(error) => error.code.to_owned(),
        })
        .collect();
    assert_eq!(
        found,
        [
            "https https://x.example/1 None",
            "s3 s3://bkt/a Some(\"c1\")",
            "LOCAL_FILE_NOT_ALLOWED",
            "s3 s3://bkt/b Some(\"c1\")",
            "s3 s3://bkt/a Some(\"c2\")",
            "s3 s3://bkt/a Some(\"c1\")",
            "https https://x.example/2 None",
        ]
    );
    assert_eq!(*calls.lock().unwrap(), [3, 2]);
    let nothing = Openers::default().open_all(&asked[..3]).await;
    let codes: Vec<_> = nothing.iter().map(|answer| answer.as_ref().err().map(|error| error.code)).collect();
    assert_eq!(codes, [Some("URL_NOT_ALLOWED"), Some("S3_NOT_AVAILABLE"), Some("LOCAL_FILE_NOT_ALLOWED")]);
}
