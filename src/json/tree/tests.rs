use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Bare,
    Pair(u8, String),
    Named { at: Option<u64> },
    Held(Box<Kind>),
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    kinds: Vec<Kind>,
    #[serde(default)]
    counts: BTreeMap<String, i64>,
    most: u64,
    part: f64,
    is_so: bool,
}

#[test]
fn what_serde_writes_is_read_as_it_was() {
    let whole = Whole {
        kinds: vec![
            Kind::Bare,
            Kind::Pair(1, "ä\u{0}".to_owned()),
            Kind::Named { at: None },
            Kind::Held(Box::new(Kind::Named { at: Some(u64::MAX) })),
        ],
        counts: [("a".to_owned(), i64::MIN)].into(),
        most: u64::MAX,
        part: 1.5,
        is_so: true,
    };
    let text = serde_json::to_string(&whole).unwrap();
    assert_eq!(read::<Whole>(&text).unwrap(), whole);
    assert_eq!(serde_json::from_str::<Whole>(&text).unwrap(), whole);
}

#[test]
fn what_is_not_of_the_type_is_refused() {
    let good = r#"{"kinds":[],"most":1,"part":1,"is_so":true}"#;
    assert!(read::<Whole>(good).is_ok());
    for (from, to) in [
        ("[]", "{}"),
        ("[]", r#"["other"]"#),
        ("[]", r#"[{"bare":1}]"#),
        ("[]", r#"["pair"]"#),
        ("[]", r#"[{"pair":[1]}]"#),
        ("[]", r#"[{"named":[1]}]"#),
        ("[]", r#"[{"held":"bare","bare":null}]"#),
        (r#""most":1"#, r#""most":-1"#),
        (r#""most":1"#, r#""most":1.5"#),
        (r#""most":1"#, r#""most":"1""#),
        (r#""most":1,"#, ""),
        ("true", "1"),
        ("}", ""),
    ] {
        let bad = good.replacen(from, to, 1);
        assert!(read::<Whole>(&bad).is_err(), "{bad}");
    }
    assert!(read::<Whole>("[[],{},1,1,true]").is_err(), "a structure is an object");
}

#[test]
fn what_has_no_meaning_is_ignored_or_refused_at_every_depth() {
    for (from, to) in [("true", r#"true,"more":1"#), ("[]", r#"[{"named":{"at":1,"more":1}}]"#)] {
        let more = r#"{"kinds":[],"most":1,"part":1,"is_so":true}"#.replacen(from, to, 1);
        assert!(read::<Whole>(&more).is_ok());
        let refused = read_strictly::<Whole>(&more).unwrap_err().to_string();
        assert!(refused.starts_with("unknown field `more`, expected "), "{refused}");
    }
    assert_eq!(read_strictly::<Quoted>(r#"{"at":1,"more":[1]}"#).unwrap().at, 1);
}

#[derive(Deserialize)]
#[serde(rename = "open")]
struct Quoted {
    at: u8,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Wrapped(Option<u8>);

#[derive(Debug, Deserialize)]
struct Holds {
    wrapped: Wrapped,
}

const fn seven() -> u8 {
    7
}

#[derive(Debug, Deserialize, PartialEq)]
struct Sparse {
    #[serde(default = "seven")]
    first: u8,
    maybe: Option<u8>,
    #[serde(default)]
    list: Vec<u8>,
    needed: u8,
    #[serde(skip)]
    ours: u8,
    #[serde(rename = "last", default)]
    end: Option<u8>,
}

#[test]
fn a_member_that_is_not_there_is_what_the_type_says_of_it() {
    let sparse = Sparse { first: 7, maybe: None, list: Vec::new(), needed: 1, ours: 0, end: None };
    assert_eq!(read::<Sparse>(r#"{"needed":1}"#).unwrap(), sparse);
    let whole = r#"{"last":5,"needed":1,"list":[2],"maybe":3,"first":4,"ours":9}"#;
    let expected = Sparse { first: 4, maybe: Some(3), list: vec![2], needed: 1, ours: 0, end: Some(5) };
    assert_eq!(read::<Sparse>(whole).unwrap(), expected, "in whatever order");
    assert!(read_strictly::<Sparse>(whole).is_err(), "`ours` is nobody's to say");
    let refused = |text: &str| read::<Sparse>(text).unwrap_err().to_string();
    assert_eq!(refused("{}"), "missing field `needed`");
    assert_eq!(refused(r#"{"first":null,"needed":1}"#), "invalid type: null, expected u8");
    assert_eq!(read::<Holds>("{}").unwrap_err().to_string(), "missing field `wrapped`");
    assert_eq!(read::<Holds>(r#"{"wrapped":null}"#).unwrap().wrapped, Wrapped(None));
}

#[test]
fn the_way_to_what_is_wrong_ends_there() {
    type Deep = BTreeMap<String, BTreeMap<String, Vec<Sparse>>>;
    for (wrong, path, words) in [
        (r#"[{"needed":1},{"list":[]}]"#, "a.b[1]", "missing field `needed`"),
        (r#"[{"needed":1,"list":[1,"x"]}]"#, "a.b[0].list[1]", "invalid type: string"),
        (r#"[{"needed":1,"lst":[]}]"#, "a.b[0].lst", "unknown field `lst`, expected one of `first`"),
        ("{}", "a.b", "invalid type: map"),
    ] {
        let value = serde_json::from_str(&format!(r#"{{"a":{{"b":{wrong}}}}}"#)).unwrap();
        let (way, error) = of_document::<Deep>(value).unwrap_err();
        assert_eq!(way, path);
        assert!(error.to_string().starts_with(words), "{error}");
    }
}
