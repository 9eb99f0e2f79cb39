//! Sessions: `/{realm}/api/v1/sessions`.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /sessions` | 200: those that are open of the caller; of a `user` or a `client`, for whoever may manage that |
//! | `DELETE /sessions/{id}` | 204: it is over. One that is over, or not the caller's to end, is 404 |
//!
//! Nobody lists the sessions of a realm: each principal knows its own.

use serde::Serialize;

use crate::http::Answer;
use crate::id::{ClientId, Locator, SessionId, UserId};
use crate::oauth::Stop;
use crate::port::{Clients, Ports, Users};
use crate::principal::{self, Question, SessionView};
use crate::scope::ScopeSet;
use crate::time::Lifetime;

use super::guard::{Caller, Context};
use super::operation::Operation;
use super::problem::{not_found, refused};
use super::request::Request;
use super::shown::Page;

/// A session, as whoever may end it sees it.
#[derive(Serialize)]
struct Shown<'a> {
    id: String,
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_name: Option<&'a str>,
    scope: &'a ScopeSet,
    opened_at: u64,
    last_used_at: u64,
    ends_at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    idle_seconds: Option<u64>,
}

impl<'a> Shown<'a> {
    fn of(locator: Locator, view: &'a SessionView) -> Option<Self> {
        Some(Self {
            id: SessionId::named(locator, &view.local).ok()?.to_string(),
            client_id: view.client_id.as_str(),
            client_name: view.client_name.as_deref(),
            scope: &view.scope,
            opened_at: view.opened_at.as_seconds(),
            last_used_at: view.last_used.as_seconds(),
            ends_at: view.ends_at.as_seconds(),
            idle_seconds: view.idle.map(Lifetime::as_seconds),
        })
    }
}

impl<P: Ports> Context<'_, P> {
    /// Does what is asked for.
    ///
    /// # Errors
    /// An answer that is none of what was asked for, or trouble of ours.
    pub(super) async fn sessions(&self, caller: &Caller, request: &Request<'_>) -> Result<Answer, Stop> {
        if request.operation == Operation::ListSessions {
            return self.list_sessions(caller, request).await;
        }
        let session: SessionId = request.id.parse().map_err(|_| not_found())?;
        if !caller.reaches(session.locator()) {
            return Err(not_found());
        }
        // Nobody's session of another realm.
        let question =
            Question::OfRealm(self.realm.name.clone(), Box::new(Question::EndSession(session.local())));
        match self.ask_as(caller, session.locator(), question).await? {
            principal::Answer::Done => Ok(Answer::empty(204)),
            principal::Answer::Refused(why) => Err(refused(why)),
            _ => Err(principal::Answer::unexpected("end session").into()),
        }
    }

    async fn list_sessions(&self, caller: &Caller, request: &Request<'_>) -> Result<Answer, Stop> {
        let wanted = request.wanted()?;
        let (user, client) = (wanted.parsed::<UserId>("user")?, wanted.parsed::<ClientId>("client")?);
        let locator = match (&user, &client) {
            (Some(user), _) => {
                self.ports.users().find(&self.realm.name, user).await?.map(|place| place.locator)
            }
            (None, Some(_)) if !caller.is_for_all => Some(caller.locator),
            (None, Some(client)) => {
                self.ports.clients().find(&self.realm.name, client).await?.map(|client| client.locator)
            }
            (None, None) => Some(caller.locator),
        };
        let locator = locator.filter(|locator| caller.reaches(*locator)).ok_or_else(not_found)?;
        let views = match self.ask_here(locator, Question::ListSessions(client)).await? {
            principal::Answer::Sessions(views) => views,
            principal::Answer::Refused(why) => return Err(refused(why)),
            _ => return Err(principal::Answer::unexpected("list sessions").into()),
        };
        // They are in order of their last use, and come and go: a page begins behind as many as were shown.
        let from = wanted.after.and_then(|after| after.id.parse::<usize>().ok()).unwrap_or_default();
        let to = from.saturating_add(wanted.limit);
        let next = (views.len() > to)
            .then(|| crate::directory::Cursor { sort: String::new(), id: to.to_string() }.written());
        let shown = views.iter().skip(from).take(wanted.limit);
        let items = shown.filter_map(|view| Shown::of(locator, view)).collect();
        Ok(Answer::json(200, &Page { items, next })?)
    }
}
