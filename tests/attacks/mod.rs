//! The attacks that must fail, by their numbers: `docs/attacks.md` has the list. Each case is a token, where it
//! is sent, and what must come of it; `corpus.json` is the same for the end-to-end tests.
//!
//! `UPDATE_VECTORS=1 cargo test --all-features --test main attacks` writes `corpus.json` and `tollgate.json` anew.

/// A test for each number: it runs the cases that have it.
macro_rules! tests {
    ($($number:literal $name:ident;)*) => { $(
        #[test]
        fn $name() {
            super::run($number);
        }
    )* };
}

mod claims;
mod config;
mod confusion;
mod cookbook;
mod corpus;
mod der;
mod draft;
mod genuine;
mod header;
mod json;
mod keys;
mod numbers;
mod padding;
mod policy;
mod rsa;
mod signature;
mod structure;
mod suite;
mod times;

use std::fs;

use serde_json::Value;

use crate::fakes::{Call, Edge, Reply, World, at_once, call};
use corpus::{CORPUS, Case};

/// The world that the cases are about. Its clock stands still in 2027.
fn world() -> World {
    World::new(&config::document().to_string())
}

/// What comes of a token at the route that wants nothing but a token.
fn status(edge: &Edge<'_>, token: &str) -> u16 {
    call(edge, &Call::get("https://attacks.example/attacks").bearer(token)).0.status()
}

/// Runs the cases of a number, each several times: by an isolate that knows nothing, and by one that has seen it.
fn run(number: u8) {
    let world = world();
    let edge = world.edge();
    let mut cases = CORPUS.iter().filter(|case| case.attack == number).peekable();
    assert!(cases.peek().is_some(), "no case has the number {number}");
    for case in cases {
        check(&world.edge(), case, &case.tokens()[0]);
        for token in case.tokens() {
            check(&edge, case, &token);
        }
        check(&edge, case, &case.tokens()[0]);
    }
}

fn check(edge: &Edge<'_>, case: &Case, token: &str) {
    let name = &case.name;
    let request = Call::get(format!("https://attacks.example{}", case.path)).bearer(token);
    // What is decided without waiting is decided alike.
    if let Some(reply) = at_once(edge, &request) {
        assert_eq!(reply.status(), case.status, "{name} at once");
    }
    let (reply, _) = call(edge, &request);
    assert!(edge.world.asked_web.borrow().is_empty(), "{name}: somebody was asked for keys");
    let line = edge.world.log.borrow_mut().pop().unwrap();
    let entry: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(reply.status(), case.status, "{name}: {line}");
    if case.status == 200 {
        assert_eq!(entry["decision"], "allow", "{name}: {line}");
        assert!(matches!(reply, Reply::Forwarded { .. }), "{name}");
        return;
    }
    let answer = reply.answer();
    assert_eq!(entry["decision"], "deny", "{name}: {line}");
    assert_eq!(answer.header("www-authenticate").map(str::to_owned), case.challenge(), "{name}");
    let reason: Vec<_> = ["reason", "claim"].iter().filter_map(|member| entry[*member].as_str()).collect();
    assert!(case.reason.as_ref().is_none_or(|expected| *expected == reason.join(" ")), "{name}: {line}");
    // Attack 53: neither the caller nor the log is told anything that the token says.
    for part in token.split('.').filter(|part| part.len() > 8) {
        assert!(!line.contains(part) && !answer.body.contains(part), "{name}");
    }
}

#[test]
fn the_whole_corpus_one_after_the_other_in_one_isolate() {
    let world = world();
    let edge = world.edge();
    for case in CORPUS.iter() {
        check(&edge, case, &case.tokens()[0]);
    }
    for case in CORPUS.iter().filter(|case| case.status == 200) {
        check(&edge, case, &case.tokens()[0]);
    }
}

#[test]
fn every_number_of_sections_a_to_d_is_in_the_document() {
    let document = fs::read_to_string("docs/attacks.md").unwrap();
    let mut sources = String::new();
    for folder in ["tests/attacks", "tests/flows"] {
        for entry in fs::read_dir(folder).unwrap() {
            sources += &fs::read_to_string(entry.unwrap().path()).unwrap();
        }
    }
    for number in 1..=54 {
        let row = document.lines().find(|line| line.starts_with(&format!("| {number} |"))).unwrap();
        let place = row.rsplit(" | ").next().unwrap();
        let has_cases = CORPUS.iter().any(|case| case.attack == number);
        let says_so = place.contains("corpus") && !place.contains("not in the corpus");
        assert_eq!(has_cases, says_so, "{row}");
        for name in place.split('`').filter(|name| name.starts_with("attack_")) {
            assert!(sources.contains(&format!("fn {name}()")), "{row}");
        }
    }
}
