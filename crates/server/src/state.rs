//! What all parts of one running server share.

use std::collections::HashMap;
use std::fs::File;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use store::{JobId, Millis, Store};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::addresses::Addresses;
use crate::films::Films;
use crate::ports::{Access, Filmmaker, WebhookSender};
use crate::signing::SigningKey;
use crate::{Deps, ServeError, Settings};

/// The time now.
pub(crate) fn now() -> Millis {
    jiff::Timestamp::now().as_millisecond()
}

/// A running job: how to end it, and how to see that it has ended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    /// Ends it.
    pub(crate) cancel: CancellationToken,
    /// Cancelled once its end is written.
    pub(crate) ended: CancellationToken,
}

/// One running server.
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) studio: Arc<dyn Filmmaker>,
    pub(crate) settings: Settings,
    pub(crate) access: Arc<dyn Access>,
    pub(crate) webhook: Arc<dyn WebhookSender>,
    pub(crate) cage: serde_json::Value,
    pub(crate) addresses: Addresses,
    pub(crate) key: SigningKey,
    pub(crate) films: Films,
    pub(crate) shutdown: CancellationToken,
    /// One for each request that may be planned and drawn while its client waits.
    pub(crate) looks: Semaphore,
    /// Told when a job has published files: the data directory may be above its limit now.
    pub(crate) took_room: Notify,
    /// Names this process as the holder of what it works on.
    pub(crate) instance: String,
    running: Mutex<HashMap<JobId, Run>>,
    /// Held as long as the server lives; the system frees it when the process dies, however it dies.
    _lock: File,
}

impl App {
    /// Takes the data directory.
    pub(crate) fn open(
        deps: Deps,
        address: SocketAddr,
        shutdown: CancellationToken,
    ) -> Result<Arc<Self>, ServeError> {
        let data_dir = deps.settings.data_dir.clone();
        std::fs::create_dir_all(&data_dir).map_err(ServeError::Data)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(data_dir.join("lock"))
            .map_err(ServeError::Data)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(ServeError::Locked(data_dir)),
            Err(std::fs::TryLockError::Error(error)) => return Err(ServeError::Data(error)),
        }
        let films = Films::open(&data_dir).map_err(ServeError::Data)?;
        let key = SigningKey::open(&data_dir).map_err(ServeError::Data)?;
        let base = deps.settings.public_url.clone().unwrap_or_else(|| {
            Url::parse(&format!("http://{address}")).expect("a socket address is a host and a port")
        });
        let addresses = Addresses::new(&base, key.clone(), deps.settings.url_life);
        let looks = Semaphore::new(deps.settings.looks_at_once.max(1));
        Ok(Arc::new(Self {
            store: deps.store,
            studio: deps.studio,
            settings: deps.settings,
            access: deps.access,
            webhook: deps.webhook,
            cage: deps.cage,
            addresses,
            key,
            films,
            shutdown,
            looks,
            took_room: Notify::new(),
            instance: uuid::Uuid::new_v4().to_string(),
            running: Mutex::default(),
            _lock: lock,
        }))
    }

    /// Notes that a job runs here.
    pub(crate) fn begin_run(&self, id: &JobId) -> Run {
        let run = Run::default();
        self.runs().insert(id.clone(), run.clone());
        run
    }

    /// Notes that a job's end is written.
    pub(crate) fn end_run(&self, id: &JobId) {
        if let Some(run) = self.runs().remove(id) {
            run.ended.cancel();
        }
    }

    /// A job that runs here.
    pub(crate) fn run(&self, id: &JobId) -> Option<Run> {
        self.runs().get(id).cloned()
    }

    fn runs(&self) -> std::sync::MutexGuard<'_, HashMap<JobId, Run>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
