//! What is done on somebody's behalf is told, in the step that does it: who, to what, and which members of it are others now.

use serde_json::Value;

use crate::directory::{Actor, ActorKind, Event, Target, TargetKind};
use crate::encoding::Digest;
use crate::error::Fault;
use crate::id::ClientId;
use crate::principal::browser::StoredConsent;
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::{Answer, Considered, Question, Says};
use crate::time::Timestamp;

const CREATE: &str = "create";
const CHANGE: &str = "change";
const ALLOW: &str = "allow";
const WITHDRAW: &str = "withdraw";

/// What a question is about.
pub(super) enum About {
    /// Somebody's application, about which the person has said something; and what it is called, where that was said.
    Application(ClientId, Option<String>),
    Client(ClientId),
    /// Where the deployment has a document of this digest.
    Configuration(Digest),
    Session(String),
    User,
}

/// What something is, as it is told.
pub(super) struct Seen {
    target: Target,
    /// Everything that is told when it changes.
    members: Value,
}

impl Question {
    /// The question that others are wrapped around.
    pub(super) fn innermost(&self) -> &Self {
        match self {
            Self::By(_, question)
            | Self::IfMatches(_, question)
            | Self::OfRealm(_, question)
            | Self::OfUser(_, question)
            | Self::Once { question: Some(question), .. } => question.innermost(),
            question => question,
        }
    }

    /// What it is about, and what it does; `None`: nothing that is told.
    pub(super) fn told(&self) -> Option<(About, &'static str)> {
        let client = |id: &ClientId, verb| Some((About::Client(id.clone()), verb));
        match self.innermost() {
            Self::Consider(asked) => {
                let (id, name) = (asked.code.client_id.clone(), asked.client_name.clone());
                matches!(asked.says, Says::Allow(..)).then_some((About::Application(id, Some(name)), ALLOW))
            }
            Self::RegisterClient(register) => client(&register.client.client_id, CREATE),
            Self::ChangeClient(change) => client(&change.owner.client_id, CHANGE),
            Self::Approve(approve) => client(&approve.client_id, "approve"),
            Self::DeleteClient(owner) => client(&owner.client_id, "delete"),
            Self::NewSecret(new) => client(&new.owner.client_id, "new_secret"),
            Self::EndSession(local) => Some((About::Session(local.clone()), "end")),
            Self::CreateUser(_) => Some((About::User, CREATE)),
            Self::EnterFederated(enter) if enter.newcomer.is_some() => Some((About::User, CREATE)),
            Self::ChangeUser(_) => Some((About::User, CHANGE)),
            Self::DeleteUser => Some((About::User, "delete")),
            Self::End | Self::LeaveEverywhere(_) => Some((About::User, "sign_out")),
            Self::Mail(_) => Some((About::User, "mail")),
            Self::AddPasskey(_) => Some((About::User, "add_passkey")),
            Self::ChangePasskeys(..) => Some((About::User, "change_passkeys")),
            Self::Follow(_) => Some((About::User, "follow_link")),
            Self::PutConfiguration(put) => Some((About::Configuration(put.base), CHANGE)),
            Self::Withdraw { client_id, .. } => Some((About::Application(client_id.clone(), None), WITHDRAW)),
            _ => None,
        }
    }

    /// Whether what it does is told.
    pub(crate) fn is_told(&self) -> bool {
        self.told().is_some()
    }

    /// What it changes that nobody can see afterwards.
    fn hidden(&self) -> &'static [&'static str] {
        match self.innermost() {
            Self::ChangeUser(change) => match (change.password.is_some(), change.forgets_passkeys) {
                (true, true) => &["passkeys", "password"],
                (true, false) => &["password"],
                (false, true) => &["passkeys"],
                (false, false) => &[],
            },
            _ => &[],
        }
    }
}

impl<R: Rows> Draft<'_, R> {
    /// What something is at the moment.
    pub(super) fn seen(&self, about: &About) -> Result<Option<Seen>, Fault> {
        let written = |value: Result<Value, serde_json::Error>| {
            value.map_err(|e| Fault::new("write event", e.to_string()))
        };
        Ok(match about {
            About::Application(id, name) => {
                let target = Target { kind: TargetKind::Client, id: id.to_string(), name: name.clone() };
                let consent: Option<StoredConsent> = self.read(Kind::Consent, id.as_str())?;
                let (scope, ended) =
                    consent.map(|consent| (consent.scope, consent.ended)).unwrap_or_default();
                Some(Seen { target, members: serde_json::json!({ "scope": scope, "sessions": ended }) })
            }
            About::Client(id) => match self.client(id)? {
                Some(stored) => {
                    let is_credential = stored.client.is_credential;
                    let kind = if is_credential { TargetKind::Credential } else { TargetKind::Client };
                    let name = Some(stored.client.client_name.clone());
                    let mut members = written(serde_json::to_value(&stored.client))?;
                    if let Value::Object(members) = &mut members {
                        members.insert("waiting_scope".to_owned(), stored.waiting.to_string().into());
                    }
                    Some(Seen { target: Target { kind, id: id.to_string(), name }, members })
                }
                None => None,
            },
            About::Configuration(base) => match self.counting(base)? {
                Some(version) => {
                    let document = self.version(version.number)?.map(|(_, document)| document);
                    let members = written(crate::json::read(&document.unwrap_or_default()))?;
                    let (kind, id) = (TargetKind::Configuration, version.number.to_string());
                    Some(Seen { target: Target { kind, id, name: None }, members })
                }
                None => None,
            },
            About::Session(local) => {
                let target = Target { kind: TargetKind::Session, id: local.clone(), name: None };
                Some(Seen { target, members: Value::Null })
            }
            About::User => match self.principal()?.user {
                Some(user) => {
                    let view = user.view();
                    let name = Some(view.shown().to_owned());
                    let target = Target { kind: TargetKind::User, id: view.id.to_string(), name };
                    Some(Seen { target, members: written(serde_json::to_value(&view))? })
                }
                None => None,
            },
        })
    }

    /// Keeps what was done, where something was. A question that is refused, or changes nothing, leaves no trace.
    pub(super) fn audit(
        &self,
        actor: &Actor,
        (question, before): (&Question, Option<Seen>),
        answer: &Answer,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let is_done = match answer {
            Answer::Refused(_) => false,
            Answer::Considered(considered) => *considered == Considered::Allowed,
            // It was so already.
            Answer::Done => !matches!(question.innermost(), Question::ChangePasskeys(..)),
            _ => true,
        };
        let Some((about, verb)) = question.told().filter(|_| is_done) else { return Ok(()) };
        let after = self.seen(&about)?;
        let mut changes = match (&before, &after) {
            (Some(before), Some(after)) => others(&before.members, &after.members),
            _ => Vec::new(),
        };
        changes.extend(question.hidden().iter().map(|name| (*name).to_owned()));
        // It was there already, or nothing of it is otherwise.
        let is_change = [CHANGE, ALLOW, WITHDRAW].contains(&verb);
        if before.is_some() && (verb == CREATE || is_change && changes.is_empty()) {
            return Ok(());
        }
        let Some(Seen { target, .. }) = after.or(before) else { return Ok(()) };
        let action = format!("{}.{verb}", target.kind.name());
        let (id, mut actor) = (String::new(), actor.clone());
        if actor.kind == ActorKind::User
            && actor.user.is_none()
            && let Some(user) = self.principal()?.user
        {
            (actor.user, actor.login) = (Some(user.id), user.login);
        }
        self.tell_event(&Event { id, at: now, actor, action, target, changes }, now)
    }
}

/// The names of the members that are not the same.
fn others(before: &Value, after: &Value) -> Vec<String> {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else { return Vec::new() };
    let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| before.get(*name) != after.get(*name));
    names.into_iter().cloned().collect()
}
