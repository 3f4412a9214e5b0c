//! A server on the loopback that plays S3 and STS by canned answers, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What was asked: the head of the request and its body.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Asked {
    /// Method and path with query.
    pub(crate) fn line(&self) -> String {
        self.head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The region that the request was signed for.
    pub(crate) fn region(&self) -> &str {
        self.header("authorization").unwrap().split('/').nth(2).unwrap()
    }
}

/// Status, headers, body, and the length to claim where it is not the body's.
pub(crate) struct Answer(
    pub(crate) u16,
    pub(crate) &'static [(&'static str, &'static str)],
    pub(crate) String,
);

pub(crate) struct Stub {
    pub(crate) endpoint: String,
    pub(crate) log: Arc<Mutex<Vec<Asked>>>,
}

impl Stub {
    /// STS is answered here: every role may be assumed.
    pub(crate) async fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (answer, shared) = (Arc::new(answer), Arc::clone(&log));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&answer), Arc::clone(&shared)));
            }
        });
        Self { endpoint, log }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.log.lock().unwrap().iter().map(Asked::line).collect()
    }
}

/// What STS answers to AssumeRole.
pub(crate) fn assumed() -> Answer {
    let body = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIATEMP</AccessKeyId>\
        <SecretAccessKey>hunter2</SecretAccessKey><SessionToken>hunter3</SessionToken>\
        <Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>";
    Answer(200, &[], body.to_owned())
}

async fn serve<F: Fn(&Asked) -> Answer>(mut stream: TcpStream, answer: Arc<F>, log: Arc<Mutex<Vec<Asked>>>) {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let mut body = bytes.split_off(end);
    let mut asked = Asked { head: String::from_utf8_lossy(&bytes).into_owned(), body: String::new() };
    let length = asked.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    while body.len() < length {
        if stream.read_buf(&mut body).await.unwrap_or(0) == 0 {
            return;
        }
    }
    asked.body = String::from_utf8_lossy(&body).into_owned();
    let head_only = asked.head.starts_with("HEAD");
    let Answer(status, headers, body) = answer(&asked);
    log.lock().unwrap().push(asked);
    let mut out = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nx-amz-request-id: REQ1\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
        out += &format!("Content-Length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        out += &format!("{name}: {value}\r\n");
    }
    out += "\r\n";
    if !head_only {
        out += &body;
    }
    let _ = stream.write_all(out.as_bytes()).await;
}
