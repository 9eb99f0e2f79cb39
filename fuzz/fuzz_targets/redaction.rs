#![no_main]
//! Redaction: however the bytes come in pieces, the same comes out; what is refused is no JSON; and nothing comes out that no path names.

use libfuzzer_sys::fuzz_target;
use tollgate::redact::{FieldPath, Fields, Redactor, Unfit};

const PATHS: [&str; 3] = ["a", "b.c", "*.d"];

fn redacted(document: &[u8], size: usize) -> Result<Vec<u8>, Unfit> {
    let paths: Vec<FieldPath> = PATHS.iter().map(|path| path.parse().expect("a path")).collect();
    let mut redactor = Redactor::new(Fields::of(&paths));
    let mut out = Vec::new();
    for piece in document.chunks(size) {
        out.extend(redactor.push(piece)?);
    }
    redactor.finish()?;
    Ok(out)
}

/// Whether everything in it is named.
fn is_named(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Array(items) => items.iter().all(is_named),
        serde_json::Value::Object(members) => members.iter().all(|(name, value)| name == "a" || is_below(value, name == "b")),
        other => other.is_null(),
    }
}

fn is_below(value: &serde_json::Value, has_c: bool) -> bool {
    match value {
        serde_json::Value::Array(items) => items.iter().all(|item| is_below(item, has_c)),
        serde_json::Value::Object(members) => members.keys().all(|name| name == "d" || (has_c && name == "c")),
        other => other.is_null(),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((size, document)) = bytes.split_first() else { return };
    let whole = redacted(document, usize::MAX);
    assert_eq!(redacted(document, usize::from(*size).max(1)), whole);
    match whole {
        Ok(out) => {
            assert_eq!(redacted(&out, 3).as_ref(), Ok(&out), "what is redacted stays so");
            if let Ok(value) = serde_json::from_slice(&out) {
                assert!(is_named(&value), "{value}");
            }
        }
        Err(unfit) => assert!(
            unfit == Unfit::TooDeep || unfit == Unfit::LongName || serde_json::from_slice::<serde_json::Value>(document).is_err(),
            "{unfit}"
        ),
    }
});
