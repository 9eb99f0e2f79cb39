//! One proof: a JWT with its key inside, about one request (RFC 9449 section 4.2).
//!
//! The checks of section 4.3, in this order, cheap first:
//!
//! 1. It is one compact JWS: several headers arrive joined by a comma, which is none. `typ` is `dpop+jwt`.
//! 2. `alg` is one of [`Algorithm::OF_CALLERS`]: no shared secret, and never `none`.
//! 3. `jwk` is a public key that may verify `alg`, without any private part, and meets the policy for every key ([`crate::token::Unfit`]).
//! 4. `htm` is the method, `htu` the address without its query and fragment: scheme, host and port are one of *our own* origins, as the
//!    configuration has them; the path is compared in its normal form.
//! 5. `iat` is not older than [`MAX_AGE`] and does not lie ahead, give or take what clocks are off. `exp` and `nbf`, where they are, hold.
//! 6. `jti` is there, and short.
//! 7. With an access token: `ath` is its digest.
//!
//! The signature is checked by whoever has a [`crate::port::Verifier`], with [`Proof::key`] and no other; then that nonce and mark count.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::encoding::{Digest, from_base64url};
use crate::error::Denied;
use crate::json::{self, Object, Value};
use crate::time::{Lifetime, Timestamp};
use crate::token::{Algorithm, Compact, Jwk, date_of};
use crate::uri::RequestPath;

/// The header that carries a proof.
pub const PROOF_HEADER: &str = "dpop";

/// How old a proof may be: it is made for one request, which takes seconds.
pub const MAX_AGE: Lifetime = Lifetime::from_seconds(60);

/// How far the clock of whoever made it may be off: as for client assertions.
const LEEWAY: Lifetime = Lifetime::from_seconds(30);

/// The longest `jti`: a name of 256 bits in hexadecimal has 64 characters.
const MAX_ID: usize = 256;

/// Members of a JWK that hold something private (RFC 7518 section 6; `priv` of AKP keys).
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// A proof that can be read. Nothing that it says is proved.
#[derive(Debug)]
pub struct Proof<'a> {
    jws: Compact<'a>,
    algorithm: Algorithm,
    key: Jwk,
}

/// The request that a proof has to be about.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// Our own origins, where the request may have been sent to: `https://api.example.com`.
    pub origins: &'a [String],
    /// The path, in normal form.
    pub path: &'a RequestPath,
    /// The access token that it comes with.
    pub token: Option<&'a str>,
}

/// What a proof says, once its signature is known to be good.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proved {
    /// The thumbprint of the key (RFC 7638): `jkt`.
    pub key: Digest,
    /// What is kept of it.
    pub mark: Mark,
    /// `nonce`.
    pub nonce: Option<String>,
}

/// What is kept of a proof, so that it counts once.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Mark {
    /// The digest of its key's thumbprint and `jti`.
    pub id: Digest,
    /// The last instant at which the proof is taken.
    pub until: Timestamp,
}

impl<'a> Proof<'a> {
    /// Reads the value of a `DPoP` header (1) (2) (3).
    ///
    /// # Errors
    /// [`Denied::RejectProof`] with what is wrong.
    pub fn parse(text: &'a str) -> Result<Self, Denied> {
        let wrong = |part| move |_| Denied::RejectProof(part);
        let jws = Compact::parse(text).map_err(|_| Denied::RejectProof("jws"))?;
        if jws.header().typ.as_deref() != Some("dpop+jwt") {
            return Err(Denied::RejectProof("typ"));
        }
        let is_listed = |algorithm: &Algorithm| Algorithm::OF_CALLERS.contains(algorithm);
        let algorithm = jws.header().algorithm.filter(is_listed).ok_or(Denied::RejectProof("alg"))?;
        let header = text.split('.').next().unwrap_or_default();
        let header = from_base64url(header).map_err(wrong("jws"))?;
        let members = json::object(&header).map_err(wrong("jws"))?;
        // Here, and nowhere else, a token says itself what it is checked with.
        let held = members.get("jwk").ok_or(Denied::RejectProof("jwk"))?;
        if held.as_object().is_some_and(|held| PRIVATE.iter().any(|name| held.has(name))) {
            return Err(Denied::RejectProof("jwk"));
        }
        let key = Jwk::published(held).map_err(|_| Denied::RejectProof("jwk"))?;
        if !key.serves(algorithm) {
            return Err(Denied::RejectProof("jwk"));
        }
        Ok(Self { jws, algorithm, key })
    }

    /// What is signed.
    #[must_use]
    pub const fn jws(&self) -> &Compact<'a> {
        &self.jws
    }

    /// `alg`.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key that it has to be signed with.
    #[must_use]
    pub const fn key(&self) -> &Jwk {
        &self.key
    }

    /// Checks what it says of the request (4) to (7). Does **not** check the signature, `nonce`, or whether it was used before.
    ///
    /// # Errors
    /// [`Denied::RejectProof`] with the first claim that is missing or wrong.
    pub fn check(&self, about: &About<'_>, now: Timestamp) -> Result<Proved, Denied> {
        let wrong = Denied::RejectProof;
        let claims = json::object(self.jws.payload()).map_err(|_| wrong("jws"))?;
        let text = |name: &'static str| match claims.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.as_ref())),
            Some(_) => Err(wrong(name)),
        };
        if text("htm")? != Some(about.method) {
            return Err(wrong("htm"));
        }
        let is_here = text("htu")?.is_some_and(|htu| is_address(htu, about));
        if !is_here {
            return Err(wrong("htu"));
        }
        let made_at = date(&claims, "iat")?.ok_or(wrong("iat"))?;
        let until = made_at.after(MAX_AGE).after(LEEWAY);
        if until < now || now.after(LEEWAY) < made_at {
            return Err(wrong("iat"));
        }
        // Section 4.2: other claims may be there, and these have a meaning (RFC 7519 section 4.1).
        if date(&claims, "exp")?.is_some_and(|end| end.after(LEEWAY) <= now) {
            return Err(wrong("exp"));
        }
        if date(&claims, "nbf")?.is_some_and(|begin| now.after(LEEWAY) < begin) {
            return Err(wrong("nbf"));
        }
        let id = text("jti")?.filter(|id| (1..=MAX_ID).contains(&id.len())).ok_or(wrong("jti"))?;
        let digest = about.token.map(|token| Digest::of(token.as_bytes()).to_string());
        if digest.is_some() && text("ath")? != digest.as_deref() {
            return Err(wrong("ath"));
        }
        let key = self.key.thumbprint();
        let id = Digest::of(&[key.bytes().as_slice(), id.as_bytes()].concat());
        Ok(Proved { key, mark: Mark { id, until }, nonce: text("nonce")?.map(str::to_owned) })
    }
}

/// Whether `htu` is the address of the request, without query and fragment (4), after the normalisation of RFC 3986 sections 6.2.2 and
/// 6.2.3.
fn is_address(htu: &str, about: &About<'_>) -> bool {
    // What an URL parser would leave out without a word.
    if !htu.bytes().all(|byte| byte.is_ascii_graphic()) {
        return false;
    }
    let Ok(url) = Url::parse(htu) else { return false };
    let is_plain =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    let origin = url.origin().ascii_serialization();
    let is_path = url.path().parse::<RequestPath>().is_ok_and(|path| path == *about.path);
    is_plain && is_path && about.origins.contains(&origin)
}

/// A claim that is a date; [`Denied::RejectProof`] where it is of the wrong type.
fn date(claims: &Object<'_>, name: &'static str) -> Result<Option<Timestamp>, Denied> {
    date_of(claims, name).map_err(|_| Denied::RejectProof(name))
}

#[cfg(test)]
mod tests;
