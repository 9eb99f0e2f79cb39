//! The dependency rule and the size of things, held by a test. `docs/architecture.md` explains them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails is a panic")]

use std::fs;
use std::path::{Path, PathBuf};

/// Lowest first: a module may use its own layer and those below.
const LAYERS: [(&str, &[&str]); 4] = [
    (
        "vocabulary",
        &[
            "check",
            "email",
            "encoding",
            "error",
            "id",
            "json",
            "label",
            "pkce",
            "registered",
            "scope",
            "secret",
            "time",
            "uri",
        ],
    ),
    (
        "rules",
        &[
            "directory",
            "dpop",
            "grant",
            "http",
            "keyring",
            "policy",
            "principal",
            "redact",
            "session",
            "token",
            "webauthn",
        ],
    ),
    ("use cases", &["api", "app", "config", "console", "gateway", "oauth", "people", "port", "validator"]),
    ("adapters", &["browser", "edge", "policy_check", "software", "webcrypto"]),
];

/// Crates that only adapters may name.
const PLATFORM: [&str; 7] =
    ["worker", "js_sys", "web_sys", "wasm_bindgen", "jwt_simple", "p256", "wasm_bindgen_futures"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The crate's module that a file belongs to: `src/token/jwk.rs` is of `token`.
fn module(path: &Path) -> String {
    let name = path.strip_prefix("src").unwrap().components().next().unwrap();
    name.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

fn layer(module: &str) -> usize {
    LAYERS.iter().position(|(_, modules)| modules.contains(&module)).unwrap_or_else(|| {
        panic!(
            "`{module}` is in no layer: add it to tests/architecture.rs, src/lib.rs and docs/architecture.md"
        )
    })
}

/// Code without comments and without the tests at the end of a file.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every module that `use crate::` or a `crate::` path names, groups included.
fn uses(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = code.get(at..).unwrap().trim_start_matches("crate::");
        let names = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap(),
            None => rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap(),
        };
        found.extend(names.split(',').map(|name| name.trim().split("::").next().unwrap().to_owned()));
    }
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn each_layer_uses_only_itself_and_what_lies_below() {
    for path in sources(Path::new("src")).iter().filter(|path| !path.ends_with("lib.rs")) {
        let ours = module(path);
        for theirs in uses(&code(path)) {
            assert!(layer(&theirs) <= layer(&ours), "{}: `{ours}` may not use `{theirs}`", path.display());
        }
    }
}

#[test]
fn vocabulary_and_rules_know_no_platform_and_no_ports() {
    for path in sources(Path::new("src")).iter().filter(|path| !path.ends_with("lib.rs")) {
        let module = module(path);
        if LAYERS.iter().any(|(name, modules)| *name == "adapters" && modules.contains(&module.as_str())) {
            continue;
        }
        let code = code(path);
        for name in PLATFORM {
            let named = code.contains(&format!("use {name}")) || code.contains(&format!("{name}::"));
            assert!(!named, "{}: only adapters may name `{name}`", path.display());
        }
        assert!(layer(&module) > 1 || !code.contains("async "), "{}: rules do not wait", path.display());
    }
}

#[test]
fn the_map_in_the_crate_docs_is_complete() {
    let docs = fs::read_to_string("src/lib.rs").unwrap();
    for (name, modules) in LAYERS {
        let row = docs
            .lines()
            .find(|line| line.starts_with(&format!("//! | {name} |")))
            .unwrap_or_else(|| panic!("no row for {name}"));
        for module in modules {
            assert!(row.contains(&format!("`{module}`")), "src/lib.rs: {name} lacks `{module}`");
        }
    }
    for line in docs.lines().filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")) {
        layer(line.trim_end_matches(';'));
    }
}

#[test]
fn no_file_is_a_monolith() {
    for path in sources(Path::new("src")) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 800, "{} has {lines} lines: which noun hides in it?", path.display());
    }
    assert!(fs::read_to_string("src/lib.rs").unwrap().lines().count() < 100);
}

#[test]
fn the_check_itself_sees_what_it_should() {
    assert_eq!(uses("use crate::{token::Jwk, edge};\nlet x = crate::id::KeyId;"), ["token", "edge", "id"]);
}
