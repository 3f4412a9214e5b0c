//! The operator's settings, with defaults that work.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

/// The operator's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where clients reach this server; `None` is `http://<listen address>`. Every address handed out begins so.
    pub public_url: Option<Url>,
    /// Where films, keys and the lock lie.
    pub data_dir: PathBuf,
    /// Days after which a film is deleted; 0 keeps it for ever.
    pub keep_films: u32,
    /// Bytes of the data directory, the cache not counted, above which the oldest films are deleted.
    pub max_data_bytes: Option<u64>,
    /// Where the cache lies, which has a limit of its own.
    pub cache_dir: Option<PathBuf>,
    /// Days after its end for which a job can be asked about, once its files are gone; 0 keeps it for ever.
    pub keep_jobs: u32,
    /// Bytes that must be free on the data directory's disk: below, jobs wait, then fail; below an eighth of it,
    /// none is accepted.
    pub min_free_bytes: u64,
    /// Life of an access token.
    pub token_life: Duration,
    /// Life of a signed address.
    pub url_life: Duration,
    /// What a storyboard may hold.
    pub parse: storyboard::Options,
    /// Name of the role that new connections are assumed with.
    pub role_name: String,
    /// Films rendered at a time.
    pub films_at_once: usize,
    /// Previews made at a time, beside the films.
    pub previews_at_once: usize,
    /// Requests answered at a time of those that plan a film or draw a frame while the client waits.
    pub looks_at_once: usize,
    /// How long such a request may take.
    pub look_patience: Duration,
    /// Jobs of one owner that may wait for their turn.
    pub waiting_at_most: u32,
    /// Connections open at a time.
    pub connections: usize,
    /// How long a client may take to send a request's head, and a connection may rest between two.
    pub head_patience: Duration,
    /// How long a client may take to send a request's body.
    pub body_patience: Duration,
    /// How long a client may take nothing of its answer.
    pub answer_patience: Duration,
    /// Largest request body in bytes.
    pub max_body: usize,
    /// Pauses before the tries after the first, for jobs whose problems may pass.
    pub retry_delays: Vec<Duration>,
    /// Pauses before the tries after the first, for webhooks.
    pub webhook_delays: Vec<Duration>,
    /// How often old films are looked for.
    pub sweep_every: Duration,
}

impl Settings {
    /// The defaults for a data directory.
    pub fn new(data_dir: PathBuf) -> Self {
        let seconds = |list: &[u64]| list.iter().copied().map(Duration::from_secs).collect();
        Self {
            public_url: None,
            data_dir,
            keep_films: 30,
            max_data_bytes: None,
            cache_dir: None,
            keep_jobs: 90,
            min_free_bytes: 256 * 1024 * 1024,
            token_life: Duration::from_secs(60 * 60),
            url_life: Duration::from_secs(24 * 60 * 60),
            parse: storyboard::Options::default(),
            role_name: "PictoryCloudIntegrationRole".to_owned(),
            films_at_once: 1,
            previews_at_once: 1,
            looks_at_once: 4,
            look_patience: Duration::from_secs(60),
            waiting_at_most: 1000,
            connections: 512,
            head_patience: Duration::from_secs(30),
            body_patience: Duration::from_secs(60),
            answer_patience: Duration::from_secs(60),
            max_body: 2 * 1024 * 1024,
            retry_delays: seconds(&[5, 30, 120, 600, 1800]),
            webhook_delays: seconds(&[5, 30, 120, 600, 3600, 4 * 3600, 12 * 3600]),
            sweep_every: Duration::from_secs(15 * 60),
        }
    }
}
