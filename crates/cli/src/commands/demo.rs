//! `storyreel demo`: the whole way of private media, in one process, with nothing hidden: what the demo does after
//! the server has started, it does over HTTP like any client.

mod client;
mod samples;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use aws::{AwsSettings, StaticCredentials};
use demo_aws::{CUSTOMER_ACCOUNT, DemoAws};
use reqwest::Method;
use serde_json::{Value, json};
use store::{IssuedKey, Owner};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use worker::Supervisor;

use crate::arguments::{DEFAULT_OWNER, DemoArguments};
use crate::config::{Config, LogConfig};
use crate::progress::Bar;
use crate::service::Service;
use crate::{data, exit, logs, signals, studio};
use client::{Client, text};
use samples::SAMPLES;

/// The seed's request body, verbatim.
const STORYBOARD: &str = include_str!("demo/storyboard.json");
/// What stands in it for the bucket.
const BUCKET_PLACE: &str = "{YOUR_S3_BUCKET}";
/// What stands in it for the connection.
const CONNECTION_PLACE: &str = "20241207042423053xmex5z9ag9ivmp21";
/// The customer's bucket, and where it lies.
const BUCKET: &str = "customer-private-media";
const REGION: &str = "us-east-1";

/// Runs the subcommand.
pub(crate) async fn run(arguments: DemoArguments) -> ExitCode {
    demo(&arguments).await.unwrap_or_else(|error| exit::internal(&error))
}

/// The steps with the time that each took, as they are done.
struct Steps(Instant);

impl Steps {
    fn done(&mut self, what: &str) {
        say!("{:>7.1} s  {what}", self.0.elapsed().as_secs_f64());
        self.0 = Instant::now();
    }
}

async fn demo(arguments: &DemoArguments) -> anyhow::Result<ExitCode> {
    let stop = signals::stop_token().context("listening for signals")?;
    // The SDK looks for the bucket's region before it may read; the demo's S3 calls that refusal an error.
    logs::start(&LogConfig::default(), "warn,s3s=off")?;
    let begun = Instant::now();
    let place = tempfile::Builder::new().prefix("storyreel-demo-").tempdir()?;
    let made = tokio::select! {
        made = make(&arguments.out, place.path()) => made,
        () = stop.cancelled() => {
            eprintln!("storyreel: cancelled");
            return Ok(ExitCode::from(130));
        }
    };
    let (aws, server, film) = made?;
    say(&film, begun.elapsed());
    if arguments.keep {
        let place = place.keep();
        say_kept(&server, &place);
        stop.cancelled().await;
    }
    server.stop().await?;
    aws.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// From nothing to a film in `out`; `place` is for all that lies behind it.
async fn make(out: &Path, place: &Path) -> anyhow::Result<(DemoAws, Server, Made)> {
    let mut steps = Steps(Instant::now());
    std::fs::create_dir_all(out).with_context(|| format!("making {}", out.display()))?;
    say!("A customer's private bucket, a server that may read it only through a role, and one film:\n");
    let aws = DemoAws::start(&place.join("objects")).await.context("starting S3 and STS")?;
    steps.done(&format!("S3 and STS with two accounts on {}", aws.endpoint_url()));
    fill_bucket(&aws, place).await.context("making sample media")?;
    steps.done(&format!("sample media drawn and put into the private bucket s3://{BUCKET}"));
    let server = Server::start(&aws, &place.join("data")).await?;
    steps.done(&format!("the server on {}", server.address));
    let film = film(&aws, &server, out, &mut steps).await?;
    Ok((aws, server, film))
}

/// A film on disk.
struct Made {
    path: PathBuf,
    bytes: u64,
    seconds: f64,
    frames: u64,
}

async fn fill_bucket(aws: &DemoAws, place: &Path) -> anyhow::Result<()> {
    let directory = place.join("samples");
    std::fs::create_dir_all(&directory)?;
    let supervisor = Supervisor::new(studio::executable()?);
    let bar = Bar::new();
    let total: u64 = SAMPLES.iter().map(samples::Sample::frames).sum();
    let drawn = SAMPLES.each_ref().map(|_| AtomicU64::new(0));
    let show = |index: usize, frames: u64| {
        drawn[index].store(frames, Ordering::Relaxed);
        let sum: u64 = drawn.iter().map(|frames| frames.load(Ordering::Relaxed)).sum();
        bar.show("Drawing sample media", sum * 100 / total);
    };
    let made = SAMPLES.iter().enumerate().map(|(index, sample)| {
        let (supervisor, directory, show) = (&supervisor, &directory, &show);
        async move { sample.make(supervisor, directory, &|frames| show(index, frames)).await }
    });
    let made = futures::future::try_join_all(made).await;
    bar.clear();
    made?;
    let customer = aws.customer();
    customer.put_bucket(BUCKET, REGION);
    for sample in &SAMPLES {
        customer.put_object(BUCKET, sample.key, &directory.join(sample.key))?;
    }
    Ok(std::fs::remove_dir_all(&directory)?)
}

/// The server of the demo, in a task of its own.
struct Server {
    address: String,
    key: IssuedKey,
    shutdown: CancellationToken,
    task: tokio::task::JoinHandle<anyhow::Result<()>>,
}

impl Server {
    async fn start(aws: &DemoAws, data: &Path) -> anyhow::Result<Self> {
        let config = Config { data: Some(data.to_owned()), ..Config::default() };
        let keys = aws.server_credentials();
        let settings = AwsSettings {
            path_style: true,
            region: Some(REGION.to_owned()),
            endpoint_url: Some(aws.endpoint_url().to_owned()),
            credentials: Some(StaticCredentials { access_key: keys.access_key, secret: keys.secret }),
        };
        let service = Service::open(&config, settings).await?;
        let key = service.store.create_key(&Owner::from_text(DEFAULT_OWNER), "demo", data::now()).await?;
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = format!("http://{}", listener.local_addr()?);
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(service.serve(listener, shutdown.clone()));
        Ok(Self { address, key, shutdown, task })
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        self.task.await?
    }
}

/// What a customer does with pen, browser and HTTP client.
async fn film(aws: &DemoAws, server: &Server, out: &Path, steps: &mut Steps) -> anyhow::Result<Made> {
    let client =
        Client::log_in(&server.address, &server.key.key.client_id, &server.key.client_secret).await?;
    steps.done("POST /v1/oauth2/token: a token");
    let connection = json!({
        "name": "PictoryPrivateVideosConnection",
        "description": "Pictory Private Videos Connection",
        "awsAccountId": CUSTOMER_ACCOUNT,
        "awsRegion": REGION,
        "enabled": true,
    });
    let connection = client.call(Method::POST, "/v1/awsconnections", Some(&connection)).await?;
    let role = create_role(aws, &connection)?;
    steps.done(&format!("POST /v1/awsconnections: the policies for the customer's role {role}, pasted"));
    let storyboard = STORYBOARD.replace(BUCKET_PLACE, BUCKET);
    let storyboard = storyboard.replace(CONNECTION_PLACE, text(&connection, "/connectionId")?);
    let storyboard: Value = serde_json::from_str(&storyboard)?;
    let accepted = client.call(Method::POST, "/v1/video/storyboard", Some(&storyboard)).await?;
    let draft = text(&accepted, "/data/job_id")?.to_owned();
    wait(&client, &draft).await?;
    steps.done("POST /v1/video/storyboard: planned, with a preview");
    let accepted = client.call(Method::PUT, &format!("/v1/video/render/{draft}"), Some(&json!({}))).await?;
    let job = wait(&client, text(&accepted, "/data/job_id")?).await?;
    steps.done("PUT /v1/video/render: the film");
    let (path, bytes) = client.download(&job, out).await?;
    steps.done("downloaded, with subtitles, sound and thumbnail");
    let data = &job["data"];
    Ok(Made {
        path,
        bytes,
        seconds: data["videoDuration"].as_f64().unwrap_or_default(),
        frames: data["frames"].as_u64().unwrap_or_default(),
    })
}

async fn wait(client: &Client, job: &str) -> anyhow::Result<Value> {
    let bar = Bar::new();
    let ended = client.wait(job, &bar).await;
    bar.clear();
    ended
}

/// What the customer does in the console of their account: a role with the two policies that the server answered with.
fn create_role(aws: &DemoAws, connection: &Value) -> anyhow::Result<String> {
    let arn = text(connection, "/roleArn")?;
    let name = arn.rsplit('/').next().unwrap_or(arn);
    let trust = connection["trustPolicy"].to_string();
    let inline = connection["inlinePolicy"].to_string().replace(BUCKET_PLACE, BUCKET);
    aws.customer().create_role(name, &trust, &inline)?;
    Ok(name.to_owned())
}

fn say(film: &Made, all: Duration) {
    say!(
        "{:>7.1} s  in all\n\nThe film: {}\n  {:.3} s, {} frames, {:.1} MB\n",
        all.as_secs_f64(),
        film.path.display(),
        film.seconds,
        film.frames,
        film.bytes as f64 / 1e6,
    );
    say!(
        "With an AWS account of your own:\n  \
         1. storyreel serve                  with AWS credentials of the server's account in the environment\n  \
         2. storyreel key create             prints an API key\n  \
         3. POST /pictoryapis/v1/awsconnections with the account and region of the bucket; paste the two policies of\n     \
            the answer into a role of that account, with the bucket's name in place of {BUCKET_PLACE}\n  \
         4. POST /pictoryapis/v1/video/storyboard with awsConnectionId and s3:// addresses, then\n     \
            PUT /pictoryapis/v1/video/render/JOB and GET /pictoryapis/v1/jobs/JOB"
    );
}

fn say_kept(server: &Server, place: &Path) {
    say!(
        "\nThe server still runs, until ctrl-c:\n  curl -H 'Authorization: {}' {}/pictoryapis/v1/jobs\nIts data stays in {}",
        server.key.api_key,
        server.address,
        place.display()
    );
}
