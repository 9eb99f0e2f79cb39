//! The console: pages at `/{realm}/console` through which people manage what the management API has.
//!
//! It is a client of that API and of the realm's own sign-in, in the same worker: whoever has no token goes through
//! [`crate::people::authorize`], comes back with a code, and the access token of it stays in a cookie of this browser. Each page asks the
//! API with that token ([`Api`]) and shows what it answers. So a page can do nothing that the API would not let its person do.
//!
//! 1. No token, or one that the API does not take any more: a page is asked for again after a sign-in, a form is not.
//! 2. A form comes from a page of this browser, while its token counts: else 403. A creation names itself, so that sending it twice makes
//!    one thing.
//! 3. What the API refuses is told on the page, and what was typed stays. What ends something is asked first.
//!
//! **In scope**: pages. **Out of scope**: every rule about who may do what ([`crate::api`]).

mod applications;
mod approvals;
mod audit;
mod client;
mod configuration;
mod credentials;
mod desk;
mod environments;
mod in_process;
mod jar;
mod keys;
mod page;
mod people;
mod secrets;
mod sessions;
mod sheet;
mod sign_in;
mod trip;
mod words;

use serde_json::Value;

use crate::config::{Config, Realm};
use crate::error::Fault;
use crate::http::{Answer, Form, Head};
use crate::oauth::Stop;
use crate::port::{Body, Ports};
use crate::principal::MAX_DOCUMENT;
use crate::time::Timestamp;

pub use in_process::InProcess;
pub use page::{Act, Page, Section};

use desk::{Desk, Halt};
use sign_in::Door;

/// What the console asks the management API.
#[derive(Clone, Debug)]
pub struct ApiCall<'a> {
    /// At which realm.
    pub realm: &'a Realm,
    /// The access token of whoever asks.
    pub token: &'a str,
    /// The method.
    pub method: &'static str,
    /// The path, below `/{realm}/api/v1`.
    pub path: &'a str,
    /// The query, without its `?`; empty: none.
    pub query: String,
    /// The body: JSON.
    pub body: Option<String>,
    /// `If-Match`.
    pub if_match: Option<String>,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<String>,
}

/// What the management API answers.
#[derive(Clone, Debug, Default)]
pub struct ApiAnswer {
    /// The status.
    pub status: u16,
    /// `ETag`.
    pub etag: Option<String>,
    /// The body; null where there is none.
    pub body: Value,
    /// The same as it came.
    pub text: String,
}

impl ApiAnswer {
    /// Whether it was done.
    const fn is_good(&self) -> bool {
        self.status >= 200 && self.status < 300
    }
}

/// The management API, as far as the console needs one.
#[expect(async_fn_in_trait, reason = "one isolate, one thread: no Send bound is wanted")]
pub trait Api {
    /// Asks.
    ///
    /// # Errors
    /// Trouble of ours; whatever the API answers is none.
    async fn ask(&self, call: &ApiCall<'_>) -> Result<ApiAnswer, Fault>;
}

/// The largest form: what the API takes at most, with every character escaped.
const MAX_FORM: usize = 96 * 1024;

/// The same with a document in it, of somebody who may put one.
const MAX_LARGE: usize = 3 * MAX_DOCUMENT;

/// One request of a browser to the console.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Which page, and what it is about: the name in its path.
    pub page: Page,
    /// The name in its path; empty: none.
    pub id: &'a str,
    /// The path below the realm.
    pub below: &'a str,
    /// The request.
    pub head: &'a Head<'a>,
    /// When it came.
    pub now: Timestamp,
}

/// Answers a request for a page of the console, or what one sends.
///
/// # Errors
/// A page that says what is wrong, or trouble of ours.
pub async fn serve<P: Ports, A: Api>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    asked: Asked<'_>,
    body: &mut impl Body,
    api: &A,
) -> Result<Answer, Stop> {
    let door = Door::new(config, ports, realm, &asked)?;
    if asked.page.section == Section::Callback {
        return door.come_back().await;
    }
    let is_post = asked.head.method == "POST";
    let Some(token) = door.jar.token(realm.name.as_str()) else { return door.enter(is_post, None).await };
    // Nobody's large form is held before it is known who they are.
    let known = match (is_post, asked.page.section) {
        (true, Section::Configuration) => Some(Desk::open(&door, &asked, &token, api).await),
        _ => None,
    };
    let is_large = known.as_ref().is_some_and(|desk| desk.as_ref().is_ok_and(Desk::may_configure));
    let most = if is_large { MAX_LARGE } else { MAX_FORM };
    let form = if is_post { Some(read(&asked, body, most).await?) } else { None };
    if form.as_ref().is_some_and(|form| !door.is_proved(&token, form)) {
        let text = "This page was opened before you last signed in, or in another browser. Open it again.";
        return door.says(403, "Nothing was changed", text);
    }
    if asked.page.section == Section::SignOut {
        return door.leave(&token).await;
    }
    let opened = match known {
        Some(opened) => opened,
        None => Desk::open(&door, &asked, &token, api).await,
    };
    let told = match opened {
        Ok(desk) => page::show(&desk, asked.page, asked.id, form.as_ref()).await,
        Err(halt) => Err(halt),
    };
    match told {
        Ok(answer) => Ok(answer),
        Err(Halt::Answer(answer)) => Err(Stop::Answer(answer)),
        Err(Halt::Fault(fault)) => Err(fault.into()),
        Err(Halt::SignIn) => door.enter(is_post, Some(&token)).await,
    }
}

async fn read(asked: &Asked<'_>, body: &mut impl Body, most: usize) -> Result<Form, Stop> {
    let bytes = body.read(most).await?.unwrap_or_default();
    Ok(Form::parse(asked.head.headers.get("content-type").as_deref(), &bytes)?)
}
