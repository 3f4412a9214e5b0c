//! A client of the server, as anybody would write one: HTTP and JSON, nothing from the inside.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use crate::progress::Bar;

/// How often a job is looked at.
const POLL: Duration = Duration::from_millis(150);
/// What a finished film's answer names, with the files to download.
const FILES: [&str; 6] = ["videoURL", "thumbnail", "srtFile", "vttFile", "txtFile", "audioURL"];

/// A client with a token.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Client {
    /// Buys a token with client id and secret.
    pub(super) async fn log_in(base: &str, client_id: &str, client_secret: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let mut client = Self { http, base: base.to_owned(), token: String::new() };
        let body = json!({ "client_id": client_id, "client_secret": client_secret });
        let answer = client.call(Method::POST, "/v1/oauth2/token", Some(&body)).await?;
        client.token = text(&answer, "/access_token")?.to_owned();
        Ok(client)
    }

    /// One call; an error where the server does not answer with success.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let url = format!("{}/pictoryapis{path}", self.base);
        let mut request = self.http.request(method, &url);
        if !self.token.is_empty() {
            request = request.header("authorization", &self.token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let (status, bytes) = self.send(request).await.with_context(|| format!("calling {path}"))?;
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if !status.is_success() {
            bail!("{path} answered {status}: {answer:#}");
        }
        Ok(answer)
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<(reqwest::StatusCode, Vec<u8>)> {
        let response = request.send().await?;
        let status = response.status();
        Ok((status, response.bytes().await?.to_vec()))
    }

    /// Polls a job until it has ended; moves the bar.
    pub(super) async fn wait(&self, job: &str, bar: &Bar) -> anyhow::Result<Value> {
        loop {
            let answer = self.call(Method::GET, &format!("/v1/jobs/{job}"), None).await?;
            let data = &answer["data"];
            match data["status"].as_str() {
                Some("in-progress") => {
                    let message = data["renderProgressMessage"].as_str().unwrap_or("working");
                    bar.show(message, data["renderProgress"].as_u64().unwrap_or(0));
                }
                Some("completed") => return Ok(answer),
                _ => bail!("the job failed: {data:#}"),
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Downloads the files of a finished film into a directory; the film's path is answered with its size.
    pub(super) async fn download(&self, job: &Value, directory: &Path) -> anyhow::Result<(PathBuf, u64)> {
        let mut film = None;
        for member in FILES {
            let url = text(job, &format!("/data/{member}"))?;
            let name = url::Url::parse(url)?;
            let name = name.path_segments().and_then(Iterator::last).filter(|name| !name.is_empty());
            // A server's word is not taken for a path.
            let name = name.filter(|name| !name.starts_with('.')).context("a file without a name")?;
            let path = directory.join(name);
            let bytes = self.save(url, &path).await.with_context(|| format!("downloading {member}"))?;
            film.get_or_insert((path, bytes));
        }
        film.context("no film")
    }

    /// A signed address needs no header.
    async fn save(&self, url: &str, path: &Path) -> anyhow::Result<u64> {
        let mut response = self.http.get(url).send().await?.error_for_status()?;
        let aside = path.with_extension("part");
        let mut file = tokio::fs::File::create(&aside).await?;
        let mut bytes = 0;
        while let Some(chunk) = response.chunk().await? {
            bytes += chunk.len() as u64;
            file.write_all(&chunk).await?;
        }
        file.flush().await?;
        tokio::fs::rename(&aside, path).await?;
        Ok(bytes)
    }
}

/// A string in an answer.
pub(super) fn text<'a>(answer: &'a Value, pointer: &str) -> anyhow::Result<&'a str> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.with_context(|| format!("the answer has no {pointer}: {answer}"))
}
