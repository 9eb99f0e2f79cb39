//! Configuration: the document that counts, another one in its place, and those that were put before.

use serde_json::{Value, json};

use crate::console::desk::{Desk, Halt, alert, etag, etag_again};
use crate::console::sheet::{Block, Cell, Field, Line, Sheet, line};
use crate::console::words::{is_so, list, moment, number, segment, text};
use crate::console::{Api, ApiAnswer, ApiCall};
use crate::http::{Answer, Form};

const PLACE: &str = "/configuration";

pub(super) async fn show<A: Api>(desk: &Desk<'_, A>, id: &str, form: Option<&Form>) -> Result<Answer, Halt> {
    if !id.is_empty() {
        return version(desk, id, form).await;
    }
    let (mut blocks, mut status) = (Vec::new(), 200);
    if let Some(form) = form {
        let is_save = form.get("action") == Some("save");
        let sent = send(desk, form, is_save).await?;
        if sent.is_good() && is_save {
            return Ok(desk.go("/configuration?done=saved"));
        }
        if sent.is_good() {
            blocks.push(Block::Done("This document is good. Nothing was saved.".to_owned()));
        } else {
            status = sent.status;
            blocks.extend(wrong(&sent));
        }
    }
    let found = desk.get("/config", &[]).await?;
    let versions = desk.get("/config/versions", &[]).await?;
    let typed = form.and_then(|form| form.get("document"));
    let hint = "It counts at every edge within a minute and a half, and until another document is deployed. Secrets never stand in it.";
    let document = line("document", "The document", typed.unwrap_or(&found.text), hint);
    // After a conflict the next attempt is about what is there now, which is shown.
    let fields =
        vec![etag_again(&found, form, status), Field::Area(Line { is_needed: true, ..document }, 24)];
    let sheet = Sheet::new(PLACE, "", fields);
    let buttons = vec![("save", "Save"), ("validate", "Only look whether it is good")];
    blocks.push(Block::Form(Sheet { buttons, ..sheet }));
    if status == 412 {
        let label = "What counts now";
        blocks.push(Block::Output { id: "now", label, text: found.text.clone(), save: "" });
    }
    blocks.push(Block::Heading("Versions"));
    blocks.push(table(list(&versions.body, "items")));
    desk.page(status, "Configuration", blocks)
}

/// Has a document looked at, or saved in the place of the one that the form was made from.
async fn send<A: Api>(desk: &Desk<'_, A>, form: &Form, is_save: bool) -> Result<ApiAnswer, Halt> {
    // Browsers end the lines of a form as mail does.
    let document = form.get("document").unwrap_or_default().replace("\r\n", "\n");
    let call = if is_save { desk.call("PUT", "/config") } else { desk.call("POST", "/config/validate") };
    let if_match = form.get("etag").filter(|_| is_save).map(str::to_owned);
    desk.ask(&ApiCall { body: Some(document), if_match, ..call }).await
}

/// What is wrong: of a document where, and how to mend it.
fn wrong(answer: &ApiAnswer) -> Vec<Block> {
    let said = |one: &Value| format!("{}: {}", text(one, "path"), text(one, "problem"));
    let errors: Vec<_> = list(&answer.body, "errors").iter().map(said).collect();
    if errors.is_empty() {
        return vec![alert(answer)];
    }
    let title = "This document is not good, and nothing was changed.".to_owned();
    vec![Block::Alert(title), Block::List(errors)]
}

const HEAD: &[&str] = &["Version", "Saved", "By", "State"];

fn table(versions: &[Value]) -> Block {
    let row = |one: &Value| {
        let id = number(one, "version").unwrap_or_default().to_string();
        let at = format!("{PLACE}/{id}");
        let by = one.get("by").unwrap_or(&Value::Null);
        let names = [text(by, "login"), text(by, "user"), text(by, "client_id"), text(by, "kind")];
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

/// One version, and the way back to it.
async fn version<A: Api>(desk: &Desk<'_, A>, id: &str, form: Option<&Form>) -> Result<Answer, Halt> {
    let path = format!("/config/versions/{}", segment(id));
    let now_is = desk.get("/config", &[]).await?;
    let found = desk.get(&path, &[]).await?;
    let (mut blocks, mut status) = (Vec::new(), 200);
    if let Some(form) = form {
        let restored = desk.change("POST", &format!("{path}/restore"), form, Some(json!({}))).await?;
        if restored.is_good() {
            return Ok(desk.go("/configuration?done=saved"));
        }
        status = restored.status;
        blocks.extend(wrong(&restored));
    }
    let label = "The document";
    blocks.push(Block::Output { id: "document", label, text: found.text, save: "tollgate.json" });
    let what = "Rolled back to it, this document counts in place of the one that counts now, which stays among the versions.";
    blocks.push(Block::text(what));
    let sheet = Sheet::new(format!("{PLACE}/{}", segment(id)), "Roll back to it", vec![etag(&now_is)]);
    blocks.push(Block::Form(Sheet { is_danger: true, back: PLACE.to_owned(), ..sheet }));
    desk.page(status, &format!("Version {id}"), blocks)
}
