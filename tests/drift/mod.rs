//! What is written twice must say the same: configuration, schema, bindings, documents.

use std::fs;

use tollgate::config::Config;
use tollgate::oauth::Endpoint;

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn the_configurations_that_are_shipped_are_good() {
    for path in ["tollgate.json", "examples/short-idle.json"] {
        if let Err(errors) = Config::parse(&read(path)) {
            panic!("{path}: {errors:#?}");
        }
    }
}

/// `UPDATE_DOCS=1 cargo test --all-features` writes it anew.
#[cfg(feature = "schema")]
#[test]
fn the_schema_in_docs_is_that_of_the_parser() {
    const PATH: &str = "docs/tollgate.schema.json";
    let schema = schemars::schema_for!(tollgate::config::document::Document);
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(PATH, &text).unwrap();
    }
    assert!(read(PATH) == text, "{PATH} is not what the parser reads: run `make schema`");
}

#[test]
fn every_endpoint_is_in_the_readme() {
    let readme = read("README.md");
    for (endpoint, method, path) in Endpoint::ALL {
        let line = readme.lines().find(|line| line.contains(&format!("{path}`")));
        assert!(line.is_some_and(|line| line.contains(method)), "{endpoint:?}: {method} {path}");
    }
}

#[test]
fn the_bindings_of_wrangler_toml_are_those_of_the_code() {
    let (wrangler, code) = (read("wrangler.toml"), read("src/edge/platform.rs"));
    for name in ["TOLLGATE_KV", "PRINCIPAL", "KEYRING"] {
        assert!(
            wrangler.contains(&format!("= \"{name}\"")) && code.contains(&format!("\"{name}\"")),
            "{name}"
        );
    }
    for class in ["PrincipalDo", "KeyringDo"] {
        assert!(wrangler.contains(&format!("class_name = \"{class}\"")), "{class}");
    }
}

#[test]
fn every_reason_code_is_in_the_operations_manual() {
    let (code, manual) = (read("src/error.rs"), read("docs/operations.md"));
    let codes = code.lines().filter_map(|line| line.split_once("=> \"")?.1.strip_suffix("\","));
    let missing: Vec<_> = codes.filter(|code| !manual.contains(&format!("`{code}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
