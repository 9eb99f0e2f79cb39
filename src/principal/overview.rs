//! What is shown of a principal's clients and sessions, and who asks for it.

use serde::{Deserialize, Serialize};

use crate::encoding::Digest;
use crate::error::Fault;
use crate::grant::kept_scopes;
use crate::id::ClientId;
use crate::json::Members;
use crate::principal::client::{ClientView, SecretDates, StoredClient, Usage};
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::sessions::StoredSession;
use crate::principal::{Approve, CallerView, Client, Question, Refused, UserView};
use crate::scope::{ScopeCatalogue, ScopeSet};
use crate::session::{EndReason, Session};
use crate::time::{Lifetime, Timestamp};

/// A session that is open.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SessionView {
    /// Which: [`crate::id::SessionId::local`].
    pub local: String,
    /// The client that its tokens were given to.
    pub client_id: ClientId,
    /// What that is called, where it is kept here or the person has allowed it something.
    pub client_name: Option<String>,
    /// What it grants.
    pub scope: ScopeSet,
    /// When it began.
    pub opened_at: Timestamp,
    /// When it was last used, to the grain.
    pub last_used: Timestamp,
    /// When it is over at the latest.
    pub ends_at: Timestamp,
    /// How long it may be left alone.
    pub idle: Option<Lifetime>,
}

/// A row's key, and what it says.
type Keyed<T> = (String, T);

/// What somebody has seen of a client, as far as it can be changed.
pub(super) fn client_tag(client: &Client, waiting: &ScopeSet) -> Result<Digest, Fault> {
    tag(&(client, waiting))
}

fn tag(value: &impl Serialize) -> Result<Digest, Fault> {
    let text = serde_json::to_vec(value).map_err(|e| Fault::new("write tag", e.to_string()))?;
    Ok(Digest::of(&text))
}

impl ClientView {
    /// What it is known by as it is: [`Question::IfMatches`].
    ///
    /// # Errors
    /// It does not serialise.
    pub fn tag(&self) -> Result<Digest, Fault> {
        client_tag(&self.client, &self.waiting)
    }

    /// When one of its secrets was last right, or a token of it used.
    #[must_use]
    pub fn last_used(&self) -> Option<Timestamp> {
        let secrets = self.secrets.iter().filter_map(|secret| secret.last_used);
        secrets.chain(self.usage.values().map(|usage| usage.last)).max()
    }
}

impl UserView {
    /// What they are known by as they are: [`Question::IfMatches`].
    ///
    /// # Errors
    /// They do not serialise.
    pub fn tag(&self) -> Result<Digest, Fault> {
        tag(self)
    }
}

impl<R: Rows> Draft<'_, R> {
    /// What that which a question changes is known by.
    pub(super) fn tag(&self, question: &Question) -> Result<Option<Digest>, Fault> {
        let client = |id: &ClientId| -> Result<Option<Digest>, Fault> {
            self.client(id)?.map(|stored| client_tag(&stored.client, &stored.waiting)).transpose()
        };
        match question.innermost() {
            Question::ChangeClient(change) => client(&change.owner.client_id),
            Question::DeleteClient(owner) => client(&owner.client_id),
            Question::NewSecret(new) => client(&new.owner.client_id),
            Question::Approve(approve) => client(&approve.client_id),
            Question::ChangeUser(_) | Question::DeleteUser | Question::End => {
                self.principal()?.user.map(|user| user.view().tag()).transpose()
            }
            Question::PutConfiguration(put) => {
                Ok(Some(self.counting(&put.base)?.map_or(put.base, |version| version.digest)))
            }
            _ => Ok(None),
        }
    }

    /// A client, as its owner may see it.
    pub(super) fn viewed(&self, stored: StoredClient, now: Timestamp) -> Result<ClientView, Fault> {
        let sessions = self.stored::<StoredSession>(Kind::Session)?;
        let counted = self.stored::<Usage>(Kind::Usage)?;
        self.view_of(stored, (&sessions, &counted), now)
    }

    fn view_of(
        &self,
        stored: StoredClient,
        (sessions, counted): (&[Keyed<StoredSession>], &[Keyed<Usage>]),
        now: Timestamp,
    ) -> Result<ClientView, Fault> {
        let prefix = format!("{}/", stored.client.client_id);
        let usage: Members<String, Usage> = counted
            .iter()
            .filter_map(|(key, usage)| Some((key.strip_prefix(&prefix)?.to_owned(), *usage)))
            .collect();
        let principal = self.principal()?;
        let is_its = |session: &StoredSession| session.client_id == stored.client.client_id;
        let live_sessions = sessions
            .iter()
            .filter(|(_, session)| is_its(session) && session.is_alive(&principal, &stored, now))
            .count();
        let secrets = stored.secrets_at(now).map(|secret| SecretDates {
            created_at: secret.created_at,
            expires_at: secret.expires_at,
            last_used: secret.last_used,
        });
        let (secrets, owner) = (secrets.collect(), principal.user.as_ref().map(super::user::User::name));
        let StoredClient { client, created_at, waiting, .. } = stored;
        Ok(ClientView { client, created_at, secrets, usage, live_sessions, waiting, owner })
    }

    /// The clients that are kept here.
    pub(super) fn views(&self, are_credentials: bool, now: Timestamp) -> Result<Vec<ClientView>, Fault> {
        let sessions = self.stored::<StoredSession>(Kind::Session)?;
        let counted = self.stored::<Usage>(Kind::Usage)?;
        let clients = self.stored::<StoredClient>(Kind::Client)?.into_iter();
        let clients = clients.filter(|(_, stored)| stored.client.is_credential == are_credentials);
        clients.map(|(_, stored)| self.view_of(stored, (&sessions, &counted), now)).collect()
    }

    /// The sessions that are open.
    pub(super) fn open_sessions(
        &self,
        client: Option<&ClientId>,
        now: Timestamp,
    ) -> Result<Vec<SessionView>, Fault> {
        let principal = self.principal()?;
        let mut open = Vec::new();
        for (local, session) in self.stored::<StoredSession>(Kind::Session)? {
            let is_meant = client.is_none_or(|client| *client == session.client_id);
            if !is_meant || !self.is_alive(&session, &principal, now)? {
                continue;
            }
            let Session::Open { ends_at, last_seen, pace } = session.state else { continue };
            let client_name = match self.client(&session.client_id)? {
                Some(stored) => Some(stored.client.client_name),
                None => self.consented_name(&session.client_id)?,
            };
            let StoredSession { client_id, scope, opened_at, .. } = session;
            let idle = pace.idle();
            let last_used = last_seen;
            open.push(SessionView {
                local,
                client_id,
                client_name,
                scope,
                opened_at,
                last_used,
                ends_at,
                idle,
            });
        }
        open.sort_by_key(|session| std::cmp::Reverse(session.last_used));
        Ok(open)
    }

    /// Ends a session, where there is one that is open.
    pub(super) fn end_open(&self, local: &str, now: Timestamp) -> Result<Option<Refused>, Fault> {
        if self.alive(local, now)?.is_none() {
            return Ok(Some(Refused::NotFound));
        }
        self.end_session(local, EndReason::Revoked, now).map(|()| None)
    }

    /// Who asks with a token of a session that is alive. It is a use.
    pub(super) fn caller(
        &self,
        local: &str,
        used_at: Timestamp,
        catalogue: &ScopeCatalogue,
    ) -> Result<Result<CallerView, Refused>, Fault> {
        let (Some(session), _) = self.used(local, used_at)? else { return Ok(Err(Refused::NotFound)) };
        let principal = self.principal()?;
        let (_, roles) = self.speaks_for(&session, &principal)?;
        let user = principal.user.map(|user| user.view());
        let StoredSession { client_id, scope, .. } = session;
        let known = self.client(&client_id)?.map(|stored| stored.client);
        // What was taken away from the client since the session began.
        let scope = match &known {
            Some(known) => kept_scopes(&scope, &known.scope, catalogue),
            None => scope,
        };
        let client = known.map(|known| known.self_registered);
        Ok(Ok(CallerView { client_id, scope, user, roles, client }))
    }

    /// Lets a client have those of the scopes that it waits for. Its person may be asked for them from now on as well: both lists have them.
    pub(super) fn approve(
        &self,
        approve: &Approve,
        now: Timestamp,
    ) -> Result<Result<ClientView, Refused>, Fault> {
        let Some(mut stored) = self.client(&approve.client_id)? else { return Ok(Err(Refused::NotFound)) };
        let granted: Vec<_> =
            approve.scope.iter().filter(|scope| stored.waiting.contains(scope)).cloned().collect();
        if granted.len() != approve.scope.iter().count() {
            return Ok(Err(Refused::Scope));
        }
        let mut principal = self.principal()?;
        if let Some(user) = &mut principal.user
            && granted.iter().any(|scope| !user.internal_scopes.contains(scope))
        {
            user.internal_scopes = user.internal_scopes.iter().chain(&granted).cloned().collect();
            let id = user.id.clone();
            self.save_principal(&principal)?;
            self.tell_user(&id, now)?;
        }
        stored.client.scope = stored.client.scope.iter().chain(&granted).cloned().collect();
        stored.waiting = ScopeSet::default();
        self.save_client(&stored)?;
        self.tell_client(&approve.client_id, now)?;
        Ok(Ok(self.viewed(stored, now)?))
    }
}
