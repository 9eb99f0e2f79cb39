//! Validates an access token with `tollgate` as a library: no worker, no network.
//!
//! ```sh
//! cargo run --no-default-features --features jwt --example validate
//! ```
//!
//! Somebody else's server would publish the keys and issue the token; here both are made on the spot.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]
#![expect(clippy::disallowed_methods, reason = "a native program has a clock of its own")]

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::json;
use tollgate::Validator;
use tollgate::encoding::base64url;
use tollgate::port::poll_once;
use tollgate::software::SoftwareVerifier;
use tollgate::time::Timestamp;
use tollgate::token::{Algorithm, JwkSet, Trust};

fn main() -> Result<(), Box<dyn Error>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (published, token) = an_issuer(now)?;

    // What the issuer publishes. Keys that are weak, or for something else, are left out, each with its reason.
    let (keys, left_out) = JwkSet::parse(published.as_bytes())?;
    for reason in left_out {
        println!("a key is left out: {reason}");
    }

    let mut validator = Validator::new(SoftwareVerifier);
    let issuer = "https://issuer.example".parse()?;
    let audience = "https://api.example".to_owned();
    validator.trust(Trust::new(issuer, vec![audience], vec![Algorithm::Es256]), keys);

    let validate = |token: &str, at: u64| {
        // The software verifier never waits; in a worker this is `.await`.
        poll_once(validator.validate(token, Timestamp::from_seconds(at))).ok_or("it waits")
    };
    match validate(&token, now)? {
        Ok(token) => println!("{} may pass, with {}", token.subject(), token.scopes()),
        Err(error) => println!("refused: {error}"),
    }
    let (input, _) = token.rsplit_once('.').ok_or("no signature")?;
    for (what, text, at) in [
        ("another signature", format!("{input}.AAAA"), now),
        ("an hour later", token.clone(), now.saturating_add(3600)),
    ] {
        if let Err(error) = validate(&text, at)? {
            println!("{what}: refused: {error}");
        }
    }
    Ok(())
}

/// A key set and a token of five minutes.
fn an_issuer(now: u64) -> Result<(String, String), Box<dyn Error>> {
    let key = SigningKey::from_slice(&[7; 32])?;
    let point = key.verifying_key().to_sec1_point(false);
    let (x, y) = (point.x().ok_or("no point")?, point.y().ok_or("no point")?);
    let published = json!({ "keys": [
        { "kty": "EC", "crv": "P-256", "kid": "2026", "alg": "ES256", "use": "sig", "x": base64url(x), "y": base64url(y) },
        { "kty": "RSA", "kid": "old", "n": base64url(&[0xff; 64]), "e": "AQAB" },
    ] });
    let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": "2026" });
    let claims = json!({
        "iss": "https://issuer.example", "aud": "https://api.example", "sub": "somebody", "client_id": "an-app",
        "scope": "orders:read", "jti": "1", "iat": now, "exp": now.saturating_add(300),
    });
    let input =
        format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
    let signature: Signature = key.sign(input.as_bytes());
    Ok((published.to_string(), format!("{input}.{}", base64url(&signature.to_bytes()))))
}
