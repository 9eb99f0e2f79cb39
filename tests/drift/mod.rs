//! What is written twice must say the same: configuration, schema, bindings, documents.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

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

/// The code of every module without its tests, its white space single.
fn code(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            code(&path, into);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            into.push_str(&code.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "("));
        }
    }
}

#[test]
fn every_operation_of_a_fault_is_in_the_operations_manual_and_no_other() {
    // What stands before an operation's name: as a literal, or handed to what makes a fault of it.
    const BEFORE: [&str; 7] =
        ["Fault::new(", "const OP: &str = ", "op: Some(", "fault(", ".read(", ".write(", "json("];
    let mut source = String::new();
    code(Path::new("src"), &mut source);
    let named: BTreeSet<&str> = BEFORE
        .iter()
        .flat_map(|before| source.split(before).skip(1))
        .filter_map(|rest| rest.strip_prefix('"')?.split('"').next())
        .collect();
    assert!(named.len() > 30, "{named:?}");
    let manual = read("docs/operations.md");
    let section = manual.split("### Operations in faults").nth(1).unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let listed: BTreeSet<&str> = rows.flat_map(|row| row.trim_end_matches('`').split("`, `")).collect();
    let listed: BTreeSet<&str> = listed.into_iter().filter(|name| *name != "op").collect();
    assert_eq!(named, listed);
}
