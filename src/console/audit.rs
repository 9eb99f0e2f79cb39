//! Audit: what was done, by whom, to what.

use serde_json::Value;

use crate::console::desk::{Desk, Halt};
use crate::console::page::Act;
use crate::console::sheet::{Block, Cell, Field, Line, Sheet, line, link};
use crate::console::words::{list, moment, number, of_form_day, query, text, texts};
use crate::console::{Api, ApiAnswer};
use crate::http::Answer;

const PLACE: &str = "/audit";

/// What one may look for.
const KEPT: [&str; 5] = ["principal", "client", "action", "since", "until"];

/// Pages of the longest export, and lines of each: 2,000 lines are some hundred kilobytes.
const PAGES: usize = 10;
const LINES: &str = "200";

pub(super) async fn show<A: Api>(desk: &Desk<'_, A>, act: Act) -> Result<Answer, Halt> {
    if act == Act::Export { export(desk).await } else { all(desk).await }
}

/// One page of what is looked for. Days are whole.
async fn ask<A: Api>(desk: &Desk<'_, A>, cursor: &str, limit: &str) -> Result<ApiAnswer, Halt> {
    let day = |name, more: u64| {
        let first = of_form_day(desk.said(name));
        first.map(|first| first.saturating_add(more).to_string()).unwrap_or_default()
    };
    let (since, until) = (day("since", 0), day("until", 86_399));
    let said = |name| (name, desk.said(name));
    let pairs = [
        said("principal"),
        said("client"),
        said("action"),
        ("since", since.as_str()),
        ("until", until.as_str()),
        ("cursor", cursor),
        ("limit", limit),
    ];
    desk.get(PLACE, &pairs).await
}

const HEAD: &[&str] = &["When", "Who", "What", "Of what", "Changed", "From"];

async fn all<A: Api>(desk: &Desk<'_, A>) -> Result<Answer, Halt> {
    let found = ask(desk, desk.said("cursor"), "").await?;
    let rows = list(&found.body, "items").iter().map(row).collect();
    let table = Block::Table { label: "Audit", head: HEAD, rows };
    let field = |(name, label, kind): (&'static str, &'static str, &'static str)| {
        Field::Line(Line { kind, ..line(name, label, desk.said(name), "") })
    };
    let fields = [
        ("principal", "User ID", "text"),
        ("client", "Client ID", "text"),
        ("action", "Action, such as credential.create", "text"),
        ("since", "From this day", "date"),
        ("until", "To this day", "date"),
    ];
    let sheet = Sheet::new(PLACE, "Show", fields.map(field).to_vec());
    let pairs = KEPT.map(|name| (name, desk.said(name)));
    let export = link("Export as JSON lines", format!("{PLACE}/export?{}", query(&pairs)));
    let mut blocks = vec![Block::Form(Sheet { is_search: true, ..sheet }), Block::Links(vec![export])];
    blocks.extend(desk.listed(PLACE, &found, (table, "Nothing was done yet."), &KEPT));
    desk.page(200, "Audit", blocks)
}

fn row(one: &Value) -> Vec<Cell> {
    let part = |name| one.get(name).unwrap_or(&Value::Null);
    let first = |names: &[&str], of: &Value| {
        let found = names.iter().map(|name| text(of, name)).find(|text| !text.is_empty());
        found.unwrap_or("–").to_owned()
    };
    let (actor, target) = (part("actor"), part("target"));
    vec![
        Cell::Text(moment(number(one, "at"))),
        Cell::Text(first(&["login", "user", "client_id", "kind"], actor)),
        Cell::text(text(one, "action")),
        Cell::Text(first(&["name", "id", "kind"], target)),
        Cell::Text(texts(one, "changes").join(", ")),
        Cell::Text(first(&["source"], actor)),
    ]
}

/// The newest lines of what is looked for, as a file.
async fn export<A: Api>(desk: &Desk<'_, A>) -> Result<Answer, Halt> {
    let (mut body, mut cursor) = (String::new(), String::new());
    for _ in 0..PAGES {
        let found = ask(desk, &cursor, LINES).await?;
        for one in list(&found.body, "items") {
            body.push_str(&one.to_string());
            body.push('\n');
        }
        text(&found.body, "next").clone_into(&mut cursor);
        if cursor.is_empty() {
            break;
        }
    }
    Ok(Answer { body, ..Answer::empty(200) }
        .with("Content-Type", "application/jsonl")
        .with("Content-Disposition", "attachment; filename=\"audit.jsonl\"")
        .with("X-Content-Type-Options", "nosniff"))
}
