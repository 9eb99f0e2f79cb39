//! The cases: what is sent, and what must come of it. `corpus.json` is the same for other programs.

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use serde::Serialize;
use serde_json::{Value, json};
use tollgate::encoding::{base64url, from_base64url};

use super::{claims, genuine, header, signature, structure};

const PATH: &str = "tests/attacks/corpus.json";

/// One row of `corpus.json`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Case {
    /// Its number in the list of attacks; 0 for what just has to pass.
    pub(super) attack: u8,
    pub(super) name: String,
    pub(super) path: &'static str,
    #[serde(skip)]
    pub(super) token: String,
    /// Not the token itself, but each that one changed bit makes of it, a bit in every byte.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) each_byte: bool,
    pub(super) status: u16,
    /// In `WWW-Authenticate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'static str>,
    /// In the log, with the claim that it is about. None: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    /// Sent one after the other: what came before matters.
    #[serde(skip_serializing_if = "is_false")]
    pub(super) in_order: bool,
    /// `false`: no HTTP client can send it.
    #[serde(skip_serializing_if = "is_true")]
    pub(super) http: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references to the fields")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references to the fields")]
const fn is_true(flag: &bool) -> bool {
    *flag
}

impl Case {
    /// The tokens that it is about.
    pub(super) fn tokens(&self) -> Vec<String> {
        if !self.each_byte {
            return vec![self.token.clone()];
        }
        let parts: Vec<Vec<u8>> = self.token.split('.').map(|part| from_base64url(part).unwrap()).collect();
        let mut tokens = Vec::new();
        for (which, part) in parts.iter().enumerate() {
            for at in 0..part.len() {
                let mut changed = parts.clone();
                changed[which][at] ^= 1 << (at % 8);
                tokens.push(changed.iter().map(|part| base64url(part)).collect::<Vec<_>>().join("."));
            }
        }
        tokens
    }

    /// The challenge that it must be answered with.
    pub(super) fn challenge(&self) -> Option<String> {
        let scope = if self.status == 403 { r#", scope="attacks:read""# } else { "" };
        self.error.map(|error| format!(r#"Bearer error="{error}"{scope}"#))
    }
}

/// The cases in the making.
#[derive(Debug, Default)]
pub(super) struct Corpus {
    cases: Vec<Case>,
    attack: u8,
}

impl Corpus {
    /// What follows belongs to this number.
    pub(super) fn attack(&mut self, number: u8) {
        self.attack = number;
    }

    fn add(
        &mut self,
        name: &str,
        token: String,
        status: u16,
        error: Option<&'static str>,
        reason: Option<String>,
    ) -> &mut Case {
        let name = format!("attack_{:02}_{name}", self.attack);
        assert!(self.cases.iter().all(|case| case.name != name), "{name} is there twice");
        let http = token.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        self.cases.push(Case {
            attack: self.attack,
            name,
            path: "/attacks",
            token,
            each_byte: false,
            status,
            error,
            reason,
            in_order: false,
            http,
        });
        self.cases.last_mut().unwrap()
    }

    /// Genuine: 200. Without such cases beside them, refusing everything would do.
    pub(super) fn passes(&mut self, name: &str, token: impl Into<String>) -> &mut Case {
        self.add(name, token.into(), 200, None, None)
    }

    /// 401.
    pub(super) fn refused(
        &mut self,
        name: &str,
        reason: impl Into<String>,
        token: impl Into<String>,
    ) -> &mut Case {
        self.add(name, token.into(), 401, Some("invalid_token"), Some(reason.into()))
    }

    /// 400: not even a credential.
    pub(super) fn no_credential(&mut self, name: &str, token: impl Into<String>) -> &mut Case {
        self.add(name, token.into(), 400, Some("invalid_request"), Some("malform_credentials".to_owned()))
    }

    /// 403, on the route that wants a scope.
    pub(super) fn lacks_scope(&mut self, name: &str, token: impl Into<String>) -> &mut Case {
        let case =
            self.add(name, token.into(), 403, Some("insufficient_scope"), Some("lack_scope".to_owned()));
        case.path = "/attacks/read";
        case
    }

    /// 401, for a reason that does not matter.
    pub(super) fn refused_somehow(&mut self, name: &str, token: impl Into<String>) -> &mut Case {
        self.add(name, token.into(), 401, Some("invalid_token"), None)
    }

    /// 401 for every token that one changed bit makes of this one.
    pub(super) fn each_byte_counts(&mut self, name: &str, token: String) {
        self.refused_somehow(name, token).each_byte = true;
    }
}

pub(super) static CORPUS: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let mut corpus = Corpus::default();
    genuine::add(&mut corpus);
    signature::add(&mut corpus);
    header::add(&mut corpus);
    structure::add(&mut corpus);
    claims::add(&mut corpus);
    corpus.cases
});

/// A case as it is written: its token in short.
#[derive(Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    case: &'a Case,
    token: Value,
}

/// What many tokens have in common, between their dots.
fn common() -> Vec<&'static str> {
    let mut counts = BTreeMap::new();
    for part in CORPUS.iter().flat_map(|case| case.token.split('.')) {
        *counts.entry(part).or_insert(0) += 1;
        assert!(!part.starts_with('@'), "{part} would be read as another");
    }
    counts.into_iter().filter(|(part, count)| *count > 2 && part.len() > 32).map(|(part, _)| part).collect()
}

/// `@7` stands for the part with this number. A long token is written as what it repeats: a list of texts and of
/// `{"repeat": ".", "times": 100000}`.
fn short(token: &str, common: &[&str]) -> Value {
    if token.len() < 4096 {
        let named =
            |part| common.binary_search(&part).map_or_else(|_| part.to_owned(), |at| format!("@{at}"));
        return json!(token.split('.').map(named).collect::<Vec<_>>().join("."));
    }
    let (mut pieces, mut plain, mut at) = (Vec::new(), String::new(), 0);
    while at < token.len() {
        // In base64, what repeats in the text does so every 4 characters, or a multiple of that.
        let run = [1, 4, 8, 16, 20, 32, 52].into_iter().find_map(|length| {
            let unit = token.get(at..at + length)?;
            let times = token.as_bytes()[at..].chunks(length).take_while(|next| *next == unit.as_bytes());
            Some((unit, times.count())).filter(|(unit, times)| unit.len() * times >= 128)
        });
        if let Some((unit, times)) = run {
            pieces.push(json!(std::mem::take(&mut plain)));
            pieces.push(json!({ "repeat": unit, "times": times }));
            at += unit.len() * times;
        } else {
            let next = token[at..].chars().next().unwrap();
            plain.push(next);
            at += next.len_utf8();
        }
    }
    pieces.push(json!(plain));
    pieces.retain(|piece| piece != "");
    assert_eq!(pieces.iter().map(whole).collect::<String>(), *token);
    Value::Array(pieces)
}

/// What a piece stands for.
fn whole(piece: &Value) -> String {
    match piece.as_str() {
        Some(text) => text.to_owned(),
        None => {
            piece["repeat"].as_str().unwrap().repeat(piece["times"].as_u64().unwrap().try_into().unwrap())
        }
    }
}

#[test]
fn the_corpus_is_that_of_the_tests() {
    let common = common();
    let rows = CORPUS.iter().map(|case| Row { case, token: short(&case.token, &common) });
    let rows: Vec<_> = rows.map(|row| serde_json::to_string(&row).unwrap()).collect();
    let parts: Vec<_> = common.iter().map(|part| format!(r#""{part}""#)).collect();
    let (rows, parts) = (rows.join(",\n"), parts.join(",\n"));
    let corpus = format!("{{\"parts\":[\n{parts}\n],\"cases\":[\n{rows}\n]}}\n");
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(PATH, &corpus).unwrap();
    }
    assert!(corpus.len() < 1_500_000, "{} bytes", corpus.len());
    let written = fs::read_to_string(PATH).unwrap();
    assert!(written == corpus, "{PATH} is not what the tests make: UPDATE_VECTORS=1 writes it");
}
