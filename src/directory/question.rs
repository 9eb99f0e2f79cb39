//! What a directory can be asked, and what it answers.

use serde::{Deserialize, Serialize};

use crate::encoding::Digest;
use crate::id::{ClientId, Locator, Login, UserId};
use crate::time::Timestamp;

use super::{Cursor, List, Shelved};

/// One question. Each is one atomic step.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Let a first secret make somebody who manages everything. Answer: [`Answer::Claimed`].
    Claim {
        /// The digest of the secret.
        secret: Digest,
        /// What they will sign in with.
        login: Login,
    },
    /// Say what is in a list. Answer: [`Answer::Page`].
    Find(Box<Find>),
    /// A first secret has done what it was for. Answer: [`Answer::Done`].
    Spend {
        /// The digest of the secret.
        secret: Digest,
    },
    /// Know what is told: what lists are to say, and what was done. Answer: [`Answer::Done`].
    Tell(Vec<Shelved>),
}

/// What is looked for. What is `None` matters not.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Find {
    /// In which list.
    pub list: List,
    /// Of which principal.
    pub owner: Option<Locator>,
    /// Words that it says somewhere, in lower case.
    pub search: Option<String>,
    /// Only clients that wait for somebody to approve of them.
    pub waits: bool,
    /// Of which software.
    pub software: Option<String>,
    /// Events of this person.
    pub actor: Option<UserId>,
    /// Events by this client's tokens.
    pub client: Option<ClientId>,
    /// Events of this kind.
    pub action: Option<String>,
    /// Events at this time or later.
    pub since: Option<Timestamp>,
    /// Events before this time.
    pub until: Option<Timestamp>,
    /// Behind this item.
    pub after: Option<Cursor>,
    /// How many at most.
    pub limit: usize,
}

impl Find {
    /// Everything in a list.
    #[must_use]
    pub const fn all(list: List, limit: usize) -> Self {
        Self {
            list,
            owner: None,
            search: None,
            waits: false,
            software: None,
            actor: None,
            client: None,
            action: None,
            since: None,
            until: None,
            after: None,
            limit,
        }
    }

    /// The places in the list that events of its time have: from the first to behind the last.
    #[must_use]
    pub fn places(&self) -> (Option<String>, Option<String>) {
        // The newest come first.
        let before =
            |at: Timestamp| super::event::place(Timestamp::from_millis(at.as_millis().saturating_sub(1)));
        (self.until.map(before), self.since.map(before))
    }
}

/// What a directory answers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// What became of a first secret.
    Claimed(Claimed),
    /// It is done.
    Done,
    /// A part of a list: what each item says, in JSON, and where the next part begins, if there is one.
    Page {
        /// The items.
        items: Vec<String>,
        /// Behind the last of them.
        next: Option<Cursor>,
    },
}

/// What became of a first secret.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Claimed {
    /// Somebody else is about to be made with it: try again in a minute.
    Busy,
    /// It may be used now, for this login.
    Granted,
    /// It was used before.
    Spent,
}
