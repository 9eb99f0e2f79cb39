#![no_main]
//! The strict parser: never panics, and whatever it reads `serde_json` reads the same.

use libfuzzer_sys::fuzz_target;
use tollgate::json::{Value, value};

fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    use serde_json::Value as S;
    match (ours, theirs) {
        (Value::Null, S::Null) => true,
        (Value::Bool(a), S::Bool(b)) => a == b,
        (Value::Number(a), S::Number(b)) => b.as_f64().is_some_and(|b| *a == b),
        (Value::Text(a), S::String(b)) => a == b,
        (Value::Array(a), S::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), S::Object(b)) => {
            a.iter().count() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|b| same(value, b)))
        }
        _ => false,
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(ours) = value(bytes) {
        let theirs = serde_json::from_slice(bytes).expect("what the strict parser reads is JSON");
        assert!(same(&ours, &theirs), "{ours:?} {theirs:?}");
    }
});
