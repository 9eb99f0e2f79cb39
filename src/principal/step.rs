//! One principal's questions and the one function that answers them.

use serde::{Deserialize, Serialize};

use crate::encoding::Digest;
use crate::error::Fault;
use crate::id::ClientId;
use crate::principal::Client;
use crate::session::{EndReason, Pace, Session, Touch};
use crate::time::{Lifetime, Timestamp};

/// What a principal can be asked.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Say whether a client's secret is right, and do nothing else.
    Authenticate(Authenticate),
    /// Start a session for a client that proves its secret.
    OpenSession(OpenSession),
    /// Take a client in.
    RegisterClient(RegisterClient),
    /// Say that a session was used, and whether it may be.
    Touch {
        /// Which: [`crate::id::SessionId::local`].
        local: String,
        /// When the request came that uses it. The question may arrive later: what counts is the use.
        used_at: Timestamp,
    },
}

/// A client and the secret that it presented. See [`Question::Authenticate`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Authenticate {
    /// The client that asks.
    pub client_id: ClientId,
    /// The digest of the secret that it presented.
    pub secret: Digest,
}

/// See [`Question::OpenSession`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct OpenSession {
    /// Who asks.
    pub client: Authenticate,
    /// The new session's name.
    pub local: String,
    /// The digest of the refresh token that is handed out with it, if any.
    pub refresh: Option<Digest>,
    /// How it keeps time.
    pub pace: Pace,
    /// When it is over however much it is used.
    pub lasts: Lifetime,
}

/// See [`Question::RegisterClient`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RegisterClient {
    /// Its record: this is the authority, KV has the copy.
    pub client: Client,
    /// The digest of its first secret.
    pub secret: Digest,
}

/// What a principal answers.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To [`Question::Authenticate`].
    Authenticated(bool),
    /// To [`Question::OpenSession`].
    Opened(Opened),
    /// To [`Question::RegisterClient`].
    Registered,
    /// To [`Question::Touch`].
    Touched(Touch),
}

/// Whether a session was started.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Opened {
    /// It is open.
    Open,
    /// The secret is not one of this client's; nothing was stored.
    WrongSecret,
}

/// The rows of one principal, read and written without an await: nothing comes between what one call of [`step`]
/// reads and what it writes. What a failure half-way leaves is a row that nobody was told of.
pub trait Rows {
    /// Stores a client and its first secret.
    ///
    /// # Errors
    /// The store does not answer.
    fn insert_client(&self, client: &Client, secret: &Digest, now: Timestamp) -> Result<(), Fault>;

    /// The digests of a client's secrets; none for a client that is not here.
    ///
    /// # Errors
    /// The store does not answer.
    fn secrets(&self, client: &ClientId) -> Result<Vec<Digest>, Fault>;

    /// Stores a new session, to be cleared after `clear_at`, and the refresh token that belongs to it.
    ///
    /// # Errors
    /// The store does not answer, or the name is taken.
    fn insert_session(
        &self,
        local: &str,
        client: &ClientId,
        session: &Session,
        refresh: Option<&Digest>,
        clear_at: Timestamp,
    ) -> Result<(), Fault>;

    /// A session.
    ///
    /// # Errors
    /// The store does not answer, or holds what cannot be read.
    fn session(&self, local: &str) -> Result<Option<Session>, Fault>;

    /// Stores a session's next state.
    ///
    /// # Errors
    /// The store does not answer.
    fn save_session(&self, local: &str, session: &Session) -> Result<(), Fault>;
}

/// Answers one question. `now` is the principal's own clock.
///
/// # Errors
/// The rows cannot be read or written; then nothing is promised and the caller refuses.
pub fn step(rows: &impl Rows, question: &Question, now: Timestamp) -> Result<Answer, Fault> {
    Ok(match question {
        Question::Authenticate(client) => Answer::Authenticated(authenticate(rows, client)?),
        Question::OpenSession(open) => Answer::Opened(open_session(rows, open, now)?),
        Question::RegisterClient(register) => {
            rows.insert_client(&register.client, &register.secret, now)?;
            Answer::Registered
        }
        // A clock that is ahead of ours cannot make a session live longer.
        Question::Touch { local, used_at } => Answer::Touched(touch(rows, local, now.min(*used_at))?),
    })
}

fn authenticate(rows: &impl Rows, client: &Authenticate) -> Result<bool, Fault> {
    // Every digest is compared, each in constant time: which one fits does not show.
    Ok(rows.secrets(&client.client_id)?.iter().fold(false, |found, known| (*known == client.secret) | found))
}

fn open_session(rows: &impl Rows, open: &OpenSession, now: Timestamp) -> Result<Opened, Fault> {
    if !authenticate(rows, &open.client)? {
        return Ok(Opened::WrongSecret);
    }
    let ends_at = now.after(open.lasts);
    let session = Session::open(now, open.pace, ends_at);
    rows.insert_session(&open.local, &open.client.client_id, &session, open.refresh.as_ref(), ends_at)?;
    Ok(Opened::Open)
}

fn touch(rows: &impl Rows, local: &str, used_at: Timestamp) -> Result<Touch, Fault> {
    // A session that was cleared is over: it was cleared because its absolute limit had passed.
    let Some(session) = rows.session(local)? else {
        return Ok(Touch::Ended(EndReason::Limit));
    };
    let (next, touch) = session.touch(used_at);
    if next != session {
        rows.save_session(local, &next)?;
    }
    Ok(touch)
}
