//! What a principal has to tell: copies of its records to KV, entries and events to the directory of its realm.
//!
//! A record that others have a copy of is marked in the step that changes it. After the step the object writes what the record says *then*,
//! takes the mark away where the record has not changed meanwhile, and comes again by its alarm where something failed. So whatever happens
//! between the step and the copy, the copy comes to say what the record says.
//!
//! An event is kept in the step that it tells of, until the directory has it.

use serde::{Deserialize, Serialize};

use crate::directory::{Entry, Event, List, Listed, ListedClient, OwnerName, Shelved};
use crate::encoding::{Digest, base64url};
use crate::error::Fault;
use crate::id::{ClientId, Locator, Login, RealmName, UserId};
use crate::principal::client::StoredClient;
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::sessions::SELF;
use crate::principal::user::User;
use crate::principal::{client_key, config_key, user_key};
use crate::time::{Lifetime, Timestamp};

/// Where a user is. In KV under [`super::user_key`]; a test pins the shape.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct UserPlace {
    /// Who: `sub`.
    pub id: UserId,
    /// What they sign in with; `None`: at an outside provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,
    /// Where.
    pub locator: Locator,
}

/// What others do not know yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unsent {
    /// The realm.
    pub realm: RealmName,
    /// What KV is to say, by key; `None`: nothing any more.
    pub copies: Vec<(String, Option<String>)>,
    /// What the directory's lists are to say.
    pub entries: Vec<Entry>,
    /// What was done here.
    pub events: Vec<Event>,
    /// The marks that this is about.
    marks: Vec<(String, u64)>,
    told: Vec<String>,
}

/// A record that has changed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Mark {
    version: u64,
    /// Whether a client that is gone was a credential.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_credential: bool,
}

/// The key of the mark of the configuration.
const CONFIGURATION: &str = "configuration";

/// The most events that are told at a time.
const MOST_EVENTS: usize = 100;

/// How long copies are that go at a time: with what the directory is told of them, as much again, a part of what one statement takes there.
const MOST_COPIED: usize = 256 * 1024;

impl<R: Rows> Draft<'_, R> {
    /// A number that is larger than any before: the clock, where that has counted on.
    fn next_version(&self, now: Timestamp) -> Result<u64, Fault> {
        let last: Option<Mark> = self.read(Kind::Copy, SELF)?;
        let version = last.map_or(0, |last| last.version.saturating_add(1)).max(now.as_millis());
        self.write(Kind::Copy, SELF, &Mark { version, is_credential: false }, None)?;
        Ok(version)
    }

    /// A client of this principal is other than its copies, or not there any more.
    pub(super) fn tell_client(&self, client: &ClientId, now: Timestamp) -> Result<(), Fault> {
        let (version, known) = (self.next_version(now)?, self.client(client)?);
        let is_credential = known.is_some_and(|stored| stored.client.is_credential);
        self.write(Kind::Copy, &format!("client/{client}"), &Mark { version, is_credential }, None)
    }

    /// The same of one that is about to be deleted.
    pub(super) fn tell_gone(&self, stored: &StoredClient, now: Timestamp) -> Result<(), Fault> {
        let (id, is_credential) = (&stored.client.client_id, stored.client.is_credential);
        let version = self.next_version(now)?;
        self.write(Kind::Copy, &format!("client/{id}"), &Mark { version, is_credential }, None)
    }

    /// The person is other than their copies, or not there any more.
    pub(super) fn tell_user(&self, user: &UserId, now: Timestamp) -> Result<(), Fault> {
        let mark = Mark { version: self.next_version(now)?, is_credential: false };
        self.write(Kind::Copy, &format!("user/{user}"), &mark, None)
    }

    /// Another configuration counts from now on.
    pub(super) fn tell_configuration(&self, now: Timestamp) -> Result<(), Fault> {
        let mark = Mark { version: self.next_version(now)?, is_credential: false };
        self.write(Kind::Copy, CONFIGURATION, &mark, None)
    }

    /// Something was done here.
    pub(super) fn tell_event(&self, event: &Event, now: Timestamp) -> Result<(), Fault> {
        let version = self.next_version(now)?;
        self.write(Kind::Event, &format!("{version:016x}"), event, None)
    }
}

/// What others do not know yet, if anything.
///
/// # Errors
/// The rows cannot be read.
pub fn unsent(rows: &impl Rows, locator: Locator) -> Result<Option<Unsent>, Fault> {
    let draft = Draft::new(rows);
    let marks = draft.stored::<Mark>(Kind::Copy)?;
    let events = draft.stored::<Event>(Kind::Event)?;
    let principal = draft.principal()?;
    let Some(realm) = principal.realm.clone().filter(|_| marks.len() > 1 || !events.is_empty()) else {
        return Ok(None);
    };
    let mut unsent = Unsent {
        realm,
        copies: Vec::new(),
        entries: Vec::new(),
        events: Vec::new(),
        marks: Vec::new(),
        told: Vec::new(),
    };
    let mut copied: usize = 0;
    for (key, mark) in marks {
        if copied > MOST_COPIED {
            break;
        }
        if let Some(id) = key.strip_prefix("client/").and_then(|id| id.parse::<ClientId>().ok()) {
            unsent.client(&id, mark, (draft.client(&id)?, principal.user.as_ref()), locator)?;
        } else if let Some(id) = key.strip_prefix("user/").and_then(|id| id.parse::<UserId>().ok()) {
            let user = principal.user.as_ref().filter(|user| user.id == id);
            unsent.user(&id, mark, user, locator)?;
        } else if key == CONFIGURATION {
            let configured = draft.configured()?.as_ref().map(written).transpose()?;
            unsent.copies.push((config_key(&unsent.realm), configured));
        } else {
            continue;
        }
        copied = copied
            .saturating_add(unsent.copies.last().and_then(|(_, text)| text.as_ref()).map_or(0, String::len));
        unsent.marks.push((key, mark.version));
    }
    for (key, event) in events.into_iter().take(MOST_EVENTS) {
        let id = Digest::of(format!("{locator}.{key}").as_bytes());
        let id = base64url(id.bytes().first_chunk::<16>().map_or(&[], |half| half.as_slice()));
        unsent.events.push(Event { id, ..event });
        unsent.told.push(key);
    }
    Ok(Some(unsent))
}

impl Unsent {
    /// What the directory is told. `keep`: for how long events are kept.
    ///
    /// # Errors
    /// It does not serialise.
    pub fn rows(&self, owner: Locator, keep: Lifetime) -> Result<Vec<Shelved>, Fault> {
        let entries = self.entries.iter().map(Entry::shelved);
        entries.chain(self.events.iter().map(|event| event.shelved(Some(owner), keep))).collect()
    }

    fn client(
        &mut self,
        id: &ClientId,
        mark: Mark,
        (stored, user): (Option<StoredClient>, Option<&User>),
        owner: Locator,
    ) -> Result<(), Fault> {
        let is_credential = stored.as_ref().map_or(mark.is_credential, |stored| stored.client.is_credential);
        let list = if is_credential { List::Credentials } else { List::Clients };
        let copy = stored.as_ref().map(|stored| written(&stored.client)).transpose()?;
        self.copies.push((client_key(&self.realm, id), copy));
        let listed = stored.map(|stored| {
            let StoredClient { client, created_at, waiting, .. } = stored;
            let owner = user.map(User::name);
            Listed::Client(Box::new(ListedClient { client, created_at, waiting, owner }))
        });
        let (id, version) = (id.to_string(), mark.version);
        self.entries.push(Entry { list, id, owner, version, listed });
        Ok(())
    }

    fn user(&mut self, id: &UserId, mark: Mark, user: Option<&User>, locator: Locator) -> Result<(), Fault> {
        let place = user.map(|user| UserPlace { id: id.clone(), login: user.login.clone(), locator });
        let copy = place.as_ref().map(written).transpose()?;
        self.copies.push((user_key(&self.realm, id), copy));
        let listed = user.map(|user| Listed::User(Box::new(user.view())));
        let (list, version) = (List::Users, mark.version);
        self.entries.push(Entry { list, id: id.to_string(), owner: locator, version, listed });
        Ok(())
    }
}

/// All of them know it. What has changed meanwhile is told again.
///
/// # Errors
/// The rows cannot be read or written: then it is told once more.
pub fn sent(rows: &impl Rows, what: &Unsent) -> Result<(), Fault> {
    let draft = Draft::new(rows);
    for (key, version) in &what.marks {
        if draft.read::<Mark>(Kind::Copy, key)?.is_some_and(|mark| mark.version == *version) {
            draft.delete(Kind::Copy, key);
        }
    }
    for key in &what.told {
        draft.delete(Kind::Event, key);
    }
    draft.commit().map(drop)
}

fn written(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|e| Fault::new("write copy", e.to_string()))
}

impl User {
    /// As whoever sees what they own sees them.
    pub(super) fn name(&self) -> OwnerName {
        OwnerName { id: self.id.clone(), login: self.login.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_shapes_are_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        let mark = Mark { version: 7, is_credential: true };
        assert_eq!(serde_json::to_string(&mark).unwrap(), r#"{"version":7,"is_credential":true}"#);
        let locator = Locator::from([0; 32]);
        let place =
            UserPlace { id: "u1".parse().unwrap(), login: Some("ada@example.com".parse().unwrap()), locator };
        assert_eq!(
            serde_json::to_string(&place).unwrap(),
            format!(r#"{{"id":"u1","login":"ada@example.com","locator":"{locator}"}}"#)
        );
    }
}
