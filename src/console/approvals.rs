//! Approvals: internal scopes that applications and credentials wait for.

use serde_json::{Value, json};

use crate::console::Api;
use crate::console::credentials::owner_of;
use crate::console::desk::{Desk, Halt, alert, etag};
use crate::console::secrets::name_of;
use crate::console::sheet::{Block, Cell, Field, Sheet, ticked, ticks};
use crate::console::words::{list, segment, text, words};
use crate::http::{Answer, Form};

const PLACE: &str = "/approvals";

pub(super) async fn show<A: Api>(desk: &Desk<'_, A>, id: &str, form: Option<&Form>) -> Result<Answer, Halt> {
    if id.is_empty() { all(desk).await } else { one(desk, id, form).await }
}

const HEAD: &[&str] = &["Name", "Whose", "Waits for"];

async fn all<A: Api>(desk: &Desk<'_, A>) -> Result<Answer, Halt> {
    let found = desk.get("/clients", &[("waiting", "true"), ("cursor", desk.said("cursor"))]).await?;
    let row = |one: &Value| {
        let at = format!("{PLACE}/{}", segment(text(one, "client_id")));
        let name = Cell::Link(name_of(one).to_owned(), at);
        vec![name, Cell::text(owner_of(one)), Cell::Text(words(text(one, "waiting_scope")).join(", "))]
    };
    let rows = list(&found.body, "items").iter().map(row).collect();
    let table = Block::Table { label: "Waiting", head: HEAD, rows };
    let empty = "Nothing waits. When somebody asks for an internal scope, it stands here until you decide.";
    desk.page(200, "Approvals", desk.listed(PLACE, &found, (table, empty), &[]))
}

async fn one<A: Api>(desk: &Desk<'_, A>, id: &str, form: Option<&Form>) -> Result<Answer, Halt> {
    let path = format!("/clients/{}", segment(id));
    let (mut blocks, mut status) = (Vec::new(), 200);
    if let Some(form) = form {
        let body = json!({ "scope": ticked(form, "scope:").join(" ") });
        let decided = desk.change("POST", &format!("{path}/approval"), form, Some(body)).await?;
        if decided.is_good() {
            return Ok(desk.go("/approvals?done=decided"));
        }
        status = decided.status;
        blocks.push(alert(&decided));
    }
    let found = desk.get(&path, &[]).await?;
    let one = &found.body;
    let waiting = words(text(one, "waiting_scope"));
    blocks.push(Block::Facts(vec![
        ("Client ID", Cell::text(text(one, "client_id"))),
        ("Whose", Cell::text(owner_of(one))),
        ("Has", Cell::text(text(one, "scope"))),
    ]));
    if waiting.is_empty() {
        blocks.push(Block::text("It waits for nothing."));
    } else {
        let chosen = form.map(|form| ticked(form, "scope:")).unwrap_or_default();
        let catalogue = desk.config.scopes();
        let of = |name: &str| name.parse().map(|scope| catalogue.words(&scope)).unwrap_or_default();
        let boxes = ticks("scope:", waiting.into_iter().map(|name| (name, of(name))), &chosen);
        let legend = "Approve".to_owned();
        let field = Field::Ticks { legend, hint: "What is not ticked is refused.", boxes };
        let sheet = Sheet::new(format!("{PLACE}/{}", segment(id)), "Decide", vec![etag(&found), field]);
        blocks.push(Block::Form(Sheet { back: PLACE.to_owned(), ..sheet }));
    }
    desk.page(status, &format!("Approve of {}?", name_of(one)), blocks)
}
