//! Application credentials: `/{realm}/api/v1/credentials`. A credential is a confidential client that a person has made: it acts for them, with a
//! part of their roles, for a time.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /credentials` | 200: the caller's own with everything, or, for whoever manages all of them, what the directory lists. `search`, `owner`, `limit`, `cursor`; `usage=true`: of everybody's with everything as well, 25 of them at most |
//! | `POST /credentials` | 201: `name`, `expires_at`, and if wanted `roles`, `scope` and `idle_seconds`. Shows the secret, which nothing can show again |
//! | `GET /credentials/{id}` | 200 |
//! | `PATCH /credentials/{id}` | 200: `name` and `expires_at` |
//! | `DELETE /credentials/{id}` | 204: its sessions end in the same step |
//! | `POST /credentials/{id}/secret` | 200: another secret, once. `overlap_seconds` 0 (its sessions end), 3600 or 86400 |
//!
//! Its roles are some of its person's, and of each kind no more than the configuration says; a role that its person loses leaves it. It ends
//! within `credential_seconds` of the realm, and falls idle no later than everything does there.

use futures_util::future::join_all;
use serde::Deserialize;

use crate::config::RoleKind;
use crate::directory::{Find, List, ListedClient};
use crate::http::{Answer, NO_CACHE};
use crate::id::Role;
use crate::label::is_label;
use crate::oauth::{Stop, known_roles};
use crate::port::Ports;
use crate::principal::{AuthMethod, Client, ClientView, GrantType, Limits, Owner};
use crate::scope::ScopeSet;
use crate::secret::Credential;
use crate::time::{Lifetime, Timestamp};

use super::clients::{Seen, fits, overlap, read_listed};
use super::guard::{Caller, Context};
use super::operation::Operation;
use super::problem::{bad, conflict};
use super::request::{Request, tagged};
use super::shown::{self, Page};

/// How long the old secret of a credential may still count: none, an hour, a day.
const OVERLAPS: [u64; 3] = [0, 3_600, 86_400];

/// How many credentials are asked for at once: each is at a principal of its own.
const MOST_WITH_USAGE: usize = 25;

const SHAPE: &str = "Send a JSON object with name, expires_at (seconds since 1970), and if wanted roles, scope and idle_seconds, each at most once.";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    expires_at: u64,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    idle_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    expires_at: Option<u64>,
}

impl<P: Ports> Context<'_, P> {
    /// Does what is asked for.
    ///
    /// # Errors
    /// An answer that is none of what was asked for, or trouble of ours.
    pub(super) async fn credentials(&self, caller: &Caller, request: &Request<'_>) -> Result<Answer, Stop> {
        match request.operation {
            Operation::ListCredentials => return self.list_credentials(caller, request).await,
            Operation::CreateCredential => return self.create_credential(caller, request).await,
            _ => {}
        }
        let known = self.known(caller, request.id, true).await?;
        if request.operation == Operation::ReadCredential {
            return told(200, &self.view(&known).await?, None);
        }
        let seen = self.about_to_change(caller, request, known).await?;
        match request.operation {
            Operation::ChangeCredential => self.change_credential(caller, request, seen).await,
            Operation::DeleteCredential => self.delete_seen(caller, request, seen).await,
            _ => {
                let overlap = overlap(request, |seconds| OVERLAPS.contains(&seconds))?;
                let (view, secret) = self.renew(caller, request, seen, overlap).await?;
                told(200, &view, Some(&secret))
            }
        }
    }

    async fn list_credentials(&self, caller: &Caller, request: &Request<'_>) -> Result<Answer, Stop> {
        let wanted = request.wanted()?;
        let search = wanted.search()?;
        if let Some(owner) = self.owner(caller, &wanted).await? {
            let mut views = self.own(owner, true).await?;
            views.retain(|view| fits(view, search.as_deref()));
            let items = views.iter().map(|view| shown::Credential::seen(view, None)).collect();
            return Ok(Answer::json(200, &Page { items, next: None })?);
        }
        let with_usage = wanted.parsed::<bool>("usage")?.unwrap_or_default();
        let limit = if with_usage { wanted.limit.min(MOST_WITH_USAGE) } else { wanted.limit };
        let find = Find { search, after: wanted.after, ..Find::all(List::Credentials, limit) };
        let (items, next) = self.find(find).await?;
        let listed = items.iter().map(|text| read_listed(text)).collect::<Result<Vec<_>, _>>()?;
        let views = if with_usage { self.views(&listed).await } else { Vec::new() };
        let item = |(at, one)| match views.get(at) {
            Some(Some(view)) => shown::Credential::seen(view, None),
            _ => shown::Credential::listed(one),
        };
        let items = listed.iter().enumerate().map(item).collect();
        Ok(Answer::json(200, &Page { items, next })?)
    }

    /// What each one's principal knows of it, asked all at once. `None`: it is gone by now, or its principal does not answer.
    async fn views(&self, listed: &[ListedClient]) -> Vec<Option<ClientView>> {
        let view = async |one: &ListedClient| {
            let owner = Owner { client_id: one.client.client_id.clone(), registration: None };
            self.view_of(one.client.locator, &owner).await.ok()
        };
        join_all(listed.iter().map(view)).await
    }

    async fn create_credential(&self, caller: &Caller, request: &Request<'_>) -> Result<Answer, Stop> {
        let new: New = request.json(SHAPE)?;
        if caller.user.is_none() {
            return Err(conflict(
                "A credential acts for a person, and this token speaks for none. Register a client.",
            ));
        }
        let client = self.credential(caller, request, &new)?;
        let (client, waiting) = self.within(caller, client, None)?;
        let (view, secret) = self.register(caller, request, client, waiting).await?;
        let location = format!("{}/api/v1/credentials/{}", self.realm.issuer, view.client.client_id);
        Ok(told(201, &view, secret.as_ref())?.with("Location", location))
    }

    fn credential(&self, caller: &Caller, request: &Request<'_>, new: &New) -> Result<Client, Stop> {
        let roles = known_roles(&new.roles, self.config)
            .ok_or_else(|| bad("roles holds a name that the configuration does not have."))?;
        self.check_kinds(&roles)?;
        let scope: ScopeSet =
            new.scope.parse().map_err(|_| bad("scope is names, separated by one space."))?;
        if !scope.iter().all(|scope| self.config.scopes().knows(scope)) {
            return Err(bad("scope holds a name that the configuration does not have."));
        }
        let idle = new.idle_seconds.map(Lifetime::from_seconds);
        if idle.is_some_and(|idle| {
            idle == Lifetime::ZERO || self.realm.pace.idle().is_none_or(|most| idle > most)
        }) {
            return Err(bad(
                "idle_seconds is at least 1 and no longer than that of the realm, and nothing where the realm has none.",
            ));
        }
        let (client_id, locator) = self.place(caller, request)?;
        Ok(Client {
            client_id,
            client_name: named(&new.name)?,
            realm: self.realm.name.clone(),
            grant_types: vec![GrantType::ClientCredentials],
            scope,
            locator,
            token_endpoint_auth_method: AuthMethod::default(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            jwks: None,
            roles,
            expires_at: Some(self.ends(new.expires_at)?),
            limits: Limits { idle, ..Limits::default() },
            rs256_id_tokens: false,
            backchannel_logout_uri: None,
            must_push: false,
            must_prove: false,
            self_registered: false,
            first_party: false,
            may_introspect: false,
            is_credential: true,
            software_id: None,
        })
    }

    /// Of each kind of role, no more than the configuration says.
    pub(super) fn check_kinds(&self, roles: &[Role]) -> Result<(), Stop> {
        let kind_of = |role: &&Role| {
            let mut words = self.config.role_words().iter();
            words.find(|words| words.role == **role).and_then(|words| words.kind.as_deref())
        };
        let is_full = |kind: &RoleKind| {
            let held = roles.iter().filter(|role| kind_of(role) == Some(kind.name.as_str())).count();
            kind.at_most.is_some_and(|most| held > most)
        };
        if self.config.role_kinds().iter().any(is_full) {
            return Err(bad(
                "roles holds more of one kind than a credential may have. GET /me says how many of which.",
            ));
        }
        Ok(())
    }

    /// When a credential ends that is to end then.
    pub(super) fn ends(&self, seconds: u64) -> Result<Timestamp, Stop> {
        let end = Timestamp::from_seconds(seconds);
        if end <= self.now || end > self.now.after(self.realm.credentials_last) {
            return Err(bad(
                "expires_at lies in the future, and no further away than this realm allows. GET /me says how far.",
            ));
        }
        Ok(end)
    }

    async fn change_credential(
        &self,
        caller: &Caller,
        request: &Request<'_>,
        seen: Seen,
    ) -> Result<Answer, Stop> {
        const SHAPE: &str = "Send a JSON object with name or expires_at (seconds since 1970), or both.";
        let change: Change = request.json(SHAPE)?;
        let mut client = seen.view.client.clone();
        if let Some(name) = &change.name {
            client.client_name = named(name)?;
        }
        if let Some(seconds) = change.expires_at {
            client.expires_at = Some(self.ends(seconds)?);
        }
        let waiting = seen.view.waiting.clone();
        told(200, &self.changed(caller, request, &seen, (client, waiting)).await?, None)
    }
}

fn named(text: &str) -> Result<String, Stop> {
    let name = text.trim();
    if !is_label(name, 100) {
        return Err(bad("name is 1 to 100 characters, none of which is hidden."));
    }
    Ok(name.to_owned())
}

fn told(status: u16, view: &ClientView, secret: Option<&Credential>) -> Result<Answer, Stop> {
    let answer = Answer::json(status, &shown::Credential::seen(view, secret.map(Credential::reveal)))?;
    Ok(tagged(answer, &view.tag()?).with(NO_CACHE.0, NO_CACHE.1))
}
