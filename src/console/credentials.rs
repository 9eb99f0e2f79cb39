//! Application credentials: what a person's own applications act for them with.

use serde_json::{Value, json};

use crate::config::management::is_management;
use crate::config::{EMAIL, OPENID, PROFILE};
use crate::console::desk::{Desk, Halt, alert, etag_again};
use crate::console::page::Act;
use crate::console::secrets::{self, Ending, breaks, calls, history};
use crate::console::sheet::{
    Block, Cell, Field, Line, Sheet, danger_link, line, link, main_link, ticked, ticks,
};
use crate::console::words::{
    count, form_day, list, moment, number, of_form_day, segment, text, texts, words,
};
use crate::console::{Api, ApiAnswer};
use crate::http::{Answer, Form};
use crate::scope::ScopeToken;

/// Where they are, at the API and below the console.
const PLACE: &str = "/credentials";

pub(super) async fn show<A: Api>(
    desk: &Desk<'_, A>,
    act: Act,
    id: &str,
    form: Option<&Form>,
) -> Result<Answer, Halt> {
    match (act, form) {
        (Act::List, Some(form)) => create(desk, form).await,
        (Act::New, _) => desk.page(200, "New credential", sheet(desk, None).await?),
        (Act::One, form) => one(desk, id, form).await,
        (Act::Secret, form) => secrets::another(desk, (PLACE, PLACE), id, form).await,
        (Act::Delete, form) => delete(desk, id, form).await,
        _ => all(desk).await,
    }
}

const HEAD: &[&str] = &["Name", "Made", "Expires", "Last used", "Live sessions", "Calls"];
const HEAD_OF_ALL: &[&str] = &["Name", "Whose", "Made", "Expires", "Last used", "Live sessions", "Calls"];

async fn all<A: Api>(desk: &Desk<'_, A>) -> Result<Answer, Halt> {
    let owner = desk.said("owner");
    let is_own = !desk.sees_all() || owner == "me";
    let pairs = [
        ("search", desk.said("search")),
        ("owner", owner),
        ("cursor", desk.said("cursor")),
        ("usage", "true"),
    ];
    let found = desk.get(PLACE, &pairs).await?;
    let row = |one: &Value| {
        let at = format!("{PLACE}/{}", segment(text(one, "client_id")));
        let date = |name| Cell::Text(moment(number(one, name)));
        let mut cells = vec![Cell::Link(secrets::name_of(one).to_owned(), at)];
        if !is_own {
            cells.push(Cell::text(owner_of(one)));
        }
        let live = number(one, "live_sessions").map_or_else(|| "–".to_owned(), |live| live.to_string());
        cells.extend([date("created_at"), date("expires_at"), date("last_used_at")]);
        cells.extend([Cell::Text(live), Cell::Text(calls(one))]);
        cells
    };
    let rows = list(&found.body, "items").iter().map(row).collect();
    let table = Block::Table { label: "Credentials", head: if is_own { HEAD } else { HEAD_OF_ALL }, rows };
    let mut links = vec![main_link("New credential", format!("{PLACE}/new"))];
    if desk.sees_all() {
        let (label, query) = if is_own { ("Everybody's", "") } else { ("Mine", "?owner=me") };
        links.push(link(label, format!("{PLACE}{query}")));
    }
    let empty = "There is no credential yet. Make one: with its id and secret an application of yours gets tokens, and calls what you may call.";
    let mut blocks = vec![Block::Links(links), desk.search(PLACE, "Search by name or id")];
    blocks.extend(desk.listed(PLACE, &found, (table, empty), &["search", "owner"]));
    desk.page(200, "Credentials", blocks)
}

/// Whose something is.
#[inline(never)]
pub(super) fn owner_of(one: &Value) -> &str {
    let owner = one.get("owner").unwrap_or(&Value::Null);
    [text(owner, "login"), text(owner, "id"), "–"]
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_default()
}

/// The form of a new one, with what was typed.
async fn sheet<A: Api>(desk: &Desk<'_, A>, form: Option<&Form>) -> Result<Vec<Block>, Halt> {
    let typed = |name: &str| form.and_then(|form| form.get(name)).unwrap_or_default();
    let rules = desk.me.get("credentials").unwrap_or(&Value::Null);
    let most = number(rules, "max_seconds").unwrap_or_default();
    let hint = "After this day nobody gets a token with it.";
    let day = Line { is_needed: true, ..day_line(desk, most, typed("expires"), hint) };
    let name = Line { is_needed: true, ..line("name", "Name", typed("name"), "For you: where it is used.") };
    let mut fields = vec![desk.once(), Field::Line(name), Field::Line(day)];
    fields.extend(roles(desk, form).await?);
    fields.push(scopes(desk, &form.map(|form| ticked(form, "scope:")).unwrap_or_default(), false));
    let mut about = vec![Block::Text(format!(
        "It acts for you, with the roles that you choose, for {} at most.",
        count(days_of(most), "day")
    ))];
    if let Some(idle) = number(rules, "idle_seconds") {
        let minutes = idle.div_euclid(60);
        let idle = if minutes < 2 { count(idle, "second") } else { count(minutes, "minute") };
        let text = format!("Its sessions end after {idle} without use, or sooner if you say so.");
        about.push(Block::Text(text));
        let hint = "Empty: as said above.";
        let idle = line("idle", "Minutes without use after which its sessions end", typed("idle"), hint);
        fields.push(Field::Line(Line { kind: "number", ..idle }));
    }
    let sheet = Sheet { back: PLACE.to_owned(), ..Sheet::new(PLACE, "Make it", fields) };
    about.push(Block::Form(sheet));
    Ok(about)
}

const fn days_of(seconds: u64) -> u64 {
    seconds.div_euclid(86_400)
}

/// The day on which a credential expires: today or later, and no later than the realm allows.
fn day_line<A: Api>(desk: &Desk<'_, A>, most: u64, value: &str, hint: &'static str) -> Line {
    let now = desk.now.as_seconds();
    // A credential lasts to the end of its day.
    let last = now.saturating_add(most).saturating_sub(86_399);
    let within = Some((form_day(now), form_day(last.max(now))));
    Line { kind: "date", within, ..line("expires", "Expires", value, hint) }
}

/// The person's roles by kind: one of a kind is chosen, of others any are ticked.
async fn roles<A: Api>(desk: &Desk<'_, A>, form: Option<&Form>) -> Result<Vec<Field>, Halt> {
    let known = desk.get("/roles", &[]).await?;
    let own = texts(&desk.me, "roles");
    let own: Vec<&Value> =
        list(&known.body, "items").iter().filter(|role| own.contains(&text(role, "name"))).collect();
    let rules = desk.me.get("credentials").unwrap_or(&Value::Null);
    let mut fields = Vec::new();
    for kind in list(rules, "kinds").iter().chain([&Value::Null]) {
        let of_kind: Vec<_> =
            own.iter().copied().filter(|role| text(role, "kind") == text(kind, "name")).collect();
        if !of_kind.is_empty() {
            fields.push(roles_of_kind(kind, &of_kind, form));
        }
    }
    Ok(fields)
}

/// The roles of one kind, or of none.
fn roles_of_kind(of: &Value, roles: &[&Value], form: Option<&Form>) -> Field {
    let (kind, words) = (text(of, "name"), text(of, "description"));
    let is_one = number(of, "at_most") == Some(1);
    let mut legend = if is_one { "Role" } else { "Roles" }.to_owned();
    for (between, part) in [(": ", kind), (". ", words)] {
        if !part.is_empty() {
            legend.push_str(between);
            legend.push_str(part);
        }
    }
    let names = roles.iter().map(|role| (text(role, "name"), text(role, "description")));
    if !is_one {
        let chosen = form.map(|form| ticked(form, "role:")).unwrap_or_default();
        return Field::Ticks { legend, hint: "", boxes: ticks("role:", names, &chosen) };
    }
    let name = format!("kind:{kind}");
    let chosen = form.and_then(|form| form.get(&name)).unwrap_or_default().to_owned();
    let none = (String::new(), "None".to_owned());
    let option = |(role, words): (&str, &str)| {
        let said = if words.is_empty() { role.to_owned() } else { format!("{role}: {words}") };
        (role.to_owned(), said)
    };
    let options = names.map(option);
    Field::Choice { name, label: legend, options: std::iter::once(none).chain(options).collect(), chosen }
}

/// What an application signs people in with: no credential does.
const OF_PEOPLE: [&str; 3] = [OPENID, PROFILE, EMAIL];

/// The scopes of the deployment, as far as somebody may ask for them: of tollgate's own those that they have.
pub(super) fn scopes<A: Api>(desk: &Desk<'_, A>, chosen: &[&str], for_people: bool) -> Field {
    let catalogue = desk.config.scopes();
    let may_ask = |scope: &&ScopeToken| {
        let name = scope.as_str();
        (for_people || !OF_PEOPLE.contains(&name)) && (!is_management(name) || desk.may(name))
    };
    let names = catalogue.all().filter(may_ask).map(|scope| (scope.as_str(), catalogue.words(scope)));
    let hint = match (for_people, desk.sees_all()) {
        (true, false) => "Internal ones wait until somebody approves of them.",
        (true, true) => "",
        (false, false) => {
            "What is not ticked its tokens cannot do. Internal ones wait until somebody approves of them."
        }
        (false, true) => "What is not ticked its tokens cannot do.",
    };
    Field::Ticks { legend: "Scopes".to_owned(), hint, boxes: ticks("scope:", names, chosen) }
}

async fn create<A: Api>(desk: &Desk<'_, A>, form: &Form) -> Result<Answer, Halt> {
    let Some(day) = form.get("expires").and_then(of_form_day) else {
        return again(desk, form, 400, no_day()).await;
    };
    let of_kinds = form.names().filter(|name| name.starts_with("kind:")).filter_map(|name| form.get(name));
    let roles: Vec<_> = ticked(form, "role:").into_iter().chain(of_kinds).collect();
    let mut body =
        json!({ "name": form.get("name").unwrap_or_default(), "expires_at": end_of(day), "roles": roles });
    let scopes = ticked(form, "scope:").join(" ");
    if !scopes.is_empty() {
        set(&mut body, "scope", json!(scopes));
    }
    if let Some(idle) = form.get("idle") {
        let Ok(minutes) = idle.parse::<u64>() else {
            let alert = Block::Alert("Minutes are a whole number.".to_owned());
            return again(desk, form, 400, alert).await;
        };
        set(&mut body, "idle_seconds", json!(minutes.saturating_mul(60)));
    }
    let made = desk.make(PLACE, form, body).await?;
    if made.is_good() {
        let title = format!("{} is made", secrets::name_of(&made.body));
        return secrets::shown(desk, (&title, PLACE), &made.body);
    }
    again(desk, form, made.status, alert(&made)).await
}

/// The form once more, with what is wrong.
async fn again<A: Api>(desk: &Desk<'_, A>, form: &Form, status: u16, wrong: Block) -> Result<Answer, Halt> {
    let mut blocks = sheet(desk, Some(form)).await?;
    blocks.insert(0, wrong);
    desk.page(status, "New credential", blocks)
}

fn no_day() -> Block {
    Block::Alert("Say when it expires: a day such as 2027-01-31.".to_owned())
}

/// The last second of a day.
const fn end_of(day: u64) -> u64 {
    day.saturating_add(86_399)
}

/// Puts a member into a document.
#[inline(never)]
pub(super) fn set(document: &mut Value, name: &str, value: Value) {
    if let Some(members) = document.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}

async fn one<A: Api>(desk: &Desk<'_, A>, id: &str, form: Option<&Form>) -> Result<Answer, Halt> {
    let path = format!("{PLACE}/{}", segment(id));
    let mut wrong = None;
    if let Some(form) = form {
        match form.get("expires").and_then(of_form_day) {
            None => wrong = Some((400, no_day())),
            Some(day) => {
                let name = form.get("name").unwrap_or_default();
                let body = json!({ "name": name, "expires_at": end_of(day) });
                let changed = desk.change("PATCH", &path, form, Some(body)).await?;
                if changed.is_good() {
                    return Ok(desk.go(&format!("{path}?done=saved")));
                }
                wrong = Some((changed.status, alert(&changed)));
            }
        }
    }
    let found = desk.get(&path, &[]).await?;
    let status = wrong.as_ref().map_or(200, |(status, _)| *status);
    let mut blocks: Vec<_> = wrong.map(|(_, alert)| alert).into_iter().collect();
    blocks.extend(view(desk, &path, &found, (form, status)));
    desk.page(status, secrets::name_of(&found.body), blocks)
}

fn view<A: Api>(
    desk: &Desk<'_, A>,
    path: &str,
    found: &ApiAnswer,
    (form, status): (Option<&Form>, u16),
) -> Vec<Block> {
    let one = &found.body;
    let date = |name| Cell::Text(moment(number(one, name)));
    let joined =
        |words: Vec<&str>| Cell::Text(if words.is_empty() { "–".to_owned() } else { words.join(", ") });
    let mut facts = vec![
        ("Name", Cell::text(secrets::name_of(one))),
        ("Client ID", Cell::text(text(one, "client_id"))),
        ("Whose", Cell::text(owner_of(one))),
        ("Made", date("created_at")),
        ("Expires", date("expires_at")),
        ("Last used", date("last_used_at")),
        ("Live sessions", Cell::Text(number(one, "live_sessions").unwrap_or_default().to_string())),
        ("Roles", joined(texts(one, "roles"))),
        ("Scopes", joined(words(text(one, "scope")))),
    ];
    let waiting = words(text(one, "waiting_scope"));
    if !waiting.is_empty() {
        facts.push(("Waits for approval", joined(waiting)));
    }
    let typed = |name: &str, now_is: &str| form.and_then(|form| form.get(name)).unwrap_or(now_is).to_owned();
    let name = line("name", "Name", &typed("name", secrets::name_of(one)), "");
    let day = number(one, "expires_at").map(form_day).unwrap_or_default();
    let rules = desk.me.get("credentials").unwrap_or(&Value::Null);
    let most = number(rules, "max_seconds").unwrap_or_default();
    let day = day_line(desk, most, &typed("expires", &day), "");
    let fields = vec![
        etag_again(found, form, status),
        Field::Line(Line { is_needed: true, ..name }),
        Field::Line(Line { is_needed: true, ..day }),
    ];
    let links =
        vec![link("New secret", format!("{path}/secret")), danger_link("Delete", format!("{path}/delete"))];
    let mut blocks = vec![Block::Facts(facts), Block::Links(links)];
    blocks.extend(history(one));
    blocks.push(Block::Heading("Change"));
    blocks.push(Block::Form(Sheet::new(path, "Save", fields)));
    blocks
}

async fn delete<A: Api>(desk: &Desk<'_, A>, id: &str, form: Option<&Form>) -> Result<Answer, Halt> {
    let path = format!("{PLACE}/{}", segment(id));
    let found = desk.get(&path, &[]).await?;
    let ending = Ending {
        method: "DELETE",
        title: format!("Delete {}?", secrets::name_of(&found.body)),
        what: vec![Block::text("It cannot be brought back."), breaks(&found.body)],
        button: "Delete it",
        action: format!("{path}/delete"),
        back: path.clone(),
        path,
        next: "/credentials?done=gone",
        now_is: Some(&found),
    };
    ending.ask(desk, form).await
}
