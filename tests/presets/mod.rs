//! Each preset against what its product publishes and issues: real-shaped documents beside this file, with test keys
//! of our own. What passes does so with the preset, the issuer and the audiences, and nothing else said.
//!
//! `README.md` says where the shapes come from.

mod auth0;
mod cloudflare_access;
mod cognito;
mod entra;
mod google;
mod keycloak;

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use serde_json::{Value, json};
use tollgate::encoding::{base64url, from_base64};

use crate::fakes::{Call, Page, Reply, World, call};

/// The one key of every product here: its public part is in each `jwks.json`.
pub(crate) static KEY: LazyLock<SigningKey<Sha256>> = LazyLock::new(|| {
    let pem = fs::read_to_string("tests/presets/key.pem").unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    SigningKey::new(RsaPrivateKey::from_pkcs8_der(&from_base64(&body).unwrap()).unwrap())
});

fn read(product: &str, file: &str) -> String {
    let path = format!("tests/presets/{product}/{file}.json");
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// One product: its tokens, and an edge that trusts one issuer of it.
struct Product {
    world: World,
    tokens: Value,
}

/// Who a token that passed was found to speak for: the identity headers without their prefix.
type Identity = BTreeMap<String, String>;

impl Product {
    /// An edge that trusts the issuer of the `entry`; the product's documents are served at `pages`.
    fn new(folder: &str, entry: &Value, pages: &[(&str, &str)]) -> Self {
        let config = json!({
            "issuers": [entry],
            "routes": [{ "id": "any", "methods": ["GET"], "path": "/any", "require": {}, "to": { "service": "ORIGIN" } }]
        });
        let world = World::new(&config.to_string());
        for (url, file) in pages {
            world.web.borrow_mut().insert((*url).to_owned(), Page::ok(read(folder, file)));
        }
        Self { world, tokens: serde_json::from_str(&read(folder, "tokens")).unwrap() }
    }

    /// A token of this kind, with some of its claims changed; `null` removes one.
    fn token(&self, kind: &str, change: &Value) -> String {
        let mut token = self.tokens[kind].clone();
        assert!(token.is_object(), "there is no token {kind}");
        for (name, value) in change.as_object().unwrap() {
            let claims = token["claims"].as_object_mut().unwrap();
            if value.is_null() {
                drop(claims.remove(name));
            } else {
                drop(claims.insert(name.clone(), value.clone()));
            }
        }
        let encoded = |part: &Value| base64url(part.to_string().as_bytes());
        let input = format!("{}.{}", encoded(&token["header"]), encoded(&token["claims"]));
        // What is not signed with RS256 is signed with a secret that is not ours to know.
        let signature = match token["header"]["alg"].as_str() {
            Some("RS256") => KEY.sign(input.as_bytes()).to_vec(),
            _ => vec![7; 64],
        };
        format!("{input}.{}", base64url(&signature))
    }

    fn ask(&self, token: &str) -> Reply {
        call(&self.world.edge(), &Call::get("https://edge.example/any").bearer(token)).0
    }

    /// Whom a token of this kind speaks for. It has to pass.
    fn identity(&self, kind: &str, change: &Value) -> Identity {
        match self.ask(&self.token(kind, change)) {
            Reply::Forwarded { identity, .. } => identity
                .into_iter()
                .map(|(name, value)| (name.strip_prefix("x-tollgate-").unwrap().to_owned(), value))
                .collect(),
            Reply::Answered(answer) => panic!("{kind}: {} {:?}", answer.status, self.world.log.borrow()),
        }
    }

    /// Why a token of this kind is refused, as the log says it. The answer is that of every bad token.
    fn refusal(&self, kind: &str, change: &Value) -> String {
        self.refusal_of(&self.token(kind, change))
    }

    fn refusal_of(&self, token: &str) -> String {
        let reply = self.ask(token);
        assert_eq!(reply.status(), 401, "{:?}", self.world.log.borrow());
        assert_eq!(reply.answer().header("www-authenticate"), Some(r#"Bearer error="invalid_token""#));
        let log = self.world.log.borrow();
        let line: Value = serde_json::from_str(log.last().unwrap()).unwrap();
        let claim = line["claim"].as_str().map(|claim| format!(" {claim}")).unwrap_or_default();
        format!("{}{claim}", line["reason"].as_str().unwrap())
    }

    /// Why keys of the set were left out.
    fn skipped(&self) -> Vec<String> {
        let log = self.world.log.borrow();
        let lines = log.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let skips = lines.filter(|line| line["decision"] == "skip");
        skips.map(|line| line["reason"].as_str().unwrap().to_owned()).collect()
    }
}

fn identity(members: &[(&str, &str)]) -> Identity {
    members.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Nothing is changed.
fn as_issued() -> Value {
    json!({})
}
