//! S3 and STS in process, for `storyreel demo`: so that a newcomer sees the whole way of a private bucket, signatures,
//! AssumeRole, external id and session policy included, without an account.
//!
//! Invariants: it listens on the loopback only; it checks signatures, session tokens, expiry, trust, external ids and
//! both policies of a session; it is compiled behind a feature that packagers turn off, and proves nothing about AWS:
//! the proof is in the tests against other peers.

mod access;
mod accounts;
pub mod iam;
mod store;
mod sts;

use std::io;
use std::path::Path;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use access::{Gate, Keys};
use accounts::Accounts;
use iam::Policy;
use store::{Shelf, Store};
use sts::Sts;

/// Account of the server, as in the page that the project starts from.
pub const SERVER_ACCOUNT: &str = "701488979254";
/// Account of the customer.
pub const CUSTOMER_ACCOUNT: &str = "111122223333";

/// S3 and STS on a port of the loopback. They end when this is dropped.
#[derive(Debug)]
pub struct DemoAws {
    endpoint: String,
    server: Credentials,
    customer: Customer,
    task: tokio::task::JoinHandle<()>,
}

/// A key pair. Its secret is never shown.
#[derive(Clone)]
pub struct Credentials {
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(hidden)")
    }
}

/// The customer in front of the console of their own account. Cheap to clone.
#[derive(Clone)]
pub struct Customer {
    accounts: Arc<Accounts>,
    store: Arc<Store>,
}

impl std::fmt::Debug for Customer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Customer")
    }
}

/// A policy document that is none.
#[derive(Debug, thiserror::Error)]
#[error("the {document} policy is malformed: {reason}")]
pub struct MalformedPolicy {
    document: &'static str,
    reason: String,
}

impl DemoAws {
    /// Starts on a free port of 127.0.0.1; objects lie below `root`, which the caller removes.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start(root: &Path) -> io::Result<Self> {
        let accounts = Arc::new(Accounts::default());
        let store = Arc::new(Store::new(root.to_owned()));
        let (access_key, secret) = accounts.create_user(SERVER_ACCOUNT, "storyreel");
        let mut builder = S3ServiceBuilder::new(Shelf(Arc::clone(&store)));
        builder.set_auth(Keys(Arc::clone(&accounts)));
        builder.set_access(Gate { accounts: Arc::clone(&accounts), store: Arc::clone(&store) });
        builder.set_route(Sts(Arc::clone(&accounts)));
        let service = builder.build();
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        Ok(Self {
            endpoint,
            server: Credentials { access_key, secret },
            customer: Customer { accounts, store },
            task: tokio::spawn(serve(listener, service)),
        })
    }

    /// Endpoint of both S3 (path style) and STS.
    pub fn endpoint_url(&self) -> &str {
        &self.endpoint
    }

    /// Key pair of the server's own account.
    pub fn server_credentials(&self) -> Credentials {
        self.server.clone()
    }

    /// Key pair of an account that nobody trusts.
    pub fn stranger_credentials(&self) -> Credentials {
        let (access_key, secret) = self.customer.accounts.create_user("999988887777", "stranger");
        Credentials { access_key, secret }
    }

    /// The customer's console.
    pub fn customer(&self) -> &Customer {
        &self.customer
    }

    /// Stops at once.
    pub async fn shutdown(mut self) {
        self.task.abort();
        // Aborted: how it ended is of no interest.
        let _ = (&mut self.task).await;
    }
}

impl Drop for DemoAws {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, service: S3Service) {
    // Connections end with the task that holds them.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let service = service.clone();
                connections.spawn(async move {
                    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
                        tracing::debug!(%error, "a connection to the demo's S3 ended");
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

impl Customer {
    /// Makes a private bucket, where there is none of the name.
    pub fn put_bucket(&self, name: &str, region: &str) {
        self.store.put_bucket(name, region);
    }

    /// Uploads a file, over an object of that key where there is one.
    ///
    /// # Errors
    /// Where the file cannot be read or copied, or there is no such bucket.
    pub fn put_object(&self, bucket: &str, key: &str, file: &Path) -> io::Result<()> {
        self.store.put_object(bucket, key, file)
    }

    /// Deletes an object.
    pub fn delete_object(&self, bucket: &str, key: &str) {
        self.store.delete_object(bucket, key);
    }

    /// Creates or replaces a role from its trust policy and its inline policy; answers with its ARN.
    ///
    /// # Errors
    /// Where a document is malformed.
    pub fn create_role(&self, name: &str, trust: &str, inline: &str) -> Result<String, MalformedPolicy> {
        let parse =
            |document, text| Policy::parse(text).map_err(|reason| MalformedPolicy { document, reason });
        let arn = format!("arn:aws:iam::{CUSTOMER_ACCOUNT}:role/{name}");
        self.accounts.create_role(&arn, parse("trust", trust)?, parse("inline", inline)?);
        Ok(arn)
    }
}
