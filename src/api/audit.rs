//! What was done: `GET /{realm}/api/v1/audit`.
//!
//! The newest comes first. `principal` (a user's id), `client`, `action`, `since`, `until`, `limit`, `cursor`. With `Accept: application/jsonl` each
//! event is a line of its own, for whoever keeps them elsewhere; where there is more, `Link` leads there (RFC 8288).
//!
//! A person sees what was done to what is theirs, whoever did it, since they are there; from where, of what they did themselves.

use serde::Serialize;

use crate::directory::{Event, Find, List};
use crate::error::Fault;
use crate::http::Answer;
use crate::oauth::Stop;
use crate::port::Ports;
use crate::time::Timestamp;

use super::guard::{Caller, Context};
use super::problem::bad;
use super::request::Request;
use super::shown::Page;

/// An event. Its time is in seconds.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    at: u64,
    actor: &'a crate::directory::Actor,
    action: &'a str,
    target: &'a crate::directory::Target,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    changes: &'a [String],
}

impl<'a> Shown<'a> {
    fn of(event: &'a Event) -> Self {
        Self {
            id: &event.id,
            at: event.at.as_seconds(),
            actor: &event.actor,
            action: &event.action,
            target: &event.target,
            changes: &event.changes,
        }
    }
}

impl<P: Ports> Context<'_, P> {
    /// Does what is asked for.
    ///
    /// # Errors
    /// An answer that is none of what was asked for, or trouble of ours.
    pub(super) async fn audit(&self, caller: &Caller, request: &Request<'_>) -> Result<Answer, Stop> {
        let wanted = request.wanted()?;
        let action = wanted.get("action").map(str::to_owned);
        if action.as_ref().is_some_and(|action| action.len() > 64) {
            return Err(bad("action is the name of one, such as credential.create."));
        }
        let since = wanted.parsed("since")?.map(Timestamp::from_seconds);
        // Somebody before them may have had their login, and with it their place.
        let began = caller.user.as_ref().filter(|_| !caller.is_for_all).map(|user| user.created_at);
        let find = Find {
            owner: (!caller.is_for_all).then_some(caller.locator),
            actor: wanted.parsed("principal")?,
            client: wanted.parsed("client")?,
            action,
            since: since.max(began),
            until: wanted.parsed("until")?.map(Timestamp::from_seconds),
            after: wanted.after,
            ..Find::all(List::Events, wanted.limit)
        };
        let (texts, next) = self.find(find).await?;
        let read =
            |text: &String| crate::json::read(text).map_err(|e| Fault::new("read directory", e.to_string()));
        let mut events = texts.iter().map(read).collect::<Result<Vec<Event>, _>>()?;
        if !caller.is_for_all {
            let own = caller.user.as_ref().map(|user| &user.id);
            for event in &mut events {
                event.actor.keep_place_from(own);
            }
        }
        let items: Vec<_> = events.iter().map(Shown::of).collect();
        let accept = request.accept.as_deref().unwrap_or_default();
        if !accept.split([',', ';']).any(|kind| kind.trim() == "application/jsonl") {
            return Ok(Answer::json(200, &Page { items, next })?);
        }
        let mut body = String::new();
        for item in &items {
            body.push_str(&serde_json::to_string(item).map_err(|e| Fault::new("write json", e.to_string()))?);
            body.push('\n');
        }
        let answer = Answer { body, ..Answer::empty(200) }.with("Content-Type", "application/jsonl");
        let Some(next) = next else { return Ok(answer) };
        let query = request.query.unwrap_or_default();
        let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="));
        let query = kept.fold(String::new(), |query, pair| query + pair + "&");
        let next = format!("<{}/api/v1/audit?{query}cursor={next}>; rel=\"next\"", self.realm.issuer);
        Ok(answer.with("Link", next))
    }
}
