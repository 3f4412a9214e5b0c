//! The parent's side: start a caged child, serve its reads, pass its progress on, end it.
//!
//! Invariants: a child gets no environment and no descriptors but its socket and the files of the task; it is
//! killed when the job is cancelled, when nothing was heard of it for too long, and when this process dies.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use media::{ObjectReader, SourceError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::descriptors;
use crate::protocol::{Answer, CageReport, Reply, Task, TaskError};
use crate::wire::{self, Kind, ReadRequest};

/// Longest silence of a child before it counts as hung. A child is heard at every read and every few frames.
const SILENCE: Duration = Duration::from_secs(300);
/// How long an idle child may take to end.
const FAREWELL: Duration = Duration::from_secs(2);
/// How much of a child's last words is kept.
const STDERR_KEPT: usize = 4096;

/// Starts children.
#[derive(Debug, Clone)]
pub struct Supervisor {
    executable: PathBuf,
}

/// What a task may touch.
pub struct Run<'a> {
    /// The sources that this task may read, by their number in the plan.
    pub sources: BTreeMap<usize, Arc<dyn ObjectReader>>,
    /// The files that go with the task, in order.
    pub files: Vec<OwnedFd>,
    /// Called with frames done and frames in all.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
    /// Ends the child at once.
    pub cancel: &'a CancellationToken,
}

/// Why a task was not done.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A source could not be read.
    #[error("source {source_index} could not be read: {error}")]
    Read {
        /// The source's number in the plan.
        source_index: usize,
        /// Why.
        error: SourceError,
    },
    /// The child says why.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The child died, mostly on hostile media.
    #[error("the media process ended early ({status}); its last words: {stderr}")]
    Crashed {
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote to standard error.
        stderr: String,
        /// The source that it read last.
        last_source: Option<usize>,
    },
    /// Nothing was heard of it.
    #[error("the media process was silent for {} s and was ended", SILENCE.as_secs())]
    Silent {
        /// The source that it read last.
        last_source: Option<usize>,
    },
    /// The job was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// It could not be started, or the conversation broke.
    #[error("the media process: {0}")]
    Io(#[from] std::io::Error),
}

impl Supervisor {
    /// A supervisor that re-executes `executable` with [`crate::CHILD_ARGUMENT`].
    pub fn new(executable: PathBuf) -> Self {
        Self { executable }
    }

    /// Runs one task in a child of its own.
    pub async fn run(&self, task: &Task, run: Run<'_>) -> Result<Reply, WorkerError> {
        let mut worker = self.start()?;
        let outcome = worker.work(task, run).await;
        worker.leave(&outcome).await;
        outcome.map(|answer| answer.reply)
    }

    /// Asks a child to break out, and says what held.
    pub async fn check_cage(&self) -> Result<CageReport, WorkerError> {
        let run = Run {
            sources: BTreeMap::new(),
            files: Vec::new(),
            progress: &|_, _| {},
            cancel: &CancellationToken::new(),
        };
        match self.run(&Task::Cage, run).await? {
            Reply::Cage(report) => Ok(report),
            other => Err(TaskError::internal(format!("unexpected reply {other:?}")).into()),
        }
    }

    /// Starts a child, which waits for its first task.
    pub(crate) fn start(&self) -> Result<Worker, WorkerError> {
        let (ours, theirs) = StdUnixStream::pair()?;
        let mut child = self.spawn(theirs)?;
        let mut stderr = child.stderr.take().expect("standard error is piped");
        let last_words = tokio::spawn(async move {
            let mut kept = Vec::new();
            let mut buffer = [0; 1024];
            while let Ok(read) = stderr.read(&mut buffer).await {
                if read == 0 {
                    break;
                }
                kept.extend_from_slice(&buffer[..read]);
                let excess = kept.len().saturating_sub(STDERR_KEPT);
                kept.drain(..excess);
            }
            String::from_utf8_lossy(&kept).trim().to_owned()
        });
        ours.set_nonblocking(true)?;
        Ok(Worker { child, stream: UnixStream::from_std(ours)?, last_words, spent: Duration::ZERO })
    }

    fn spawn(&self, socket: StdUnixStream) -> std::io::Result<Child> {
        Command::new(&self.executable)
            .arg(crate::CHILD_ARGUMENT)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(socket)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }
}

/// One child and the parent's end of its socket.
pub(crate) struct Worker {
    child: Child,
    stream: UnixStream,
    last_words: JoinHandle<String>,
    spent: Duration,
}

impl Worker {
    /// Runs one task. Whether the child may take another afterwards says [`is_fit`].
    pub(crate) async fn work(&mut self, task: &Task, run: Run<'_>) -> Result<Answer, WorkerError> {
        let mut talk = Talk { sources: &run.sources, last_source: None, failed_read: None };
        let outcome = tokio::select! {
            outcome = talk.serve(&mut self.stream, task, &run.files, run.progress) => outcome,
            () = run.cancel.cancelled() => Err(WorkerError::Cancelled),
        };
        if let Ok(answer) = &outcome {
            self.spent += Duration::from_micros(answer.cost.cpu_us);
        }
        match outcome {
            // What the parent knows of a failed read says more than what libav made of it.
            Err(WorkerError::Task(_) | WorkerError::Io(_)) if talk.failed_read.is_some() => {
                let (source_index, error) = talk.failed_read.take().expect("just looked");
                Err(WorkerError::Read { source_index, error })
            }
            Err(WorkerError::Io(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                // It may have ended by itself; either way it does not live on.
                let _ = self.child.start_kill();
                let status = self.child.wait().await?;
                let stderr = (&mut self.last_words).await.unwrap_or_default();
                Err(WorkerError::Crashed { status, stderr, last_source: talk.last_source })
            }
            outcome => outcome,
        }
    }

    /// Whether the child has not ended.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Processor time of the tasks that were answered so far.
    pub(crate) fn spent(&self) -> Duration {
        self.spent
    }

    /// Ends the child and waits until it has ended.
    pub(crate) async fn end(mut self) {
        // A child that waits for a task ends at the end of its socket; another one is not waited for.
        let _ = self.stream.shutdown().await;
        if tokio::time::timeout(FAREWELL, self.child.wait()).await.is_err() {
            let _ = self.child.kill().await;
        }
    }

    /// Ends the child after its last task: at once where it is in the middle of it.
    pub(crate) async fn leave(mut self, outcome: &Result<Answer, WorkerError>) {
        if is_fit(outcome) {
            self.end().await;
        } else {
            let _ = self.child.kill().await;
        }
    }
}

/// Whether a child that came to this end can take another task: it answered and waits again.
pub(crate) fn is_fit(outcome: &Result<Answer, WorkerError>) -> bool {
    matches!(outcome, Ok(_) | Err(WorkerError::Task(_)))
}

struct Talk<'a> {
    sources: &'a BTreeMap<usize, Arc<dyn ObjectReader>>,
    last_source: Option<usize>,
    failed_read: Option<(usize, SourceError)>,
}

impl Talk<'_> {
    async fn serve(
        &mut self,
        stream: &mut UnixStream,
        task: &Task,
        files: &[OwnedFd],
        progress: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<Answer, WorkerError> {
        let body = serde_json::to_vec(task).map_err(std::io::Error::from)?;
        let sent = match descriptors::send(stream, files).await {
            Ok(()) => wire::send(stream, Kind::Task, &body).await,
            Err(error) => Err(error),
        };
        // A child that died at once shows as the end of the stream, whether at this write or at the next read.
        match sent.map_err(reset_is_end) {
            Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => return Err(error.into()),
            _ => {}
        }
        loop {
            let frame = wire::receive(stream, wire::CHILD_FRAME_LIMIT);
            let frame = tokio::time::timeout(SILENCE, frame).await;
            let (kind, payload) = frame
                .map_err(|_| WorkerError::Silent { last_source: self.last_source })?
                .map_err(reset_is_end)?;
            match kind {
                Kind::Read => {
                    let request = ReadRequest::decode(&payload)?;
                    let (kind, bytes) = self.read(request).await;
                    wire::send(stream, kind, &bytes).await.map_err(reset_is_end)?;
                }
                Kind::Progress => {
                    let (done, total) = payload.split_at_checked(8).unwrap_or_default();
                    progress(number(done), number(total));
                }
                Kind::Done => return Ok(serde_json::from_slice(&payload).map_err(std::io::Error::from)?),
                Kind::Failed => {
                    let error: TaskError = serde_json::from_slice(&payload).map_err(std::io::Error::from)?;
                    return Err(error.into());
                }
                Kind::Task | Kind::Files | Kind::Data | Kind::ReadFailed => {
                    return Err(
                        std::io::Error::new(std::io::ErrorKind::InvalidData, "unexpected frame").into()
                    );
                }
            }
        }
    }

    /// Serves one read; what the child asks beyond its sources or their ends is refused or cut.
    async fn read(&mut self, request: ReadRequest) -> (Kind, bytes::Bytes) {
        let index = request.source as usize;
        let Some(source) = self.sources.get(&index) else {
            return (Kind::ReadFailed, "no such source".into());
        };
        self.last_source = Some(index);
        if request.length == 0 {
            return (Kind::Data, source.size().to_le_bytes().to_vec().into());
        }
        let start = request.offset.min(source.size());
        let end = start.saturating_add(u64::from(request.length.min(wire::READ_LIMIT))).min(source.size());
        if start == end {
            return (Kind::Data, bytes::Bytes::new());
        }
        match source.read(start..end).await {
            Ok(bytes) => (Kind::Data, bytes),
            Err(error) => {
                let message = error.message.clone();
                self.failed_read.get_or_insert((index, error));
                (Kind::ReadFailed, message.into())
            }
        }
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn reset_is_end(error: std::io::Error) -> std::io::Error {
    match error.kind() {
        std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe => {
            std::io::ErrorKind::UnexpectedEof.into()
        }
        _ => error,
    }
}
