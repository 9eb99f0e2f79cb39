//! The management API: clients, keys and people, under `/{realm}/api/v1`.
//!
//! **Out of scope**: who may use it besides the bootstrap token.

mod clients;
mod guard;
mod keys;
mod users;

pub use clients::{ClientAction, clients};
pub use keys::{KeysRequest, keys};
pub use users::{UserAction, users};

use crate::http::Answer;
use crate::oauth::Stop;

fn not_found() -> Stop {
    Stop::Answer(Box::new(Answer::problem(404, "Not Found", "There is no such thing here.")))
}
