//! A token in the making: genuine, until something of it is changed. Values are raw JSON, so that they can be
//! anything.

use tollgate::encoding::base64url;

use super::keys::{KEYS, Secret};

pub(super) const AUDIENCE: &str = "https://attacks.example";

/// The address of a made-up issuer.
pub(super) fn issuer(name: &str) -> String {
    format!("https://attacks.example/{name}")
}

/// Text as a JSON string. For what needs no escapes.
pub(super) fn text(value: &str) -> String {
    format!(r#""{value}""#)
}

/// Members of a JSON object, in their order.
#[derive(Clone)]
pub(super) struct Members(Vec<(String, String)>);

impl Members {
    fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => self.add(name, value),
        }
    }

    fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    fn text(&self) -> String {
        let members: Vec<_> = self.0.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
        format!("{{{}}}", members.join(","))
    }
}

#[derive(Clone)]
pub(super) struct Draft {
    secret: &'static Secret,
    alg: String,
    header: Members,
    claims: Members,
}

impl Draft {
    /// What `https://attacks.example/{issuer}` says of a caller, from 2023 to 2100.
    pub(super) fn new(issuer_name: &str, secret: &'static Secret, alg: &str, kid: &str) -> Self {
        let mut header = Members(Vec::new());
        for (name, value) in [("alg", alg), ("kid", kid), ("typ", "at+jwt")] {
            header.add(name, &text(value));
        }
        let mut claims = Members(Vec::new());
        for (name, value) in [
            ("iss", text(&issuer(issuer_name))),
            ("sub", text("user-7")),
            ("aud", text(AUDIENCE)),
            ("client_id", text("client-7")),
            ("iat", "1700000000".to_owned()),
            ("exp", "4102444800".to_owned()),
            ("jti", text("1")),
            ("scope", text("attacks:read")),
        ] {
            claims.add(name, &value);
        }
        Self { secret, alg: alg.to_owned(), header, claims }
    }

    /// Of an issuer that is named like its one algorithm, and so is its key.
    pub(super) fn of(alg: &str) -> Self {
        let secret = match alg {
            "EdDSA" => &KEYS.eddsa,
            "ES256" => &KEYS.es256,
            "ES256K" => &KEYS.es256k,
            "ES384" => &KEYS.es384,
            "ES512" => &KEYS.es512,
            "HS256" => &KEYS.hs256,
            "HS384" => &KEYS.hs384,
            "HS512" => &KEYS.hs512,
            "PS256" | "PS384" | "PS512" => &KEYS.ps,
            "RS256" | "RS384" | "RS512" => &KEYS.rs,
            _ => panic!("{alg} has no issuer"),
        };
        let name = alg.to_ascii_lowercase();
        Self::new(&name, secret, alg, &name)
    }

    /// The one that most cases are made from.
    pub(super) fn es256() -> Self {
        Self::of("ES256")
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.header.set(name, value);
        self
    }

    /// Once more, behind what is there.
    pub(super) fn header_again(mut self, name: &str, value: &str) -> Self {
        self.header.add(name, value);
        self
    }

    pub(super) fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    pub(super) fn claim(mut self, name: &str, value: &str) -> Self {
        self.claims.set(name, value);
        self
    }

    /// Once more, behind what is there.
    pub(super) fn claim_again(mut self, name: &str, value: &str) -> Self {
        self.claims.add(name, value);
        self
    }

    pub(super) fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Signed by another key, or in another way, whatever the header says.
    pub(super) fn by(mut self, secret: &'static Secret, alg: &str) -> Self {
        self.secret = secret;
        alg.clone_into(&mut self.alg);
        self
    }

    pub(super) fn secret(&self) -> &'static Secret {
        self.secret
    }

    pub(super) fn header_text(&self) -> String {
        self.header.text()
    }

    pub(super) fn claims_text(&self) -> String {
        self.claims.text()
    }

    /// What is signed.
    pub(super) fn input(&self) -> String {
        format!("{}.{}", base64url(self.header_text().as_bytes()), base64url(self.claims_text().as_bytes()))
    }

    pub(super) fn signature(&self) -> Vec<u8> {
        self.secret.sign(&self.alg, self.input().as_bytes())
    }

    pub(super) fn token(&self) -> String {
        self.with(&self.signature())
    }

    /// With these bytes for a signature.
    pub(super) fn with(&self, signature: &[u8]) -> String {
        format!("{}.{}", self.input(), base64url(signature))
    }

    /// Genuinely signed, whatever the bytes are.
    pub(super) fn sign(&self, header: &[u8], claims: &[u8]) -> String {
        let input = format!("{}.{}", base64url(header), base64url(claims));
        let signature = self.secret.sign(&self.alg, input.as_bytes());
        format!("{input}.{}", base64url(&signature))
    }

    /// With its header's text changed, and signed.
    pub(super) fn edit_header(&self, edit: impl Fn(&str) -> String) -> String {
        self.sign(edit(&self.header_text()).as_bytes(), self.claims_text().as_bytes())
    }

    /// With its claims' text changed, and signed.
    pub(super) fn edit_claims(&self, edit: impl Fn(&str) -> String) -> String {
        self.sign(self.header_text().as_bytes(), edit(&self.claims_text()).as_bytes())
    }
}
