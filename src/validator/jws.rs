//! A compact JWS over any payload (RFC 7515): what access tokens, proofs, client assertions and logout tokens have in
//! common.

use std::sync::Arc;

use crate::error::{Denied, Error};
use crate::port::Verifier;
use crate::token::{Algorithm, Compact, Header, Jwk, JwkSet};

/// The keys that a signature may be by.
#[derive(Clone, Copy, Debug)]
pub enum Keys<'k> {
    /// This one, whatever `kid` says.
    One(&'k Jwk),
    /// The one that `kid` names; without a `kid`, the only one that may verify the algorithm.
    Set(&'k JwkSet),
}

impl<'k> From<&'k Jwk> for Keys<'k> {
    fn from(key: &'k Jwk) -> Self {
        Self::One(key)
    }
}

impl<'k> From<&'k JwkSet> for Keys<'k> {
    fn from(keys: &'k JwkSet) -> Self {
        Self::Set(keys)
    }
}

impl<'k> Keys<'k> {
    fn find(self, header: &Header, algorithm: Algorithm) -> Option<&'k Jwk> {
        match self {
            Keys::One(key) => Some(key).filter(|key| key.serves(algorithm)),
            Keys::Set(keys) => keys.find(header.key.as_ref(), algorithm).map(Arc::as_ref),
        }
    }
}

/// A payload that was signed by one of the keys.
#[derive(Clone, Debug)]
pub struct Jws {
    header: Header,
    algorithm: Algorithm,
    payload: Vec<u8>,
}

impl Jws {
    /// Verifies a compact JWS.
    ///
    /// **Checks** its size (16 KiB) and shape, that each part is canonical base64url and the header one strict JSON
    /// object (RFC 7515 section 5.2), that there is no `crit` (section 4.1.11) and no `b64` (RFC 7797), that `alg` is
    /// one of `algorithms` and one that the key serves (RFC 8725 section 3.1), and the signature.
    ///
    /// **Does not check** `typ`, nor what the payload says: no claim, no time, not even that it is JSON.
    ///
    /// Nothing in the header chooses where a key comes from: `jwk`, `jku`, `x5u` and `x5c` are not looked at.
    ///
    /// ```
    /// use tollgate::port::poll_once;
    /// use tollgate::software::SoftwareVerifier;
    /// use tollgate::token::{Algorithm, Jwk};
    /// use tollgate::Jws;
    ///
    /// // RFC 8037 appendix A.
    /// let key: Jwk = serde_json::from_str(
    ///     r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
    /// )?;
    /// let text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    /// let jws = poll_once(Jws::verify(text, &key, &[Algorithm::EdDsa], &SoftwareVerifier))
    ///     .expect("software does not wait")
    ///     .expect("the signature is good");
    /// assert_eq!(jws.payload(), b"Example of Ed25519 signing");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Denied`] with the first check that fails; [`Error::Fault`] when the platform cannot check.
    pub async fn verify<'k>(
        text: &str,
        keys: impl Into<Keys<'k>>,
        algorithms: &[Algorithm],
        verifier: &impl Verifier,
    ) -> Result<Self, Error> {
        let token = Compact::parse(text)?;
        let header = token.header();
        let algorithm = header
            .algorithm
            .filter(|algorithm| algorithms.contains(algorithm))
            .ok_or(Denied::RejectAlgorithm)?;
        let keys: Keys<'k> = keys.into();
        let key = keys.find(header, algorithm).ok_or(Denied::UnknownKey)?;
        let (input, signature) = (token.signing_input().as_bytes(), token.signature());
        if !verifier.verify(key, algorithm, input, signature).await? {
            return Err(Denied::RejectSignature.into());
        }
        Ok(Self { header: header.clone(), algorithm, payload: token.into_payload() })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The algorithm that it was signed with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What was signed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}
