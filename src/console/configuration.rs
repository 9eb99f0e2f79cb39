//! Configuration: the document that counts, another one in its place, and those before it.

use serde_json::{Value, json};

use crate::console::desk::{Desk, Halt, alert, etag};
use crate::console::sheet::{Block, Cell, Field, Line, Sheet, line};
use crate::console::words::{is_so, list, moment, number, segment, text, texts};
use crate::console::{Api, ApiCall};
use crate::http::{Answer, Form};

const PLACE: &str = "/configuration";

pub(super) async fn show<A: Api>(desk: &Desk<'_, A>, id: &str, form: Option<&Form>) -> Result<Answer, Halt> {
    if !id.is_empty() {
        return version(desk, id, form).await;
    }
    let (mut blocks, mut status) = (Vec::new(), 200);
    if let Some(form) = form {
        match send(desk, form).await? {
            Ok(()) if form.get("action") == Some("save") => {
                return Ok(desk.go("/configuration?done=saved"));
            }
            Ok(()) => blocks.push(Block::Done("This document is good. Nothing was saved.".to_owned())),
            Err((refused, wrong)) => {
                status = refused;
                blocks.extend(wrong);
            }
        }
    }
    let found = desk.get("/config", &[]).await?;
    let versions = desk.get("/config/versions", &[]).await?;
    let now_is = pretty(&found.body);
    let typed = form.and_then(|form| form.get("document"));
    let hint = "Secrets never stand in it.";
    let document = line("document", "The document", typed.unwrap_or(&now_is), hint);
    // After a conflict the next attempt is about what is there now, which is shown.
    let fields = vec![etag(&found), Field::Area(Line { is_needed: true, ..document }, 24)];
    let sheet = Sheet::new(PLACE, "", fields);
    let buttons = vec![("save", "Save"), ("validate", "Only look whether it is good")];
    blocks.push(Block::Form(Sheet { buttons, ..sheet }));
    if status == 412 {
        blocks.push(Block::Output { id: "now", label: "What counts now", text: now_is, save: "" });
    }
    blocks.push(Block::Heading("Versions"));
    blocks.push(table(list(&versions.body, "items")));
    desk.page(status, "Configuration", blocks)
}

/// Has a document looked at, or saved. What is wrong with it otherwise, and with which status.
async fn send<A: Api>(desk: &Desk<'_, A>, form: &Form) -> Result<Result<(), (u16, Vec<Block>)>, Halt> {
    let typed = form.get("document").unwrap_or_default();
    // A member that stands twice would silently be one.
    let document = crate::json::object(typed.as_bytes()).ok().and_then(|_| serde_json::from_str(typed).ok());
    let Some(document) = document else {
        let text = "This is no JSON object, or a member stands in it twice.";
        return Ok(Err((400, vec![Block::Alert(text.to_owned())])));
    };
    let sent = if form.get("action") == Some("save") {
        desk.change("PUT", "/config", form, Some(document)).await?
    } else {
        let call = desk.call("POST", "/config/validate");
        desk.ask(&ApiCall { body: Some(document), ..call }).await?
    };
    if sent.is_good() {
        return Ok(Ok(()));
    }
    let errors: Vec<_> = texts(&sent.body, "errors").into_iter().map(str::to_owned).collect();
    let mut blocks = vec![alert(&sent)];
    if !errors.is_empty() {
        blocks.push(Block::List(errors));
    }
    Ok(Err((sent.status, blocks)))
}

fn pretty(document: &Value) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}

const HEAD: &[&str] = &["Version", "Saved", "By", "State"];

fn table(versions: &[Value]) -> Block {
    let row = |one: &Value| {
        let id = of_version(one);
        let at = format!("{PLACE}/{}", segment(&id));
        let by = one.get("by").unwrap_or(&Value::Null);
        let names =
            [by.as_str().unwrap_or_default(), text(by, "login"), text(by, "client_id"), text(by, "kind")];
        let by = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        let state = if is_so(one, "current") { "Counts now" } else { "" };
        vec![Cell::Link(id, at), Cell::Text(moment(number(one, "at"))), Cell::text(by), Cell::text(state)]
    };
    if versions.is_empty() {
        return Block::text(
            "There is no version yet: what counts is the document that was deployed with the worker.",
        );
    }
    Block::Table { label: "Versions", head: HEAD, rows: versions.iter().map(row).collect() }
}

/// What a version is called, a number or a text.
fn of_version(one: &Value) -> String {
    let version = one.get("version").unwrap_or(&Value::Null);
    version.as_str().map_or_else(|| version.to_string(), str::to_owned)
}

/// One version, and the way back to it.
async fn version<A: Api>(desk: &Desk<'_, A>, id: &str, form: Option<&Form>) -> Result<Answer, Halt> {
    let path = format!("/config/versions/{}", segment(id));
    let (mut blocks, mut status) = (Vec::new(), 200);
    if let Some(form) = form {
        let restored = desk.change("POST", &format!("{path}/restore"), form, Some(json!({}))).await?;
        if restored.is_good() {
            return Ok(desk.go("/configuration?done=saved"));
        }
        status = restored.status;
        blocks.push(alert(&restored));
    }
    let found = desk.get(&path, &[]).await?;
    blocks.push(Block::Output {
        id: "document",
        label: "The document",
        text: pretty(&found.body),
        save: "tollgate.json",
    });
    blocks.push(Block::text("Rolled back to it, this document counts in place of the one that counts now, which stays among the versions."));
    let sheet = Sheet::new(format!("{PLACE}/{}", segment(id)), "Roll back to it", Vec::new());
    blocks.push(Block::Form(Sheet { is_danger: true, back: PLACE.to_owned(), ..sheet }));
    desk.page(status, &format!("Version {id}"), blocks)
}
