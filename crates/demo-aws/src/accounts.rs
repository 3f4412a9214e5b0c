//! Accounts of the demo: key pairs, roles and sessions.
//!
//! Invariants: a session's secret and token are random and never shown; a session is over after its time; what a
//! session may do is what its role allows and its own policy allows, both.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use crate::iam::{Caller, Decision, Policy};

/// A long-lived identity.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) account: String,
    pub(crate) arn: String,
    pub(crate) secret: String,
}

/// A role of the customer's.
struct Role {
    trust: Policy,
    inline: Policy,
}

/// Temporary credentials.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) access_key: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) expiry: SystemTime,
    pub(crate) arn: String,
    account: String,
    inline: Policy,
    narrowed: Option<Policy>,
}

impl Session {
    pub(crate) fn allows(&self, action: &str, resource: &str) -> bool {
        let narrowed =
            self.narrowed.as_ref().is_none_or(|policy| policy.decide(action, resource) == Decision::Allowed);
        narrowed && self.inline.decide(action, resource) == Decision::Allowed
    }
}

/// Why a role is not assumed: status and code as STS sends them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) u16, pub(crate) &'static str);

#[derive(Default)]
struct State {
    users: HashMap<String, User>,
    roles: HashMap<String, Role>,
    sessions: HashMap<String, Session>,
}

/// All accounts.
#[derive(Default)]
pub(crate) struct Accounts {
    state: Mutex<State>,
}

impl Accounts {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A user with a new key pair; answers with the access key and the secret.
    pub(crate) fn create_user(&self, account: &str, name: &str) -> (String, String) {
        let access_key = format!("AKIADEMO{}", &Uuid::new_v4().simple().to_string().to_uppercase()[..12]);
        let secret = random();
        let arn = format!("arn:aws:iam::{account}:user/{name}");
        let user = User { account: account.to_owned(), arn, secret: secret.clone() };
        self.lock().users.insert(access_key.clone(), user);
        (access_key, secret)
    }

    pub(crate) fn create_role(&self, arn: &str, trust: Policy, inline: Policy) {
        self.lock().roles.insert(arn.to_owned(), Role { trust, inline });
    }

    pub(crate) fn user(&self, access_key: &str) -> Option<User> {
        self.lock().users.get(access_key).cloned()
    }

    pub(crate) fn session(&self, access_key: &str) -> Option<Session> {
        self.lock().sessions.get(access_key).cloned()
    }

    pub(crate) fn secret(&self, access_key: &str) -> Option<String> {
        let state = self.lock();
        let user = state.users.get(access_key).map(|user| user.secret.clone());
        user.or_else(|| state.sessions.get(access_key).map(|session| session.secret.clone()))
    }

    /// Assumes a role for a user.
    pub(crate) fn assume(
        &self,
        user: &User,
        role_arn: &str,
        name: &str,
        external_id: Option<&str>,
        policy: Option<&str>,
        seconds: u64,
    ) -> Result<Session, Refused> {
        if !(900..=3600).contains(&seconds) || !(2..=64).contains(&name.len()) {
            return Err(Refused(400, "ValidationError"));
        }
        if policy.is_some_and(|policy| policy.chars().count() > 2048) {
            return Err(Refused(400, "PackedPolicyTooLarge"));
        }
        let narrowed =
            policy.map(Policy::parse).transpose().map_err(|_| Refused(400, "MalformedPolicyDocument"))?;
        let mut state = self.lock();
        let role = state.roles.get(role_arn).ok_or(Refused(403, "AccessDenied"))?;
        let caller = Caller { arn: &user.arn, account: &user.account, external_id };
        if role.trust.trusts(&caller) != Decision::Allowed {
            return Err(Refused(403, "AccessDenied"));
        }
        let account = role_arn.split(':').nth(4).unwrap_or_default().to_owned();
        let role_name = role_arn.rsplit('/').next().unwrap_or_default();
        let session = Session {
            access_key: format!("ASIADEMO{}", &Uuid::new_v4().simple().to_string().to_uppercase()[..12]),
            secret: random(),
            token: random(),
            expiry: SystemTime::now() + Duration::from_secs(seconds),
            arn: format!("arn:aws:sts::{account}:assumed-role/{role_name}/{name}"),
            account,
            inline: role.inline.clone(),
            narrowed,
        };
        let now = SystemTime::now();
        state.sessions.retain(|_, session| session.expiry > now);
        state.sessions.insert(session.access_key.clone(), session.clone());
        Ok(session)
    }
}

impl Session {
    pub(crate) fn account(&self) -> &str {
        &self.account
    }
}

/// 244 random bits.
fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
