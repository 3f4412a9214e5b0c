//! The children of one job, or of the previews of one owner: each takes task after task, so that starting a process,
//! which costs more than many tasks do, is paid a few times a job.
//!
//! Invariants: a child works for one owner only, so that what hostile media does to it reaches no other; one that
//! crashed, was silent or was cancelled is ended and takes no other task.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::protocol::{Answer, Task};
use crate::supervisor::{Run, Supervisor, Worker, WorkerError, is_fit};

/// Processor time after which a child takes no other task: the limit of its cage is for one long task, not for all
/// tasks of a long job.
const RETIREMENT: Duration = Duration::from_secs(30 * 60);

/// The children of one job or owner. Dropping it ends them; [`Crew::end`] also waits for it.
pub struct Crew {
    supervisor: Supervisor,
    idle: Mutex<Vec<Worker>>,
}

impl Crew {
    /// A crew without children; they are started as tasks come.
    pub fn new(supervisor: Supervisor) -> Self {
        Self { supervisor, idle: Mutex::new(Vec::new()) }
    }

    /// Runs one task in a child that has nothing to do, or in a new one.
    pub async fn run(&self, task: &Task, run: Run<'_>) -> Result<Answer, WorkerError> {
        let mut worker = match self.idle_one() {
            Some(worker) => worker,
            None => self.supervisor.start()?,
        };
        let outcome = worker.work(task, run).await;
        if is_fit(&outcome) && worker.spent() < RETIREMENT {
            self.idle().push(worker);
        } else {
            worker.leave(&outcome).await;
        }
        outcome
    }

    /// A child that has nothing to do. One that ended meanwhile, such as by the kernel for want of memory, is left out.
    fn idle_one(&self) -> Option<Worker> {
        let mut idle = self.idle();
        while let Some(mut worker) = idle.pop() {
            if worker.is_alive() {
                return Some(worker);
            }
        }
        None
    }

    /// Has a child wait for its first task, which then need not wait for the child.
    pub fn ready(&self) -> Result<(), WorkerError> {
        let mut idle = self.idle();
        if idle.is_empty() {
            idle.push(self.supervisor.start()?);
        }
        Ok(())
    }

    /// Ends all children that have nothing to do.
    pub async fn end(&self) {
        let idle = std::mem::take(&mut *self.idle());
        futures::future::join_all(idle.into_iter().map(Worker::end)).await;
    }

    /// Ends the children that have nothing to do but one, the last that worked; answers whether there is one.
    pub fn keep_one(&self) -> bool {
        let mut idle = self.idle();
        let excess = idle.len().saturating_sub(1);
        idle.drain(..excess);
        !idle.is_empty()
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
