//! The one function that answers a principal's questions.

use crate::error::Fault;
use crate::grant::Code;
use crate::id::RealmName;
use crate::principal::client::StoredClient;
use crate::principal::cutoff::StoredCutoffs;
use crate::principal::rows::{Draft, Due, Kind, Rows};
use crate::principal::sessions::SELF;
use crate::principal::{Answer, Cutoffs, Question, Refused};
use crate::scope::ScopeCatalogue;
use crate::session::{EndReason, Touch};
use crate::time::Timestamp;

/// Answers one question, and says what is left to be done. `now` is the principal's own clock. Either all of its changes are stored, or none: a fault half-way
/// stores nothing. A refusal may store something: a wrong attempt is counted, a token that was used twice ends its session.
///
/// # Errors
/// The rows cannot be read or written; then nothing is promised and the caller refuses.
pub fn step(
    rows: &impl Rows,
    catalogue: &ScopeCatalogue,
    question: &Question,
    now: Timestamp,
) -> Result<(Answer, Due), Fault> {
    let draft = Draft::new(rows);
    let answer = answer(&draft, catalogue, question, now)?;
    Ok((answer, draft.commit()?))
}

fn answer(
    draft: &Draft<'_, impl Rows>,
    catalogue: &ScopeCatalogue,
    question: &Question,
    now: Timestamp,
) -> Result<Answer, Fault> {
    let done = |refused: Option<Refused>| refused.map_or(Answer::Done, Answer::Refused);
    Ok(match question {
        Question::AddPasskey(add) => said(draft.add_passkey(add, now)?, |u| Answer::User(Box::new(u))),
        Question::Approve(approve) => said(draft.approve(approve, now)?, |v| Answer::ClientView(Box::new(v))),
        Question::Authenticate(asks) => said(draft.authenticate(asks, now)?, known),
        Question::Consider(asked) => Answer::Considered(draft.consider(asked, catalogue, now)?),
        Question::ChangeClient(change) => {
            said(draft.change_client(change, now)?, |c| Answer::Client(Box::new(c)))
        }
        Question::ChangePasskeys(browser, change) => {
            let changed = |user: Option<_>| user.map_or(Answer::Done, |user| Answer::User(Box::new(user)));
            said(draft.change_passkeys(browser, change, now)?, changed)
        }
        Question::ChangeUser(change) => said(draft.change_user(change, now)?, |u| Answer::User(Box::new(u))),
        Question::CreateUser(new) => said(draft.create_user(new, now)?, |u| Answer::User(Box::new(u))),
        Question::DeleteClient(owner) => done(draft.delete_client(owner, now)?),
        Question::DeleteUser => done(draft.delete_user(now)?),
        Question::Enter(enter) => said(draft.enter(enter, now)?, |answer| answer),
        Question::EnterFederated(enter) => {
            said(draft.enter_federated(enter, now)?, |u| Answer::User(Box::new(u)))
        }
        Question::EnterPasskey(enter) => {
            said(draft.enter_passkey(enter, now)?, |u| Answer::User(Box::new(u)))
        }
        Question::End => {
            draft.end_all(&mut draft.principal()?, EndReason::SignedOut, now)?;
            Answer::Done
        }
        Question::EndSession(local) => done(draft.end_open(local, now)?),
        Question::Inspect(token) => Answer::Inspected(draft.inspect(token, now)?.map(Box::new)),
        Question::IssueCode { digest, code } => {
            let code = Code { issued_at: now, ..(**code).clone() };
            draft.write(Kind::Code, &digest.to_string(), &code, Some(code.expires_at))?;
            Answer::Done
        }
        Question::KnowClient(id) => {
            let is_over = |stored: &StoredClient| stored.client.expires_at.is_some_and(|end| end <= now);
            let stored = draft.client(id)?.filter(|stored| !is_over(stored));
            stored.map_or(Answer::Refused(Refused::NotFound), known)
        }
        Question::By(..)
        | Question::IfMatches(..)
        | Question::OfRealm(..)
        | Question::OfUser(..)
        | Question::Once { .. } => held(draft, catalogue, question, now)?,
        Question::ListClients { are_credentials } => Answer::Clients(draft.views(*are_credentials, now)?),
        Question::ListVersions => Answer::Versions(draft.versions()?),
        Question::ListSessions(client) => Answer::Sessions(draft.open_sessions(client.as_ref(), now)?),
        Question::Leave { browser, who } => done(draft.leave(browser, who.as_ref(), now)?),
        Question::Follow(follow) => done(draft.follow(follow, now)?),
        Question::Mail(mail) => said(draft.mail(mail, now)?, Answer::Addressee),
        Question::NewSecret(new) => said(draft.new_secret(new, now)?, |c| Answer::Client(Box::new(c))),
        Question::OpenSession(open) => {
            said(draft.open_session(open, catalogue, now)?, |g| Answer::Granted(Box::new(g)))
        }
        Question::OwnClient(owner) => {
            said(draft.managed(owner)?, |stored| Answer::Client(Box::new(stored.client)))
        }
        Question::ReadClient(owner) => said(draft.view(owner, now)?, |v| Answer::ClientView(Box::new(v))),
        Question::ReadAccount(browser) => {
            said(draft.account(browser, now)?, |account| Answer::Account(Box::new(account)))
        }
        Question::ReadCaller { local, used_at } => {
            said(draft.caller(local, now.min(*used_at), catalogue)?, |caller| {
                Answer::Caller(Box::new(caller))
            })
        }
        Question::Withdraw { browser, client_id } => done(draft.withdraw(browser, client_id, now)?),
        Question::LeaveEverywhere(browser) => done(draft.leave_everywhere(browser, now)?),
        Question::ReadPerson { local, used_at } => {
            let (session, _) = draft.used(local, now.min(*used_at))?;
            let user = draft.principal()?.user.filter(|_| session.is_some());
            user.map_or(Answer::Refused(Refused::NotFound), |user| Answer::User(Box::new(user.view())))
        }
        Question::PutConfiguration(put) => draft.put_configuration(put, now)?,
        Question::ReadVersion(number) => {
            said(draft.version(*number)?, |(version, document)| Answer::Version(Box::new(version), document))
        }
        Question::ReadUser => {
            let user = draft.principal()?.user;
            user.map_or(Answer::Refused(Refused::NotFound), |user| Answer::User(Box::new(user.view())))
        }
        Question::RedeemCode(redeem) => {
            said(draft.redeem(redeem, catalogue, now)?, |g| Answer::Granted(Box::new(g)))
        }
        Question::RegisterClient(register) => {
            said(draft.register(register, now)?, |(view, nonce)| Answer::Registered(Box::new(view), nonce))
        }
        Question::Revoke { client_id, token } => done(draft.revoke(client_id, token, now)?),
        Question::Rotate(rotate) => {
            said(draft.rotate(rotate, catalogue, now)?, |g| Answer::Granted(Box::new(g)))
        }
        Question::SignIn(sign_in) => {
            said(draft.sign_in(sign_in, catalogue, now)?, |g| Answer::Granted(Box::new(g)))
        }
        // A clock that is ahead of ours cannot make a session live longer.
        Question::Touch { local, used_at, usage } => {
            Answer::Touched(draft.touch(local, now.min(*used_at), usage)?)
        }
    })
}

/// The answer to a question that holds another: on somebody's behalf, on a condition, once.
fn held(
    draft: &Draft<'_, impl Rows>,
    catalogue: &ScopeCatalogue,
    question: &Question,
    now: Timestamp,
) -> Result<Answer, Fault> {
    Ok(match question {
        Question::By(actor, question) => {
            let before = question.told().map(|(about, _)| draft.seen(&about)).transpose()?.flatten();
            let answer = answer(draft, catalogue, question, now)?;
            draft.audit(actor, (question, before), &answer, now)?;
            answer
        }
        Question::IfMatches(tag, question) => {
            if draft.tag(question)? != Some(*tag) {
                return Ok(Answer::Refused(Refused::Changed));
            }
            answer(draft, catalogue, question, now)?
        }
        Question::Once { proof, question } => {
            if draft.is_used(proof, now)? {
                return Ok(Answer::Refused(Refused::Replayed));
            }
            let answer = match question.as_deref() {
                None => Answer::Done,
                Some(Question::Once { .. }) => return Err(Fault::new("read question", "it holds itself")),
                Some(question) => answer(draft, catalogue, question, now)?,
            };
            // A refusal leaves no mark: else strangers could fill an object.
            if !matches!(answer, Answer::Refused(_) | Answer::Touched(Touch::Ended(_))) {
                draft.mark(proof, now)?;
            }
            answer
        }
        Question::OfRealm(realm, question) => {
            let is_its = draft.principal()?.realm.as_ref() == Some(realm);
            only(is_its, draft, catalogue, question, now)?
        }
        Question::OfUser(id, question) => {
            let is_theirs = draft.principal()?.user.is_some_and(|user| user.id == *id);
            only(is_theirs, draft, catalogue, question, now)?
        }
        question => answer(draft, catalogue, question, now)?,
    })
}

/// The answer to a question that is for this principal only.
fn only(
    is_its: bool,
    draft: &Draft<'_, impl Rows>,
    catalogue: &ScopeCatalogue,
    question: &Question,
    now: Timestamp,
) -> Result<Answer, Fault> {
    match question {
        _ if !is_its => Ok(Answer::Refused(Refused::NotFound)),
        // One step answers one question.
        Question::OfRealm(..) | Question::OfUser(..) => Err(Fault::new("read question", "it holds itself")),
        question => answer(draft, catalogue, question, now),
    }
}

fn known(stored: StoredClient) -> Answer {
    Answer::Known(Box::new(stored.client), stored.ended.map(|ended| ended.at))
}

fn said<T>(said: Result<T, Refused>, answer: impl FnOnce(T) -> Answer) -> Answer {
    said.map_or_else(Answer::Refused, answer)
}

/// Cut-offs that KV does not have yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unpublished {
    /// Whose realm they are of.
    pub realm: RealmName,
    /// The document.
    pub cutoffs: Cutoffs,
    version: u64,
}

/// The cut-offs that have to be published, if any.
///
/// # Errors
/// The rows cannot be read.
pub fn unpublished(rows: &impl Rows) -> Result<Option<Unpublished>, Fault> {
    let draft = Draft::new(rows);
    let Some(stored) = draft.read::<StoredCutoffs>(Kind::Cutoff, SELF)? else { return Ok(None) };
    let realm = draft.principal()?.realm;
    let is_new = stored.published < stored.version;
    Ok(realm.filter(|_| is_new).map(|realm| Unpublished {
        realm,
        cutoffs: stored.cutoffs,
        version: stored.version,
    }))
}

/// KV has them.
///
/// # Errors
/// The rows cannot be read or written: then they are published once more.
pub fn published(rows: &impl Rows, what: &Unpublished, now: Timestamp) -> Result<(), Fault> {
    let draft = Draft::new(rows);
    if let Some(stored) = draft.read::<StoredCutoffs>(Kind::Cutoff, SELF)? {
        let published = stored.published.max(what.version);
        let clear_at = draft.cutoffs_clear_at(now)?;
        draft.write(Kind::Cutoff, SELF, &StoredCutoffs { published, ..stored }, clear_at)?;
    }
    draft.commit().map(drop)
}
