//! The children of one job: each takes task after task, so that starting a process, which costs more than many tasks
//! do, is paid a few times a job.
//!
//! Invariants: a child works for one job only, so that what hostile media does to it reaches no other owner; one that
//! crashed, was silent or was cancelled is ended and takes no other task.

use std::sync::{Mutex, PoisonError};

use crate::protocol::{Answer, Task};
use crate::supervisor::{Run, Supervisor, Worker, WorkerError, is_fit};

/// The children of one job. Dropping it ends them; [`Crew::end`] also waits for it.
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
        let idle = self.idle().pop();
        let mut worker = match idle {
            Some(worker) => worker,
            None => self.supervisor.start()?,
        };
        let outcome = worker.work(task, run).await;
        if is_fit(&outcome) {
            self.idle().push(worker);
        } else {
            worker.kill().await;
        }
        outcome
    }

    /// Ends all children that have nothing to do.
    pub async fn end(&self) {
        let idle = std::mem::take(&mut *self.idle());
        futures::future::join_all(idle.into_iter().map(Worker::end)).await;
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
