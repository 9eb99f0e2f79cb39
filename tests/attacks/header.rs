//! Section B: what a header says of keys.

use serde_json::Value;

use super::corpus::Corpus;
use super::draft::{Draft, text};
use super::keys::{KEYS, Secret, hmac};

const FORGED: &str = "reject_signature";

/// Where the end-to-end tests listen for whoever believes a header.
const BAIT: &str = "http://127.0.0.1:8798/jwks";

/// A certificate of [`super::keys::Keys::stranger`], signed by itself.
const CERTIFICATE: &str = "MIIBdzCCAR6gAwIBAgIBATAKBggqhkjOPQQDAjAaMRgwFgYDVQQDDA9hdHRhY2tzLmV4YW1wbGUwIBcNMjYxMTIxMjE0MTE0WhgPMjEyNjEwMjgyMTQxMTRaMBoxGDAWBgNVBAMMD2F0dGFja3MuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFIp06/7EeH1S7eep3AfQ7swH4aL3GB3mbBPer1z7NjpZwdT4/2TzHqH80P1d4hI4hfmQjy2Wa8iUTqQgK5F5OOjUzBRMB0GA1UdDgQWBBSRBtWJI4l/OUObC8q1rwIeYyoIYjAfBgNVHSMEGDAWgBSRBtWJI4l/OUObC8q1rwIeYyoIYjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCIHQxEhKwtCg+/pPrNObVWLF1AuLS1tdqq8HbwPOxOAPcAiBeXu0xVXszpS6wHt07glyXGbv/gmciWYcwWzG/kYkDOA==";

pub(super) fn add(to: &mut Corpus) {
    embedded(to);
    pointers(to);
    certificates(to);
    names(to);
    nameless(to);
    namesakes(to);
    critical(to);
    unencoded(to);
    kinds(to);
}

/// A stranger's token that brings `member` along, under every name that the key may be given; and a genuine one,
/// to which the member changes nothing.
fn bring(to: &mut Corpus, name: &str, member: &str, value: &str) {
    for (kid, reason) in [(Some("es256"), FORGED), (None, FORGED), (Some("unknown"), "unknown_key")] {
        let draft = Draft::es256().by(&KEYS.stranger, "ES256").header(member, value);
        let draft = match kid {
            Some(kid) => draft.header("kid", &text(kid)),
            None => draft.without_header("kid"),
        };
        to.refused(&format!("{name}_named_{}", kid.unwrap_or("nothing")), reason, draft.token());
    }
    to.passes(&format!("{name}_beside_a_genuine_signature"), Draft::es256().header(member, value).token());
}

fn embedded(to: &mut Corpus) {
    to.attack(16);
    let own = KEYS.stranger.jwk_text(&[]);
    let named = KEYS.stranger.jwk_text(&[("kid", "es256"), ("alg", "ES256"), ("use", "sig")]);
    bring(to, "jwk", "jwk", &own);
    bring(to, "jwk_with_the_kid", "jwk", &named);
    bring(to, "jwk_of_the_issuer", "jwk", &KEYS.es256.jwk_text(&[]));
    bring(to, "jwks", "jwks", &format!(r#"{{"keys":[{named}]}}"#));
    bring(to, "jwk_null", "jwk", "null");
    bring(to, "jwk_text", "jwk", &text("key"));
    bring(to, "jwk_empty", "jwk", "{}");
    let rsa = KEYS.stranger_rsa.jwk_text(&[("kid", "rs256")]);
    let draft = Draft::of("RS256").by(&KEYS.stranger_rsa, "RS256").header("jwk", &rsa);
    to.refused("jwk_rsa", FORGED, draft.token());
    to.refused("jwk_rsa_nameless", FORGED, draft.without_header("kid").token());
    let draft = Draft::new("nameless", &KEYS.stranger, "ES256", "own").header("jwk", &own);
    to.refused("jwk_where_keys_have_no_name", "unknown_key", draft.token());
    to.refused("jwk_where_nothing_has_a_name", FORGED, draft.without_header("kid").token());
    let draft = Draft::new("two", &KEYS.stranger, "ES256", "own").header("jwk", &own);
    to.refused("jwk_where_two_keys_are", "unknown_key", draft.without_header("kid").token());
    // A secret that the token itself brings.
    let oct = Secret::Hmac(vec![7; 32]).jwk_text(&[]);
    for (issuer, alg, reason) in
        [("es256", "ES256", "reject_algorithm"), ("hs256", "HS256", FORGED), ("ring", "HS256", "unknown_key")]
    {
        let secret = if alg == "ES256" { &KEYS.es256 } else { &KEYS.hs256 };
        let draft = Draft::new(issuer, secret, "HS256", "x").without_header("kid").header("jwk", &oct);
        let token = draft.with(&hmac("HS256", &[7; 32], draft.input().as_bytes()));
        to.refused(&format!("jwk_oct_at_{issuer}"), reason, token);
    }
}

fn pointers(to: &mut Corpus) {
    for (number, member) in [(17, "jku"), (18, "x5u")] {
        to.attack(number);
        for (name, address) in [
            ("here", BAIT),
            ("elsewhere", "https://evil.example/jwks"),
            ("with_userinfo", "https://attacks.example@evil.example/jwks"),
            ("with_a_fragment", "https://evil.example/#attacks.example/es256"),
            ("below_the_issuer", "https://attacks.example/es256/../../jwks"),
            ("metadata", "http://169.254.169.254/latest/meta-data"),
            ("file", "file:///dev/null"),
            ("data", "data:application/json,%7B%22keys%22:%5B%5D%7D"),
            ("script", "javascript:0"),
            ("empty", ""),
        ] {
            bring(to, &format!("{member}_{name}"), member, &text(address));
        }
        for (name, value) in [("null", "null"), ("number", "7"), ("array", r#"["https://evil.example"]"#)] {
            bring(to, &format!("{member}_{name}"), member, value);
        }
    }
}

fn certificates(to: &mut Corpus) {
    to.attack(19);
    bring(to, "x5c_signed_by_itself", "x5c", &format!(r#"["{CERTIFICATE}"]"#));
    bring(to, "x5c_twice", "x5c", &format!(r#"["{CERTIFICATE}","{CERTIFICATE}"]"#));
    bring(to, "x5c_nonsense", "x5c", r#"["AAAA"]"#);
    bring(to, "x5c_empty", "x5c", "[]");
    bring(to, "x5c_text", "x5c", &text(CERTIFICATE));
    bring(to, "x5t", "x5t", &text("5opmNdhY2LTJfjxeQ9xE1u8OgpA"));
    bring(to, "x5t_s256", "x5t#S256", &text("qPnxlQdTN9aGM7qzvepWe4u6IbG4wd1vivhRu4uE5c4"));
    bring(to, "x5t_of_nothing", "x5t", &text(""));
}

fn names(to: &mut Corpus) {
    to.attack(20);
    let draft = |kid: &str| Draft::es256().header("kid", kid);
    for (name, kid) in [
        ("path", "../../dev/null"),
        ("absolute_path", "/dev/null"),
        ("other_path", r"..\\..\\nul"),
        ("sql_union", "' UNION SELECT 'x"),
        ("sql_or", "x' OR '1'='1"),
        ("pipe", "|sleep 5"),
        ("command", "$(sleep 5)"),
        ("back_ticks", "`sleep 5`"),
        ("template", "{{7*7}}"),
        ("lookup", "${jndi:ldap://127.0.0.1:8798/x}"),
        ("address", BAIT),
        ("nul", "\\u0000"),
        ("nul_behind", "es256\\u0000"),
        ("nul_and_more", "es256\\u0000.pem"),
        ("emoji", "\u{1f600}"),
        ("cyrillic", "\u{435}s256"),
        ("backwards", "\\u202e652se"),
        ("proto", "__proto__"),
        ("constructor", "constructor"),
        ("to_string", "toString"),
        ("empty", ""),
        ("space", " "),
        ("space_behind", "es256 "),
        ("space_before", " es256"),
        ("upper_case", "ES256"),
        ("line_feed", "es256\\n"),
        ("carriage_return", "a\\r\\nb"),
        ("a_line_of_the_log", r#"x\"}\r\n{\"decision\":\"allow\",\"x\":\""#),
        ("a_header", "es256\\r\\nSet-Cookie: x=y"),
        ("escape_sequence", "\\u001b[2J"),
        ("storage_key", "jwks:test"),
        ("another_storage_key", "client:test:x"),
        ("unit_separator", "a\\u001fb"),
        ("slash", "es256/"),
        ("percent", "%65s256"),
        ("star", "*"),
        ("part", "es25"),
        ("two", "es256,es384"),
        ("of_another_issuer", "rs256"),
    ] {
        to.refused(name, "unknown_key", draft(&text(kid)).token());
    }
    for length in [128, 256, 257, 512, 513, 10_000] {
        let kid = text(&"x".repeat(length));
        to.refused(&format!("of_{length}"), "unknown_key", draft(&kid).token());
    }
    for (name, value) in [
        ("number", "7"),
        ("null", "null"),
        ("bool", "true"),
        ("array", r#"["es256"]"#),
        ("object", r#"{"kid":"es256"}"#),
    ] {
        to.refused(name, "malform_token", draft(value).token());
    }
    // An empty file, if the name were one, would be an empty secret.
    let null = Draft::of("HS256").header("kid", &text("../../dev/null"));
    let token = null.with(&hmac("HS256", b"", null.input().as_bytes()));
    to.refused("path_to_an_empty_secret", "unknown_key", token);
    to.passes("escaped_but_the_same", draft(r#""\u0065s256""#).token());
}

fn nameless(to: &mut Corpus) {
    to.attack(22);
    to.passes("one_key", Draft::es256().without_header("kid").token());
    to.refused("null_is_not_absent", "malform_token", Draft::es256().header("kid", "null").token());
    let at = |issuer: &str, secret| Draft::new(issuer, secret, "ES256", "a").without_header("kid");
    to.refused("two_keys_first", "unknown_key", at("two", &KEYS.es256).token());
    to.refused("two_keys_second", "unknown_key", at("two", &KEYS.other).token());
    to.refused("two_keys_neither", "unknown_key", at("two", &KEYS.stranger).token());
    to.passes("the_only_one_of_its_algorithm", at("ring", &KEYS.es256).token());
    to.passes("neither_has_a_name", at("nameless", &KEYS.es256).token());
    let named = Draft::new("nameless", &KEYS.es256, "ES256", "a").token();
    to.refused("a_name_where_the_key_has_none", "unknown_key", named);
    let empty = Draft::new("nameless", &KEYS.es256, "ES256", "").token();
    to.refused("an_empty_name_where_the_key_has_none", "unknown_key", empty);
}

fn namesakes(to: &mut Corpus) {
    to.attack(23);
    for (alg, secret) in [("ES256", &KEYS.es256), ("RS256", &KEYS.rs)] {
        let draft = Draft::new("namesakes", secret, alg, "same");
        to.passes(&format!("one_name_for_two_algorithms_{alg}"), draft.token());
        let other = Draft::new("namesakes", &KEYS.stranger, "ES256", "same").by(&KEYS.stranger_rsa, "RS256");
        let forged = other.header("alg", &text(alg)).token();
        to.refused(&format!("one_name_for_two_algorithms_forged_{alg}"), FORGED, forged);
    }
}

fn critical(to: &mut Corpus) {
    to.attack(25);
    for (name, value) in [
        ("unknown", r#"["urn:x"]"#),
        ("unknown_as_published", r#"["http://example.com/UNDEFINED"]"#),
        ("bork", r#"["bork"]"#),
        ("empty", "[]"),
        ("null", "null"),
        ("text", r#""exp""#),
        ("number", "7"),
        ("bool", "true"),
        ("object", r#"{"exp":true}"#),
        ("registered", r#"["alg"]"#),
        ("registered_kid", r#"["kid"]"#),
        ("itself", r#"["crit"]"#),
        ("a_claim", r#"["exp"]"#),
        ("twice", r#"["exp","exp"]"#),
        ("b64", r#"["b64"]"#),
        ("cnf", r#"["cnf"]"#),
        ("empty_name", r#"[""]"#),
        ("no_names", "[7,null]"),
        ("nested", r#"[["exp"]]"#),
    ] {
        to.refused(name, "reject_critical", Draft::es256().header("crit", value).token());
    }
    for (name, members) in [
        ("unknown_and_there", [("crit", r#"["urn:x"]"#), ("urn:x", "true")]),
        ("exp_and_there", [("crit", r#"["exp"]"#), ("exp", "4102444800")]),
        ("cnf_and_there", [("crit", r#"["cnf"]"#), ("cnf", r#"{"jkt":"x"}"#)]),
    ] {
        let draft = members.iter().fold(Draft::es256(), |draft, (name, value)| draft.header(name, value));
        to.refused(name, "reject_critical", draft.token());
    }
    let escaped = Draft::es256().header("\\u0063rit", r#"["urn:x"]"#);
    to.refused("escaped", "reject_critical", escaped.token());
    let forged = Draft::es256().header("crit", r#"["urn:x"]"#).by(&KEYS.stranger, "ES256");
    to.refused("forged", "reject_critical", forged.token());
    to.passes("among_the_claims", Draft::es256().claim("crit", r#"["urn:x"]"#).token());
    to.passes("of_another_case", Draft::es256().header("Crit", r#"["urn:x"]"#).token());
    to.passes("unknown_but_not_critical", Draft::es256().header("urn:x", "true").token());
}

fn unencoded(to: &mut Corpus) {
    to.attack(26);
    let crit = |draft: Draft| draft.header("crit", r#"["b64"]"#);
    for (name, value) in
        [("false", "false"), ("true", "true"), ("null", "null"), ("text", r#""false""#), ("zero", "0")]
    {
        let draft = Draft::es256().header("b64", value);
        to.refused(&format!("{name}_not_critical"), "reject_critical", draft.clone().token());
        to.refused(&format!("{name}_critical"), "reject_critical", crit(draft).token());
    }
    // Signed as RFC 7797 has it: over the payload itself.
    let draft = crit(Draft::es256().header("b64", "false"));
    let head = draft.input().split('.').next().unwrap().to_owned();
    let plain = |payload: &str| {
        let input = format!("{head}.{payload}");
        let signature = draft.secret().sign("ES256", input.as_bytes());
        format!("{input}.{}", tollgate::encoding::base64url(&signature))
    };
    to.refused("plain", "reject_critical", plain("payload"));
    to.refused("plain_with_a_dot", "malform_token", plain("a.b"));
    to.no_credential("plain_claims", plain(&draft.claims_text()));
    to.no_credential("plain_as_published", plain("$.02"));
    let detached = plain(&draft.claims_text());
    let signature = detached.rsplit('.').next().unwrap();
    to.refused("detached", "reject_critical", format!("{head}..{signature}"));
    let cookbook: Value =
        serde_json::from_str(include_str!("../vectors/jose-cookbook/b64_false.json")).unwrap();
    to.no_credential("cookbook", cookbook["output"]["compact"].as_str().unwrap());
    to.passes("among_the_claims", Draft::es256().claim("b64", "false").token());
}

fn kinds(to: &mut Corpus) {
    to.attack(27);
    let draft = Draft::es256;
    let claims = draft().claims_text();
    // DEFLATE with one block, stored as it is (RFC 1951 section 3.2.4).
    let length = u16::try_from(claims.len()).unwrap();
    let deflated = [&[1], &length.to_le_bytes()[..], &(!length).to_le_bytes(), claims.as_bytes()].concat();
    for zip in ["DEF", "def", "GZIP"] {
        let header = draft().header("zip", &text(zip));
        let token = header.sign(header.header_text().as_bytes(), &deflated);
        to.refused(&format!("zip_{zip}"), "malform_token", token);
        // RFC 7516 section 4.1.3 defines it for encryption alone: here it means nothing.
        to.passes(&format!("zip_{zip}_of_what_is_not"), header.token());
    }
    let inner = draft().token();
    let nested = draft().header("cty", &text("JWT"));
    let header = nested.header_text();
    to.refused("nested", "malform_token", nested.sign(header.as_bytes(), inner.as_bytes()));
    to.refused("nested_as_text", "malform_token", nested.sign(header.as_bytes(), text(&inner).as_bytes()));
    let unsecured = draft().header("alg", &text("none")).with(&[]);
    to.refused("nested_unsecured", "malform_token", nested.sign(header.as_bytes(), unsecured.as_bytes()));
    to.passes("cty_of_what_is_not_nested", nested.token());
    for (name, value) in [
        ("null", "null"),
        ("number", "7"),
        ("array", r#"["at+jwt"]"#),
        ("object", r#"{"typ":"at+jwt"}"#),
        ("bool", "true"),
    ] {
        to.refused(&format!("typ_{name}"), "malform_token", draft().header("typ", value).token());
    }
    to.refused("typ_missing", "reject_type", draft().without_header("typ").token());
    for (name, typ) in [
        ("empty", ""),
        ("jose", "JOSE"),
        ("jose_json", "JOSE+JSON"),
        ("prefix_alone", "application/"),
        ("prefix_twice", "application/application/at+jwt"),
        ("another_tree", "text/at+jwt"),
        ("parameter", "at+jwt; v=1"),
        ("space_behind", "at+jwt "),
        ("space_before", " at+jwt"),
        ("nul_behind", "at+jwt\\u0000"),
        ("part", "at"),
        ("longer", "at+jwts"),
        ("two", "at+jwt,JWT"),
        ("full_width_plus", "at\u{ff0b}jwt"),
        ("full_width_t", "at+jw\u{ff54}"),
    ] {
        to.refused(&format!("typ_{name}"), "reject_type", draft().header("typ", &text(typ)).token());
    }
}

tests! {
    16 attack_16_a_key_in_the_header;
    17 attack_17_the_address_of_a_key_set;
    18 attack_18_the_address_of_a_certificate;
    19 attack_19_a_certificate_in_the_header;
    20 attack_20_the_name_of_a_key_is_a_name;
    22 attack_22_no_name_of_a_key;
    23 attack_23_one_name_of_several_keys;
    25 attack_25_crit;
    26 attack_26_a_payload_that_is_not_encoded;
    27 attack_27_zip_cty_and_typ;
}
