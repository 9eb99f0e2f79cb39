//! Applications: clients that people sign in to, or that act for themselves.

use serde_json::{Value, json};

use crate::console::credentials::{owner_of, scopes, set};
use crate::console::desk::{Desk, Halt, alert, etag_again};
use crate::console::page::Act;
use crate::console::secrets::{self, Ending, breaks, history, name_of};
use crate::console::sheet::{Block, Cell, Field, Line, Sheet, danger_link, line, link, main_link, ticked};
use crate::console::words::{list, moment, number, segment, text, texts, words};
use crate::console::{Api, ApiAnswer, environments};
use crate::http::{Answer, Form};

/// Where they are below the console, and at the API.
pub(super) const PLACE: &str = "/applications";
pub(super) const API: &str = "/clients";

pub(super) async fn show<A: Api>(
    desk: &Desk<'_, A>,
    act: Act,
    id: &str,
    form: Option<&Form>,
) -> Result<Answer, Halt> {
    match (act, form) {
        (Act::List, Some(form)) => create(desk, form).await,
        (Act::New, _) => {
            let draft = environments::copied(desk).await?.unwrap_or_else(|| Draft::new(&desk.once));
            desk.page(200, "New application", vec![draft.sheet(desk)])
        }
        (Act::One, form) => one(desk, id, form).await,
        (Act::Secret, form) => secrets::another(desk, (API, PLACE), id, form).await,
        (Act::Delete, form) => delete(desk, id, form).await,
        _ => all(desk).await,
    }
}

const HEAD: &[&str] = &["Name", "Client ID", "Whose", "Made", "Waits for approval"];

async fn all<A: Api>(desk: &Desk<'_, A>) -> Result<Answer, Halt> {
    let owner = desk.said("owner");
    let pairs = [("search", desk.said("search")), ("owner", owner), ("cursor", desk.said("cursor"))];
    let found = desk.get(API, &pairs).await?;
    let row = |one: &Value| {
        let id = text(one, "client_id");
        let name = Cell::Link(name_of(one).to_owned(), format!("{PLACE}/{}", segment(id)));
        let made = Cell::Text(moment(number(one, "created_at")));
        let waiting = Cell::Text(words(text(one, "waiting_scope")).join(", "));
        vec![name, Cell::text(id), Cell::text(owner_of(one)), made, waiting]
    };
    let rows = list(&found.body, "items").iter().map(row).collect();
    let table = Block::Table { label: "Applications", head: HEAD, rows };
    let mut links = vec![main_link("New application", format!("{PLACE}/new"))];
    if desk.sees_all() {
        let (label, query) = if owner == "me" { ("Everybody's", "") } else { ("Mine", "?owner=me") };
        links.push(link(label, format!("{PLACE}{query}")));
    }
    let empty = "There is no application yet. Register one, so that people can sign in to it, or so that it gets tokens for itself.";
    let mut blocks = vec![Block::Links(links), desk.search(PLACE, "Search by name or id")];
    blocks.extend(desk.listed(PLACE, &found, (table, empty), &["search", "owner"]));
    desk.page(200, "Applications", blocks)
}

/// What an application may be: what a form sends, in words, how it authenticates, and its grants.
const KINDS: [(&str, &str, &str, &[&str]); 3] = [
    (
        "server",
        "Confidential: people sign in to it, on a server that keeps its secret",
        "client_secret_basic",
        &["authorization_code", "refresh_token"],
    ),
    (
        "public",
        "Public: people sign in to it, in a browser or on a device; no secret",
        "none",
        &["authorization_code", "refresh_token"],
    ),
    (
        "service",
        "Confidential: it acts for itself, and nobody signs in to it",
        "client_secret_basic",
        &["client_credentials"],
    ),
];

/// What an application is to be, as a form has it.
#[derive(Debug, Default)]
pub(super) struct Draft {
    name: String,
    kind: String,
    redirect_uris: String,
    post_logout: String,
    scope: Vec<String>,
    software_id: String,
}

impl Draft {
    /// Nothing yet, but for what it will be known by in other realms.
    fn new(once: &str) -> Self {
        Self { software_id: once.to_owned(), ..Self::default() }
    }

    /// As it was typed.
    fn typed(form: &Form) -> Self {
        let said = |name| form.get(name).unwrap_or_default().to_owned();
        Self {
            name: said("name"),
            kind: said("kind"),
            redirect_uris: said("redirect_uris"),
            post_logout: said("post_logout"),
            scope: ticked(form, "scope:").into_iter().map(str::to_owned).collect(),
            software_id: said("software_id"),
        }
    }

    /// As the API has it. `with_waiting`: everything that it asks for, whether it waits or not.
    pub(super) fn of(client: &Value, with_waiting: bool) -> Self {
        let has = |grant| texts(client, "grant_types").contains(&grant);
        let kind = match text(client, "token_endpoint_auth_method") {
            "none" => "public",
            _ if has("authorization_code") => "server",
            _ => "service",
        };
        let mut asked = words(text(client, "scope"));
        if with_waiting {
            asked.extend(words(text(client, "waiting_scope")));
        }
        Self {
            name: name_of(client).to_owned(),
            kind: kind.to_owned(),
            redirect_uris: texts(client, "redirect_uris").join("\n"),
            post_logout: texts(client, "post_logout_redirect_uris").join("\n"),
            scope: asked.into_iter().map(str::to_owned).collect(),
            software_id: text(client, "software_id").to_owned(),
        }
    }

    /// What may be changed later.
    fn fields<A: Api>(&self, desk: &Desk<'_, A>) -> Vec<Field> {
        let name = line("name", "Name", &self.name, "People read it when they sign in.");
        let hint =
            "One in each line, compared byte for byte. An application that nobody signs in to has none.";
        let redirect = line("redirect_uris", "Redirect URIs", &self.redirect_uris, hint);
        let label = "Where people may go after they have signed out";
        let post_logout = line("post_logout", label, &self.post_logout, "One in each line.");
        let chosen: Vec<&str> = self.scope.iter().map(String::as_str).collect();
        vec![
            Field::Hidden("software_id", self.software_id.clone()),
            Field::Line(Line { is_needed: true, ..name }),
            Field::Area(redirect, 3),
            Field::Area(post_logout, 2),
            scopes(desk, &chosen, true),
        ]
    }

    /// The form of a new one.
    fn sheet<A: Api>(&self, desk: &Desk<'_, A>) -> Block {
        let options = KINDS.iter().map(|(kind, words, ..)| ((*kind).to_owned(), (*words).to_owned()));
        let kind = Field::Choice {
            name: "kind".to_owned(),
            label: "Kind".to_owned(),
            options: options.collect(),
            chosen: self.kind.clone(),
        };
        let mut fields = vec![desk.once(), kind];
        fields.extend(self.fields(desk));
        Block::Form(Sheet { back: PLACE.to_owned(), ..Sheet::new(PLACE, "Register it", fields) })
    }

    /// Puts what may be changed later into a document (RFC 7591 section 2).
    fn write(&self, metadata: &mut Value) {
        set(metadata, "client_name", json!(self.name));
        set(metadata, "redirect_uris", json!(words(&self.redirect_uris)));
        set(metadata, "post_logout_redirect_uris", json!(words(&self.post_logout)));
        set(metadata, "scope", json!(self.scope.join(" ")));
        if !self.software_id.is_empty() {
            set(metadata, "software_id", json!(self.software_id));
        }
    }
}

async fn create<A: Api>(desk: &Desk<'_, A>, form: &Form) -> Result<Answer, Halt> {
    let draft = Draft::typed(form);
    let kind = KINDS.iter().find(|(kind, ..)| *kind == draft.kind).or(KINDS.first());
    let mut body = json!({});
    if let Some((_, _, method, grants)) = kind {
        body = json!({ "token_endpoint_auth_method": method, "grant_types": grants });
    }
    draft.write(&mut body);
    let made = desk.make(API, form, body).await?;
    if made.is_good() {
        let title = format!("{} is registered", name_of(&made.body));
        return secrets::shown(desk, (&title, PLACE), &made.body);
    }
    desk.page(made.status, "New application", vec![alert(&made), draft.sheet(desk)])
}

/// What a registration keeps when it is replaced; whoever sees their own alone says nothing of the others.
const METADATA: [&str; 9] = [
    "client_id",
    "grant_types",
    "token_endpoint_auth_method",
    "id_token_signed_response_alg",
    "backchannel_logout_uri",
    "require_pushed_authorization_requests",
    "dpop_bound_access_tokens",
    "jwks",
    "software_id",
];
const GIVEN: [&str; 7] = [
    "roles",
    "expires_at",
    "access_token_seconds",
    "refresh_token_seconds",
    "idle_seconds",
    "session_seconds",
    "introspect",
];

/// The registration as it is, with what was typed in its place.
fn replaced<A: Api>(desk: &Desk<'_, A>, client: &Value, draft: &Draft) -> Value {
    let given: &[&str] = if desk.sees_all() { &GIVEN } else { &[] };
    let mut metadata = json!({});
    for name in METADATA.iter().chain(given) {
        if let Some(value) = client.get(*name) {
            set(&mut metadata, name, value.clone());
        }
    }
    draft.write(&mut metadata);
    metadata
}

async fn one<A: Api>(desk: &Desk<'_, A>, id: &str, form: Option<&Form>) -> Result<Answer, Halt> {
    let (path, place) = (format!("{API}/{}", segment(id)), format!("{PLACE}/{}", segment(id)));
    let mut found = desk.get(&path, &[]).await?;
    // Whoever may approve does so by ticking, and not by saving something else.
    let mut draft = Draft::of(&found.body, !desk.sees_all());
    let (mut blocks, mut status) = (Vec::new(), 200);
    if let Some(form) = form {
        draft = Draft::typed(form);
        let body = replaced(desk, &found.body, &draft);
        let changed = desk.change("PUT", &path, form, Some(body)).await?;
        if changed.is_good() {
            return Ok(desk.go(&format!("{place}?done=saved")));
        }
        status = changed.status;
        blocks.push(alert(&changed));
        found = desk.get(&path, &[]).await?;
    }
    if draft.software_id.is_empty() {
        draft.software_id.clone_from(&desk.once);
    }
    blocks.extend(view(&place, &found));
    blocks.extend(environments::beside(desk, &found.body).await?);
    blocks.push(Block::Heading("Change"));
    if desk.sees_all() && !text(&found.body, "waiting_scope").is_empty() {
        blocks.push(Block::text("What it waits for and is not ticked is refused when you save."));
    }
    let mut fields = draft.fields(desk);
    fields.push(etag_again(&found, form, status));
    blocks.push(Block::Form(Sheet::new(place, "Save", fields)));
    desk.page(status, name_of(&found.body), blocks)
}

fn view(place: &str, found: &ApiAnswer) -> Vec<Block> {
    let one = &found.body;
    let joined =
        |words: &[&str]| Cell::Text(if words.is_empty() { "–".to_owned() } else { words.join(", ") });
    let method = text(one, "token_endpoint_auth_method");
    let mut facts = vec![
        ("Client ID", Cell::text(text(one, "client_id"))),
        ("Whose", Cell::text(owner_of(one))),
        ("Made", Cell::Text(moment(number(one, "created_at")))),
        (
            "Authenticates by",
            Cell::text(if method == "none" { "PKCE alone: it has no secret" } else { method }),
        ),
        ("Grants", joined(&texts(one, "grant_types"))),
        ("Redirect URIs", joined(&texts(one, "redirect_uris"))),
        ("Scopes", joined(&words(text(one, "scope")))),
        ("Live sessions", Cell::Text(number(one, "live_sessions").unwrap_or_default().to_string())),
    ];
    let waiting = words(text(one, "waiting_scope"));
    if !waiting.is_empty() {
        facts.push(("Waits for approval", joined(&waiting)));
    }
    let mut links = vec![danger_link("Delete", format!("{place}/delete"))];
    if method.starts_with("client_secret") {
        links.insert(0, link("New secret", format!("{place}/secret")));
    }
    let mut blocks = vec![Block::Facts(facts), Block::Links(links)];
    blocks.extend(history(one));
    blocks
}

async fn delete<A: Api>(desk: &Desk<'_, A>, id: &str, form: Option<&Form>) -> Result<Answer, Halt> {
    let (path, place) = (format!("{API}/{}", segment(id)), format!("{PLACE}/{}", segment(id)));
    let found = desk.get(&path, &[]).await?;
    let ending = Ending {
        method: "DELETE",
        path,
        title: format!("Delete {}?", name_of(&found.body)),
        what: vec![
            Block::text("Nobody signs in to it any more, and it cannot be brought back."),
            breaks(&found.body),
        ],
        button: "Delete it",
        action: format!("{place}/delete"),
        back: place,
        next: "/applications?done=gone",
        now_is: Some(&found),
    };
    ending.ask(desk, form).await
}
