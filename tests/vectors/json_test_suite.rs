//! `JSONTestSuite` (MIT, beside this file): as JSON, as a token's header, as its claims, as a key set.

use std::fs;
use std::path::PathBuf;

use tollgate::encoding::base64url;
use tollgate::json;
use tollgate::redact::{Fields, Redactor};
use tollgate::token::{Claims, Compact, JwkSet};

fn files(kind: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from("tests/vectors/jsontestsuite");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()))
        .filter(|(name, _)| name.starts_with(kind))
        .collect();
    files.sort();
    assert!(files.len() > 30, "{kind}");
    files
}

fn as_header(bytes: &[u8]) -> bool {
    Compact::parse(&format!("{}.e30.AA", base64url(bytes))).is_ok()
}

#[test]
fn what_is_json_is_read() {
    for (name, bytes) in files("y_") {
        // JSON leaves repeated members open (RFC 8259 section 4); JOSE does not.
        let has_repeats = name.contains("duplicated_key");
        assert_eq!(json::value(&bytes).is_ok(), !has_repeats, "{name}");
    }
}

#[test]
fn attack_33_and_42_what_is_not_json_is_refused_as_header_claims_and_keys() {
    for (name, bytes) in files("n_") {
        assert!(json::value(&bytes).is_err(), "{name}");
        assert!(!as_header(&bytes), "{name} as header");
        assert!(Claims::parse(&bytes).is_err(), "{name} as claims");
        assert!(JwkSet::parse(&bytes).is_err(), "{name} as key set");
    }
}

/// Whether a document can be redacted.
fn is_redacted(bytes: &[u8]) -> bool {
    let mut redactor = Redactor::new(Fields::of(&["*.id".parse().unwrap()]));
    bytes.chunks(3).all(|piece| redactor.push(piece).is_ok()) && redactor.finish().is_ok()
}

#[test]
fn what_is_json_is_redacted_and_nothing_else_is() {
    for (name, bytes) in files("y_") {
        assert!(is_redacted(&bytes), "{name}");
    }
    for (name, bytes) in files("n_") {
        // Bytes that are no UTF-8 are no syntax: they stand in texts, and pass or leave with them.
        assert!(!is_redacted(&bytes) || std::str::from_utf8(&bytes).is_err(), "{name}");
    }
}

#[test]
fn attack_42_what_is_left_open_ends_in_a_value_or_an_error() {
    for (_, bytes) in files("i_") {
        let _ = (json::value(&bytes), as_header(&bytes), Claims::parse(&bytes), JwkSet::parse(&bytes));
    }
}
