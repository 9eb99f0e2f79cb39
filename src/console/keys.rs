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

/// What the address says of the keyring beside the realm's own, which signs ID tokens.
const BESIDE: &str = "id_tokens";

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
    let is_beside = desk.said("for") == BESIDE;
    let mut what = vec![Block::text(what)];
    if is_beside {
        what.insert(0, Block::text("This is about the keys of ID tokens."));
    }
    let at = of_ring(at, is_beside);
    let ending = Ending {
        method: "POST",
        path: at.clone(),
        title: title.to_owned(),
        what,
        button,
        action: at,
        back: "/keys".to_owned(),
        next,
        now_is: None,
    };
    ending.ask(desk, form).await
}

fn of_ring(at: &str, is_beside: bool) -> String {
    if is_beside { format!("{at}?for={BESIDE}") } else { at.to_owned() }
}

async fn all<A: Api>(desk: &Desk<'_, A>) -> Result<Answer, Halt> {
    let mut blocks = ring(desk, false).await?;
    if desk.realm.terms(true).is_some() {
        blocks.push(Block::Heading("Keys of ID tokens"));
        blocks.extend(ring(desk, true).await?);
    }
    desk.page(200, "Keys", blocks)
}

/// The keys of one keyring, and what may be done with them.
async fn ring<A: Api>(desk: &Desk<'_, A>, is_beside: bool) -> Result<Vec<Block>, Halt> {
    let found = desk.get("/keys", &[("for", if is_beside { BESIDE } else { "" })]).await?;
    let keys = list(&found.body, "keys");
    let row = |one: &Value| {
        let word = |name| Cell::text(text(one, name));
        let date = |name| Cell::Text(moment(number(one, name)));
        vec![word("kid"), word("alg"), word("state"), date("since"), date("promotable_at"), date("until")]
    };
    let is_on_its_way = keys.iter().any(|key| text(key, "state") == "published");
    let way = if is_on_its_way {
        link("Let the published key sign", of_ring("/keys/promote", is_beside))
    } else {
        link("Make the next key", of_ring("/keys/rotate", is_beside))
    };
    let table = if keys.is_empty() {
        Block::text("There is no key yet. The first is made when something has to be signed.")
    } else {
        Block::Table { label: "Keys", head: HEAD, rows: keys.iter().map(row).collect() }
    };
    Ok(vec![table, Block::Links(vec![way])])
}
