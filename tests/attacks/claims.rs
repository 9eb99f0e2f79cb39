//! Section D: what a genuine token says.

use super::corpus::Corpus;
use super::draft::{AUDIENCE, Draft, issuer, text};
use super::keys::{KEYS, hmac};

const FORGED: &str = "reject_signature";

pub(super) fn add(to: &mut Corpus) {
    dates(to);
    no_end(to);
    not_yet(to);
    audiences(to);
    issuers(to);
    keys_of_others(to);
    kinds(to);
    scopes(to);
    subjects(to);
    remembered(to);
    in_many_ways(to);
    secrets(to);
}

/// A claim's name and its value in JSON.
type Claim = (&'static str, &'static str);

/// JSON that is no number that a date could be.
const NO_DATES: [(&str, &str); 12] = [
    ("text", r#""9999999999""#),
    ("empty_text", r#""""#),
    ("iso_text", r#""2100-01-01T00:00:00Z""#),
    ("null", "null"),
    ("true", "true"),
    ("false", "false"),
    ("array", "[4102444800]"),
    ("empty_array", "[]"),
    ("object", "{}"),
    ("negative", "-1"),
    ("negative_fraction", "-0.001"),
    ("1e18", "1e18"),
];

fn dates(to: &mut Corpus) {
    to.attack(43);
    for name in ["exp", "nbf", "iat"] {
        for (about, value) in NO_DATES {
            let token = Draft::es256().claim(name, value).token();
            to.refused(&format!("{name}_{about}"), format!("malform_claim {name}"), token);
        }
        for value in ["NaN", "Infinity", "nan"] {
            let token = Draft::es256().claim(name, value).token();
            to.refused(&format!("{name}_{value}"), "malform_token", token);
        }
    }
    for value in ["0", "1", "1.5", "1700000000", "1000000000000e-3"] {
        to.refused(&format!("exp_{value}"), "expire_token", Draft::es256().claim("exp", value).token());
    }
    to.passes("exp_with_a_fraction", Draft::es256().claim("exp", "4102444800.25").token());
    to.passes("iat_with_a_fraction", Draft::es256().claim("iat", "1700000000.75").token());
    to.passes("iat_0", Draft::es256().claim("iat", "0").token());
}

fn no_end(to: &mut Corpus) {
    to.attack(44);
    to.refused("missing", "lack_claim exp", Draft::es256().without_claim("exp").token());
    let other = Draft::es256().without_claim("exp").claim("expires_at", "4102444800");
    to.refused("under_another_name", "lack_claim exp", other.token());
    let nested = Draft::es256().without_claim("exp").claim("x", r#"{"exp":4102444800}"#);
    to.refused("below_another_claim", "lack_claim exp", nested.token());
    let header = Draft::es256().without_claim("exp").header("exp", "4102444800");
    to.refused("in_the_header", "lack_claim exp", header.token());
    for (name, value) in [
        ("i64", "9223372036854775807"),
        ("u64", "18446744073709551615"),
        ("in_milliseconds", "4102444800000"),
        ("double", "1.7976931348623157e308"),
    ] {
        to.refused(name, "malform_claim exp", Draft::es256().claim("exp", value).token());
    }
    to.refused("long_ago", "expire_token", Draft::es256().claim("exp", "1700000001").token());
    to.passes("the_last_second", Draft::es256().claim("exp", "253402300799.999").token());
}

fn not_yet(to: &mut Corpus) {
    to.attack(45);
    for name in ["nbf", "iat"] {
        let late = Draft::es256().claim(name, "4102444799");
        to.refused(&format!("{name}_far_ahead"), "too_early", late.token());
        let last = Draft::es256().claim(name, "253402300799");
        to.refused(&format!("{name}_as_far_as_may_be"), "too_early", last.token());
        let beyond = Draft::es256().claim(name, "9223372036854775807");
        to.refused(&format!("{name}_i64"), format!("malform_claim {name}"), beyond.token());
    }
    to.passes("nbf_in_the_past", Draft::es256().claim("nbf", "1700000000").token());
    to.passes("nbf_missing", Draft::es256().token());
    to.refused("iat_missing", "lack_claim iat", Draft::es256().without_claim("iat").token());
    to.refused("not_before_the_end", "too_early", Draft::es256().claim("nbf", "4102444801").token());
}

fn audiences(to: &mut Corpus) {
    to.attack(46);
    let aud = |value: &str| Draft::es256().claim("aud", value).token();
    let own = text(AUDIENCE);
    to.refused("missing", "reject_audience", Draft::es256().without_claim("aud").token());
    to.passes("array_of_ours", aud(&format!("[{own}]")));
    to.passes("array_of_ours_and_others", aud(&format!(r#"["https://other.example",{own},"x"]"#)));
    to.passes("array_of_ours_twice", aud(&format!("[{own},{own}]")));
    to.refused("empty_array", "reject_audience", aud("[]"));
    to.refused("array_of_others", "reject_audience", aud(r#"["https://other.example","x"]"#));
    for (name, value) in [
        ("null", "null".to_owned()),
        ("number", "7".to_owned()),
        ("bool", "true".to_owned()),
        ("object", format!("{{{own}:true}}")),
        ("array_of_numbers", "[7]".to_owned()),
        ("ours_and_a_number", format!("[{own},7]")),
        ("a_null_and_ours", format!("[null,{own}]")),
        ("nested", format!("[[{own}]]")),
        ("array_of_objects", format!(r#"[{{"aud":{own}}}]"#)),
    ] {
        to.refused(name, "malform_claim aud", aud(&value));
    }
    for (name, value) in [
        ("longer", "https://attacks.example.evil"),
        ("with_a_slash", "https://attacks.example/"),
        ("below", "https://attacks.example/es256"),
        ("shorter", "https://attacks.exampl"),
        ("scheme", "https://"),
        ("host", "attacks.example"),
        ("port", "https://attacks.example:443"),
        ("upper_case", "HTTPS://ATTACKS.EXAMPLE"),
        ("http", "http://attacks.example"),
        ("space_before", " https://attacks.example"),
        ("space_behind", "https://attacks.example "),
        ("nul_behind", "https://attacks.example\\u0000"),
        ("two_in_one", "https://attacks.example https://other.example"),
        ("comma", "https://attacks.example,x"),
        ("star", "*"),
        ("pattern", "https://*"),
        ("empty", ""),
        ("userinfo", "https://attacks.example@evil.example"),
        ("before", "https://evil.example/https://attacks.example"),
        ("cyrillic", "https://\u{430}ttacks.example"),
        ("of_the_realm", "http://127.0.0.1:8795"),
    ] {
        to.refused(name, "reject_audience", aud(&text(value)));
        to.refused(&format!("{name}_in_an_array"), "reject_audience", aud(&format!(r#"["{value}","x"]"#)));
    }
    to.passes("escaped_but_the_same", aud(r#""https:\/\/attacks.example""#));
    let elsewhere = Draft::es256().without_claim("aud").header("aud", &own);
    to.refused("in_the_header", "reject_audience", elsewhere.token());
    let azp = Draft::es256().without_claim("aud").claim("azp", &own).claim("audience", &own);
    to.refused("under_other_names", "reject_audience", azp.token());
}

fn issuers(to: &mut Corpus) {
    to.attack(47);
    let iss = |value: &str| Draft::es256().claim("iss", value).token();
    to.refused("missing", "lack_claim iss", Draft::es256().without_claim("iss").token());
    let header = Draft::es256().without_claim("iss").header("iss", &text(&issuer("es256")));
    to.refused("in_the_header", "lack_claim iss", header.token());
    for (name, value) in [
        ("null", "null"),
        ("number", "7"),
        ("bool", "true"),
        ("object", r#"{"iss":"https://attacks.example/es256"}"#),
        ("array", r#"["https://attacks.example/es256"]"#),
        ("array_of_ours_and_theirs", r#"["https://attacks.example/es256","https://evil.example"]"#),
        ("array_of_theirs_and_ours", r#"["https://evil.example","https://attacks.example/es256"]"#),
        ("empty_array", "[]"),
    ] {
        to.refused(name, "malform_claim iss", iss(value));
    }
    for (name, value) in [
        ("empty", ""),
        ("with_a_slash", "https://attacks.example/es256/"),
        ("slash_doubled", "https://attacks.example//es256"),
        ("longer", "https://attacks.example/es2560"),
        ("shorter", "https://attacks.example/es25"),
        ("origin", "https://attacks.example"),
        ("origin_with_a_slash", "https://attacks.example/"),
        ("part", "attacks.example/es256"),
        ("letters_of_it", "https"),
        ("upper_case", "HTTPS://ATTACKS.EXAMPLE/ES256"),
        ("upper_case_host", "https://Attacks.example/es256"),
        ("upper_case_path", "https://attacks.example/ES256"),
        ("default_port", "https://attacks.example:443/es256"),
        ("empty_port", "https://attacks.example:/es256"),
        ("another_port", "https://attacks.example:8443/es256"),
        ("http", "http://attacks.example/es256"),
        ("last_dot", "https://attacks.example./es256"),
        ("dots", "https://attacks.example/x/../es256"),
        ("escaped", "https://attacks.example/%65s256"),
        ("query", "https://attacks.example/es256?x"),
        ("fragment", "https://attacks.example/es256#x"),
        ("userinfo", "https://x@attacks.example/es256"),
        ("their_host", "https://attacks.example.evil/es256"),
        ("their_subdomain", "https://evil.attacks.example/es256"),
        ("below_theirs", "https://evil.example/https://attacks.example/es256"),
        ("backslash", "https:\\\\\\\\attacks.example\\\\es256"),
        ("space_before", " https://attacks.example/es256"),
        ("space_behind", "https://attacks.example/es256 "),
        ("nul_behind", "https://attacks.example/es256\\u0000"),
        ("line_feed_behind", "https://attacks.example/es256\\n"),
        ("cyrillic", "https://\u{430}ttacks.example/es256"),
        ("punycode", "https://xn--ttacks-2nf.example/es256"),
        ("ideographic_stop", "https://attacks\u{3002}example/es256"),
        ("soft_hyphen", "https://attacks\u{ad}.example/es256"),
        ("composed_otherwise", "https://atta\u{301}cks.example/es256"),
        ("of_nobody", "https://evil.example"),
        ("by_name", "es256"),
        ("by_the_realms_name", "test"),
        ("two_in_one", "https://attacks.example/es256 https://attacks.example/es384"),
    ] {
        to.refused(name, "untrusted_issuer", iss(&text(value)));
    }
    to.passes("escaped_but_the_same", iss(r#""https:\/\/attacks.example\/es256""#));
    let slash = Draft::new("slash", &KEYS.es256, "ES256", "slash");
    to.refused("without_its_slash", "untrusted_issuer", slash.token());
}

fn keys_of_others(to: &mut Corpus) {
    to.attack(48);
    // A signs, and says that it is B.
    for (alg, other) in [("ES256", "same-kid"), ("ES256", "two"), ("ES256", "nameless"), ("ES384", "es256")] {
        let kid = alg.to_ascii_lowercase();
        let draft = Draft::of(alg).claim("iss", &text(&issuer(other)));
        let name = format!("{alg}_says_{other}");
        let reason = match other {
            "same-kid" => FORGED,
            "es256" => "reject_algorithm",
            _ => "unknown_key",
        };
        to.refused(&name, reason, draft.header("kid", &text(&kid)).token());
    }
    // Both have a key of this name, and each its own.
    let of = |name: &str, secret| Draft::new(name, secret, "ES256", "es256");
    to.passes("one_name_first_issuer", of("es256", &KEYS.es256).token());
    to.passes("one_name_second_issuer", of("same-kid", &KEYS.other).token());
    to.refused("one_name_first_says_second", FORGED, of("same-kid", &KEYS.es256).token());
    to.refused("one_name_second_says_first", FORGED, of("es256", &KEYS.other).token());
    let bare = |name: &str, secret| of(name, secret).without_header("kid");
    to.refused("nameless_first_says_second", FORGED, bare("same-kid", &KEYS.es256).token());
    to.refused("nameless_second_says_first", FORGED, bare("es256", &KEYS.other).token());
    // A secret that one issuer shares with us is no key of another.
    let secret = Draft::of("HS256").claim("iss", &text(&issuer("hs384")));
    to.refused("a_shared_secret", "reject_algorithm", secret.token());
    let realm = Draft::es256().claim("iss", &text("http://127.0.0.1:8795/test"));
    let realm = realm.claim("aud", &text("http://127.0.0.1:8795"));
    to.refused("says_the_realm", "lack_claim sid", realm.token());
    // Trusted, but not on this route.
    for alg in ["ES384", "RS256", "HS256"] {
        to.refused(&format!("{alg}_where_it_does_not_count"), "reject_issuer", Draft::of(alg).token()).path =
            "/attacks/es256";
    }
    let draft = of("same-kid", &KEYS.other).token();
    to.refused("one_name_where_it_does_not_count", "reject_issuer", draft).path = "/attacks/es256";
}

fn kinds(to: &mut Corpus) {
    to.attack(49);
    let typ = |value: &str| Draft::es256().header("typ", &text(value));
    for value in
        ["at+jwt", "AT+JWT", "At+Jwt", "application/at+jwt", "Application/AT+JWT", "APPLICATION/at+jwt"]
    {
        to.passes(&format!("typ_{value}"), typ(value).token());
    }
    for value in [
        "JWT",
        "jwt",
        "JWS",
        "JWE",
        "id_token+jwt",
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "rt+jwt",
        "oauth-authz-req+jwt",
        "token-introspection+jwt",
        "client-authentication+jwt",
        "at-jwt",
        "atjwt",
        "jwt+at",
        "application/jwt",
        "application/x.at+jwt",
    ] {
        to.refused(&format!("typ_{value}"), "reject_type", typ(value).token());
    }
    let shapes: [(&str, &str, &[Claim]); 6] = [
        ("id_token", "JWT", &[("nonce", "\"n\""), ("auth_time", "1700000000"), ("at_hash", "\"x\"")]),
        (
            "logout_token",
            "logout+jwt",
            &[("events", r#"{"http://schemas.openid.net/event/backchannel-logout":{}}"#)],
        ),
        ("dpop_proof", "dpop+jwt", &[("htm", "\"GET\""), ("htu", "\"https://attacks.example/attacks\"")]),
        ("client_assertion", "JWT", &[("iss", "\"client-7\""), ("sub", "\"client-7\"")]),
        ("refresh_token", "rt+jwt", &[("token_use", "\"refresh\"")]),
        ("security_event", "secevent+jwt", &[("events", r#"{"urn:x":{}}"#)]),
    ];
    for (name, value, claims) in shapes {
        let draft = claims.iter().fold(typ(value), |draft, (name, value)| draft.claim(name, value));
        let reason = if name == "client_assertion" { "untrusted_issuer" } else { "reject_type" };
        to.refused(name, reason, draft.token());
    }
    // What an access token has to say (RFC 9068 section 2.2), and an ID token does not.
    for name in ["client_id", "iat", "jti"] {
        let reason = format!("lack_claim {name}");
        to.refused(&format!("at_jwt_without_{name}"), reason, Draft::es256().without_claim(name).token());
        for (about, value) in [("null", "null"), ("array", r#"["x"]"#), ("object", "{}"), ("bool", "true")] {
            let token = Draft::es256().claim(name, value).token();
            to.refused(&format!("{name}_{about}"), format!("malform_claim {name}"), token);
        }
    }
    // An issuer that has been given leave to say JWT.
    let jwt = || Draft::new("jwt", &KEYS.es256, "ES256", "jwt").header("typ", &text("JWT"));
    to.passes("jwt_where_it_counts", jwt().token());
    to.passes("bare_jwt_where_it_counts", jwt().without_claim("client_id").without_claim("jti").token());
    to.refused(
        "logout_token_where_jwt_counts",
        "reject_type",
        jwt().header("typ", &text("logout+jwt")).token(),
    );
    to.refused("nothing_where_jwt_counts", "reject_type", jwt().without_header("typ").token());
    to.refused(
        "among_the_claims",
        "reject_type",
        Draft::es256().without_header("typ").claim("typ", &text("at+jwt")).token(),
    );
}

fn scopes(to: &mut Corpus) {
    to.attack(50);
    let scope = |value: &str| Draft::es256().claim("scope", value).token();
    for (name, value) in [
        ("it", "attacks:read"),
        ("first", "attacks:read other"),
        ("last", "other attacks:read"),
        ("twice", "attacks:read attacks:read"),
        ("of_many", "a b c attacks:read d"),
    ] {
        to.passes(name, scope(&text(value))).path = "/attacks/read";
    }
    // As many issuers write it; each name stands for itself.
    for (name, value) in [
        ("array", r#"["attacks:read"]"#),
        ("array_of_many", r#"["a","attacks:read","b"]"#),
        ("array_twice", r#"["attacks:read","attacks:read"]"#),
    ] {
        to.passes(name, scope(value)).path = "/attacks/read";
    }
    for (name, value) in [("empty_array", "[]"), ("array_of_others", r#"["attacks:readonly","attacks"]"#)] {
        to.lacks_scope(name, scope(value));
    }
    for (name, value) in [
        ("empty", ""),
        ("another", "attacks:write"),
        ("longer", "attacks:readonly"),
        ("longer_before", "xattacks:read"),
        ("shorter", "attacks:rea"),
        ("part", "attacks"),
        ("other_part", "read"),
        ("upper_case", "ATTACKS:READ"),
        ("comma", "attacks:read,other"),
        ("semicolon", "attacks:read;other"),
        ("plus", "other+attacks:read"),
        ("star", "*"),
        ("pattern", "attacks:*"),
        ("dot", "attacks.read"),
        ("slash", "attacks/read"),
    ] {
        to.lacks_scope(name, scope(&text(value)));
    }
    to.lacks_scope("missing", Draft::es256().without_claim("scope").token());
    for (name, claims) in [
        ("scp_text", ("scp", r#""attacks:read""#)),
        ("scp_array", ("scp", r#"["attacks:read"]"#)),
        ("scopes", ("scopes", r#"["attacks:read"]"#)),
        ("roles", ("roles", r#"["attacks:read"]"#)),
        ("permissions", ("permissions", r#"["attacks:read"]"#)),
        ("entitlements", ("entitlements", r#"["attacks:read"]"#)),
        ("of_the_realm", ("realm_access", r#"{"roles":["attacks:read"]}"#)),
    ] {
        let draft = Draft::es256().without_claim("scope").claim(claims.0, claims.1);
        to.lacks_scope(name, draft.token());
    }
    let header = Draft::es256().without_claim("scope").header("scope", &text("attacks:read"));
    to.lacks_scope("in_the_header", header.token());
    for (name, value) in [
        ("array_of_numbers", "[7]"),
        ("a_number_and_it", r#"[7,"attacks:read"]"#),
        ("it_and_null", r#"["attacks:read",null]"#),
        ("two_in_one_of_an_array", r#"["attacks:read other"]"#),
        ("empty_name_in_an_array", r#"["","attacks:read"]"#),
        ("nested_array", r#"[["attacks:read"]]"#),
        ("object", r#"{"attacks:read":true}"#),
        ("null", "null"),
        ("number", "7"),
        ("bool", "true"),
        ("two_spaces", r#""attacks:read  other""#),
        ("space_before", r#"" attacks:read""#),
        ("space_behind", r#""attacks:read ""#),
        ("space_alone", r#"" ""#),
        ("tab", r#""other\tattacks:read""#),
        ("line_feed", r#""other\nattacks:read""#),
        ("nul", r#""attacks:read\u0000""#),
        ("quote", r#""attacks:read \"""#),
        ("backslash", r#""attacks:read \\""#),
        ("no_ascii", "\"attacks:read \u{e9}\""),
        ("no_break_space", "\"other\u{a0}attacks:read\""),
    ] {
        to.refused(name, "malform_claim scope", scope(value)).path = "/attacks/read";
    }
}

fn subjects(to: &mut Corpus) {
    to.attack(51);
    let sub = |value: &str| Draft::es256().claim("sub", value).token();
    to.refused("missing", "lack_claim sub", Draft::es256().without_claim("sub").token());
    to.refused("empty", "lack_claim sub", sub(r#""""#));
    for (name, value) in
        [("null", "null"), ("number", "7"), ("bool", "true"), ("array", r#"["user-7"]"#), ("object", "{}")]
    {
        to.refused(name, "malform_claim sub", sub(value));
    }
    for (name, value) in [
        ("jkt", r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#),
        ("x5t", r#"{"x5t#S256":"qPnxlQdTN9aGM7qzvepWe4u6IbG4wd1vivhRu4uE5c4"}"#),
        ("both", r#"{"jkt":"x","x5t#S256":"y"}"#),
        ("jwk", r#"{"jwk":{"kty":"EC"}}"#),
        ("kid", r#"{"kid":"x"}"#),
        ("unknown", r#"{"urn:x":true}"#),
        ("empty", "{}"),
        ("null", "null"),
        ("text", r#""x""#),
        ("array", "[]"),
        ("false", "false"),
    ] {
        to.refused(&format!("cnf_{name}"), "refuse_unproven", Draft::es256().claim("cnf", value).token());
    }
    let escaped = Draft::es256().claim("\\u0063nf", r#"{"jkt":"x"}"#);
    to.refused("cnf_escaped", "refuse_unproven", escaped.token());
    for (name, value) in [
        ("spaces", r#""a b""#),
        ("line", r#""a\r\nx-tollgate-scope: all""#),
        ("percent", r#""%0d%0a""#),
        ("cyrillic", "\"\u{44f}\""),
        ("comma", r#""a,b""#),
        ("long", &text(&"x".repeat(2000))),
    ] {
        to.passes(&format!("odd_{name}"), sub(value));
    }
}

/// A name, a token, and why it is refused, if it is.
type Step = (&'static str, String, Option<&'static str>);

/// What an isolate has seen, and what is like it.
fn remembered(to: &mut Corpus) {
    to.attack(52);
    let draft = Draft::es256().claim("jti", &text("52"));
    let (genuine, signature) = (draft.token(), draft.signature());
    let mut other = signature.clone();
    other[63] ^= 1;
    let more = draft.clone().claim("scope", &text("attacks:read attacks:admin"));
    let elsewhere = draft.clone().claim("iss", &text(&issuer("same-kid")));
    let nameless = draft.clone().without_header("kid");
    let steps: Vec<Step> = vec![
        ("forged_first", draft.with(&other), Some(FORGED)),
        ("genuine", genuine.clone(), None),
        ("genuine_again", genuine.clone(), None),
        ("another_signature", draft.with(&other), Some(FORGED)),
        ("no_signature", draft.with(&[]), Some(FORGED)),
        ("a_signature_longer", draft.with(&[signature.as_slice(), &[0]].concat()), Some(FORGED)),
        ("a_letter_more", format!("{genuine}A"), Some(FORGED)),
        ("a_letter_less", genuine[..genuine.len() - 1].to_owned(), Some("malform_token")),
        ("padded", format!("{genuine}=="), Some("malform_token")),
        ("another_payload", more.with(&signature), Some(FORGED)),
        ("another_issuer", elsewhere.with(&signature), Some(FORGED)),
        ("another_header", nameless.with(&signature), Some(FORGED)),
        ("another_header_genuine", nameless.token(), None),
        ("upper_case", genuine.to_ascii_uppercase(), Some("malform_token")),
        ("genuine_after_all", genuine.clone(), None),
    ];
    for (name, token, reason) in steps {
        let case = match reason {
            None => to.passes(name, token),
            Some(reason) => to.refused(name, reason, token),
        };
        case.in_order = true;
    }
    // The same bytes on other routes: a fact is no decision.
    let rs256 = Draft::of("RS256").claim("jti", &text("52")).claim("scope", &text("other")).token();
    to.passes("where_it_may", rs256.clone()).in_order = true;
    to.lacks_scope("where_it_lacks_a_scope", rs256.clone()).in_order = true;
    let case = to.refused("where_its_issuer_does_not_count", "reject_issuer", rs256.clone());
    case.in_order = true;
    case.path = "/attacks/es256";
    to.passes("where_it_may_again", rs256).in_order = true;
}

fn in_many_ways(to: &mut Corpus) {
    to.attack(53);
    // Outside all of them look the same. What the log says is not proved either: claims come before the signature.
    let expired = || Draft::es256().claim("exp", "1700000001");
    to.refused("expired", "expire_token", expired().token());
    to.refused("expired_and_forged", "expire_token", expired().by(&KEYS.stranger, "ES256").token());
    to.refused("expired_and_no_signature", "expire_token", expired().with(&[]));
    to.refused("forged", FORGED, Draft::es256().by(&KEYS.stranger, "ES256").token());
    let early = Draft::es256().claim("nbf", "4102444799").by(&KEYS.stranger, "ES256");
    to.refused("too_early_and_forged", "too_early", early.token());
    let audience = Draft::es256().claim("aud", &text("x")).by(&KEYS.stranger, "ES256");
    to.refused("for_others_and_forged", "reject_audience", audience.token());
    let all = expired().claim("aud", &text("x")).header("typ", &text("JWT")).by(&KEYS.stranger, "ES256");
    to.refused("everything_at_once", "reject_type", all.token());
    let draft = Draft::of("HS256");
    let mac = draft.signature();
    for at in [0, 1, 15, 30, 31] {
        let mut near = mac.clone();
        near[at] ^= 1;
        to.refused(&format!("mac_wrong_at_{at}"), FORGED, draft.with(&near));
        to.refused(&format!("mac_of_{at}"), FORGED, draft.with(&mac[..at]));
    }
}

fn secrets(to: &mut Corpus) {
    to.attack(54);
    for alg in ["HS256", "HS384", "HS512"] {
        let draft = Draft::of(alg);
        for (name, secret) in [
            ("empty", b"".as_slice()),
            ("nul", b"\0"),
            ("32_zeros", &[0; 32]),
            ("64_zeros", &[0; 64]),
            ("space", b" "),
            ("null", b"null"),
            ("undefined", b"undefined"),
            ("secret", b"secret"),
            ("your_256_bit_secret", b"your-256-bit-secret"),
            ("kid", alg.to_ascii_lowercase().as_bytes()),
        ] {
            // HMAC fills a short key up with zeros: "", a zero and 64 zeros are one and the same.
            let token = draft.with(&hmac(alg, secret, draft.input().as_bytes()));
            to.refused(&format!("{alg}_{name}"), FORGED, token);
        }
    }
}

tests! {
    43 attack_43_dates_of_another_type;
    44 attack_44_no_end;
    45 attack_45_not_yet;
    46 attack_46_audiences;
    47 attack_47_issuers;
    48 attack_48_a_key_belongs_to_its_issuer;
    49 attack_49_tokens_of_another_kind;
    50 attack_50_scopes;
    51 attack_51_subjects_and_bound_tokens;
    52 attack_52_what_an_isolate_remembers;
    53 attack_53_wrong_in_many_ways;
    54 attack_54_secrets_that_anybody_guesses;
}
