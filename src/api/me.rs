//! Who asks, and what there is to choose from: `GET /{realm}/api/v1/me`, `GET /{realm}/api/v1/roles`.

use serde::Serialize;

use crate::http::Answer;
use crate::id::Role;
use crate::oauth::Stop;
use crate::port::Ports;
use crate::scope::ScopeSet;
use crate::time::Lifetime;

use super::guard::{Caller, Context};
use super::shown::{Page, Person};

#[derive(Serialize)]
struct Me<'a> {
    realm: &'a str,
    client_id: &'a str,
    scope: &'a ScopeSet,
    /// `own`, or `all`: whether what is everybody's is the caller's to manage.
    reach: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Person<'a>>,
    roles: &'a [Role],
    credentials: Rules<'a>,
}

/// What a credential may be.
#[derive(Serialize)]
struct Rules<'a> {
    max_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_seconds: Option<u64>,
    kinds: Vec<Kind<'a>>,
}

#[derive(Serialize)]
struct Kind<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<usize>,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
}

impl<P: Ports> Context<'_, P> {
    pub(super) fn me(&self, caller: &Caller) -> Result<Answer, Stop> {
        let kinds = self.config.role_kinds().iter().map(|kind| Kind {
            name: &kind.name,
            description: kind.description.as_deref(),
            at_most: kind.at_most,
        });
        let credentials = Rules {
            max_seconds: self.realm.credentials_last.as_seconds(),
            idle_seconds: self.realm.pace.idle().map(Lifetime::as_seconds),
            kinds: kinds.collect(),
        };
        Ok(Answer::json(
            200,
            &Me {
                realm: self.realm.name.as_str(),
                client_id: caller.client_id.as_str(),
                scope: &caller.scope,
                reach: if caller.is_for_all { "all" } else { "own" },
                user: caller.user.as_ref().map(Person::of),
                roles: &caller.roles,
                credentials,
            },
        )?)
    }

    pub(super) fn roles(&self) -> Result<Answer, Stop> {
        let items = self.config.role_words().iter().map(|words| Named {
            name: words.role.as_str(),
            description: words.description.as_deref(),
            kind: words.kind.as_deref(),
        });
        Ok(Answer::json(200, &Page { items: items.collect(), next: None })?)
    }
}
