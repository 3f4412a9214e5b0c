//! Opens the S3 media of one job: a grant per connection, a region per bucket, a pin per object.

mod session;

use std::collections::HashMap;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::StreamExt as _;
use futures::future::{BoxFuture, join_all};
use media::{Opened, Opener, SourceError};
use storyboard::{Address, Class, MediaRef, S3Address};

use crate::base::Base;
use crate::policy::{PolicyObject, SessionPolicy, session_name, session_policies};
use crate::region::partition;
use session::{Account, Session};

/// Sessions asked for, and objects looked at, side by side.
const AT_ONCE: usize = 6;

/// A registered AWS account, as far as reading needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSpec {
    /// The customer's account: 12 digits.
    pub account_id: String,
    /// Region that the connection names.
    pub region: String,
    /// External id that this server made for the connection.
    pub external_id: String,
    /// Name of the role, with its path where it has one.
    pub role_name: String,
    /// Whether its owner lets it be used.
    pub enabled: bool,
}

/// The opener of one job.
pub(crate) struct S3Opener {
    base: Arc<Base>,
    session: String,
    connections: HashMap<String, ConnectionSpec>,
}

impl S3Opener {
    pub(crate) fn new(base: Arc<Base>, job_id: &str, connections: HashMap<String, ConnectionSpec>) -> Self {
        Self { base, session: session_name(job_id), connections }
    }

    fn connection<'a>(&'a self, media: &'a MediaRef) -> Result<(&'a str, &'a S3Address), SourceError> {
        let Address::S3(address) = &media.address else {
            return Err(SourceError::new(
                Class::Internal,
                "OPENER_MISMATCH",
                "An address was given to an opener of another kind.",
            ));
        };
        let Some(id) = media.connection.as_deref() else {
            return Err(SourceError::new(
                Class::Author,
                "CONNECTION_REQUIRED",
                "An object in S3 needs an AWS connection.",
            )
            .fix("Register one with POST /v1/awsconnections and name it in awsConnectionId."));
        };
        match self.connections.get_key_value(id) {
            None => {
                Err(SourceError::new(Class::Author, "CONNECTION_UNKNOWN", "There is no such AWS connection.")
                    .fix("GET /v1/awsconnections lists yours."))
            }
            Some((_, spec)) if !spec.enabled => Err(SourceError::new(
                Class::Access,
                "CONNECTION_DISABLED",
                "The AWS connection is switched off.",
            )
            .fix("Set enabled to true with PUT /v1/awsconnections/{id}.")),
            Some((id, _)) => Ok((id, address)),
        }
    }

    /// Opens distinct objects of one connection; answers in order.
    async fn open_connection(
        &self,
        spec: &ConnectionSpec,
        addresses: &[&S3Address],
    ) -> Vec<Result<Opened, SourceError>> {
        let account = Account::new(Arc::clone(&self.base), spec.clone(), self.session.clone());
        let objects: Vec<PolicyObject<'_>> = addresses
            .iter()
            .map(|address| PolicyObject {
                bucket: &address.bucket,
                key: &address.key,
                versioned: address.version.is_some(),
            })
            .collect();
        let mut answers: Vec<Option<Result<Opened, SourceError>>> = addresses.iter().map(|_| None).collect();
        let mut policies = session_policies(partition(&spec.region), &objects).into_iter();
        // The first alone: where the role cannot be assumed, it is not asked for a hundred times.
        let first = policies.next();
        let mut refused = None;
        if let Some(policy) = first {
            let (result, opened) = open_session(&account, &objects, policy, addresses).await;
            refused = result.err();
            for (index, answer) in opened {
                answers[index] = Some(answer);
            }
        }
        if let Some(error) = refused {
            return addresses.iter().map(|_| Err(error.clone())).collect();
        }
        let sessions: Vec<_> =
            policies.map(|policy| open_session(&account, &objects, policy, addresses).boxed()).collect();
        let mut sessions = futures::stream::iter(sessions).buffer_unordered(AT_ONCE);
        while let Some((_, opened)) = sessions.next().await {
            for (index, answer) in opened {
                answers[index] = Some(answer);
            }
        }
        answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(too_long()))).collect()
    }
}

type Answered = Vec<(usize, Result<Opened, SourceError>)>;

/// Opens the objects of one session policy. Where the session itself is refused, says so for all of them and apart.
async fn open_session(
    account: &Account,
    objects: &[PolicyObject<'_>],
    policy: SessionPolicy,
    addresses: &[&S3Address],
) -> (Result<(), SourceError>, Answered) {
    let mut waiting = vec![policy];
    let mut answered = Answered::new();
    while let Some(policy) = waiting.pop() {
        let session = Session::new(account, policy.document);
        match session.ready().await {
            Ok(()) => {
                let openings: Vec<_> = policy
                    .objects
                    .iter()
                    .filter_map(|&index| Some((index, *addresses.get(index)?)))
                    .map(|(index, address)| {
                        let session = &session;
                        async move { (index, session.open(address).await) }.boxed()
                    })
                    .collect();
                answered.extend(
                    futures::stream::iter(openings).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await,
                );
            }
            // Short enough in characters, and still too large as AWS packs it: halves.
            Err(error) if error.code == "GRANT_TOO_LARGE" && policy.objects.len() > 1 => {
                let (left, right) = policy.objects.split_at(policy.objects.len() / 2);
                for half in [left, right] {
                    waiting.push(SessionPolicy {
                        document: crate::policy::session_policy(
                            partition(&account.spec.region),
                            objects,
                            half,
                        ),
                        objects: half.to_vec(),
                    });
                }
            }
            Err(error) => {
                answered.extend(policy.objects.iter().map(|&index| (index, Err(error.clone()))));
                return (Err(error), answered);
            }
        }
    }
    (Ok(()), answered)
}

fn too_long() -> SourceError {
    SourceError::new(
        Class::Source,
        "MEDIA_KEY_TOO_LONG",
        "The object's key is too long to be named in a session policy.",
    )
    .fix("Give the object a shorter key; characters outside ASCII count six times.")
}

impl Opener for S3Opener {
    fn open_all<'a>(&'a self, media: &'a [MediaRef]) -> BoxFuture<'a, Vec<Result<Opened, SourceError>>> {
        async move {
            // For each connection its distinct objects, and for each reference where its answer will be.
            let mut groups: Vec<(&str, Vec<&S3Address>)> = Vec::new();
            let places: Vec<Result<(usize, usize), SourceError>> = media
                .iter()
                .map(|one| {
                    let (id, address) = self.connection(one)?;
                    let group = groups.iter().position(|(known, _)| *known == id).unwrap_or_else(|| {
                        groups.push((id, Vec::new()));
                        groups.len() - 1
                    });
                    let objects = &mut groups[group].1;
                    let object = objects.iter().position(|known| same(known, address)).unwrap_or_else(|| {
                        objects.push(address);
                        objects.len() - 1
                    });
                    Ok((group, object))
                })
                .collect();
            let answers = join_all(groups.iter().map(|(id, objects)| async move {
                match self.connections.get(*id) {
                    Some(spec) => self.open_connection(spec, objects).await,
                    None => Vec::new(),
                }
            }))
            .await;
            places
                .into_iter()
                .map(|place| {
                    let (group, object) = place?;
                    match answers.get(group).and_then(|answers| answers.get(object)) {
                        Some(Ok(opened)) => Ok(Opened {
                            reader: Arc::clone(&opened.reader),
                            warnings: opened.warnings.clone(),
                        }),
                        Some(Err(error)) => Err(error.clone()),
                        None => {
                            Err(SourceError::new(Class::Internal, "OPENER_SILENT", "An object was left out."))
                        }
                    }
                })
                .collect()
        }
        .boxed()
    }
}

/// Whether two addresses are one object; the region in a host is a hint only.
fn same(left: &S3Address, right: &S3Address) -> bool {
    left.bucket == right.bucket && left.key == right.key && left.version == right.version
}
