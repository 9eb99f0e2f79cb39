//! What is somebody else's is not there, for every operation that is described, and with every name that somebody may guess.
//!
//! The tests are made of `docs/openapi.json`: an operation that is new there is tried here, and one on something of a new kind fails until
//! [`make`] can make one.

use serde_json::{Value, json};
use tollgate::encoding::base64url;

use crate::fakes::{Broken, Call, Described, Edge, OPERATOR, Reply, World, call, description};
use crate::flows::gate;
use crate::flows::management::{self, CONFIG, HOST, body, get, items, person, post, put, token};

/// What everybody may be asked for: everything of one's own.
pub(crate) const OWN: &str = "credentials:manage clients:manage sessions:manage audit:read";

/// Somebody: id, and a token that acts for them.
pub(crate) struct Owner {
    pub(crate) id: String,
    pub(crate) token: String,
}

pub(crate) fn owner(world: &World, edge: &Edge<'_>, name: &str) -> Owner {
    let roles = ["agent", "builder", "viewer"];
    let (id, token) = person(world, edge, &format!("{name}@example.com"), &roles, OWN);
    Owner { id, token }
}

/// Makes something of the kind that a path names, which is this person's. Its name.
pub(crate) fn make(world: &World, edge: &Edge<'_>, path: &str, owner: &Owner) -> String {
    let credential = || {
        let made = post(edge, "/credentials", &management::wanted("Export", world, &["agent"]), &owner.token);
        assert_eq!(made.status(), 201, "{}", made.answer().body);
        body(&made)
    };
    match path.split('/').nth(1).unwrap() {
        "clients" => {
            let said = json!({ "client_name": "Shop", "scope": "orders:internal orders:read" });
            post(edge, "/clients", &said, &owner.token).member("client_id")
        }
        "credentials" => credential()["client_id"].as_str().unwrap().to_owned(),
        "sessions" => {
            let client = credential();
            // It is known from its first use on.
            assert_eq!(gate(edge, &Call::get(format!("{HOST}/orders")).bearer(&token(edge, &client))), 200);
            let of = format!("/sessions?client={}", client["client_id"].as_str().unwrap());
            items(&get(edge, &of, &owner.token))[0]["id"].as_str().unwrap().to_owned()
        }
        "users" => owner.id.clone(),
        "config" => {
            let put = put(edge, "/config", &format!("{CONFIG} "), OPERATOR);
            assert_eq!(put.status(), 200, "{}", put.answer().body);
            body(&put)["version"].to_string()
        }
        other => panic!("{path}: say how to make one of {other} that is somebody's"),
    }
}

/// Whether an operation is about one thing.
pub(crate) fn names_something(said: &Described) -> bool {
    said.path.contains("{id}")
}

/// The request that an operation describes, about this.
pub(crate) fn request(said: &Described, realm: &str, id: &str) -> Call {
    let url = format!("{HOST}/{realm}/api/v1{}", said.path.replace("{id}", id));
    let text = said.example.as_ref().map(Value::to_string).unwrap_or_default();
    match said.method.as_str() {
        "DELETE" => Call::delete(url),
        "GET" => Call::get(url),
        "PATCH" => Call::patch(url, text),
        "POST" => Call::json(url, text),
        "PUT" => Call::put(url, text),
        other => panic!("{other} {}", said.path),
    }
}

fn ask(edge: &Edge<'_>, call_: &Call, token: &str) -> Reply {
    call(edge, &call_.clone().bearer(token)).0
}

/// The scope that an operation takes; `None`: any of tollgate's own, or none at all.
fn scope(said: &Described) -> Option<&str> {
    said.security.iter().find_map(|(_, scopes)| scopes.first()).map(String::as_str)
}

fn takes_token(said: &Described) -> bool {
    said.security.iter().any(|(scheme, _)| scheme == "token")
}

/// What whoever has a scope of these, and nothing of that, is told.
fn refusal(said: &Described) -> u16 {
    if scope(said).is_some_and(|scope| OWN.split(' ').any(|own| own == scope)) { 404 } else { 403 }
}

/// Everything that is kept anywhere.
fn kept(world: &World) -> Vec<String> {
    // What is on its way to the directory comes there at its own time.
    world.tell_all();
    let mut stored = world.stored();
    stored.sort();
    stored
}

/// Something of each kind that a path names.
fn things(world: &World, edge: &Edge<'_>, owner: &Owner) -> Vec<String> {
    let mut paths: Vec<_> = description().operations.iter().filter(|said| names_something(said)).collect();
    paths.sort_by_key(|said| said.path.split('/').nth(1));
    paths.dedup_by_key(|said| said.path.split('/').nth(1));
    assert!(paths.len() >= 4, "{}", paths.len());
    paths.iter().map(|said| make(world, edge, &said.path, owner)).collect()
}

#[test]
fn attack_idor_nobody_reads_or_changes_what_is_somebody_elses() {
    let mut tried = 0;
    for said in description().operations.iter().filter(|said| names_something(said)) {
        let world = World::new(CONFIG);
        let edge = world.edge();
        let (ada, eve) = (owner(&world, &edge, "ada"), owner(&world, &edge, "eve"));
        let hers = make(&world, &edge, &said.path, &ada);
        make(&world, &edge, &said.path, &eve);
        let before = kept(&world);
        let reply = ask(&edge, &request(said, "test", &hers), &eve.token);
        assert_eq!(reply.status(), refusal(said), "{}: {}", said.name, reply.answer().body);
        assert_eq!(kept(&world), before, "{}: something changed", said.name);
        // Whoever it belongs to, or manages everything, can still do it.
        let whose = if refusal(said) == 404 { &ada.token } else { OPERATOR };
        let done = ask(&edge, &request(said, "test", &hers), whose);
        let is_done =
            (200..300).contains(&done.status()) || (said.name == "invite-user" && done.status() == 409);
        assert!(is_done, "{}: {} {}", said.name, done.status(), done.answer().body);
        tried += 1;
    }
    assert!(tried >= 15, "{tried}");
}

#[test]
fn attack_idor_what_is_somebody_elses_is_told_as_what_is_nowhere() {
    for said in description().operations.iter().filter(|said| names_something(said)) {
        let world = World::new(CONFIG);
        let edge = world.edge();
        let (ada, eve) = (owner(&world, &edge, "ada"), owner(&world, &edge, "eve"));
        let hers = make(&world, &edge, &said.path, &ada);
        let nowhere = if said.path.starts_with("/sessions") {
            format!("{}.{}", "A".repeat(43), "A".repeat(22))
        } else {
            "A".repeat(hers.len())
        };
        let told = |id: &str| ask(&edge, &request(said, "test", id), &eve.token).answer().clone();
        let (theirs, nobodys) = (told(&hers), told(&nowhere));
        assert_eq!((theirs.status, &theirs.body), (nobodys.status, &nobodys.body), "{}", said.name);
        assert_eq!(theirs.headers, nobodys.headers, "{}", said.name);
    }
}

#[test]
fn attack_idor_no_list_shows_what_is_somebody_elses() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (ada, eve) = (owner(&world, &edge, "ada"), owner(&world, &edge, "eve"));
    let mut hers = things(&world, &edge, &ada);
    things(&world, &edge, &eve);
    // A version's number says nothing by itself.
    hers.retain(|thing| thing != "1");
    hers.push("ada@example.com".to_owned());
    let mut asked = 0;
    for said in description().operations.iter().filter(|said| said.method == "GET" && takes_token(said)) {
        if names_something(said) || refusal(said) == 403 && scope(said).is_some() {
            continue;
        }
        let at = format!("{HOST}/test/api/v1{}", said.path);
        let mut urls = vec![at.clone()];
        for parameter in said.parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            for thing in &hers {
                let cursor = base64url(format!("{thing}\n").as_bytes());
                urls.push(format!("{at}?{name}={}", if name == "cursor" { &cursor } else { thing }));
            }
        }
        for url in urls {
            let reply = ask(&edge, &Call::get(&url), &eve.token);
            assert!([200, 400, 404].contains(&reply.status()), "{url}: {}", reply.status());
            let shown = hers.iter().find(|thing| reply.answer().body.contains(thing.as_str()));
            assert_eq!(shown, None, "{url}: {}", reply.answer().body);
            asked += 1;
        }
    }
    assert!(asked > 50, "{asked}");
    let all = get(&edge, "/credentials", OPERATOR).answer().body.clone();
    assert!(
        hers.iter().any(|thing| all.contains(thing.as_str())),
        "whoever manages everything sees it: {all}"
    );
}

#[test]
fn attack_idor_a_guessed_name_leads_nowhere_and_breaks_nothing() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let (ada, eve) = (owner(&world, &edge, "ada"), owner(&world, &edge, "eve"));
    let hers = things(&world, &edge, &ada);
    for said in description().operations.iter().filter(|said| names_something(said)) {
        let kind = said.path.split('/').nth(1);
        let mut guesses: Vec<String> = [
            "",
            ".",
            "..",
            "%2e%2e",
            "%2E",
            "%2F",
            "a%2Fb",
            "..%2fusers",
            "%5c",
            "%00",
            "%0a",
            "%",
            "%zz",
            "%c3%a4",
            "%ff",
            "*",
            "me",
            "null",
            "undefined",
            "0",
            "-1",
            "1'--",
            "{id}",
            "%7Bid%7D",
            ";",
            "a;b",
            "a:b",
            "%3Ca%3E",
            "A.B",
            "~",
        ]
        .map(str::to_owned)
        .into();
        guesses.extend(["x".repeat(65), "x".repeat(5000), format!("{}.{}", "A".repeat(43), "A".repeat(22))]);
        for thing in &hers {
            // One letter that is another one, in each part of it.
            for at in (0..8).map(|tenth| thing.len() * tenth / 10).filter(|at| thing.as_bytes()[*at] != b'.')
            {
                let near = if thing.as_bytes()[at] == b'A' { "B" } else { "A" };
                guesses.push(format!("{}{near}{}", &thing[..at], &thing[at + 1..]));
            }
            guesses.extend([thing[..thing.len() - 1].to_owned(), format!("{thing}A"), format!("{thing}%00")]);
            guesses.extend([format!("%20{thing}"), format!("{thing}.json")]);
        }
        // Whoever manages everything approves of credentials where they approve of other clients.
        let mut is_client_too = Vec::new();
        for other in &description().operations {
            // What is of another kind has no name among these.
            if names_something(other) && other.path.split('/').nth(1) != kind {
                let guess = make(&world, &edge, &other.path, &ada);
                if kind == Some("clients") && other.path.starts_with("/credentials") {
                    is_client_too.push(guess.clone());
                }
                guesses.push(guess);
            }
        }
        for guess in guesses {
            for token in [eve.token.as_str(), OPERATOR] {
                let reply = ask(&edge, &request(said, "test", &guess), token);
                let is_its = token == OPERATOR && is_client_too.contains(&guess);
                let is_refused = is_its
                    || matches!(reply.status(), 400 | 404)
                    || token != OPERATOR && reply.status() == 403 && refusal(said) == 403;
                assert!(is_refused, "{} {guess:?}: {} {}", said.name, reply.status(), reply.answer().body);
            }
        }
    }
}

#[test]
fn attack_idor_nobody_of_another_realm_reaches_anything() {
    for said in description().operations.iter().filter(|said| names_something(said)) {
        let world = World::new(CONFIG);
        let edge = world.edge();
        let ada = owner(&world, &edge, "ada");
        let hers = make(&world, &edge, &said.path, &ada);
        // Who manages everything there, manages nothing here.
        let reply = ask(&edge, &request(said, "production", &hers), OPERATOR);
        assert_eq!(reply.status(), 404, "{}: {}", said.name, reply.answer().body);
        let foreign = world.operators_token("production").unwrap();
        let before = kept(&world);
        let reply = ask(&edge, &request(said, "test", &hers), &foreign);
        assert_eq!(reply.status(), 401, "{}: {}", said.name, reply.answer().body);
        assert_eq!(kept(&world), before, "{}", said.name);
    }
}

/// Every scope of tollgate's own but these.
fn all_but(missing: &[&str]) -> String {
    let flows = &description().document["components"]["securitySchemes"]["token"]["flows"];
    let scopes = flows["clientCredentials"]["scopes"].as_object().unwrap();
    let left: Vec<_> = scopes.keys().map(String::as_str).filter(|scope| !missing.contains(scope)).collect();
    left.join(" ")
}

#[test]
fn every_operation_takes_its_scope_and_no_other() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let ada = owner(&world, &edge, "ada");
    let mut tried = 0;
    for said in description().operations.iter().filter(|said| takes_token(said)) {
        let id = if names_something(said) { make(&world, &edge, &said.path, &ada) } else { String::new() };
        let request = request(said, "test", &id);
        let (others, need) = match scope(said) {
            Some(need) => (all_but(&[need, "platform:admin"]), need),
            None => ("orders:read".to_owned(), "credentials:manage"),
        };
        let client = json!({ "client_name": "Others", "scope": others });
        let less = token(&edge, &body(&post(&edge, "/clients", &client, OPERATOR)));
        let foreign = world.operators_token("production").unwrap();
        // Its session is known from its first use on.
        assert_eq!(gate(&edge, &Call::get(format!("{HOST}/orders")).bearer(&less)), 200);
        let before = kept(&world);
        let refused = ask(&edge, &request, &less);
        assert_eq!(refused.status(), 403, "{}: {}", said.name, refused.answer().body);
        let want = format!(r#"Bearer error="insufficient_scope", scope="{need}""#);
        assert_eq!(refused.answer().header("www-authenticate"), Some(want.as_str()), "{}", said.name);
        let stranger = call(&edge, &request).0;
        assert_eq!(stranger.status(), 401, "{}", said.name);
        assert_eq!(
            stranger.answer().header("www-authenticate"),
            Some(r#"Bearer realm="tollgate""#),
            "{}",
            said.name
        );
        for bad in ["x", &less[..less.len() - 2], &foreign, "tgb_bootstrap-token-of-these-tests"] {
            let reply = ask(&edge, &request, bad);
            assert_eq!(reply.status(), 401, "{} {bad}: {}", said.name, reply.answer().body);
        }
        assert_eq!(kept(&world), before, "{}", said.name);
        // Nobody is told whether it exists before they are known.
        world.broken.set(Some(Broken::DirectoryBefore));
        assert_eq!(call(&edge, &request).0.status(), 401, "{}", said.name);
        world.broken.set(None);
        tried += 1;
    }
    assert!(tried >= 28, "{tried}");
}
