//! Section C: shapes, encodings, sizes. What is JSON and what is not is in `json.rs`.

use serde_json::Value;
use tollgate::encoding::{Digest, base64url};
use tollgate::token::MAX_TOKEN;

use super::corpus::Corpus;
use super::draft::{Draft, text};
use super::json;
use super::keys::KEYS;

const SHAPE: &str = "malform_token";

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

pub(super) fn add(to: &mut Corpus) {
    json_serialisations(to);
    encrypted(to);
    parts(to);
    json::add(to);
    second_spellings(to);
    sizes(to);
    bombs(to);
    nonsense(to);
}

/// The parts of a genuine token.
fn genuine() -> [String; 3] {
    let token = Draft::es256().token();
    let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

fn json_serialisations(to: &mut Corpus) {
    to.attack(28);
    let [head, payload, signature] = genuine();
    let none = base64url(Draft::es256().header("alg", &text("none")).header_text().as_bytes());
    let evil = base64url(Draft::es256().claim("sub", &text("admin")).claims_text().as_bytes());
    let one = format!(r#"{{"protected":"{head}","signature":"{signature}"}}"#);
    let bad = format!(r#"{{"protected":"{none}","signature":""}}"#);
    let members = format!(r#""protected":"{head}","payload":"{payload}","signature":"{signature}""#);
    for (name, json) in [
        ("flattened", format!("{{{members}}}")),
        ("general", format!(r#"{{"payload":"{payload}","signatures":[{one}]}}"#)),
        ("general_good_then_bad", format!(r#"{{"payload":"{payload}","signatures":[{one},{bad}]}}"#)),
        ("general_bad_then_good", format!(r#"{{"payload":"{payload}","signatures":[{bad},{one}]}}"#)),
        ("general_without_signatures", format!(r#"{{"payload":"{payload}","signatures":[]}}"#)),
        ("both_forms", format!(r#"{{{members},"signatures":[{bad}]}}"#)),
        ("no_header", format!(r#"{{"payload":"{payload}","signatures":[{{"signature":""}}]}}"#)),
        ("no_members", "{}".to_owned()),
        ("cut_off", format!(r#"{{"payload":"{payload}"#)),
        // CVE-2022-39227: compact for one reader, JSON for the other.
        ("polyglot", format!(r#"{{"{head}.{evil}.":"",{members}}}"#)),
        ("polyglot_with_spaces", format!(r#" {{ " {head}.{evil}.": "", {members} }}"#)),
        ("polyglot_behind", format!(r#"{{{members},"x":"{head}.{evil}.{signature}"}}"#)),
    ] {
        if name != "polyglot_with_spaces" {
            to.refused(&format!("{name}_encoded"), SHAPE, base64url(json.as_bytes()));
        }
        to.no_credential(name, json);
    }
    let quoted = format!(r#""{head}.{payload}.{signature}""#);
    to.no_credential("in_quotes", quoted);
    let polyglot = format!(r#"{{"{head}.{evil}.":"",{members}}}"#);
    let token = format!("{}.{evil}.{signature}", base64url(polyglot.as_bytes()));
    to.refused("polyglot_as_header", SHAPE, token);
}

fn encrypted(to: &mut Corpus) {
    to.attack(29);
    let jwe: Value = serde_json::from_str(include_str!("jwe.json")).unwrap();
    for name in ["unsecured", "claims"] {
        to.refused(name, SHAPE, jwe[name].as_str().unwrap());
    }
    let [_, payload, signature] = genuine();
    let header = |alg: &str| {
        let header = Draft::es256().header("alg", &text(alg)).header("enc", &text("A128GCM")).header_text();
        base64url(header.as_bytes())
    };
    for alg in ["dir", "RSA1_5", "RSA-OAEP", "ECDH-ES", "A128KW", "none", "ES256"] {
        let name = alg.replace('-', "_");
        to.refused(
            &format!("{name}_five_parts"),
            SHAPE,
            format!("{}..{payload}.{payload}.{signature}", header(alg)),
        );
        to.refused(
            &format!("{name}_of_a_signature"),
            SHAPE,
            format!("{}.{payload}.{signature}..", header(alg)),
        );
        if alg != "ES256" {
            let token = format!("{}.{payload}.{signature}", header(alg));
            to.refused(&format!("{name}_three_parts"), "reject_algorithm", token);
        }
    }
    to.no_credential("json", format!(r#"{{"protected":"{}","ciphertext":"{payload}"}}"#, header("dir")));
}

fn parts(to: &mut Corpus) {
    to.attack(30);
    let [head, payload, signature] = genuine();
    let good = [head.as_str(), &payload, &signature].join(".");
    for (name, token) in [
        ("one", head.clone()),
        ("two", format!("{head}.{payload}")),
        ("four", format!("{good}.{signature}")),
        ("five", format!("{good}.{head}.{payload}")),
        ("six", format!("{good}.{good}")),
        ("a_dot_before", format!(".{good}")),
        ("a_dot_behind", format!("{good}.")),
        ("two_dots_between", format!("{head}..{payload}.{signature}")),
        ("no_header", format!(".{payload}.{signature}")),
        ("no_payload", format!("{head}..{signature}")),
        ("no_header_no_payload", format!("..{signature}")),
        ("header_alone", format!("{head}..")),
        ("dot", ".".to_owned()),
        ("two_dots", "..".to_owned()),
        ("three_dots", "...".to_owned()),
        ("letters", "a.b.c".to_owned()),
        ("100_dots", ".".repeat(100)),
        ("1000_dots", ".".repeat(1000)),
        ("10000_dots", ".".repeat(10_000)),
        ("dots_behind", format!("{good}{}", ".".repeat(10_000))),
        ("dots_before", format!("{}{good}", ".".repeat(10_000))),
        ("letters_and_dots", "a.".repeat(8000)),
        ("a_space_for_a_dot", good.replace('.', "~")),
    ] {
        to.refused(name, SHAPE, token);
    }
    to.refused("100000_dots", "reject_size", ".".repeat(100_000));
    to.refused("a_million_dots", "reject_size", ".".repeat(1_000_000));
    to.no_credential("nothing", "");
    to.no_credential("other_dots", good.replace('.', "\u{2024}"));
    to.no_credential("commas", good.replace('.', ","));
    to.no_credential("two_tokens", format!("{good} {good}"));
    to.no_credential("two_tokens_and_a_comma", format!("{good}, {good}"));
    to.no_credential("two_credentials", format!("{good}, Bearer {good}"));
}

fn second_spellings(to: &mut Corpus) {
    to.attack(36);
    // Members of such lengths that header and payload end in bits that mean nothing.
    let draft = (0..9)
        .map(|n| Draft::es256().header("x", &text(&"x".repeat(n / 3))).claim("x", &text(&"x".repeat(n % 3))))
        .find(|draft| draft.header_text().len() % 3 == 1 && draft.claims_text().len() % 3 == 1)
        .unwrap();
    let token = draft.token();
    let parts: Vec<&str> = token.split('.').collect();
    let joined = |which: usize, part: &str| {
        let mut parts = parts.clone();
        parts[which] = part;
        parts.join(".")
    };
    to.passes("the_first_spelling", token.clone());
    for (which, name) in ["header", "payload", "signature"].into_iter().enumerate() {
        let part = parts[which];
        let (front, last) = part.split_at(part.len() - 1);
        let value = ALPHABET.iter().position(|letter| *letter == last.as_bytes()[0]).unwrap();
        for bits in 1..16 {
            let other = format!("{front}{}", char::from(ALPHABET[value | bits]));
            to.refused(&format!("{name}_trailing_bits_{bits}"), SHAPE, joined(which, &other));
        }
        for (more, about) in [
            ("=", "one_sign"),
            ("==", "padding"),
            ("===", "three_signs"),
            ("A", "one_letter"),
            ("=A", "sign_and_letter"),
            ("%3D%3D", "escaped_padding"),
            ("\n", "line_feed"),
            ("\r\n", "carriage_return"),
            (" ", "space"),
            ("\t", "tab"),
            ("\0", "nul"),
            ("~", "tilde"),
            (",", "comma"),
            (";", "semicolon"),
            ("\u{e9}", "latin_1"),
        ] {
            let token = joined(which, &format!("{part}{more}"));
            let name = format!("{name}_{about}_behind");
            match more {
                // RFC 9110 section 5.5: white space around a field's value does not belong to it.
                " " if which == 2 => drop(to.passes(&name, token)),
                "A" if which == 2 => drop(to.refused(&name, "reject_signature", token)),
                "=" | "==" | "===" | "A" | "=A" | "~" => drop(to.refused(&name, SHAPE, token)),
                _ => drop(to.no_credential(&name, token)),
            }
        }
        let middle = part.len() / 2;
        for (sign, about) in [
            ("\n", "line_feed"),
            (" ", "space"),
            ("=", "sign"),
            ("+", "plus"),
            ("/", "slash"),
            ("%41", "escaped_letter"),
        ] {
            let token = joined(which, &format!("{}{sign}{}", &part[..middle], &part[middle..]));
            let name = format!("{name}_{about}_inside");
            match sign {
                "=" | "+" | "/" => drop(to.refused(&name, SHAPE, token)),
                _ => drop(to.no_credential(&name, token)),
            }
        }
        let other = format!("+/{}", &part[2..]);
        to.refused(&format!("{name}_the_other_alphabet"), SHAPE, joined(which, &other));
        to.refused(&format!("{name}_in_both_alphabets"), SHAPE, joined(which, &format!("-+{}", &part[2..])));
        to.no_credential(
            &format!("{name}_escaped"),
            joined(which, &format!("%{:02x}{}", part.as_bytes()[0], &part[1..])),
        );
        to.refused(
            &format!("{name}_cut_to_one_letter"),
            SHAPE,
            joined(which, &part[..part.len() / 4 * 4 - 3]),
        );
    }
}

/// A genuine token of exactly this length.
fn of_length(length: usize) -> String {
    let draft = |header: usize, claims: usize| {
        Draft::es256().header("x", &text(&"x".repeat(header))).claim("x", &text(&"x".repeat(claims)))
    };
    let most = (length - draft(0, 0).token().len()) / 4 * 3;
    let mut sizes = (0..3).flat_map(|header| (most - 9..most + 9).map(move |claims| (header, claims)));
    sizes
        .find_map(|(header, claims)| {
            let draft = draft(header, claims);
            (draft.input().len() + 87 == length).then(|| draft.token())
        })
        .unwrap()
}

/// A genuine token with so many more claims.
fn with_claims(count: usize) -> String {
    let claims: Vec<_> = (0..count).map(|n| format!(r#""c{n}":1"#)).collect();
    Draft::es256().edit_claims(|text| text.replacen('{', &format!("{{{},", claims.join(",")), 1))
}

fn sizes(to: &mut Corpus) {
    to.attack(38);
    let draft = Draft::es256;
    to.passes("8193_bytes", of_length(8193));
    to.passes("as_long_as_may_be", of_length(MAX_TOKEN));
    to.refused("one_byte_longer", "reject_size", of_length(MAX_TOKEN + 1));
    let pad = |length: usize| text(&"x".repeat(length));
    to.passes("header_of_8_kb", draft().header("x", &pad(8192)).token());
    for (name, length) in [("16_kb", 16_384), ("1_mb", 1_000_000)] {
        to.refused(&format!("header_of_{name}"), "reject_size", draft().header("x", &pad(length)).token());
        to.refused(&format!("claim_of_{name}"), "reject_size", draft().claim("x", &pad(length)).token());
        let token = format!("{}{}", draft().token(), "A".repeat(length));
        to.refused(&format!("signature_of_{name}"), "reject_size", token);
        to.refused(&format!("letters_of_{name}"), "reject_size", "A".repeat(length + 1));
    }
    to.refused("signature_of_8_kb", "reject_signature", draft().with(&vec![0; 8192]));
    to.refused("letters", SHAPE, "A".repeat(MAX_TOKEN));
    to.passes("1000_claims", with_claims(1000));
    let audiences = |count: usize| {
        let others = r#""https://other.example","#.repeat(count);
        draft().claim("aud", &format!(r#"[{others}"https://attacks.example"]"#)).token()
    };
    to.passes("400_audiences", audiences(400));
    to.refused("100000_audiences", "reject_size", audiences(100_000));
    let others = draft().claim("aud", &format!("[{}\"x\"]", r#""x","#.repeat(2500))).token();
    to.refused("2500_other_audiences", "reject_audience", others);
    to.passes("1000_scopes", draft().claim("scope", &text(&["attacks:read"; 800].join(" "))).token());
}

fn bombs(to: &mut Corpus) {
    let [_, payload, signature] = genuine();
    let header =
        |members: &str| base64url(format!(r#"{{{members},"kid":"es256","typ":"at+jwt"}}"#).as_bytes());
    to.attack(40);
    let bomb = base64url(&vec![0xed; 8192]);
    for alg in ["dir", "RSA-OAEP", "A128KW"] {
        let head = header(&format!(r#""alg":"{alg}","enc":"A128GCM","zip":"DEF""#));
        to.refused(&format!("{alg}_five_parts"), SHAPE, format!("{head}..{payload}.{bomb}.{signature}"));
        to.refused(
            &format!("{alg}_three_parts"),
            "reject_algorithm",
            format!("{head}.{payload}.{signature}"),
        );
    }
    let signed = Draft::es256().header("zip", &text("DEF"));
    let header_text = signed.header_text();
    to.refused("signed", SHAPE, signed.sign(header_text.as_bytes(), &vec![0xed; 8192]));
    to.attack(41);
    for count in ["2147483647", "2147483648", "4294967296", "1e308", "-1"] {
        for alg in ["PBES2-HS256+A128KW", "PBES2-HS512+A256KW"] {
            let head = header(&format!(r#""alg":"{alg}","enc":"A128GCM","p2s":"AAAA","p2c":{count}"#));
            let name = format!("{}_{count}", &alg[..11]);
            to.refused(&format!("{name}_five_parts"), SHAPE, format!("{head}.{payload}.AA.AA.{signature}"));
            to.refused(
                &format!("{name}_three_parts"),
                "reject_algorithm",
                format!("{head}.{payload}.{signature}"),
            );
        }
    }
    let signed = Draft::es256().header("p2c", "2147483647").header("p2s", &text("AAAA"));
    to.passes("where_it_means_nothing", signed.token());
}

/// Bytes that look random and are the same in every run.
fn noise(seed: usize, length: usize) -> Vec<u8> {
    let blocks = (0..=length / 32).map(|n| *Digest::of(format!("noise {seed} {n}").as_bytes()).bytes());
    blocks.flatten().take(length).collect()
}

fn nonsense(to: &mut Corpus) {
    to.attack(42);
    let draft = Draft::es256();
    let (header, claims) = (draft.header_text(), draft.claims_text());
    for seed in 0..12 {
        let noise = noise(seed, seed * 17 + 1);
        to.refused(&format!("noise_{seed}_as_header"), SHAPE, draft.sign(&noise, claims.as_bytes()));
        to.refused(&format!("noise_{seed}_as_claims"), SHAPE, draft.sign(header.as_bytes(), &noise));
        to.refused(&format!("noise_{seed}_as_signature"), "reject_signature", draft.with(&noise));
        let text = base64url(&noise);
        to.refused(&format!("noise_{seed}_everywhere"), SHAPE, format!("{text}.{text}.{text}"));
    }
    let token = draft.token();
    for end in (1..token.len()).step_by(29) {
        to.refused_somehow(&format!("the_first_{end}"), &token[..end]);
        to.refused_somehow(&format!("without_the_first_{end}"), &token[end..]);
    }
    for (name, value) in
        [("", "\"x\""), ("constructor", "{}"), ("toString", "null"), ("length", "-1"), ("then", "{}")]
    {
        to.passes(&format!("claim_{name}"), Draft::es256().claim(name, value).token());
        to.passes(&format!("header_{name}"), Draft::es256().header(name, value).token());
    }
    let forged = Draft::es256().by(&KEYS.stranger, "ES256").claim("constructor", "{}");
    to.refused("claim_constructor_forged", "reject_signature", forged.token());
}

tests! {
    28 attack_28_json_serialisations;
    29 attack_29_encrypted_tokens;
    30 attack_30_other_numbers_of_parts;
    36 attack_36_second_spellings_of_base64url;
    38 attack_38_sizes;
    40 attack_40_decompression;
    41 attack_41_iterations;
    42 attack_42_nonsense;
}

#[test]
fn attack_38_10000_claims() {
    let world = super::world();
    assert_eq!(super::status(&world.edge(), &with_claims(1000)), 200);
    assert_eq!(super::status(&world.edge(), &with_claims(10_000)), 401);
}

#[test]
fn attack_42_every_beginning_and_every_end_of_a_token_is_refused() {
    let world = super::world();
    let edge = world.edge();
    for alg in ["EdDSA", "ES256", "HS256", "RS256"] {
        let token = Draft::of(alg).token();
        for at in 1..token.len() {
            assert_eq!(super::status(&edge, &token[..at]), 401, "{alg}: the first {at}");
            assert_eq!(super::status(&edge, &token[at..]), 401, "{alg}: without the first {at}");
        }
    }
}
