//! The rows of one principal, and a draft of what one question changes about them.
//!
//! A row has a kind, a key within it, a JSON text, and a time after which it may be cleared. What the texts mean is the rules'
//! business: a store only keeps them, so natively and at the edge the same code reads and writes.

use std::cell::RefCell;

use litemap::LiteMap;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Fault;
use crate::time::Timestamp;

/// What a row is about. `docs/storage.md` has a section for each.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// A browser that the person has signed in with, by the digest of what it is known by.
    Browser,
    /// A registered client, by its id.
    Client,
    /// An authorization code, by its digest.
    Code,
    /// What the person allows a client, by its name.
    Consent,
    /// A record that others have a copy of, which is older than the record.
    Copy,
    /// Which tokens are dead, for validators that do not ask: one row.
    Cutoff,
    /// The text of a version of the configuration, by its number.
    Document,
    /// Something that was done here, and the directory does not know yet.
    Event,
    /// A standing grant, by its name: the first half of the `sid`s of its sessions.
    Grant,
    /// What was used and counts once: a client assertion, by client and `jti`; a proof of possession; a transaction.
    Jti,
    /// A link that was sent by mail, by the digest of what it is known by.
    Link,
    /// A client that is to hear that a session is over, by the session.
    Logout,
    /// A passkey of the person, by its name.
    Passkey,
    /// The principal itself: one row.
    Principal,
    /// A refresh token, by its digest.
    Refresh,
    /// A session, by its `sid` without the locator.
    Session,
    /// Wrong attempts, by what they were at and where they came from.
    Throttle,
    /// How often a client called a route, by both.
    Usage,
    /// What is known of the versions of the configuration: one row.
    Versions,
}

impl Kind {
    /// Every kind there is.
    pub const ALL: [Self; 19] = [
        Self::Browser,
        Self::Client,
        Self::Code,
        Self::Consent,
        Self::Copy,
        Self::Cutoff,
        Self::Document,
        Self::Event,
        Self::Grant,
        Self::Jti,
        Self::Link,
        Self::Logout,
        Self::Passkey,
        Self::Principal,
        Self::Refresh,
        Self::Session,
        Self::Throttle,
        Self::Usage,
        Self::Versions,
    ];

    /// Its name in storage.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::Client => "client",
            Self::Code => "code",
            Self::Consent => "consent",
            Self::Copy => "copy",
            Self::Cutoff => "cutoff",
            Self::Document => "document",
            Self::Event => "event",
            Self::Grant => "grant",
            Self::Jti => "jti",
            Self::Link => "link",
            Self::Logout => "logout",
            Self::Passkey => "passkey",
            Self::Principal => "principal",
            Self::Refresh => "refresh",
            Self::Session => "session",
            Self::Throttle => "throttle",
            Self::Usage => "usage",
            Self::Versions => "versions",
        }
    }
}

/// A store of rows that is read and written without an await.
pub trait Rows {
    /// The text of a row.
    ///
    /// # Errors
    /// The store does not answer.
    fn get(&self, kind: Kind, key: &str) -> Result<Option<String>, Fault>;

    /// Every row of a kind, in the order of their keys.
    ///
    /// # Errors
    /// The store does not answer.
    fn list(&self, kind: Kind) -> Result<Vec<(String, String)>, Fault>;

    /// How many rows of a kind there are.
    ///
    /// # Errors
    /// The store does not answer.
    fn count(&self, kind: Kind) -> Result<usize, Fault>;

    /// Stores all of these, each in place of the one with its key, or none.
    ///
    /// # Errors
    /// The store does not answer; nothing was stored.
    fn put(&self, rows: &[Row]) -> Result<(), Fault>;
}

/// A row to be stored.
#[derive(Clone, Eq, PartialEq)]
pub struct Row {
    /// What it is about.
    pub kind: Kind,
    /// Which one.
    pub key: String,
    /// What it says: JSON. `null` says that it is not there any more.
    pub text: String,
    /// When it may be cleared.
    pub clear_at: Option<Timestamp>,
}

impl std::fmt::Debug for Row {
    /// Not what it says: some rows hold digests.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Row({:?})", self.kind)
    }
}

/// What a step leaves to be done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Due {
    /// Whether cut-offs have changed, and are to be published.
    pub cutoffs: bool,
    /// Whether copies are older than what they are of, or the directory has something to hear.
    pub copies: bool,
    /// Whether clients are to hear that sessions are over ([`super::notices`]).
    pub notices: bool,
    /// When the first of the rows that it stored may be cleared.
    pub clearing: Option<Timestamp>,
}

/// What a row says that is not there any more, until it is cleared.
const GONE: &str = "null";

/// What a row will say, and when it may be cleared.
type Change = (String, Option<Timestamp>);

/// What one question reads and changes: all of it is stored, or nothing.
pub(super) struct Draft<'r, R> {
    rows: &'r R,
    changes: RefCell<LiteMap<(Kind, String), Change>>,
    /// What was read: nobody else changes it meanwhile.
    seen: RefCell<LiteMap<(Kind, String), Option<String>>>,
}

impl<R> std::fmt::Debug for Draft<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Draft(..)")
    }
}

impl<'r, R: Rows> Draft<'r, R> {
    pub(super) fn new(rows: &'r R) -> Self {
        Self { rows, changes: RefCell::default(), seen: RefCell::default() }
    }

    /// The row of this key, as it will be.
    pub(super) fn read<T: DeserializeOwned>(&self, kind: Kind, key: &str) -> Result<Option<T>, Fault> {
        let at = (kind, key.to_owned());
        let (changes, mut seen) = (self.changes.borrow(), self.seen.borrow_mut());
        let text = match (changes.get(&at), seen.get(&at)) {
            (Some((text, _)), _) => Some(text),
            (None, Some(text)) => text.as_ref(),
            (None, None) => {
                let text = self.rows.get(kind, key)?;
                seen.entry(at).or_insert(text).as_ref()
            }
        };
        text.filter(|text| *text != GONE).map(|text| parse(kind, text)).transpose()
    }

    /// Every stored row of a kind. What this question itself has changed of it is **not** in here.
    pub(super) fn stored<T: DeserializeOwned>(&self, kind: Kind) -> Result<Vec<(String, T)>, Fault> {
        let rows = self.rows.list(kind)?.into_iter().filter(|(_, text)| text != GONE);
        rows.map(|(key, text)| Ok((key, parse(kind, &text)?))).collect()
    }

    /// How many rows of a kind are stored, those included that wait to be cleared.
    pub(super) fn count_of(&self, kind: Kind) -> Result<usize, Fault> {
        self.rows.count(kind)
    }

    pub(super) fn write(
        &self,
        kind: Kind,
        key: &str,
        value: &impl Serialize,
        clear_at: Option<Timestamp>,
    ) -> Result<(), Fault> {
        let text = serde_json::to_string(value).map_err(|e| Fault::new("write row", e.to_string()))?;
        self.changes.borrow_mut().insert((kind, key.to_owned()), (text, clear_at));
        Ok(())
    }

    pub(super) fn delete(&self, kind: Kind, key: &str) {
        let gone = (GONE.to_owned(), Some(Timestamp::from_millis(0)));
        self.changes.borrow_mut().insert((kind, key.to_owned()), gone);
    }

    /// Stores the changes, in one statement, and says what has to be done about them.
    pub(super) fn commit(self) -> Result<Due, Fault> {
        let changes = self.changes.into_inner().into_iter();
        let rows: Vec<Row> =
            changes.map(|((kind, key), (text, clear_at))| Row { kind, key, text, clear_at }).collect();
        if !rows.is_empty() {
            self.rows.put(&rows)?;
        }
        Ok(Due {
            cutoffs: rows.iter().any(|row| row.kind == Kind::Cutoff),
            copies: rows.iter().any(|row| matches!(row.kind, Kind::Copy | Kind::Event)),
            notices: rows.iter().any(|row| row.kind == Kind::Logout),
            clearing: rows.iter().filter_map(|row| row.clear_at).min(),
        })
    }
}

/// The text of a row never stands in an error: some hold digests.
fn parse<T: DeserializeOwned>(kind: Kind, text: &str) -> Result<T, Fault> {
    crate::json::read(text)
        .map_err(|_| Fault::new("read row", format!("a row of kind {} is damaged", kind.name())))
}
