//! `JSONTestSuite` as header and as claims of tokens that are genuine otherwise, through the whole gateway.

use std::fs;

use serde_json::Value;

use super::draft::Draft;
use crate::fakes::{Call, Edge, call};

fn files(kind: &str) -> Vec<(String, Vec<u8>)> {
    let folder = fs::read_dir("tests/vectors/jsontestsuite").unwrap();
    let mut files: Vec<_> = folder
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()))
        .filter(|(name, _)| name.starts_with(kind))
        .collect();
    files.sort();
    assert!(files.len() > 30, "{kind}");
    files
}

/// Status, and the reason in the log.
pub(super) fn outcome(edge: &Edge<'_>, token: &str) -> (u16, Option<String>) {
    let (reply, _) = call(edge, &Call::get("https://attacks.example/attacks").bearer(token));
    let entry: Value = serde_json::from_str(&edge.world.log.borrow_mut().pop().unwrap()).unwrap();
    (reply.status(), entry["reason"].as_str().map(str::to_owned))
}

/// The claims with a file's content as one more.
fn with_claim(draft: &Draft, value: &[u8]) -> String {
    let claims = draft.claims_text();
    let text = [br#"{"x":"#.as_slice(), value, b",", &claims.as_bytes()[1..]].concat();
    draft.sign(draft.header_text().as_bytes(), &text)
}

#[test]
fn attack_33_and_42_what_is_not_json_is_refused_as_header_and_as_claims() {
    let world = super::world();
    let edge = world.edge();
    let draft = Draft::es256();
    let (header, claims) = (draft.header_text(), draft.claims_text());
    for (name, bytes) in files("n_") {
        let reason = if bytes.len() > 12_000 { "reject_size" } else { "malform_token" };
        for token in [draft.sign(&bytes, claims.as_bytes()), draft.sign(header.as_bytes(), &bytes)] {
            assert_eq!(outcome(&edge, &token), (401, Some(reason.to_owned())), "{name}");
        }
    }
    assert_eq!(outcome(&edge, &draft.token()).0, 200);
}

#[test]
fn what_is_json_passes_as_a_claim_of_a_genuine_token() {
    let world = super::world();
    let edge = world.edge();
    for (name, bytes) in files("y_") {
        // RFC 8259 leaves repeated members open; RFC 7519 section 4 does not.
        let status = if name.contains("duplicated_key") { 401 } else { 200 };
        assert_eq!(outcome(&edge, &with_claim(&Draft::es256(), &bytes)).0, status, "{name}");
    }
}

#[test]
fn attack_42_what_is_left_open_ends_in_an_answer() {
    let world = super::world();
    let edge = world.edge();
    let draft = Draft::es256();
    let (header, claims) = (draft.header_text(), draft.claims_text());
    for (name, bytes) in files("i_") {
        assert_eq!(outcome(&edge, &draft.sign(&bytes, claims.as_bytes())).0, 401, "{name} as header");
        assert_eq!(outcome(&edge, &draft.sign(header.as_bytes(), &bytes)).0, 401, "{name} as claims");
        assert!([200, 401].contains(&outcome(&edge, &with_claim(&draft, &bytes)).0), "{name} as a claim");
    }
}
