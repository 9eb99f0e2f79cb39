//! People: who may sign in here, and what they may do.

use serde_json::{Value, json};

use crate::console::credentials::set;
use crate::console::desk::{Desk, Halt, alert, etag_again};
use crate::console::page::Act;
use crate::console::secrets::Ending;
use crate::console::sheet::{
    Block, Cell, Field, Line, Sheet, Tick, danger_link, line, link, main_link, ticked, ticks,
};
use crate::console::words::{is_so, list, moment, number, segment, text, texts, words};
use crate::console::{Api, ApiAnswer};
use crate::http::{Answer, Form};

/// Where they are below the console, and at the API.
const PLACE: &str = "/people";
const API: &str = "/users";

pub(super) async fn show<A: Api>(
    desk: &Desk<'_, A>,
    act: Act,
    id: &str,
    form: Option<&Form>,
) -> Result<Answer, Halt> {
    match (act, form) {
        (Act::List, Some(form)) => create(desk, form).await,
        (Act::New, _) => {
            let sheet = sheet(desk, None).await?;
            desk.page(200, "New person", vec![sheet])
        }
        (Act::One, form) => one(desk, id, form).await,
        (Act::Delete | Act::SignOut | Act::Invite, form) => end(desk, act, id, form).await,
        _ => all(desk).await,
    }
}

const HEAD: &[&str] = &["Name", "Login", "E-mail", "Roles", "Since", "State"];

async fn all<A: Api>(desk: &Desk<'_, A>) -> Result<Answer, Halt> {
    let pairs = [("search", desk.said("search")), ("cursor", desk.said("cursor"))];
    let found = desk.get(API, &pairs).await?;
    let row = |one: &Value| {
        let name = Cell::Link(name_of(one).to_owned(), format!("{PLACE}/{}", segment(text(one, "id"))));
        let since = Cell::Text(moment(number(one, "created_at")));
        let (login, email) = (Cell::text(text(one, "login")), Cell::text(profile(one, "email")));
        vec![name, login, email, Cell::Text(texts(one, "roles").join(", ")), since, Cell::text(state(one))]
    };
    let rows = list(&found.body, "items").iter().map(row).collect();
    let table = Block::Table { label: "People", head: HEAD, rows };
    let links = Block::Links(vec![main_link("New person", format!("{PLACE}/new"))]);
    let empty = "There is nobody yet. Take somebody in, or invite them by mail.";
    let mut blocks = vec![links, desk.search(PLACE, "Search by name, login or e-mail")];
    blocks.extend(desk.listed(PLACE, &found, (table, empty), &["search"]));
    desk.page(200, "People", blocks)
}

fn state(one: &Value) -> &'static str {
    if is_so(one, "disabled") { "Disabled" } else { "Active" }
}

/// A member of the profile, wherever it stands.
#[inline(never)]
fn profile<'v>(one: &'v Value, name: &str) -> &'v str {
    let within = one.get("profile").map(|profile| text(profile, name)).unwrap_or_default();
    if within.is_empty() { text(one, name) } else { within }
}

#[inline(never)]
fn name_of(one: &Value) -> &str {
    let names = [profile(one, "name"), text(one, "login"), profile(one, "email"), text(one, "id")];
    names.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
}

/// The boxes of roles and internal scopes.
async fn rights<A: Api>(desk: &Desk<'_, A>, roles: &[&str], internal: &[&str]) -> Result<[Field; 2], Halt> {
    let found = desk.get("/roles", &[]).await?;
    let known = list(&found.body, "items").iter().map(|role| (text(role, "name"), text(role, "description")));
    let boxes = ticks("role:", known, roles);
    let roles = Field::Ticks { legend: "Roles".to_owned(), hint: "", boxes };
    let catalogue = desk.config.scopes();
    let kept = catalogue.all().filter(|scope| !catalogue.offers(scope));
    let kept = kept.map(|scope| (scope.as_str(), catalogue.words(scope)));
    let boxes = ticks("internal:", kept, internal);
    let hint = "Only whoever has one ticked here may be given it.";
    Ok([roles, Field::Ticks { legend: "Internal scopes".to_owned(), hint, boxes }])
}

/// One box of a form.
fn tick(name: &str, label: &str, is_ticked: bool) -> Field {
    let tick = Tick { name: name.to_owned(), label: label.to_owned(), words: String::new(), is_ticked };
    Field::Ticks { legend: String::new(), hint: "", boxes: vec![tick] }
}

/// The form of somebody new, with what was typed; a password is typed again.
async fn sheet<A: Api>(desk: &Desk<'_, A>, form: Option<&Form>) -> Result<Block, Halt> {
    let typed = |name: &str| form.and_then(|form| form.get(name)).unwrap_or_default();
    let chosen = |prefix: &str| form.map(|form| ticked(form, prefix)).unwrap_or_default();
    let login = line("login", "Login", typed("login"), "An e-mail address, or another name to sign in with.");
    let hint = "8 to 128 characters. Empty: they are invited, or reset it by mail.";
    let mut fields = vec![
        desk.once(),
        Field::Line(Line { is_needed: true, ..login }),
        Field::Line(line("name", "Name", typed("name"), "")),
        Field::Line(Line { kind: "email", ..line("email", "E-mail", typed("email"), "") }),
        Field::Line(Line { kind: "password", ..line("password", "Password", "", hint) }),
        tick("invite", "Send them a mail with a link to choose a password", !typed("invite").is_empty()),
    ];
    fields.extend(rights(desk, &chosen("role:"), &chosen("internal:")).await?);
    Ok(Block::Form(Sheet { back: PLACE.to_owned(), ..Sheet::new(PLACE, "Take them in", fields) }))
}

async fn create<A: Api>(desk: &Desk<'_, A>, form: &Form) -> Result<Answer, Halt> {
    let said = |name: &str| form.get(name).unwrap_or_default();
    let mut body = json!({ "login": said("login"), "roles": ticked(form, "role:") });
    let mut profile = json!({});
    for name in ["name", "email"] {
        if !said(name).is_empty() {
            set(&mut profile, name, json!(said(name)));
        }
    }
    set(&mut body, "profile", profile);
    let internal = ticked(form, "internal:").join(" ");
    if !internal.is_empty() {
        set(&mut body, "internal_scopes", json!(internal));
    }
    if !said("password").is_empty() {
        set(&mut body, "password", json!(said("password")));
    }
    if !said("invite").is_empty() {
        set(&mut body, "invite", json!(true));
    }
    let made = desk.make(API, form, body).await?;
    if made.is_good() {
        return Ok(desk.go(&format!("{PLACE}/{}?done=saved", segment(text(&made.body, "id")))));
    }
    let sheet = sheet(desk, Some(form)).await?;
    desk.page(made.status, "New person", vec![alert(&made), sheet])
}

async fn one<A: Api>(desk: &Desk<'_, A>, id: &str, form: Option<&Form>) -> Result<Answer, Halt> {
    let (path, place) = (format!("{API}/{}", segment(id)), format!("{PLACE}/{}", segment(id)));
    let (mut blocks, mut status) = (Vec::new(), 200);
    if let Some(form) = form {
        let body = json!({
            "roles": ticked(form, "role:"),
            "internal_scopes": ticked(form, "internal:").join(" "),
            "disabled": form.get("disabled").is_some(),
        });
        let changed = desk.change("PATCH", &path, form, Some(body)).await?;
        if changed.is_good() {
            return Ok(desk.go(&format!("{place}?done=saved")));
        }
        status = changed.status;
        blocks.push(alert(&changed));
    }
    let found = desk.get(&path, &[]).await?;
    blocks.extend(view(desk, &place, &found, (form, status)).await?);
    desk.page(status, name_of(&found.body), blocks)
}

async fn view<A: Api>(
    desk: &Desk<'_, A>,
    place: &str,
    found: &ApiAnswer,
    (form, status): (Option<&Form>, u16),
) -> Result<Vec<Block>, Halt> {
    let one = &found.body;
    let facts = vec![
        ("User ID", Cell::text(text(one, "id"))),
        ("Login", Cell::text(text(one, "login"))),
        ("E-mail", Cell::text(profile(one, "email"))),
        ("Roles", Cell::Text(texts(one, "roles").join(", "))),
        ("Internal scopes", Cell::text(text(one, "internal_scopes"))),
        ("State", Cell::text(state(one))),
    ];
    let mut links = vec![
        link("Sign out everywhere", format!("{place}/sign-out")),
        link("Send a link to choose a password", format!("{place}/invitation")),
        danger_link("Delete", format!("{place}/delete")),
    ];
    if desk.may("sessions:manage") {
        links.insert(0, link("Sessions", format!("/sessions?user={}", segment(text(one, "id")))));
    }
    let (mut roles, mut internal) = (texts(one, "roles"), words(text(one, "internal_scopes")));
    if let Some(form) = form {
        (roles, internal) = (ticked(form, "role:"), ticked(form, "internal:"));
    }
    let is_disabled = form.map_or_else(|| is_so(one, "disabled"), |form| form.get("disabled").is_some());
    let mut fields = vec![etag_again(found, form, status)];
    fields.extend(rights(desk, &roles, &internal).await?);
    fields.push(tick(
        "disabled",
        "Disabled: they cannot sign in, and everything that acts for them stops",
        is_disabled,
    ));
    let what = "Other roles, an internal scope less and disabling end every session of theirs. A role that they lose leaves their credentials for good: with the role it does not come back to them.";
    let sheet = Block::Form(Sheet::new(place, "Save", fields));
    Ok(vec![Block::Facts(facts), Block::Links(links), Block::Heading("Change"), Block::text(what), sheet])
}

/// Asks before something ends, or a mail goes out.
async fn end<A: Api>(desk: &Desk<'_, A>, act: Act, id: &str, form: Option<&Form>) -> Result<Answer, Halt> {
    let (path, place) = (format!("{API}/{}", segment(id)), format!("{PLACE}/{}", segment(id)));
    let found = desk.get(&path, &[]).await?;
    let name = name_of(&found.body);
    let (title, what, button, at, next) = match act {
        Act::Delete => (
            format!("Delete {name}?"),
            "Every session of theirs ends, and their credentials and applications go with them. It cannot be brought back.",
            "Delete them",
            "/delete",
            format!("{PLACE}?done=gone"),
        ),
        Act::SignOut => (
            format!("Sign {name} out everywhere?"),
            "Every session of theirs ends. They, and what acts for them, have to sign in again.",
            "Sign them out",
            "/sign-out",
            format!("{place}?done=ended"),
        ),
        _ => (
            format!("Write to {name}?"),
            "They get a mail with a link to choose a password.",
            "Send the mail",
            "/invitation",
            format!("{place}?done=sent"),
        ),
    };
    let is_delete = act == Act::Delete;
    let ending = Ending {
        method: if is_delete { "DELETE" } else { "POST" },
        path: if is_delete { path } else { format!("{path}{at}") },
        title,
        what: vec![Block::text(what)],
        button,
        action: format!("{place}{at}"),
        back: place,
        next: &next,
        now_is: is_delete.then_some(&found),
    };
    ending.ask(desk, form).await
}
