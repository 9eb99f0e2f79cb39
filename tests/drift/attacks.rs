//! What `docs/attacks.md` names exists, and what section E has of tests stands there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{all, read};

/// What stands in backquotes.
fn named(document: &str) -> impl Iterator<Item = &str> {
    document.split('`').skip(1).step_by(2)
}

/// Names of tests that begin with `attack_` and one of these numbers.
fn tests_of(rust: &str, numbers: &[&str]) -> BTreeSet<String> {
    let names = rust.split("fn attack_").skip(1).filter_map(|rest| rest.split('(').next());
    let is_its = |name: &&str| numbers.iter().any(|number| name.starts_with(&format!("{number}_")));
    names.filter(is_its).map(|name| format!("attack_{name}")).collect()
}

#[test]
fn every_test_that_the_document_on_attacks_names_exists() {
    let mut rust = String::new();
    all(Path::new("src"), ".rs", &mut rust);
    all(Path::new("tests"), ".rs", &mut rust);
    let document = read("docs/attacks.md");
    let is_path = |name: &&str| ["tests/", "fuzz/"].iter().any(|folder| name.starts_with(folder));
    let paths: BTreeSet<_> = named(&document).filter(is_path).filter(|name| !name.contains('*')).collect();
    assert!(paths.len() > 15, "{paths:?}");
    for path in paths {
        assert!(Path::new(path).exists(), "{path}");
    }
    let is_test = |name: &&str| {
        let numbered = name.strip_prefix("attack_").or_else(|| name.strip_prefix("attacks_"));
        numbered.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let tests: BTreeSet<_> = named(&document).filter(is_test).collect();
    assert!(tests.len() > 50, "{tests:?}");
    for test in tests {
        assert!(rust.contains(&format!("fn {test}()")), "{test}");
    }
}

#[test]
fn every_test_of_section_e_stands_in_the_document_on_attacks() {
    const NUMBERS: [&str; 4] = ["55", "56", "57", "58"];
    let mut rust = String::new();
    all(Path::new("src"), ".rs", &mut rust);
    all(Path::new("tests/flows"), ".rs", &mut rust);
    let document = read("docs/attacks.md");
    let section = document.split("## E. HTTP").nth(1).unwrap().split("\n## ").next().unwrap();
    let known: BTreeSet<_> = named(section).map(str::to_owned).collect();
    let missing: Vec<_> =
        tests_of(&rust, &NUMBERS).into_iter().filter(|test| !known.contains(test)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    for number in NUMBERS {
        let row = section.lines().find(|line| line.starts_with(&format!("| {number} |"))).unwrap();
        assert!(named(row).any(|name| name.starts_with(&format!("attack_{number}_"))), "{number}");
    }
    // On the real runtime a test's title has its numbers.
    for entry in fs::read_dir("tests/e2e").unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.to_str().filter(|name| name.ends_with(".test.mjs")) else { continue };
        let text = read(name);
        for number in NUMBERS {
            let has = text.contains(&format!("attack_{number}"));
            let rows = section.lines().filter(|line| line.starts_with(&format!("| {number} |")));
            let stands = rows.flat_map(named).any(|known| known == name);
            assert!(!has || stands, "{name} has tests of {number}");
        }
    }
}
