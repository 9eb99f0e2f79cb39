//! Signing keys: which there are, and the next one.

use serde_json::Value;

use crate::console::Api;
use crate::console::desk::{Desk, Halt};
use crate::console::page::Act;
use crate::console::secrets::Ending;
use crate::console::sheet::{Block, Cell, link};
use crate::console::words::{list, moment, number, text};
use crate::http::{Answer, Form};

const HEAD: &[&str] = &["Key", "Algorithm", "State", "Since", "May sign from", "Leaves"];

pub(super) async fn show<A: Api>(desk: &Desk<'_, A>, act: Act, form: Option<&Form>) -> Result<Answer, Halt> {
    let (title, what, button, at, next) = match act {
        Act::Rotate => (
            "Make the next key?",
            "It is published at once, and signs once every validator can have it. Nobody is signed out.",
            "Make the next key",
            "/keys/rotate",
            "/keys?done=rotated",
        ),
        Act::Promote => (
            "Let the published key sign?",
            "The key that signs now signs nothing more; what it has signed counts to its end. Nobody is signed out.",
            "Let it sign",
            "/keys/promote",
            "/keys?done=promoted",
        ),
        _ => return all(desk).await,
    };
    let ending = Ending {
        method: "POST",
        path: at.to_owned(),
        title: title.to_owned(),
        what: vec![Block::text(what)],
        button,
        action: at.to_owned(),
        back: "/keys".to_owned(),
        next,
        now_is: None,
    };
    ending.ask(desk, form).await
}

async fn all<A: Api>(desk: &Desk<'_, A>) -> Result<Answer, Halt> {
    let found = desk.get("/keys", &[]).await?;
    let row = |one: &Value| {
        let word = |name| Cell::text(text(one, name));
        let date = |name| Cell::Text(moment(number(one, name)));
        vec![word("kid"), word("alg"), word("state"), date("since"), date("promotable_at"), date("until")]
    };
    let rows: Vec<_> = list(&found.body, "keys").iter().map(row).collect();
    let links = vec![link("Make the next key", "/keys/rotate"), link("Let it sign", "/keys/promote")];
    let table = if rows.is_empty() {
        Block::text("There is no key yet. The first is made when something has to be signed.")
    } else {
        Block::Table { label: "Keys", head: HEAD, rows }
    };
    desk.page(200, "Keys", vec![table, Block::Links(links)])
}
