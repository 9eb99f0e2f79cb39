//! One request of somebody who is signed in to the console: what they ask the API, and the page that comes of it.

use serde_json::Value;

use crate::config::management::PLATFORM_ADMIN;
use crate::config::{Config, Realm};
use crate::console::jar::Jar;
use crate::console::page::{Section, WAYS};
use crate::console::sheet::{Block, ConsolePage, Link, Sheet, line, link};
use crate::console::sign_in::Door;
use crate::console::words::{list, query, text, words};
use crate::console::{Api, ApiAnswer, ApiCall, Asked, sheet::Field};
use crate::encoding::Digest;
use crate::error::Fault;
use crate::http::{Answer, Form};
use crate::oauth::Stop;
use crate::people::page::{answer, base, see_other};
use crate::port::Ports;
use crate::time::Timestamp;

/// What is wrong where what was to be changed is not any more what was seen.
const CONFLICT: &str = "Somebody else has changed this meanwhile, and nothing was saved. What it is now stands below; what you typed is still in the form.";

/// Why there is no page as it was asked for.
pub(super) enum Halt {
    /// Another answer.
    Answer(Box<Answer>),
    /// Trouble of ours.
    Fault(Fault),
    /// The token does not count any more.
    SignIn,
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Stop> for Halt {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Answer(answer) => Self::Answer(answer),
            Stop::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// What is told at the top of a page after something was done: how an address says it, and in words.
const DONE: [(&str, &str); 7] = [
    ("saved", "Saved."),
    ("gone", "Deleted."),
    ("ended", "Ended."),
    ("sent", "A mail is on its way."),
    ("decided", "Decided."),
    ("rotated", "The next key is published."),
    ("promoted", "The published key signs now."),
];

/// What whoever is signed in has before them.
pub(super) struct Desk<'a, A> {
    pub(super) config: &'a Config,
    pub(super) realm: &'a Realm,
    /// What this browser is signed in to.
    pub(super) jar: &'a Jar,
    /// What stands in the address.
    pub(super) said: Form,
    /// The host that the browser has asked.
    pub(super) host: &'a str,
    /// Who asks, as the API knows them.
    pub(super) me: Value,
    /// What a form names itself by, so that it is done once.
    pub(super) once: String,
    pub(super) now: Timestamp,
    api: &'a A,
    section: Section,
    token: &'a str,
    proof: String,
}

impl<'a, A: Api> Desk<'a, A> {
    /// Asks the API who this is.
    pub(super) async fn open<P: Ports>(
        door: &'a Door<'a, P>,
        asked: &Asked<'a>,
        token: &'a str,
        api: &'a A,
    ) -> Result<Self, Halt> {
        let mut desk = Self {
            config: door.config,
            realm: door.realm,
            jar: &door.jar,
            said: Form::of_query(asked.head.query.unwrap_or_default()).map_err(Stop::from)?,
            host: asked.head.authority,
            me: Value::Null,
            once: door.fresh()?,
            now: asked.now,
            api,
            section: asked.page.section,
            token,
            proof: door.proof(token),
        };
        desk.me = desk.get("/me", &[]).await?.body;
        Ok(desk)
    }

    /// A call, to be filled in.
    #[inline(never)]
    pub(super) fn call<'c>(&'c self, method: &'static str, path: &'c str) -> ApiCall<'c> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        ApiCall {
            realm: self.realm,
            token: self.token,
            method,
            path,
            query: query.to_owned(),
            body: None,
            if_match: None,
            idempotency_key: None,
        }
    }

    /// Asks the API. What it refuses is an answer.
    pub(super) async fn ask(&self, call: &ApiCall<'_>) -> Result<ApiAnswer, Halt> {
        let answer = self.api.ask(call).await?;
        if answer.status == 401 && call.token == self.token {
            return Err(Halt::SignIn);
        }
        Ok(answer)
    }

    /// Asks the API for what is there; what it refuses is a page.
    pub(super) async fn get(&self, path: &str, pairs: &[(&str, &str)]) -> Result<ApiAnswer, Halt> {
        let call = ApiCall { query: query(pairs), ..self.call("GET", path) };
        let answer = self.ask(&call).await?;
        if answer.is_good() { Ok(answer) } else { Err(self.refused(&answer)) }
    }

    /// Has the API do something to one thing, as it was when the form was made; what it refuses is an answer.
    pub(super) async fn change(
        &self,
        method: &'static str,
        path: &str,
        form: &Form,
        body: Option<Value>,
    ) -> Result<ApiAnswer, Halt> {
        let if_match = form.get("etag").map(str::to_owned);
        let body = body.map(|body| body.to_string());
        self.ask(&ApiCall { body, if_match, ..self.call(method, path) }).await
    }

    /// Has the API make something: once for each rendering of the form and what is typed in it. Whoever goes back and types something else
    /// wants something else.
    pub(super) async fn make(&self, path: &str, form: &Form, body: Value) -> Result<ApiAnswer, Halt> {
        let body = body.to_string();
        let typed = Digest::of(body.as_bytes());
        let idempotency_key = form.get("once").map(|once| format!("{once}.{typed}"));
        self.ask(&ApiCall { body: Some(body), idempotency_key, ..self.call("POST", path) }).await
    }

    /// What the form of something new carries.
    #[inline(never)]
    pub(super) fn once(&self) -> Field {
        Field::Hidden("once", self.once.clone())
    }

    /// What stands in the address; empty: nothing.
    #[inline(never)]
    pub(super) fn said(&self, name: &str) -> &str {
        self.said.get(name).unwrap_or_default()
    }

    /// Whether the person has a scope, or what implies all of them.
    #[inline(never)]
    pub(super) fn may(&self, scope: &str) -> bool {
        words(text(&self.me, "scope")).iter().any(|held| *held == scope || *held == PLATFORM_ADMIN)
    }

    /// Whether the configuration is managed from here.
    pub(super) fn manages_configuration(&self) -> bool {
        self.config.managed_from() == Some(&self.realm.name)
    }

    /// Whether they may put another one.
    pub(super) fn may_configure(&self) -> bool {
        self.manages_configuration() && self.may("config:manage")
    }

    /// Whether they see what is other people's.
    #[inline(never)]
    pub(super) fn sees_all(&self) -> bool {
        text(&self.me, "reach") == "all"
    }

    /// What the API says that it refuses, as a page.
    #[inline(never)]
    pub(super) fn refused(&self, answer: &ApiAnswer) -> Halt {
        let title = if answer.status == 404 { "There is no such thing" } else { "That did not work" };
        match self.page(answer.status, title, vec![alert(answer)]) {
            Ok(page) => Halt::Answer(Box::new(page)),
            Err(halt) => halt,
        }
    }

    /// A page that only says something.
    pub(super) fn says(&self, status: u16, text: &str) -> Result<Answer, Halt> {
        self.page(status, "Console", vec![Block::text(text)])
    }

    /// Goes somewhere in the console.
    #[inline(never)]
    pub(super) fn go(&self, path: &str) -> Answer {
        see_other(format!("{}/console{path}", base(self.realm)))
    }

    /// A page.
    pub(super) fn page(&self, status: u16, title: &str, mut blocks: Vec<Block>) -> Result<Answer, Halt> {
        let done = self.said("done");
        if let Some((_, words)) = DONE.iter().find(|(name, _)| *name == done) {
            blocks.insert(0, Block::Done((*words).to_owned()));
        }
        let links: Vec<Link> = WAYS
            .iter()
            .filter(|(section, _, _, scope)| {
                let is_here = *section != Section::Configuration || self.manages_configuration();
                is_here && self.may(scope)
            })
            .map(|(section, label, href, _)| Link { is_main: *section == self.section, ..link(label, *href) })
            .collect();
        let who = self.me.get("user").unwrap_or(&Value::Null);
        let profile = who.get("profile").unwrap_or(&Value::Null);
        let who = [text(profile, "name"), text(who, "login"), "Your account"];
        let who = who.into_iter().find(|name| !name.is_empty());
        let page = ConsolePage {
            base: &base(self.realm),
            realm: self.realm.name.as_str(),
            title,
            who: who.unwrap_or_default(),
            proof: &self.proof,
            links: &links,
            blocks: &blocks,
        };
        Ok(answer(status, &page, None)?)
    }

    /// A field to search by, and what else the search keeps.
    pub(super) fn search(&self, path: &str, label: &'static str) -> Block {
        let mut field = line("search", label, self.said("search"), "");
        field.kind = "search";
        let mut fields = vec![Field::Line(field)];
        if !self.said("owner").is_empty() {
            fields.push(Field::Hidden("owner", self.said("owner").to_owned()));
        }
        Block::Form(Sheet { is_search: true, ..Sheet::new(path, "Search", fields) })
    }

    /// What is on the page, or what to do where nothing is; and the way to what comes behind it.
    pub(super) fn listed(
        &self,
        path: &str,
        answer: &ApiAnswer,
        (table, empty): (Block, &str),
        kept: &[&str],
    ) -> Vec<Block> {
        if list(&answer.body, "items").is_empty() {
            let is_all = kept.iter().all(|name| self.said(name).is_empty());
            return vec![Block::text(if is_all { empty } else { "Nothing here is like that." })];
        }
        let mut pairs: Vec<_> = kept.iter().map(|name| (*name, self.said(name))).collect();
        let mut links = Vec::new();
        if !self.said("cursor").is_empty() {
            links.push(link("First", format!("{path}?{}", query(&pairs))));
        }
        let next = text(&answer.body, "next");
        if !next.is_empty() {
            pairs.push(("cursor", next));
            links.push(link("Next", format!("{path}?{}", query(&pairs))));
        }
        if links.is_empty() { vec![table] } else { vec![table, Block::Links(links)] }
    }
}

/// What the API says that is wrong.
#[inline(never)]
pub(super) fn alert(answer: &ApiAnswer) -> Block {
    let conflict = if answer.status == 412 { CONFLICT } else { "" };
    let otherwise = "That did not work. Try again in a moment.";
    let said = [conflict, text(&answer.body, "detail"), text(&answer.body, "title"), otherwise];
    Block::Alert(said.into_iter().find(|said| !said.is_empty()).unwrap_or_default().to_owned())
}

/// The form carries what it was made from, so that nothing that somebody else does meanwhile is lost.
#[inline(never)]
pub(super) fn etag(answer: &ApiAnswer) -> Field {
    Field::Hidden("etag", answer.etag.clone().unwrap_or_default())
}

/// The same of a form that comes again with what was typed in it. What it was made from stays what it was, but for where somebody has been told
/// that there is something else by now.
#[inline(never)]
pub(super) fn etag_again(answer: &ApiAnswer, form: Option<&Form>, status: u16) -> Field {
    match form.and_then(|form| form.get("etag")).filter(|_| status != 412) {
        Some(before) => Field::Hidden("etag", before.to_owned()),
        None => etag(answer),
    }
}
