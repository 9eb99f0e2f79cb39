//! What a list says of one client, credential or person.

use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::id::{ClientId, Locator, Login, UserId};
use crate::principal::{Client, UserView};
use crate::scope::ScopeSet;
use crate::time::Timestamp;

use super::shelf::written;
use super::{List, Shelved};

/// What a principal tells of one of its records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Which list.
    pub list: List,
    /// Which one: a `client_id`, or a user's id.
    pub id: String,
    /// Whose it is: the principal that keeps it.
    pub owner: Locator,
    /// What is told with a smaller number is older.
    pub version: u64,
    /// What it says; `None`: it is not there any more.
    pub listed: Option<Listed>,
}

/// What a list says of one record.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Listed {
    /// An application, or an application credential.
    Client(Box<ListedClient>),
    /// A person.
    User(Box<UserView>),
}

/// A client, as a list has it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ListedClient {
    /// Its record.
    pub client: Client,
    /// When it was registered.
    pub created_at: Timestamp,
    /// The internal scopes that it waits for.
    #[serde(default, skip_serializing_if = "ScopeSet::is_empty")]
    pub waiting: ScopeSet,
    /// The person whose it is; `None`: nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerName>,
}

/// The person whose a client is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct OwnerName {
    /// `sub`.
    pub id: UserId,
    /// What they sign in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,
}

impl ListedClient {
    fn shelved(&self, words: &mut Vec<String>, row: &mut Shelved) {
        let owner = self.owner.as_ref();
        let id: &ClientId = &self.client.client_id;
        words.extend([self.client.client_name.clone(), id.to_string()]);
        words.extend(owner.and_then(|owner| owner.login.as_ref()).map(ToString::to_string));
        row.sort = self.client.client_name.to_lowercase();
        row.waits = !self.waiting.is_empty();
        row.software = self.client.software_id.clone().unwrap_or_default();
    }
}

impl Entry {
    /// The row of it.
    ///
    /// # Errors
    /// It does not serialise.
    pub fn shelved(&self) -> Result<Shelved, Fault> {
        let mut row = Shelved {
            owner: self.owner.to_string(),
            version: self.version,
            value: self.listed.as_ref().map(written).transpose()?,
            ..Shelved::new(self.list, self.id.clone())
        };
        let mut words = Vec::new();
        match &self.listed {
            Some(Listed::Client(client)) => client.shelved(&mut words, &mut row),
            Some(Listed::User(user)) => {
                let profile = &user.profile;
                row.sort = user.shown().to_lowercase();
                words.extend(user.login.as_ref().map(ToString::to_string));
                words.extend([user.id.to_string()]);
                words.extend([&profile.name, &profile.email].into_iter().flatten().cloned());
            }
            None => {}
        }
        // No search holds a line feed: a hit is within one of them.
        row.words = words.join("\n").to_lowercase();
        Ok(row)
    }
}
