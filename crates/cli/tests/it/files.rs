//! A server of files on the loopback, with ranges and strong ETags, that can be told to hold its answers back.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

/// Serves files until the test ends.
#[derive(Clone)]
pub(crate) struct Files {
    root: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    files: Mutex<HashMap<String, Vec<u8>>>,
    held: Mutex<bool>,
    released: Condvar,
}

impl Files {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let files =
            Self { root: format!("http://{}", listener.local_addr().unwrap()), shared: Arc::default() };
        let shared = Arc::clone(&files.shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        files
    }

    /// Serves a file; answers with its address.
    pub(crate) fn add(&self, path: &Path) -> String {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let url = format!("{}/{name}", self.root);
        self.shared.files.lock().unwrap().insert(name, std::fs::read(path).unwrap());
        url
    }

    /// Answers nothing from now on, or goes on.
    pub(crate) fn hold(&self, held: bool) {
        *self.shared.held.lock().unwrap() = held;
        self.shared.released.notify_all();
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        loop {
            let mut lines = Vec::new();
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).ok()? == 0 {
                    return None;
                }
                let line = line.trim().to_owned();
                if line.is_empty() {
                    break;
                }
                lines.push(line);
            }
            drop(self.released.wait_while(self.held.lock().unwrap(), |held| *held).unwrap());
            stream.write_all(&self.answer(&lines)).ok()?;
        }
    }

    fn answer(&self, lines: &[String]) -> Vec<u8> {
        let name = lines[0].split(' ').nth(1).unwrap().trim_start_matches('/');
        let files = self.files.lock().unwrap();
        let Some(bytes) = files.get(name) else {
            return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec();
        };
        let range = lines.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            let value = key.eq_ignore_ascii_case("range").then(|| value.trim().strip_prefix("bytes="))??;
            let (start, end) = value.split_once('-')?;
            let last = bytes.len() - 1;
            Some((start.parse::<usize>().ok()?, end.parse::<usize>().map_or(last, |end| end.min(last))))
        });
        let (status, start, end) = match range {
            Some((start, end)) => ("206 Partial Content", start, end),
            None => ("200 OK", 0, bytes.len() - 1),
        };
        let mut answer = format!(
            "HTTP/1.1 {status}\r\netag: \"{name}-{}\"\r\naccept-ranges: bytes\r\ncontent-length: {}\r\n\
             content-range: bytes {start}-{end}/{}\r\n\r\n",
            bytes.len(),
            end + 1 - start,
            bytes.len()
        )
        .into_bytes();
        answer.extend_from_slice(&bytes[start..=end]);
        answer
    }
}
