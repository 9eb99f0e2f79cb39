//! Where a directory keeps its rows. A store only keeps and finds them: what they mean is the rules' business.

use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::time::Timestamp;

use super::Find;

/// A list.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// Applications.
    Clients,
    /// Application credentials.
    Credentials,
    /// What was done.
    Events,
    /// First secrets that were used: no list that anybody sees.
    Firsts,
    /// People.
    Users,
}

impl List {
    /// Its name in storage.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clients => "client",
            Self::Credentials => "credential",
            Self::Events => "event",
            Self::Firsts => "first",
            Self::Users => "user",
        }
    }
}

/// A row. What a list has nothing to say about is empty.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Shelved {
    /// Which list.
    pub list: List,
    /// Which one of it.
    pub id: String,
    /// What the list is in order of.
    pub sort: String,
    /// The principal whose it is.
    pub owner: String,
    /// Of an event: the person who did it.
    pub actor: String,
    /// Of an event: the client whose token it was.
    pub client: String,
    /// Of an event: what was done.
    pub action: String,
    /// What it is searched in, in lower case.
    pub words: String,
    /// Of a client: which software it is a registration of (`software_id`).
    pub software: String,
    /// Of a client: whether it waits for somebody to approve of it.
    pub waits: bool,
    /// What is told with a smaller number is older.
    pub version: u64,
    /// What it says: JSON. `None`: it is not there any more.
    pub value: Option<String>,
    /// When it may be cleared.
    pub clear_at: Option<Timestamp>,
}

impl Shelved {
    /// A row that says nothing.
    #[must_use]
    pub const fn new(list: List, id: String) -> Self {
        Self {
            list,
            id,
            sort: String::new(),
            owner: String::new(),
            actor: String::new(),
            client: String::new(),
            action: String::new(),
            words: String::new(),
            software: String::new(),
            waits: false,
            version: 0,
            value: None,
            clear_at: None,
        }
    }
}

/// A store of rows that is read and written without an await.
pub trait Shelf {
    /// The version and the text of a row, where there is one.
    ///
    /// # Errors
    /// The store does not answer.
    fn get(&self, list: List, id: &str) -> Result<Option<(u64, Option<String>)>, Fault>;

    /// Stores all of these, each in place of the one with its id, or none.
    ///
    /// # Errors
    /// The store does not answer; nothing was stored.
    fn put(&self, rows: &[Shelved]) -> Result<(), Fault>;

    /// Rows that say something and fit, in the order of `sort` and `id`, behind `find.after`: at most `find.limit` and one more.
    ///
    /// # Errors
    /// The store does not answer.
    fn find(&self, find: &Find) -> Result<Vec<(super::Cursor, String)>, Fault>;
}

/// The text of a row.
pub(super) fn written(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|e| Fault::new("write row", e.to_string()))
}
