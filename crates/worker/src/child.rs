//! The child's side: shut the cage, then task by task: take it, ask for bytes, answer.
//!
//! One request is under way at a time, so reads block and are answered in order. Any failure of the socket ends
//! the child: its parent is gone or has given up.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cage::{self, Limits};
use crate::descriptors;
use crate::protocol::{Answer, CageReport, Cost, Reply, Task, TaskError};
use crate::wire::{self, Kind, ReadRequest};

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
#[derive(Default)]
pub struct Files {
    waiting: VecDeque<File>,
}

impl Files {
    /// The next file; an absent one is an error here, not a write into nothing later.
    pub fn take(&mut self) -> io::Result<File> {
        self.waiting
            .pop_front()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "a file of the task is missing"))
    }
}

/// Runs a child: task after task until the parent closes its end. The exit code is 0 where every task was answered,
/// whatever the answers say.
pub fn run(work: impl FnMut(Task, &Link, &mut Files) -> Result<Reply, TaskError>) -> i32 {
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

fn answer(mut work: impl FnMut(Task, &Link, &mut Files) -> Result<Reply, TaskError>) -> io::Result<()> {
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    let stream = UnixStream::from(socket);
    let landlock = cage::shut(Limits::default())?;
    let link = Link { stream: Arc::new(Mutex::new(stream)) };
    loop {
        let mut files = Files::default();
        let Some(task) = next_task(&link, &mut files)? else { return Ok(()) };
        let before = cpu_us();
        let result = match task {
            Task::Cage => Ok(Reply::Cage(try_to_break_out(landlock))),
            task => work(task, &link, &mut files),
        };
        let (kind, body) = match result {
            Ok(reply) => {
                let cost = Cost { cpu_us: cpu_us().saturating_sub(before), peak_bytes: peak_bytes() };
                (Kind::Done, serde_json::to_vec(&Answer { reply, cost })?)
            }
            Err(error) => (Kind::Failed, serde_json::to_vec(&error)?),
        };
        wire::write(&mut *link.lock(), kind, &body)?;
    }
}

/// Waits for a task and its files; `None` where the parent needs this child no longer.
fn next_task(link: &Link, files: &mut Files) -> io::Result<Option<Task>> {
    let mut stream = link.lock();
    loop {
        let Some(head) = descriptors::receive(&stream, &mut files.waiting)? else { return Ok(None) };
        match wire::parse_head(head, wire::PARENT_FRAME_LIMIT)? {
            (Kind::Files, 0) => {}
            (Kind::Task, length) => {
                let mut payload = vec![0; length];
                stream.read_exact(&mut payload)?;
                return Ok(Some(serde_json::from_slice(&payload)?));
            }
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "a task was expected")),
        }
    }
}

/// Processor time of this process so far, in microseconds.
fn cpu_us() -> u64 {
    let usage = usage();
    let us = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    us(usage.ru_utime) + us(usage.ru_stime)
}

/// The most memory that this process has had so far, in bytes.
fn peak_bytes() -> u64 {
    usage().ru_maxrss as u64 * 1024
}

#[expect(unsafe_code, reason = "the kernel fills in a structure that is all numbers")]
fn usage() -> libc::rusage {
    unsafe {
        let mut usage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    }
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
