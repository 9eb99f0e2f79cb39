//! What is written twice must say the same: configuration, schema, bindings, documents.

mod attacks;
mod openapi;
#[cfg(feature = "schema")]
mod schemas;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tollgate::config::Config;
use tollgate::oauth::Endpoint;

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn the_examples_of_a_configuration_are_good() {
    // `tollgate.json` has comments: tests/tools/places.test.mjs reads it as the build does.
    for path in ["examples/short-idle.json", "examples/mcp/tollgate.json"] {
        if let Err(errors) = Config::parse(&read(path)) {
            panic!("{path}: {errors:#?}");
        }
    }
}

#[test]
fn an_answer_that_is_redacted_has_room_for_what_a_piece_of_it_may_come_to() {
    assert!(read("src/edge/redacted.js").contains("\nconst ROOM = PIECE + 9 * 1024;\n"));
    const { assert!(tollgate::redact::MOST_MORE <= 9 * 1024) };
}

#[test]
fn every_check_and_every_lint_is_in_the_document_on_policy() {
    let document = read("docs/policy.md");
    for check in tollgate::check::Check::ALL {
        let name = check.name();
        assert!(
            document.lines().any(|line| line.starts_with("| ") && line.contains(&format!("`{name}`"))),
            "{name}"
        );
    }
    let mut lints = String::new();
    code(Path::new("src/policy_check"), &mut lints);
    let mut kinds = BTreeSet::new();
    for level in ["Error", "Warning", "Note"] {
        for kind in quoted(&lints, &format!("Level::{level}, "))
            .chain(quoted(&lints, &format!("Level::{level}, code: ")))
        {
            let row = format!("| `{kind}` | {} |", level.to_lowercase());
            assert!(document.contains(&row), "{row}");
            kinds.insert(kind.to_owned());
        }
    }
    let is_listed = |line: &&str| {
        ["error", "warning", "note"].iter().any(|level| line.contains(&format!("` | {level} | ")))
    };
    assert_eq!(document.lines().filter(is_listed).count(), kinds.len(), "{kinds:?}");
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
    for name in ["TOLLGATE_KV", "PRINCIPAL", "KEYRING", "TOKEN_LIMIT", "PASSWORD_LIMIT"] {
        assert!(
            wrangler.contains(&format!("= \"{name}\"")) && code.contains(&format!("\"{name}\"")),
            "{name}"
        );
    }
    for class in ["PrincipalDo", "KeyringDo", "DirectoryDo"] {
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
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            into.push_str(&code.split_whitespace().collect::<Vec<_>>().join(" ").replace("( ", "("));
        }
    }
}

#[test]
fn every_operation_of_a_fault_is_in_the_operations_manual_and_no_other() {
    // What stands before an operation's name: as a literal, or handed to what makes a fault of it.
    const BEFORE: [&str; 9] = [
        "Fault::new(",
        "const OP: &str = ",
        "op: Some(",
        "fault(",
        ".read(",
        ".write(",
        ".delete(",
        "unexpected(",
        "json(",
    ];
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

/// What is quoted directly behind each `before`.
fn quoted<'t>(text: &'t str, before: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(before).skip(1).filter_map(|rest| rest.strip_prefix('"')?.split('"').next())
}

#[test]
fn every_reason_is_in_the_document_on_validation() {
    let document = read("docs/validation.md");
    for path in ["src/error.rs", "src/token/jwk.rs"] {
        let code = read(path);
        let codes: Vec<_> = code
            .lines()
            .filter(|line| line.trim_start().starts_with("Self::"))
            .flat_map(|line| quoted(line, "=> "))
            .filter(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
            .collect();
        assert!(codes.len() >= 9, "{path}: {codes:?}");
        let missing: Vec<_> = codes.iter().filter(|code| !document.contains(&format!("`{code}`"))).collect();
        assert!(missing.is_empty(), "{path}: {missing:?}");
    }
}

/// The value of `what` in the table of numbers, without its unit.
fn number(document: &str, what: &str) -> u64 {
    let row = document.lines().find_map(|line| line.strip_prefix(&format!("| {what} | ")));
    let row = row.unwrap_or_else(|| panic!("docs/validation.md has no row `{what}`"));
    row.split(' ').next().unwrap().parse().unwrap_or_else(|_| panic!("{what}: {row}"))
}

/// What `name` is in a source file: the number behind the last parenthesis or sign of equality.
fn constant(path: &str, name: &str) -> u64 {
    let code = read(path);
    let line = code.lines().find(|line| line.contains(&format!("const {name}: ")));
    let line = line.unwrap_or_else(|| panic!("{path} has no constant {name}"));
    let value = line.rsplit(['(', '=']).next().unwrap().trim_matches(|c: char| !c.is_ascii_digit());
    value.replace('_', "").parse().unwrap_or_else(|_| panic!("{path}: {line}"))
}

#[test]
fn the_numbers_in_the_document_on_validation_are_those_of_the_code() {
    use tollgate::http::freshness;
    use tollgate::port::{MAX_WEB_BODY, WEB_TIMEOUT};
    use tollgate::token::{MAX_KEYS, MAX_TOKEN};
    let document = read("docs/validation.md");
    let max_age = |seconds: u64| freshness(Some(&format!("max-age={seconds}")), None).as_seconds();
    let size = |bytes: usize| u64::try_from(bytes).unwrap();
    let (keys, introspection) = ("src/validator/keys.rs", "src/validator/introspection.rs");
    for (what, want) in [
        ("longest token", size(MAX_TOKEN / 1024)),
        ("deepest JSON", size(tollgate::json::MAX_DEPTH)),
        ("shortest freshness of a key set", max_age(0)),
        ("longest freshness of a key set", max_age(u64::MAX)),
        ("freshness where nothing is said", freshness(None, None).as_seconds()),
        ("freshness of a realm's key set", tollgate::config::document::JWKS_SECONDS),
        ("cool-down after an unknown `kid`", constant(keys, "COOL_DOWN")),
        ("first pause after a failure", constant(keys, "PAUSE")),
        ("longest pause after failures", constant(keys, "MAX_PAUSE")),
        ("use beyond freshness", constant(keys, "STALE")),
        ("time for another server", WEB_TIMEOUT.as_seconds()),
        ("longest answer of another server", size(MAX_WEB_BODY / 1024)),
        ("most keys of a set", size(MAX_KEYS)),
        ("questions to one introspection endpoint at once", constant(introspection, "FLIGHTS")),
        ("pause after a failed introspection", constant(introspection, "PAUSE")),
    ] {
        assert_eq!(number(&document, what), want, "{what}");
    }
}

/// Every file below a folder that has this ending, in one text.
fn all(folder: &Path, ending: &str, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all(&path, ending, into);
        } else if path.to_str().unwrap().ends_with(ending) {
            into.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_test_that_the_document_on_conformance_names_exists() {
    let (mut rust, mut scripts) = (String::new(), String::new());
    all(Path::new("src"), ".rs", &mut rust);
    all(Path::new("tests"), ".rs", &mut rust);
    all(Path::new("tests/e2e"), ".test.mjs", &mut scripts);
    let document = read("docs/conformance.md");
    // The last column of each table of four.
    let cells = document.lines().filter_map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").collect();
        (line.starts_with("| ") && cells.len() == 4).then(|| cells[3].trim().to_owned())
    });
    let mut named = 0;
    for cell in cells.filter(|cell| cell != "test" && cell != "---") {
        for name in cell.split('`').skip(1).step_by(2) {
            named += 1;
            let is_there =
                [format!("fn {name}()"), format!(" {name};")].iter().any(|text| rust.contains(text));
            assert!(is_there, "{name}");
        }
        for title in cell.split('"').skip(1).step_by(2) {
            named += 1;
            assert!(scripts.contains(&format!("test(\"{title}\"")), "{title}");
        }
        assert!(cell.contains(['`', '"']) || cell == "none yet", "{cell}");
    }
    assert!(named > 60, "{named}");
}

#[test]
fn every_example_of_an_issuer_can_be_pasted() {
    let document = read("docs/configuration.md");
    let section = document.split("## `issuers[]`").nth(1).unwrap().split("\n## ").next().unwrap();
    let examples: Vec<_> =
        section.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let entries: Vec<_> = examples.iter().filter(|text| text.starts_with('{')).collect();
    assert!(entries.len() >= 9, "{}", entries.len());
    for entry in entries {
        if let Err(errors) = Config::parse(&format!(r#"{{ "issuers": [{entry}] }}"#)) {
            panic!("{entry}: {errors:#?}");
        }
    }
}
