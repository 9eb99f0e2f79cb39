//! What credentials and applications have in common: secrets that are shown once, their dates, what was called, and what ends with them.

use serde_json::Value;

use crate::config::Realm;
use crate::console::desk::{Desk, Halt, alert, etag};
use crate::console::sheet::{Block, Cell, Field, Sheet, link};
use crate::console::words::{count, list, moment, number, segment, text};
use crate::console::{Api, ApiAnswer};
use crate::http::{Answer, Form};
use crate::policy::{Access, Method, Route};
use crate::scope::ScopeSet;

/// The page after a secret was made, which nobody sees again.
pub(super) fn shown<A: Api>(
    desk: &Desk<'_, A>,
    (title, place): (&str, &str),
    made: &Value,
) -> Result<Answer, Halt> {
    let (id, secret) = (text(made, "client_id"), text(made, "client_secret"));
    let before = list(made, "secrets").iter().find_map(|known| number(known, "expires_at"));
    let there = format!("{place}/{}", segment(id));
    let mut blocks = vec![output("client_id", "Client ID", id)];
    if secret.is_empty() {
        blocks.insert(0, Block::text("It has no secret: it proves itself by PKCE alone."));
    } else {
        let once = "This is the only time that the secret is shown. Copy it, or download the file, before you leave this page.";
        blocks.insert(0, Block::Done(once.to_owned()));
        if before.is_some() {
            blocks.insert(1, Block::Text(format!("The one before it counts until {}.", moment(before))));
        }
        blocks.extend(samples(desk.realm, id, secret, &example(desk, text(made, "scope"))));
    }
    blocks.push(Block::Links(vec![link("I have it", there)]));
    desk.page(200, title, blocks)
}

#[inline(never)]
fn output(id: &'static str, label: &'static str, text: &str) -> Block {
    Block::Output { id, label, text: text.to_owned(), save: "" }
}

/// An address of the API that a token with these scopes opens, or the first one.
fn example<A: Api>(desk: &Desk<'_, A>, scope: &str) -> String {
    let held: ScopeSet = scope.parse().unwrap_or_default();
    let opens = |route: &&&Route| match &route.access {
        Access::Anonymous => false,
        Access::Token { issuers, scopes, .. } => {
            issuers.contains(&desk.realm.issuer)
                && scopes.iter().all(|scope| scope.is_met(&held, desk.config.scopes()))
        }
    };
    let read: Vec<_> =
        desk.config.routes().iter().filter(|route| route.methods.contains(&Method::Get)).collect();
    let path = read.iter().find(opens).or(read.first()).map(|route| route.path.to_string());
    format!("{}{}", desk.realm.issuer.origin(), path.as_deref().unwrap_or("/"))
}

/// The same secret, as files, tools and people want it.
fn samples(realm: &Realm, id: &str, secret: &str, example: &str) -> Vec<Block> {
    let address = format!("{}/OAuth/Token", realm.issuer);
    let issuer = realm.issuer.as_str();
    let file = format!(
        "TOLLGATE_ISSUER={issuer}\nTOLLGATE_TOKEN_URL={address}\nTOLLGATE_CLIENT_ID={id}\nTOLLGATE_CLIENT_SECRET={secret}\n"
    );
    let token = format!(
        "curl -s '{address}' \\\n  -d grant_type=client_credentials \\\n  -d 'client_id={id}' \\\n  -d 'client_secret={secret}'"
    );
    let call = format!("curl -i '{example}' \\\n  -H \"Authorization: Bearer $TOKEN\"");
    let request = format!(
        "POST {address}\nContent-Type: application/x-www-form-urlencoded\n\ngrant_type: client_credentials\nclient_id: {id}\nclient_secret: {secret}"
    );
    vec![
        output("client_secret", "Client secret", secret),
        Block::Output { id: "env", label: "As a file of the environment", text: file, save: "tollgate.env" },
        output("curl-token", "Get a token", &token),
        output("curl-call", "Call an API with the token in $TOKEN", &call),
        output("request", "The request, field by field, for Postman and the like", &request),
    ]
}

/// When its secrets were made, end, and were last used; and what it has called.
pub(super) fn history(of: &Value) -> Vec<Block> {
    let date = |of: &Value, name| Cell::Text(moment(number(of, name)));
    let until = |one: &Value| match number(one, "expires_at") {
        None => Cell::text("there is another"),
        end => Cell::Text(moment(end)),
    };
    let secret = |one: &Value| vec![date(one, "created_at"), until(one), date(one, "last_used_at")];
    let used = |one: &Value| {
        let calls = number(one, "count").unwrap_or_default().to_string();
        vec![Cell::text(text(one, "route")), Cell::Text(calls), date(one, "first_at"), date(one, "last_at")]
    };
    let (secrets, usage) = (list(of, "secrets"), list(of, "usage"));
    let mut blocks = Vec::new();
    if !secrets.is_empty() {
        blocks.push(Block::Heading("Secrets"));
        let rows = secrets.iter().map(secret).collect();
        blocks.push(Block::Table { label: "Secrets", head: &["Made", "Counts until", "Last used"], rows });
    }
    blocks.push(Block::Heading("Calls"));
    if usage.is_empty() {
        blocks.push(Block::text("It has not called anything yet."));
    } else {
        let rows = usage.iter().map(used).collect();
        blocks.push(Block::Table { label: "Calls", head: &["Route", "Calls", "First", "Last"], rows });
    }
    blocks
}

/// Calls by route in one line.
pub(super) fn calls(of: &Value) -> String {
    let one = |used: &Value| format!("{} {}", text(used, "route"), number(used, "count").unwrap_or_default());
    let all: Vec<_> = list(of, "usage").iter().map(one).collect();
    if all.is_empty() { "–".to_owned() } else { all.join(", ") }
}

/// What ends with it.
pub(super) fn breaks(of: &Value) -> Block {
    let live = number(of, "live_sessions").unwrap_or_default();
    let ends = if live == 1 { "ends" } else { "end" };
    let mut lines = vec![format!("{} {ends}.", count(live, "live session"))];
    let routes: Vec<_> = list(of, "usage").iter().map(|used| text(used, "route")).collect();
    if !routes.is_empty() {
        lines.push(format!("Calls to {} stop.", routes.join(", ")));
    }
    Block::List(lines)
}

/// Asks for another secret and makes it. `place`: where such things are at the API, and below the console.
pub(super) async fn another<A: Api>(
    desk: &Desk<'_, A>,
    (api, place): (&str, &str),
    id: &str,
    form: Option<&Form>,
) -> Result<Answer, Halt> {
    let path = format!("{api}/{}", segment(id));
    let mut blocks = Vec::new();
    let mut status = 200;
    if let Some(form) = form {
        let overlap: u64 = form.get("overlap").and_then(|text| text.parse().ok()).unwrap_or_default();
        let body = serde_json::json!({ "overlap_seconds": overlap });
        let made = desk.change("POST", &format!("{path}/secret"), form, Some(body)).await?;
        if made.is_good() {
            let title = format!("The new secret of {}", name_of(&made.body));
            return shown(desk, (&title, place), &made.body);
        }
        blocks.push(alert(&made));
        status = made.status;
    }
    let found = desk.get(&path, &[]).await?;
    blocks.push(Block::text("The secret that counts now goes on counting for as long as you say. With “Ends at once”, this ends as well:"));
    blocks.push(breaks(&found.body));
    let options =
        [("0", "Ends at once"), ("3600", "Counts for an hour more"), ("86400", "Counts for a day more")];
    let choice = Field::Choice {
        name: "overlap".to_owned(),
        label: "The secret before it".to_owned(),
        options: options.map(|(value, words)| (value.to_owned(), words.to_owned())).to_vec(),
        chosen: form.and_then(|form| form.get("overlap")).unwrap_or("3600").to_owned(),
    };
    let there = format!("{place}/{}", segment(id));
    let sheet = Sheet::new(format!("{there}/secret"), "Make a new secret", vec![etag(&found), choice]);
    blocks.push(Block::Form(Sheet { back: there, ..sheet }));
    let title = format!("A new secret for {}?", name_of(&found.body));
    desk.page(status, &title, blocks)
}

/// What a credential or an application is called.
#[inline(never)]
pub(super) fn name_of(of: &Value) -> &str {
    [text(of, "name"), text(of, "client_name"), text(of, "client_id")]
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_default()
}

/// A page that asks before something ends, and ends it. `said`: its question, what its button says, and what the page behind it is told.
pub(super) struct Ending<'a> {
    /// What is asked of the API.
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) title: String,
    pub(super) what: Vec<Block>,
    pub(super) button: &'static str,
    /// Where the form goes, where one goes instead, and afterwards.
    pub(super) action: String,
    pub(super) back: String,
    pub(super) next: &'a str,
    /// What is there now, where it has versions.
    pub(super) now_is: Option<&'a ApiAnswer>,
}

impl Ending<'_> {
    pub(super) async fn ask<A: Api>(self, desk: &Desk<'_, A>, form: Option<&Form>) -> Result<Answer, Halt> {
        let mut blocks = Vec::new();
        let mut status = 200;
        if let Some(form) = form {
            let done = desk.change(self.method, &self.path, form, None).await?;
            if done.is_good() {
                return Ok(desk.go(self.next));
            }
            status = done.status;
            blocks.push(alert(&done));
        }
        blocks.extend(self.what);
        let fields = self.now_is.map(etag).into_iter().collect();
        let sheet = Sheet::new(self.action, self.button, fields);
        blocks.push(Block::Form(Sheet { is_danger: true, back: self.back, ..sheet }));
        desk.page(status, &self.title, blocks)
    }
}
