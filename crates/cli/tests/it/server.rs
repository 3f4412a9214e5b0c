//! `storyreel serve` as a process, and a client of it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::http::{self, Answer};
use crate::kit::Place;

/// Longest wait for anything.
const LIMIT: Duration = Duration::from_secs(180);

/// A running server; killed with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) root: String,
    key: String,
    log: JoinHandle<String>,
}

/// The configuration of most tests: media from the loopback, and slow enough to be met at work.
pub(crate) const LOOPBACK: &str =
    "[media]\nallow_http = true\nallow_private = true\n[render]\nparallel = 1\n";

impl Server {
    /// Starts a server with its data in `data`, and makes a key.
    pub(crate) fn start(place: &Place, config: &str) -> Self {
        Self::start_with(place, config, |_| {})
    }

    pub(crate) fn start_with(place: &Place, config: &str, more: impl FnOnce(&mut Command)) -> Self {
        place.write("storyreel.toml", config);
        let key = place.run(&["key", "create", "--data", "data", "--json"]).json();
        let mut command = place.command();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data", "data", "--config", "storyreel.toml"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        more(&mut command);
        let mut child = command.spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = stderr.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some((_, root)) = line.trim().split_once(" on ") else {
            let _ = child.wait();
            panic!("the server did not start: {}", log.join().unwrap());
        };
        Self { root: root.to_owned(), key: key["apiKey"].as_str().unwrap().to_owned(), child, log }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Sends a signal and waits for the end; answers with exit code and log.
    pub(crate) fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        let status = self.child.wait().unwrap();
        let log = std::mem::replace(&mut self.log, std::thread::spawn(String::new));
        (status.code(), log.join().unwrap())
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.call_as(&self.key, method, path, body)
    }

    pub(crate) fn call_as(&self, key: &str, method: &str, path: &str, body: &Value) -> Answer {
        let url = format!("{}/pictoryapis/v1{path}", self.root);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [("authorization", key), ("content-type", "application/json")];
        http::send(method, &url, &headers, body.as_bytes()).unwrap()
    }

    /// A call that must succeed.
    #[track_caller]
    pub(crate) fn good(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.call(method, path, body);
        assert!(answer.status < 300, "{} {}", answer.head, String::from_utf8_lossy(&answer.body));
        answer.json()
    }

    pub(crate) fn send_storyboard(&self, storyboard: &Value) -> String {
        let accepted = self.good("POST", "/video/storyboard", storyboard);
        accepted["jobId"].as_str().unwrap().to_owned()
    }

    pub(crate) fn send_render(&self, storyboard: &str) -> String {
        let accepted = self.good("PUT", &format!("/video/render/{storyboard}"), &Value::Null);
        accepted["jobId"].as_str().unwrap().to_owned()
    }

    pub(crate) fn job(&self, id: &str) -> Value {
        self.good("GET", &format!("/jobs/{id}"), &Value::Null)["data"].take()
    }

    /// Polls a job until it is as wanted; fails where it ends before that.
    #[track_caller]
    pub(crate) fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let job = self.job(id);
            if wanted(&job) {
                return job;
            }
            assert_eq!(job["status"], "in-progress", "it has ended: {job:#}");
            assert!(begun.elapsed() < LIMIT, "{job:#}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[track_caller]
    pub(crate) fn ended(&self, id: &str) -> Value {
        self.until(id, |job| job["status"] != "in-progress")
    }

    #[track_caller]
    pub(crate) fn completed(&self, id: &str) -> Value {
        let job = self.ended(id);
        assert_eq!(job["status"], "completed", "{job:#}");
        job
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
