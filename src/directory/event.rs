//! Who did what to what, when, and from where. No event has a field that could hold a secret.

use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::id::{ClientId, Locator, Login, UserId};
use crate::time::{Lifetime, Timestamp};

use super::shelf::written;
use super::{List, Shelved};

/// One thing that was done.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Event {
    /// Its name: what is told twice has one.
    pub id: String,
    /// When: the clock of the object that did it.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What: `credential.create`, and the like.
    pub action: String,
    /// To what.
    pub target: Target,
    /// Which members of it are others now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

/// Who did something, and from where.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Actor {
    /// What they are.
    pub kind: ActorKind,
    /// The person, where it is one, or somebody acts for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    /// What that person signs in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,
    /// The client whose token it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// The address that the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The request, as the log calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Actor {
    /// The person of a place themselves, by a page of their own. Which person that is, the place knows.
    #[must_use]
    pub const fn themselves(source: String) -> Self {
        Self {
            kind: ActorKind::User,
            user: None,
            login: None,
            client_id: None,
            source: Some(source),
            request_id: None,
        }
    }

    /// Keeps where they were from everybody but themselves.
    pub(crate) fn keep_place_from(&mut self, reader: Option<&UserId>) {
        if self.user.is_none() || self.user.as_ref() != reader {
            self.source = None;
            self.request_id = None;
        }
    }
}

/// What somebody is who does something.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// Whoever has the deployment's first secret.
    Bootstrap,
    /// A client that nobody owns.
    Client,
    /// A person, or a client that acts for one.
    User,
}

/// What something was done to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Target {
    /// What it is.
    pub kind: TargetKind,
    /// Which.
    pub id: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What something is that is done to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// An application.
    Client,
    /// The configuration.
    Configuration,
    /// An application credential.
    Credential,
    /// A realm's signing keys.
    Keys,
    /// A session.
    Session,
    /// A person.
    User,
}

impl TargetKind {
    /// Its name, and what an action on it begins with.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Configuration => "configuration",
            Self::Credential => "credential",
            Self::Keys => "keys",
            Self::Session => "session",
            Self::User => "user",
        }
    }
}

/// Where an event of this time stands in its list: the newest comes first.
pub(super) fn place(at: Timestamp) -> String {
    format!("{:016x}", u64::MAX.saturating_sub(at.as_millis()))
}

impl Event {
    /// The row of it, for as long as it is kept. `owner` is the principal that it happened at, where it was one.
    ///
    /// # Errors
    /// It does not serialise.
    pub fn shelved(&self, owner: Option<Locator>, keep: Lifetime) -> Result<Shelved, Fault> {
        Ok(Shelved {
            sort: place(self.at),
            owner: owner.map(|owner| owner.to_string()).unwrap_or_default(),
            actor: self.actor.user.as_ref().map(ToString::to_string).unwrap_or_default(),
            client: self.actor.client_id.as_ref().map(ToString::to_string).unwrap_or_default(),
            action: self.action.clone(),
            value: Some(written(self)?),
            clear_at: Some(self.at.after(keep)),
            ..Shelved::new(List::Events, self.id.clone())
        })
    }
}
