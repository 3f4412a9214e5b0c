//! ministack, started once for all tests of a test binary; those of the command line use it too. It ends with the test process: its driver reads a pipe.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use serde_json::{Value, json};

pub(crate) const SERVER: &str = "701488979254";
pub(crate) const STRANGER: &str = "999988887777";

pub(crate) struct Peer {
    pub(crate) endpoint: String,
    pipe: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    _driver: Child,
}

static PEER: OnceLock<Peer> = OnceLock::new();

pub(crate) fn peer() -> &'static Peer {
    PEER.get_or_init(Peer::start)
}

fn program() -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let program =
        std::env::var_os("STORYREEL_PEER").map_or_else(|| root.join(".peer/bin/ministack"), PathBuf::from);
    assert!(
        program.exists(),
        "{} is missing: run scripts/test-peers.sh (make test does), or set STORYREEL_PEER",
        program.display()
    );
    program
}

impl Peer {
    fn start() -> Self {
        let program = program();
        let python = program.with_file_name("python");
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut driver = Command::new(&python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../aws/tests/it/peer.py"))
            .arg(&program)
            .arg(free.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
        let input = driver.stdin.take().unwrap();
        let mut output = BufReader::new(driver.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready", "ministack did not start");
        Self {
            endpoint: format!("http://127.0.0.1:{free}"),
            pipe: Mutex::new((input, output)),
            _driver: driver,
        }
    }

    fn command(&self, command: &Value) -> Value {
        let mut pipe = self.pipe.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        writeln!(pipe.0, "{command}").unwrap();
        let mut line = String::new();
        pipe.1.read_line(&mut line).unwrap();
        match line.trim().split_once(' ') {
            Some(("ok", value)) => serde_json::from_str(value).unwrap(),
            _ => panic!("{command}: {line}"),
        }
    }

    pub(crate) fn bucket(&self, account: &str, name: &str, region: &str, versioned: bool) {
        self.command(&json!({"verb": "bucket", "account": account, "name": name, "region": region, "versioned": versioned}));
    }

    /// Puts an object and answers with its version id.
    pub(crate) fn put(&self, account: &str, bucket: &str, key: &str, text: &str) -> Option<String> {
        let answer = self
            .command(&json!({"verb": "put", "account": account, "bucket": bucket, "key": key, "text": text}));
        answer.as_str().map(str::to_owned)
    }

    /// Puts a file.
    #[allow(dead_code)] // by the tests of the binary
    pub(crate) fn put_file(&self, account: &str, bucket: &str, key: &str, path: &std::path::Path) {
        self.command(
            &json!({"verb": "put_file", "account": account, "bucket": bucket, "key": key, "path": path}),
        );
    }

    pub(crate) fn put_archived(&self, account: &str, bucket: &str, key: &str, storage: &str) {
        self.command(&json!({"verb": "put", "account": account, "bucket": bucket, "key": key, "text": "x", "storage": storage}));
    }

    pub(crate) fn delete(&self, account: &str, bucket: &str, key: &str) {
        self.command(&json!({"verb": "delete", "account": account, "bucket": bucket, "key": key}));
    }

    pub(crate) fn role(&self, account: &str, name: &str, trust: &str, inline: &str) {
        self.command(
            &json!({"verb": "role", "account": account, "name": name, "trust": trust, "inline": inline}),
        );
    }
}
