//! The directory of a realm: which clients and people there are, and what has been done to them, in lists that can be searched.
//!
//! What counts is at the principals; each tells the directory of its realm what has changed ([`crate::principal::Unsent`]), after the step
//! that changed it, and again until it is known here. So a list is as new as the last change whose principal is reachable, and nothing that
//! is decided about a request is decided here: except one thing, that the first secret of a deployment counts once ([`Question::Claim`]).
//!
//! What is told twice is known once: an entry has a version, and what is older than what is known is dropped; an event has a name.
//!
//! **In scope**: lists, pages of them, the audit log. **Out of scope**: who may see what ([`crate::api`]); sessions, which nobody lists across
//! principals.

mod entry;
mod event;
mod page;
mod question;
mod shelf;
mod step;

pub use entry::{Entry, Listed, ListedClient, OwnerName};
pub use event::{Actor, ActorKind, Event, Target, TargetKind};
pub use page::{Cursor, MOST_ITEMS};
pub use question::{Answer, Claimed, Find, Question};
pub use shelf::{List, Shelf, Shelved};
pub use step::step;
