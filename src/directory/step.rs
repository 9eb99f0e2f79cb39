//! The one function that answers a directory's questions.

use serde::{Deserialize, Serialize};

use crate::encoding::Digest;
use crate::error::Fault;
use crate::id::Login;
use crate::time::{Lifetime, Timestamp};

use super::shelf::written;
use super::{Answer, Claimed, Find, List, MOST_ITEMS, Question, Shelf, Shelved};

/// How long it is remembered that something is not there any more: longer than an older word of it is on its way.
const GONE_KEPT: Lifetime = Lifetime::from_seconds(86_400);

/// How long a first secret belongs to one login, before another may be tried.
const CLAIM: Lifetime = Lifetime::from_seconds(60);

/// What is known of a first secret.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct First {
    /// For whom it was used last.
    login: Login,
    /// When.
    at: Timestamp,
    /// Whether it has done what it was for.
    spent: bool,
}

/// Answers one question. `now` is the directory's own clock. Either all of its changes are stored, or none.
///
/// # Errors
/// The rows cannot be read or written; then nothing is promised, and the caller tells it again or refuses.
pub fn step(shelf: &impl Shelf, question: &Question, now: Timestamp) -> Result<Answer, Fault> {
    Ok(match question {
        Question::Claim { secret, login } => Answer::Claimed(claim(shelf, secret, login, now)?),
        Question::Find(find) => page(shelf, find)?,
        Question::Spend { secret } => {
            if let Some(first) = first(shelf, secret)? {
                save(shelf, secret, &First { spent: true, ..first })?;
            }
            Answer::Done
        }
        Question::Tell(told) => {
            let mut rows = Vec::new();
            for row in told {
                rows.extend(news(shelf, row, now)?);
            }
            if !rows.is_empty() {
                shelf.put(&rows)?;
            }
            Answer::Done
        }
    })
}

/// What is told, where it is not older than what is known. What was done does not change: the first word of it stays.
fn news(shelf: &impl Shelf, row: &Shelved, now: Timestamp) -> Result<Option<Shelved>, Fault> {
    let known = shelf.get(row.list, &row.id)?;
    let is_old = known.is_some_and(|(version, _)| row.list == List::Events || row.version < version);
    if is_old {
        return Ok(None);
    }
    let gone = row.value.is_none().then(|| now.after(GONE_KEPT));
    Ok(Some(Shelved { clear_at: row.clear_at.or(gone), ..row.clone() }))
}

fn page(shelf: &impl Shelf, find: &Find) -> Result<Answer, Fault> {
    let limit = find.limit.clamp(1, MOST_ITEMS);
    let mut found = shelf.find(&Find { limit, ..find.clone() })?;
    let is_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().map(|(cursor, _)| cursor.clone()).filter(|_| is_more);
    Ok(Answer::Page { items: found.into_iter().map(|(_, text)| text).collect(), next })
}

/// Two that come at once do not both make somebody; and one that was cut off comes again.
fn claim(shelf: &impl Shelf, secret: &Digest, login: &Login, now: Timestamp) -> Result<Claimed, Fault> {
    match first(shelf, secret)? {
        Some(first) if first.spent => return Ok(Claimed::Spent),
        Some(first) if first.login != *login && now.is_within(CLAIM, first.at) => return Ok(Claimed::Busy),
        _ => {}
    }
    save(shelf, secret, &First { login: login.clone(), at: now, spent: false })?;
    Ok(Claimed::Granted)
}

fn first(shelf: &impl Shelf, secret: &Digest) -> Result<Option<First>, Fault> {
    let text = shelf.get(List::Firsts, &secret.to_string())?.and_then(|(_, text)| text);
    let read =
        |text: String| crate::json::read(&text).map_err(|e| Fault::new("read first secret", e.to_string()));
    text.map(read).transpose()
}

fn save(shelf: &impl Shelf, secret: &Digest, first: &First) -> Result<(), Fault> {
    let value = Some(written(first)?);
    shelf.put(&[Shelved { value, ..Shelved::new(List::Firsts, secret.to_string()) }])
}
