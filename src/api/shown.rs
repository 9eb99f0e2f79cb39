//! What the API shows of things. Instants are in seconds.

use serde::Serialize;

use crate::directory::{ListedClient, OwnerName};
use crate::id::{Login, Role};
use crate::oauth::Told;
use crate::principal::{Client, ClientView, Federated, Profile, SecretDates, Usage, UserView};
use crate::scope::ScopeSet;
use crate::time::{Lifetime, Timestamp};

/// A part of a list.
#[derive(Serialize)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

#[derive(Serialize)]
struct Owner<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<&'a str>,
}

impl<'a> Owner<'a> {
    fn of(owner: Option<&'a OwnerName>) -> Option<Self> {
        owner.map(|owner| Self { id: owner.id.as_str(), login: owner.login.as_ref().map(Login::as_str) })
    }
}

#[derive(Serialize)]
struct Secret {
    #[serde(rename = "created_at")]
    created: u64,
    #[serde(rename = "expires_at", skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
    #[serde(rename = "last_used_at", skip_serializing_if = "Option::is_none")]
    last_used: Option<u64>,
}

impl From<&SecretDates> for Secret {
    fn from(secret: &SecretDates) -> Self {
        Self {
            created: secret.created_at.as_seconds(),
            expires: secret.expires_at.map(Timestamp::as_seconds),
            last_used: secret.last_used.map(Timestamp::as_seconds),
        }
    }
}

/// How often one route was called.
#[derive(Serialize)]
struct Calls<'a> {
    route: &'a str,
    count: u64,
    first_at: u64,
    last_at: u64,
}

impl<'a> Calls<'a> {
    fn of((route, usage): (&'a String, &Usage)) -> Self {
        let (first_at, last_at) = (usage.first.as_seconds(), usage.last.as_seconds());
        Self { route, count: usage.count, first_at, last_at }
    }
}

/// What only the principal knows of a client.
#[derive(Serialize)]
struct Life<'a> {
    secrets: Vec<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<u64>,
    live_sessions: usize,
    usage: Vec<Calls<'a>>,
}

impl<'a> Life<'a> {
    fn of(view: &'a ClientView) -> Self {
        Self {
            secrets: view.secrets.iter().map(Secret::from).collect(),
            last_used_at: view.last_used().map(Timestamp::as_seconds),
            live_sessions: view.live_sessions,
            usage: view.usage.iter().map(Calls::of).collect(),
        }
    }
}

/// An application credential.
#[derive(Serialize)]
pub(super) struct Credential<'a> {
    client_id: &'a str,
    /// Shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Owner<'a>>,
    created_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<u64>,
    roles: &'a [Role],
    scope: &'a ScopeSet,
    #[serde(skip_serializing_if = "ScopeSet::is_empty")]
    waiting_scope: &'a ScopeSet,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_seconds: Option<u64>,
    #[serde(flatten)]
    life: Option<Life<'a>>,
}

impl<'a> Credential<'a> {
    fn of(
        client: &'a Client,
        created_at: Timestamp,
        waiting: &'a ScopeSet,
        owner: Option<&'a OwnerName>,
    ) -> Self {
        Self {
            client_id: client.client_id.as_str(),
            client_secret: None,
            name: &client.client_name,
            owner: Owner::of(owner),
            created_at: created_at.as_seconds(),
            expires_at: client.expires_at.map(Timestamp::as_seconds),
            roles: &client.roles,
            scope: &client.scope,
            waiting_scope: waiting,
            idle_seconds: client.limits.idle.map(Lifetime::as_seconds),
            life: None,
        }
    }

    pub(super) fn seen(view: &'a ClientView, secret: Option<&'a str>) -> Self {
        let shown = Self::of(&view.client, view.created_at, &view.waiting, view.owner.as_ref());
        Self { client_secret: secret, life: Some(Life::of(view)), ..shown }
    }

    pub(super) fn listed(listed: &'a ListedClient) -> Self {
        Self::of(&listed.client, listed.created_at, &listed.waiting, listed.owner.as_ref())
    }
}

/// A client: what RFC 7591 section 3.2.1 says of it, and more.
#[derive(Serialize)]
pub(super) struct Application<'a> {
    #[serde(flatten)]
    client: Told<'a>,
    created_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Owner<'a>>,
    #[serde(skip_serializing_if = "ScopeSet::is_empty")]
    waiting_scope: &'a ScopeSet,
    #[serde(flatten)]
    life: Option<Life<'a>>,
}

impl<'a> Application<'a> {
    pub(super) fn seen(view: &'a ClientView, secret: Option<&'a str>) -> Self {
        Self {
            client: Told { client_secret: secret, ..Told::of(&view.client) },
            created_at: view.created_at.as_seconds(),
            owner: Owner::of(view.owner.as_ref()),
            waiting_scope: &view.waiting,
            life: Some(Life::of(view)),
        }
    }

    pub(super) fn listed(listed: &'a ListedClient) -> Self {
        Self {
            client: Told::of(&listed.client),
            created_at: listed.created_at.as_seconds(),
            owner: Owner::of(listed.owner.as_ref()),
            waiting_scope: &listed.waiting,
            life: None,
        }
    }
}

/// A person, as whoever manages them sees them.
#[derive(Serialize)]
pub(super) struct Person<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    federated: Option<&'a Federated>,
    roles: &'a [Role],
    disabled: bool,
    has_password: bool,
    needs_passkey: bool,
    created_at: u64,
    profile: &'a Profile,
    internal_scopes: &'a ScopeSet,
}

impl<'a> Person<'a> {
    pub(super) fn of(user: &'a UserView) -> Self {
        Self {
            id: user.id.as_str(),
            login: user.login.as_ref().map(Login::as_str),
            federated: user.federated.as_ref(),
            roles: &user.roles,
            disabled: user.disabled,
            has_password: user.has_password,
            needs_passkey: user.needs_passkey,
            created_at: user.created_at.as_seconds(),
            profile: &user.profile,
            internal_scopes: &user.internal_scopes,
        }
    }
}
