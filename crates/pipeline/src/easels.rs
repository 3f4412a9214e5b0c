//! Children that stay for a while after they drew a frame, with its scene still before them: the next frame of the same
//! scene needs no new process, no opened media and mostly no decoding.
//!
//! Invariants: a child is lent to the owner whom it worked for before, and to nobody else; at most [`MOST`] wait, none
//! longer than [`PATIENCE`]; draws have turns of their own, so that no frame waits for a film.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use worker::{Crew, Supervisor};

/// Most children that wait.
const MOST: usize = 4;
/// How long one waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// The children that wait, for all owners.
pub(crate) struct Easels {
    supervisor: Supervisor,
    slots: Semaphore,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// The one that came last is at the end.
    crews: Vec<(String, Arc<Crew>, Instant)>,
    /// Whether a task looks after those that have waited for too long.
    watched: bool,
}

/// Children lent to one owner's request. Dropping it gives one of them back; one in the middle of a task is ended.
pub(crate) struct Lease {
    easels: Arc<Easels>,
    owner: String,
    crew: Arc<Crew>,
}

impl Easels {
    /// None wait yet; `parallel` may draw at once.
    pub(crate) fn new(supervisor: Supervisor, parallel: usize) -> Arc<Self> {
        let slots = Semaphore::new(parallel.max(1));
        Arc::new(Self { supervisor, slots, waiting: Mutex::default() })
    }

    /// The child of this owner that came back last, or a crew without children.
    pub(crate) fn lend(self: &Arc<Self>, owner: &str) -> Lease {
        let mut waiting = self.waiting();
        let found = waiting.crews.iter().rposition(|(other, ..)| other == owner);
        let crew = match found {
            Some(at) => waiting.crews.remove(at).1,
            None => Arc::new(Crew::new(self.supervisor.clone())),
        };
        drop(waiting);
        Lease { easels: Arc::clone(self), owner: owner.to_owned(), crew }
    }

    /// Ends all that wait.
    pub(crate) async fn clear(&self) {
        let crews = std::mem::take(&mut self.waiting().crews);
        futures::future::join_all(crews.iter().map(|(_, crew, _)| crew.end())).await;
    }

    fn take_back(self: &Arc<Self>, owner: String, crew: Arc<Crew>) {
        // Without a runtime nobody could look after it.
        let Ok(runtime) = Handle::try_current() else { return };
        if !crew.keep_one() {
            return;
        }
        let mut waiting = self.waiting();
        waiting.crews.push((owner, crew, Instant::now()));
        if waiting.crews.len() > MOST {
            let (_, crew, _) = waiting.crews.remove(0);
            runtime.spawn(async move { crew.end().await });
        }
        if !std::mem::replace(&mut waiting.watched, true) {
            runtime.spawn(watch(Arc::downgrade(self)));
        }
    }

    /// Takes out what has waited for too long; answers with when the next one will have, `None` where none waits.
    fn overdue(&self) -> (Vec<Arc<Crew>>, Option<Instant>) {
        let mut waiting = self.waiting();
        let now = Instant::now();
        let (over, rest) =
            std::mem::take(&mut waiting.crews).into_iter().partition(|(.., since)| *since + PATIENCE <= now);
        waiting.crews = rest;
        let next = waiting.crews.iter().map(|(.., since)| *since + PATIENCE).min();
        waiting.watched = next.is_some();
        let over: Vec<(String, Arc<Crew>, Instant)> = over;
        (over.into_iter().map(|(_, crew, _)| crew).collect(), next)
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends children that have waited for too long, until none waits.
async fn watch(easels: Weak<Easels>) {
    loop {
        let Some((over, next)) = easels.upgrade().map(|easels| easels.overdue()) else { return };
        for crew in over {
            crew.end().await;
        }
        let Some(next) = next else { return };
        tokio::time::sleep_until(next).await;
    }
}

impl Lease {
    /// The children.
    pub(crate) fn crew(&self) -> &Crew {
        &self.crew
    }

    /// One for each child that may draw at once.
    pub(crate) fn slots(&self) -> &Semaphore {
        &self.easels.slots
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.easels.take_back(std::mem::take(&mut self.owner), Arc::clone(&self.crew));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn easels() -> Arc<Easels> {
        // A child that says nothing and waits, as one without a task does.
        Easels::new(Supervisor::new("/bin/cat".into()), 1)
    }

    fn owners(easels: &Easels) -> Vec<String> {
        easels.waiting().crews.iter().map(|(owner, ..)| owner.clone()).collect()
    }

    #[tokio::test]
    async fn a_child_goes_to_its_own_owner_only() {
        let easels = easels();
        drop(easels.lend("nobody worked"));
        assert!(owners(&easels).is_empty());
        let lease = easels.lend("anna");
        lease.crew().ready().unwrap();
        let annas = Arc::clone(&lease.crew);
        drop(lease);
        assert!(!Arc::ptr_eq(&easels.lend("ben").crew, &annas));
        assert_eq!(owners(&easels), ["anna"]);
        let again = easels.lend("anna");
        assert!(Arc::ptr_eq(&again.crew, &annas));
        assert!(owners(&easels).is_empty(), "a child is lent once at a time");
    }

    #[tokio::test]
    async fn few_wait_and_the_oldest_goes() {
        let easels = easels();
        let leases: Vec<Lease> =
            (0..MOST + 2).map(|number| easels.lend(&format!("owner {number}"))).collect();
        for lease in leases {
            lease.crew().ready().unwrap();
            drop(lease);
        }
        let expected: Vec<String> = (2..MOST + 2).map(|number| format!("owner {number}")).collect();
        assert_eq!(owners(&easels), expected);
    }

    #[tokio::test]
    async fn none_is_left_in_the_end() {
        let easels = easels();
        let lease = easels.lend("anna");
        lease.crew().ready().unwrap();
        drop(lease);
        easels.clear().await;
        assert!(owners(&easels).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn none_waits_for_long() {
        let easels = easels();
        let lease = easels.lend("anna");
        lease.crew().ready().unwrap();
        drop(lease);
        tokio::time::sleep(PATIENCE / 2).await;
        assert_eq!(owners(&easels), ["anna"]);
        tokio::time::sleep(PATIENCE).await;
        assert!(owners(&easels).is_empty());
        assert!(!easels.waiting().watched);
    }
}
