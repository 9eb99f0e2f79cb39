use proptest::prelude::*;

use super::*;
use crate::redact::FieldPath;

fn fields(paths: &[&str]) -> Fields {
    let paths: Vec<FieldPath> = paths.iter().map(|path| path.parse().unwrap()).collect();
    Fields::of(&paths)
}

/// The whole document in pieces of this many bytes.
fn in_pieces(paths: &[&str], document: &[u8], size: usize) -> Result<Vec<u8>, Unfit> {
    let mut redactor = Redactor::new(fields(paths));
    let mut out = Vec::new();
    for piece in document.chunks(size) {
        let kept = redactor.push(piece)?;
        assert!(
            kept.len() <= piece.len().saturating_add(MOST_MORE),
            "{} bytes of {}",
            kept.len(),
            piece.len()
        );
        out.extend(kept);
    }
    redactor.finish()?;
    Ok(out)
}

fn redacted(paths: &[&str], document: &str) -> String {
    let whole = in_pieces(paths, document.as_bytes(), usize::MAX).unwrap();
    for size in 1..=7 {
        assert_eq!(
            in_pieces(paths, document.as_bytes(), size).unwrap(),
            whole,
            "{document} in pieces of {size}"
        );
    }
    String::from_utf8(whole).unwrap()
}

#[test]
fn members_that_no_path_names_leave_and_the_others_are_as_they_were() {
    let customer = r#"{ "id" : 7, "name": "Ada \u00e9 \/", "email":"a@example.com" , "addresses": [ {"city" : "Ö", "zip":1.50e+3}, null ] }"#;
    for (paths, expected) in [
        (&["id", "name"][..], r#"{"id":7,"name":"Ada \u00e9 \/"}"#),
        (&["addresses"], r#"{"addresses":[ {"city" : "Ö", "zip":1.50e+3}, null ]}"#),
        (&["addresses.zip"], r#"{"addresses":[{"zip":1.50e+3},null]}"#),
        (&["addresses.*"], r#"{"addresses":[{"city":"Ö","zip":1.50e+3},null]}"#),
        (&["addresses.city.name", "id"], r#"{"id":7,"addresses":[{},null]}"#),
        (&["*.city"], r#"{"addresses":[{"city":"Ö"},null]}"#),
        (
            &["*"],
            r#"{"id":7,"name":"Ada \u00e9 \/","email":"a@example.com","addresses":[ {"city" : "Ö", "zip":1.50e+3}, null ]}"#,
        ),
        (&["nothing"], "{}"),
        (&[], "{}"),
    ] {
        assert_eq!(redacted(paths, customer), expected, "{paths:?}");
    }
}

#[test]
fn a_document_is_json_whatever_it_begins_with() {
    for (document, expected) in [
        ("[]", "[]"),
        (" [ {\"id\":1,\"x\":2} , [{\"id\":3}], 4, null, \"id\" ] ", r#"[{"id":1},[{"id":3}],null]"#),
        ("12345678901234567890", "null"),
        ("\"secret\"", "null"),
        (" null\n", "null"),
        ("{}", "{}"),
    ] {
        assert_eq!(redacted(&["id"], document), expected, "{document}");
    }
}

#[test]
fn names_are_what_they_mean_and_stay_as_they_were_written() {
    for (path, document, expected) in [
        (
            "name",
            r#"{"\u006e\u0061me":1,"nam\u0065":2,"nameX":3,"Name":4}"#,
            r#"{"\u006e\u0061me":1,"nam\u0065":2}"#,
        ),
        (
            "ä𝄞",
            r#"{"\u00e4\ud834\udd1e":1,"\u00e4\ud834":2,"\ud834":3,"\udd1e\ud834":4}"#,
            r#"{"\u00e4\ud834\udd1e":1}"#,
        ),
        ("id", r#"{"id":1,"x":0,"id":{"a":[1,2]}}"#, r#"{"id":1,"id":{"a":[1,2]}}"#),
        (r"a\.b", r#"{"a.b":1,"a":{"b":2}}"#, r#"{"a.b":1}"#),
        ("a.b", r#"{"a.b":1,"a":{"b":2}}"#, r#"{"a":{"b":2}}"#),
        ("\"", r#"{"\"":1,"n":2}"#, r#"{"\"":1}"#),
    ] {
        assert_eq!(redacted(&[path], document), expected, "{path}");
    }
}

#[test]
fn numbers_beyond_what_a_double_holds_stay() {
    let kept = r#"{"id":123456789012345678901234567890.10,"a":-0,"b":1E400,"c":9007199254740993}"#;
    assert_eq!(redacted(&["*"], kept), kept);
}

#[test]
fn what_is_kept_of_a_piece_is_longer_than_it_by_a_name_at_most() {
    let name = "n".repeat(MOST_NAME - 2);
    let document = format!(r#"{{"a":1,"{name}":[2]}}"#);
    let mut redactor = Redactor::new(fields(&["*"]));
    let more = document
        .as_bytes()
        .chunks(1)
        .map(|piece| redactor.push(piece).unwrap().len().saturating_sub(1))
        .max();
    assert_eq!(more, Some(MOST_MORE));
}

#[test]
fn what_is_no_json_is_refused_wherever_it_stands() {
    let refused = |document: &[u8]| {
        let results: Vec<_> =
            [1, 2, 3, usize::MAX].iter().map(|size| in_pieces(&["a"], document, *size).err()).collect();
        assert!(results.windows(2).all(|two| two[0] == two[1]), "{results:?}");
        results[0]
    };
    for document in [
        "{a:1}",
        "{\"a\" 1}",
        "{\"a\":1,}",
        "{,}",
        "[1,]",
        "[,]",
        "[1 2]",
        "{\"a\":1}}",
        "[]]",
        "{]",
        "[}",
        "{\"a\":01}",
        "[1.]",
        "[.1]",
        "[+1]",
        "[1e]",
        "[--1]",
        "[\"\n\"]",
        "[\"\\x\"]",
        "[\"\\u12g4\"]",
        "[tru]",
        "[nul]",
        "[True]",
        "'a'",
        "[NaN]",
        "1 2",
        "[]//",
        "\u{feff}{}",
        "{\"x\":[}",
        "{\"a\":{\"b\":1,]}",
        "{\"x\":\"\u{1}\"}",
    ] {
        assert_eq!(refused(document.as_bytes()), Some(Unfit::Syntax), "{document}");
    }
    for document in [
        "",
        " ",
        "{",
        "[",
        "{\"a",
        "{\"a\"",
        "{\"a\":",
        "[1",
        "[1,",
        "\"a",
        "\"\\",
        "\"\\u00",
        "tr",
        "-",
        "1.",
        "1e",
        "{\"x\":{\"a\":1}",
    ] {
        assert_eq!(refused(document.as_bytes()), Some(Unfit::Incomplete), "{document}");
    }
}

#[test]
fn what_would_take_memory_is_refused() {
    let deep = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    for fields in [&["a"][..], &["*"]] {
        let nested = |depth| [br#"{"a":"#.to_vec(), deep(depth), b"}".to_vec()].concat();
        assert!(in_pieces(fields, &nested(MOST_DEPTH - 1), 11).is_ok());
        assert_eq!(in_pieces(fields, &nested(MOST_DEPTH), 11), Err(Unfit::TooDeep));
    }
    let named = |length: usize| format!(r#"{{"{}":1}}"#, "n".repeat(length));
    assert!(in_pieces(&["a"], named(MOST_NAME - 2).as_bytes(), 1000).is_ok());
    assert_eq!(in_pieces(&["a"], named(MOST_NAME - 1).as_bytes(), 1000), Err(Unfit::LongName));
    // Texts and numbers pass however long they are, and nothing of them stays.
    let mut redactor = Redactor::new(fields(&["a"]));
    redactor.push(br#"{"a":""#).unwrap();
    for _ in 0..1000 {
        assert_eq!(redactor.push(&[b'x'; 4096]).unwrap().len(), 4096);
    }
    assert_eq!(redactor.push(b"\",\"b\":1").unwrap(), b"\"");
    for _ in 0..1000 {
        assert_eq!(redactor.push(&[b'1'; 4096]).unwrap(), b"");
    }
    assert_eq!(redactor.push(b"}").unwrap(), b"}");
    assert!(redactor.finish().is_ok() && redactor.name.capacity() <= MOST_NAME);
}

/// A document as a tree, for a reading that is as plain as can be.
#[derive(Clone, Debug)]
enum Tree {
    Scalar(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

/// A name: as it is written, and what it means.
const NAMES: [(&str, &str); 8] = [
    ("id", "id"),
    ("\\u0069d", "id"),
    ("name", "name"),
    ("a", "a"),
    ("b", "b"),
    ("ä", "ä"),
    ("\\u00e4", "ä"),
    ("", ""),
];
const SCALARS: [&str; 8] =
    ["null", "true", "0", "-12.50e-3", "98765432109876543210", "\"\"", "\"}],\\\"\"", "\"ä\\ud834\\udd1e\""];
const SPACES: [&str; 4] = ["", " ", "\n\t", ""];

impl Tree {
    fn write(&self, spaces: &mut impl Iterator<Item = &'static str>) -> String {
        let between = |spaces: &mut dyn Iterator<Item = &'static str>| spaces.next().unwrap_or_default();
        match self {
            Self::Scalar(text) => text.clone(),
            Self::Array(items) => {
                let mut parts = Vec::new();
                for item in items {
                    let before = between(spaces);
                    parts.push(format!("{before}{}{}", item.write(spaces), between(spaces)));
                }
                format!("[{}]", parts.join(","))
            }
            Self::Object(members) => {
                let mut parts = Vec::new();
                for (name, value) in members {
                    let (before, after) = (between(spaces), between(spaces));
                    parts.push(format!(
                        "{before}\"{name}\"{after}:{}{}",
                        value.write(spaces),
                        between(spaces)
                    ));
                }
                format!("{{{}}}", parts.join(","))
            }
        }
    }

    /// What is left of it, by paths that lead on from here. `None`: nothing.
    fn kept(&self, paths: &[&[&str]]) -> Option<Tree> {
        if paths.is_empty() {
            return None;
        }
        if paths.iter().any(|path| path.is_empty()) {
            return Some(self.clone());
        }
        match self {
            Self::Scalar(text) => (text == "null").then(|| self.clone()),
            Self::Array(items) => {
                Some(Self::Array(items.iter().filter_map(|item| item.kept(paths)).collect()))
            }
            Self::Object(members) => {
                let member = |(name, value): &(String, Tree)| {
                    let meaning = NAMES.iter().find(|(written, _)| written == name).unwrap().1;
                    let on: Vec<&[&str]> = paths
                        .iter()
                        .filter(|path| path[0] == "*" || path[0] == meaning)
                        .map(|path| &path[1..])
                        .collect();
                    value.kept(&on).map(|kept| (name.clone(), kept))
                };
                Some(Self::Object(members.iter().filter_map(member).collect()))
            }
        }
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let scalar = prop::sample::select(&SCALARS[..]).prop_map(|text| Tree::Scalar(text.to_owned()));
    scalar.prop_recursive(5, 60, 6, |inner| {
        let name = prop::sample::select(&NAMES[..]).prop_map(|(written, _)| written.to_owned());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Tree::Array),
            prop::collection::vec((name, inner), 0..6).prop_map(Tree::Object),
        ]
    })
}

fn paths() -> impl Strategy<Value = Vec<Vec<&'static str>>> {
    let step = prop::sample::select(&["id", "name", "a", "b", "ä", "*"][..]);
    prop::collection::vec(prop::collection::vec(step, 1..4), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn redaction_is_what_a_plain_reading_comes_to(
        tree in tree(), paths in paths(), size in 1_usize..40, spaces in prop::collection::vec(prop::sample::select(&SPACES[..]), 0..40),
    ) {
        let texts: Vec<String> = paths.iter().map(|path| path.join(".")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let slices: Vec<&[&str]> = paths.iter().map(Vec::as_slice).collect();
        let compact = tree.write(&mut std::iter::empty());
        let root = if paths.is_empty() { vec![&["no such member"][..]] } else { slices };
        let expected = tree.kept(&root).map_or_else(|| "null".to_owned(), |kept| kept.write(&mut std::iter::empty()));
        prop_assert_eq!(String::from_utf8(in_pieces(&texts, compact.as_bytes(), size).unwrap()).unwrap(), expected.clone());
        // White space between is not kept, but where it is within what is kept whole.
        let spaced = tree.write(&mut spaces.iter().copied().cycle().take(160));
        let kept = String::from_utf8(in_pieces(&texts, spaced.as_bytes(), size).unwrap()).unwrap();
        let dense: String = kept.chars().filter(|character| !" \n\t".contains(*character)).collect();
        prop_assert_eq!(dense, expected);
        // What comes out is JSON, and fit to be redacted again to the same.
        prop_assert_eq!(in_pieces(&texts, kept.as_bytes(), size).unwrap(), kept.as_bytes());
    }

    #[test]
    fn whatever_comes_is_read_or_refused_the_same_in_all_pieces(bytes in prop::collection::vec(prop::sample::select(&b"{}[]\",:\\u0a1-.e+ ntrfl\n\xc3"[..]), 0..24), size in 1_usize..5) {
        let whole = in_pieces(&["a", "1.*"], &bytes, usize::MAX);
        prop_assert_eq!(in_pieces(&["a", "1.*"], &bytes, size), whole.clone());
        if let Ok(text) = std::str::from_utf8(&bytes) {
            // A half of a character that stands alone is JSON by its grammar.
            if !text.contains("\\u") && !text.contains(['e', 'E']) {
                prop_assert_eq!(whole.is_ok(), serde_json::from_str::<serde_json::Value>(text).is_ok(), "{}", text);
            }
        }
    }
}
