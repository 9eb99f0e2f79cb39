//! Sessions: where somebody is signed in, and what acts for them.

use serde_json::Value;

use crate::console::Api;
use crate::console::desk::{Desk, Halt};
use crate::console::page::Act;
use crate::console::secrets::Ending;
use crate::console::sheet::{Block, Cell, Field, Sheet, line};
use crate::console::words::{list, moment, number, segment, text};
use crate::http::{Answer, Form};

const PLACE: &str = "/sessions";

pub(super) async fn show<A: Api>(
    desk: &Desk<'_, A>,
    act: Act,
    id: &str,
    form: Option<&Form>,
) -> Result<Answer, Halt> {
    if act == Act::Delete { end(desk, id, form).await } else { all(desk).await }
}

const HEAD: &[&str] = &["Application", "Scopes", "Opened", "Last used", "Ends at the latest", "End"];

async fn all<A: Api>(desk: &Desk<'_, A>) -> Result<Answer, Halt> {
    let (user, client) = (desk.said("user"), desk.said("client"));
    let pairs = [("user", user), ("client", client), ("cursor", desk.said("cursor"))];
    let found = desk.get(PLACE, &pairs).await?;
    let row = |one: &Value| {
        let names = [text(one, "client_name"), text(one, "client_id")];
        let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
        let date = |name| Cell::Text(moment(number(one, name)));
        let end = format!("{PLACE}/{}/end", segment(text(one, "id")));
        let end = Cell::Link("End".to_owned(), end);
        let scope = Cell::text(text(one, "scope"));
        vec![Cell::text(name), scope, date("opened_at"), date("last_used_at"), date("ends_at"), end]
    };
    let rows = list(&found.body, "items").iter().map(row).collect();
    let table = Block::Table { label: "Sessions", head: HEAD, rows };
    let mut blocks = Vec::new();
    if desk.sees_all() {
        let fields =
            [line("user", "User ID", user, "Empty: your own."), line("client", "Client ID", client, "")];
        let sheet = Sheet::new(PLACE, "Show", fields.map(Field::Line).to_vec());
        blocks.push(Block::Form(Sheet { is_search: true, ..sheet }));
    }
    let empty = "No session is open. One opens when an application gets a token.";
    blocks.extend(desk.listed(PLACE, &found, (table, empty), &["user", "client"]));
    desk.page(200, "Sessions", blocks)
}

async fn end<A: Api>(desk: &Desk<'_, A>, id: &str, form: Option<&Form>) -> Result<Answer, Halt> {
    let path = format!("{PLACE}/{}", segment(id));
    let what = "Its tokens stop counting, and what uses them has to sign in again. Ends it the session of this console, you are asked to sign in.";
    let ending = Ending {
        method: "DELETE",
        title: "End this session?".to_owned(),
        what: vec![Block::Facts(vec![("Session", Cell::text(id))]), Block::text(what)],
        button: "End it",
        action: format!("{path}/end"),
        back: PLACE.to_owned(),
        path,
        next: "/sessions?done=ended",
        now_is: None,
    };
    ending.ask(desk, form).await
}
