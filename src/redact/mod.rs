//! Redaction: which members of a JSON document somebody may see.
//!
//! A route names [`FieldPath`]s for each ability. Whoever has some of the abilities keeps what any of their paths names ([`Fields`]); everything else leaves the
//! document while it passes ([`Redactor`]), in one walk and in memory that does not grow with it.
//!
//! - **Objects** keep the members that a path names. A path that ends there keeps the whole value as it is, byte for byte; one that leads on keeps what
//!   it names within.
//! - **Arrays** are walked through: a path is about each of their items.
//! - **`null`** stays where a path leads on: there is nothing in it. Any other value that a path would have to lead into leaves.
//! - **Names** are compared as what they mean: `"\u006eame"` is `name`. A name that stands twice is kept twice, or not at all.
//!
//! What is no JSON (RFC 8259) has no members that could be told apart, and is refused where it stops being JSON: readers differ in what they make of it.
//!
//! **Out of scope**: which abilities somebody has ([`crate::policy`]), and what becomes of an answer that is refused (`edge`).

mod answers;
mod fields;
mod filter;

pub use answers::Answers;
pub use fields::{FieldPath, Fields, MOST_STEPS};
pub use filter::{MOST_DEPTH, MOST_MORE, MOST_NAME, Redactor, Unfit};
