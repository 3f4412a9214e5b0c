//! The child's side: shut the cage, take the task, ask for bytes, answer.
//!
//! One request is under way at a time, so reads block and are answered in order. Any failure of the socket ends
//! the child: its parent is gone or has given up.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, FromRawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cage::{self, Limits};
use crate::protocol::{CageReport, Reply, Task, TaskError};
use crate::wire::{self, Kind, ReadRequest};

/// First descriptor of the files that came with the task.
const FIRST_FILE: i32 = 3;

/// The child's end of the socket pair. Cheap to clone.
#[derive(Clone)]
pub struct Link {
    stream: Arc<Mutex<UnixStream>>,
}

impl Link {
    /// Reads up to `buffer.len()` bytes of a source; fewer only where the parent cannot serve more at once.
    pub fn read(&self, source: usize, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(wire::READ_LIMIT as usize) as u32;
        if length == 0 {
            return Ok(0);
        }
        let request = ReadRequest { source: source as u32, offset, length };
        let payload = self.ask(request)?;
        let target = buffer.get_mut(..payload.len());
        target.ok_or(io::ErrorKind::InvalidData)?.copy_from_slice(&payload);
        Ok(payload.len())
    }

    fn ask(&self, request: ReadRequest) -> io::Result<Vec<u8>> {
        let mut stream = self.lock();
        wire::write(&mut *stream, Kind::Read, &request.encode())?;
        let mut payload = Vec::new();
        match wire::read(&mut *stream, &mut payload, wire::PARENT_FRAME_LIMIT)? {
            Kind::Data => Ok(payload),
            Kind::ReadFailed => Err(io::Error::other(String::from_utf8_lossy(&payload).into_owned())),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "unexpected frame")),
        }
    }

    /// The size of a source in bytes.
    pub fn size(&self, source: usize) -> io::Result<u64> {
        let request = ReadRequest { source: source as u32, offset: 0, length: 0 };
        match self.ask(request)? {
            bytes if bytes.len() == 8 => Ok(u64::from_le_bytes(bytes.try_into().expect("8 bytes"))),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "a size has 8 bytes")),
        }
    }

    /// Tells the parent how far the work is.
    pub fn progress(&self, done: u64, total: u64) {
        let mut payload = [0; 16];
        payload[..8].copy_from_slice(&done.to_le_bytes());
        payload[8..].copy_from_slice(&total.to_le_bytes());
        // A parent that is gone shows at the next read or at the answer.
        let _ = wire::write(&mut *self.lock(), Kind::Progress, &payload);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, UnixStream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The files that came with the task, taken one by one in order.
pub struct Files {
    next: i32,
}

impl Files {
    /// The next file.
    pub fn take(&mut self) -> io::Result<File> {
        #[expect(
            unsafe_code,
            reason = "a descriptor that the parent mapped here, owned by nobody else, is taken once"
        )]
        let file = unsafe { File::from_raw_fd(self.next) };
        self.next += 1;
        file.metadata()?; // an absent descriptor is an error here, not a write into nothing later
        Ok(file)
    }
}

/// Runs a child: one task, one answer. The exit code is 0 where an answer was given, whatever it says.
pub fn run(work: impl FnOnce(Task, &Link, &mut Files) -> Result<Reply, TaskError>) -> i32 {
    match answer(work) {
        Ok(()) => 0,
        Err(error) => {
            // The parent keeps a child's last words.
            #[expect(
                clippy::print_stderr,
                reason = "standard error is the only way out where the socket failed"
            )]
            {
                eprintln!("{error}");
            }
            3
        }
    }
}

fn answer(work: impl FnOnce(Task, &Link, &mut Files) -> Result<Reply, TaskError>) -> io::Result<()> {
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    let mut stream = UnixStream::from(socket);
    let landlock = cage::shut(Limits::default())?;
    let mut payload = Vec::new();
    if wire::read(&mut stream, &mut payload, wire::PARENT_FRAME_LIMIT)? != Kind::Task {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the first frame must be a task"));
    }
    let task: Task = serde_json::from_slice(&payload)?;
    let link = Link { stream: Arc::new(Mutex::new(stream)) };
    let mut files = Files { next: FIRST_FILE };
    let result = match task {
        Task::Cage => Ok(Reply::Cage(try_to_break_out(landlock))),
        task => work(task, &link, &mut files),
    };
    let (kind, body) = match &result {
        Ok(reply) => (Kind::Done, serde_json::to_vec(reply)?),
        Err(error) => (Kind::Failed, serde_json::to_vec(error)?),
    };
    let mut stream = link.lock();
    wire::write(&mut *stream, kind, &body)
}

fn try_to_break_out(landlock: &str) -> CageReport {
    CageReport {
        landlock: landlock.to_owned(),
        files_refused: File::open("/proc/self/status").is_err() && File::open("/etc/passwd").is_err(),
        network_refused: std::net::TcpListener::bind("127.0.0.1:0").is_err()
            && UnixStream::pair().is_err()
            && std::net::UdpSocket::bind("127.0.0.1:0").is_err(),
        exec_refused: std::process::Command::new("/bin/true").status().is_err(),
        environment: std::env::vars_os().count(),
    }
}
