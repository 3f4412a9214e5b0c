//! Ids and owners as types of their own, so that one cannot be taken for another.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Millis;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps text that came from outside; whether there is such a row is the database's to say.
            pub fn from_text(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The id as it stands in the database and on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// Whoever owns keys, connections and jobs; several keys may share one.
    Owner
}
text_id! {
    /// A key pair and API key.
    KeyId
}
text_id! {
    /// A registered AWS account.
    ConnectionId
}
text_id! {
    /// A job: a UUID of version 7, so that ids sort by age.
    JobId
}
text_id! {
    /// One message to one webhook; the same over all tries.
    DeliveryId
}

impl KeyId {
    /// A new id.
    pub fn create() -> Self {
        Self(uuid::Uuid::now_v7().to_string())
    }
}

impl JobId {
    /// A new id.
    pub fn create() -> Self {
        Self(uuid::Uuid::now_v7().to_string())
    }
}

impl DeliveryId {
    /// A new id.
    pub fn create() -> Self {
        Self(format!("msg_{}", uuid::Uuid::now_v7().simple()))
    }
}

impl ConnectionId {
    /// A new id of the form that clients know: UTC time to the millisecond, then 15 random characters.
    pub fn create(now: Millis) -> Self {
        let time = jiff::Timestamp::from_millisecond(now).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let stamp = time.strftime("%Y%m%d%H%M%S").to_string();
        let mut random = uuid::Uuid::new_v4().as_u128();
        let tail: String = (0..15)
            .map(|_| {
                let digit = u32::try_from(random % 36).unwrap_or(0);
                random /= 36;
                char::from_digit(digit, 36).unwrap_or('0')
            })
            .collect();
        Self(format!("{stamp}{:03}{tail}", now.rem_euclid(1000)))
    }
}
