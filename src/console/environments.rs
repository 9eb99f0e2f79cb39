//! Environments: one application in every realm of the deployment, side by side. It is the same one where its `software_id` (RFC 7591) is.
//!
//! A realm's API is asked with the token that this browser has for it: whoever has not signed in there sees a link that leads there. What is copied is a
//! form that the other realm's console fills in and its person sends; secrets are never in it.

use serde_json::Value;

use crate::config::Realm;
use crate::console::applications::{API, Draft, PLACE};
use crate::console::desk::{Desk, Halt};
use crate::console::secrets::name_of;
use crate::console::sheet::{Block, Cell};
use crate::console::words::{list, query, segment, text, texts};
use crate::console::{Api, ApiAnswer, ApiCall};
use crate::people::page::base;
use crate::registered::GrantType;

const HEAD: &[&str] = &["Environment", "Application", "Redirect URIs", "Scopes"];

/// The application in every realm.
pub(super) async fn beside<A: Api>(desk: &Desk<'_, A>, client: &Value) -> Result<Vec<Block>, Halt> {
    let mut rows = Vec::new();
    for realm in desk.config.realms().iter().filter(|realm| realm.serves(GrantType::AuthorizationCode)) {
        let row = if realm.name == desk.realm.name {
            cells(realm, Cell::Text(format!("{}, on this page", name_of(client))), client)
        } else {
            row(desk, realm, client).await?
        };
        rows.push(row);
    }
    if rows.len() < 2 {
        return Ok(Vec::new());
    }
    Ok(vec![Block::Heading("Environments"), Block::Table { label: "Environments", head: HEAD, rows }])
}

fn cells(realm: &Realm, name: Cell, client: &Value) -> Vec<Cell> {
    let uris = texts(client, "redirect_uris").join(", ");
    vec![Cell::text(realm.name.as_str()), name, Cell::Text(uris), Cell::text(text(client, "scope"))]
}

async fn row<A: Api>(desk: &Desk<'_, A>, realm: &Realm, client: &Value) -> Result<Vec<Cell>, Halt> {
    let (name, software) = (realm.name.as_str(), text(client, "software_id"));
    let pairs = [("software_id", software)];
    let found = match software {
        "" => None,
        _ => elsewhere(desk, realm, API, query(&pairs)).await?,
    };
    let signed_in = found.is_some() || software.is_empty() && token(desk, realm).is_some();
    let there = found.iter().find_map(|found| list(&found.body, "items").first());
    let console = console_of(desk, realm);
    Ok(match there {
        Some(there) => {
            let at = format!("{console}{PLACE}/{}", segment(text(there, "client_id")));
            cells(realm, Cell::Away(name_of(there).to_owned(), at), there)
        }
        None if signed_in => {
            let from = [("from", desk.realm.name.as_str()), ("client", text(client, "client_id"))];
            let at = format!("{console}{PLACE}/new?{}", query(&from));
            cells(realm, Cell::Away("Copy the configuration here".to_owned(), at), &Value::Null)
        }
        None => {
            let link = Cell::Away(format!("Sign in to {name}"), format!("{console}{PLACE}"));
            cells(realm, link, &Value::Null)
        }
    })
}

/// Where a realm's console is: here, where it has this host.
fn console_of<A: Api>(desk: &Desk<'_, A>, realm: &Realm) -> String {
    if is_here(desk, realm) {
        format!("{}/console", base(realm))
    } else {
        format!("{}/console", realm.issuer)
    }
}

/// Cookies of realms on other hosts do not come here.
fn is_here<A: Api>(desk: &Desk<'_, A>, realm: &Realm) -> bool {
    realm.issuer.origin().split_once("://").is_some_and(|(_, host)| host.eq_ignore_ascii_case(desk.host))
}

fn token<A: Api>(desk: &Desk<'_, A>, realm: &Realm) -> Option<String> {
    desk.jar.token(realm.name.as_str()).filter(|_| is_here(desk, realm))
}

/// Asks another realm's API. `None`: this browser is not signed in there, or may not ask.
async fn elsewhere<A: Api>(
    desk: &Desk<'_, A>,
    realm: &Realm,
    path: &str,
    query: String,
) -> Result<Option<ApiAnswer>, Halt> {
    let Some(token) = token(desk, realm) else { return Ok(None) };
    let call = ApiCall { realm, token: &token, query, ..desk.call("GET", path) };
    Ok(Some(desk.ask(&call).await?).filter(ApiAnswer::is_good))
}

/// What is to be copied from another realm, where an address asks for it.
pub(super) async fn copied<A: Api>(desk: &Desk<'_, A>) -> Result<Option<Draft>, Halt> {
    let Some(realm) = desk.config.realm(desk.said("from")) else { return Ok(None) };
    let path = format!("{API}/{}", segment(desk.said("client")));
    let found = elsewhere(desk, realm, &path, String::new()).await?;
    Ok(found.map(|found| Draft::of(&found.body, true)))
}
