//! What is said about an issuer's entry, good and bad.

use super::*;
use crate::config::Config;

const EC: &str = r#"{ "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }"#;
const OCT: &str = r#"{ "kty": "oct", "k": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" }"#;
const ASK: &str = r#""introspection": { "endpoint": "https://a.example/introspect", "client_id": "gate", "client_secret_name": "S" }"#;

fn read(issuers: &str) -> Result<Config, Vec<String>> {
    let text = format!(
        r#"{{ "realms": {{ "own": {{ "issuer": "https://edge.example/own" }} }}, "issuers": [{issuers}] }}"#
    );
    Config::parse(&text).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn entry(members: &str) -> String {
    format!(r#"{{ "issuer": "https://a.example", {members} }}"#)
}

fn good(members: &str) -> Arc<TrustedIssuer> {
    Arc::clone(read(&entry(members)).unwrap().trusted("https://a.example").unwrap())
}

#[test]
fn every_error_of_an_issuer_has_its_path_and_a_mend() {
    const URI: &str = r#""jwks_uri": "https://a.example/jwks", "audiences": ["api"]"#;
    let with = |more: &str| entry(&format!("{URI}, {more}"));
    let inline = |keys: &str| entry(&format!(r#""audiences": ["api"], "jwks": {{ "keys": [{keys}] }}"#));
    let asked = |from: &str, to: &str| entry(&ASK.replace(from, to));
    for (issuers, want) in [
        (with(r#""discovery": "openid""#), "issuers[0]: has several sources of keys; keep one of `jwks`"),
        (with(r#""jwks": { "keys": [] }"#), "issuers[0]: has several sources of keys"),
        (entry(r#""audiences": ["api"]"#), "issuers[0]: has no keys; give `jwks`, `jwks_uri`, `discovery`"),
        (inline(""), "issuers[0].jwks.keys: is empty; nothing could ever pass"),
        (inline(&format!("{EC}, {OCT}")), "issuers[0].jwks.keys: holds secrets beside public keys; make two"),
        (
            inline(&EC.replace("\"kty\"", "\"d\": \"AA\", \"kty\"")),
            "issuers[0].jwks.keys[0]: it has a private part",
        ),
        (
            inline(&EC.replace("\"kty\"", "\"use\": \"enc\", \"kty\"")),
            "issuers[0].jwks.keys[0]: `use` or `key_ops`",
        ),
        (
            with(r#""algorithms": ["RS256", "HS256"]"#),
            "issuers[0].algorithms[1]: `HS256` needs its secret in `jwks`",
        ),
        (
            entry(&format!(r#"{ASK}, "algorithms": ["HS256"]"#)),
            "issuers[0].algorithms[0]: `HS256` needs its secret",
        ),
        (
            with(r#""algorithms": []"#),
            "issuers[0].algorithms: is empty; nothing could ever pass: give at least one",
        ),
        (with(r#""algorithms": ["none"]"#), "issuers[0].algorithms[0]: unknown variant `none`"),
        (with(r#""typ": []"#), "issuers[0].typ: is empty; nothing could ever pass"),
        (with(r#""typ": ["at jwt"]"#), "issuers[0].typ[0]: not a well-formed typ"),
        (
            entry(r#""jwks_uri": "https://a.example/jwks""#),
            "issuers[0].audiences: is empty; nothing could ever pass",
        ),
        (entry(URI).replace(r#"["api"]"#, "[]"), "issuers[0].audiences: is empty; nothing could ever pass"),
        (entry(URI).replace(r#"["api"]"#, r#"["api", ""]"#), "issuers[0].audiences: is empty"),
        (with(r#""leeway_seconds": 301"#), "issuers[0].leeway_seconds: 301 is out of range; use 0 to 300"),
        (
            with(r#""max_lifetime_seconds": 0"#),
            "issuers[0].max_lifetime_seconds: 0 is out of range; use 1 to 315360000",
        ),
        (with(r#""claims": { "roles": "/a~2" }"#), "issuers[0].claims.roles: not a well-formed claim"),
        (
            with(r#""claims": { "scope": [] }"#),
            "issuers[0].claims.scope: is empty; leave it out, or name a claim",
        ),
        (with(r#""claims": { "sub": "x" }"#), "issuers[0].claims.sub: unknown field `sub`"),
        (
            with(r#""required_claims": { "typ": [] }"#),
            "issuers[0].required_claims.typ: is empty; nothing could ever pass",
        ),
        (with(r#""required_claims": { "typ": 7 }"#), "issuers[0].required_claims.typ: "),
        (
            with(r#""required_claims": { "/": true }"#),
            "issuers[0].required_claims./: not a well-formed claim",
        ),
        (with(r#""preset": "okta""#), "issuers[0].preset: unknown variant `okta`"),
        (
            entry(URI).replace("https://a.example/jwks", "http://a.example/jwks"),
            "issuers[0].jwks_uri: not a well-formed address",
        ),
        (
            entry(URI).replace(r#""https://a.example","#, r#""http://a.example","#),
            "issuers[0].issuer: is plain http; use https",
        ),
        (
            entry(URI).replace(r#""https://a.example","#, r#""a.example","#),
            "issuers[0].issuer: not a well-formed issuer",
        ),
        (
            entry(URI).replace(r#""https://a.example","#, r#""https://edge.example/own","#),
            "issuers[0].issuer: this issuer is configured already",
        ),
        (
            format!("{}, {}", entry(URI), entry(URI)),
            "issuers[1].issuer: this issuer is configured already; keep one entry",
        ),
        (asked("https://a", "http://a"), "issuers[0].introspection.endpoint: not a well-formed address"),
        (asked("gate", ""), "issuers[0].introspection.client_id: is empty; tollgate has to say who asks"),
        (asked("\"S\"", "\"\""), "issuers[0].introspection.client_secret_name: is empty"),
        (
            asked("\"S\"", "\"S\", \"cache_seconds\": 3601"),
            "issuers[0].introspection.cache_seconds: 3601 is out of range; use 0 to 3600",
        ),
        (
            asked("\"S\"", "\"S\", \"negative_seconds\": 301"),
            "issuers[0].introspection.negative_seconds: 301 is out of range; use 0 to 300",
        ),
    ] {
        let errors = read(&issuers).err().unwrap_or_default();
        assert!(errors.iter().any(|error| error.starts_with(want)), "{want}\n{errors:#?}\n{issuers}");
    }
}

#[test]
fn one_route_asks_one_issuer_about_opaque_tokens() {
    let both = |issuers: &str| {
        let other = ASK.replace("a.example", "b.example");
        let text = format!(
            r#"{{ "issuers": [{}, {{ "issuer": "https://b.example", {other} }}], "routes": [ {{ "id": "r",
            "methods": ["GET"], "path": "/r", "require": {{ {issuers} }}, "to": {{ "service": "O" }} }} ] }}"#,
            entry(ASK)
        );
        Config::parse(&text).err().unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let want =
        "routes[0].require.issuers: both `https://a.example` and `https://b.example` have `introspection`";
    assert!(both("").iter().any(|error| error.starts_with(want)), "{:?}", both(""));
    assert_eq!(both(r#""issuers": ["https://b.example"]"#), [""; 0]);
}

#[test]
fn what_would_be_ambiguous_or_give_a_secret_away_is_an_error() {
    let inline = |keys: &str| entry(&format!(r#""audiences": ["api"], "jwks": {{ "keys": [{keys}] }}"#));
    let asked = |from: &str, to: &str| entry(&ASK.replace(from, to));
    for (issuers, want) in [
        (
            inline(&format!(
                "{}, {}",
                EC.replace("\"kty\"", "\"kid\": \"k\", \"kty\""),
                EC.replace("\"kty\"", "\"kid\": \"k\", \"alg\": \"ES256\", \"kty\"")
            )),
            "issuers[0].jwks.keys: has two keys of one `kid` for the same algorithm",
        ),
        (
            asked("\"S\"", "\"TOLLGATE_KEK\""),
            "issuers[0].introspection.client_secret_name: is a secret of tollgate's own",
        ),
    ] {
        let errors = read(&issuers).unwrap_err();
        assert!(errors.iter().any(|error| error.starts_with(want)), "{want}\n{errors:#?}");
    }
}

#[test]
fn a_preset_fills_in_what_is_not_said_and_nothing_else() {
    let keycloak = good(r#""preset": "keycloak", "audiences": ["api"]"#);
    assert_eq!(keycloak.trust.algorithms, [Algorithm::Rs256]);
    assert!(
        matches!(&keycloak.keys, KeySource::Metadata(url) if url.as_str().ends_with("/openid-configuration"))
    );
    let said = good(
        r#""preset": "keycloak", "audiences": ["api"], "algorithms": ["ES256"], "jwks_uri": "https://k.example/",
        "claims": { "roles": "groups" }, "required_claims": { "typ": ["Bearer", "Other"], "acr": null }"#,
    );
    assert_eq!(said.trust.algorithms, [Algorithm::Es256]);
    assert!(matches!(&said.keys, KeySource::Published(url) if url.as_str() == "https://k.example/"));
    assert_eq!(said.trust.claims.roles, [ClaimPath::member("groups")]);
    assert_eq!(said.trust.claims.client, keycloak.trust.claims.client);
    let required: Vec<String> = said.trust.required.iter().map(|claim| claim.path.to_string()).collect();
    assert_eq!(required, ["acr", "typ"], "a claim that is said takes the place of the preset's");
}

#[test]
fn who_is_asked_about_every_token_needs_no_keys_and_no_audience() {
    let asked = good(ASK);
    assert!(matches!(asked.keys, KeySource::Nowhere) && asked.trust.audiences.is_empty());
    let preset = good(&format!(r#"{ASK}, "preset": "auth0", "audiences": ["api"]"#));
    assert!(matches!(preset.keys, KeySource::Metadata(_)) && preset.introspection.is_some());
    let both = good(&format!(r#"{ASK}, "discovery": "oauth", "audiences": ["api"]"#));
    assert!(matches!(both.keys, KeySource::Metadata(_)) && both.introspection.is_some());
}
