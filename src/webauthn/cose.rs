//! Public keys as authenticators spell them: `COSE_Key` (RFC 9052 section 7), in the one form that CTAP2 makes canonical.
//!
//! Of each algorithm that is asked for there is one spelling, down to the byte, but for the numbers themselves. So nothing is parsed: what is not
//! spelled so is no key.

use crate::encoding::base64url;
use crate::token::{Algorithm, Jwk, Wire};

/// What a page asks for, as COSE numbers them, the best first: ES256, `EdDSA`, RS256 (section 5.4, `pubKeyCredParams`).
pub const ALGORITHMS: [i32; 3] = [-7, -8, -257];

/// `{1: 2, 3: -7, -1: 1, -2: x, -3: y}`
const ES256: &[u8] = &[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
/// Between `x` and `y`.
const ES256_Y: &[u8] = &[0x22, 0x58, 0x20];
/// `{1: 1, 3: -8, -1: 6, -2: x}`
const EDDSA: &[u8] = &[0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20];
/// `{1: 3, 3: -257, -1: n, -2: e}`, up to the length of `n`.
const RS256: &[u8] = &[0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, 0x59];
/// Behind `n`: 65537, the one exponent there is.
const RS256_E: &[u8] = &[0x21, 0x43, 0x01, 0x00, 0x01];

/// The key at the beginning, and what comes behind it. `None`: another algorithm, no key at all, or one that meets no policy ([`Jwk`]).
pub(super) fn read(bytes: &[u8]) -> Option<(Jwk, &[u8])> {
    let (wire, rest) = wire(bytes)?;
    // Held against the policy of every other key.
    Some((Jwk::try_from(wire).ok()?, rest))
}

fn wire(bytes: &[u8]) -> Option<(Wire, &[u8])> {
    let text = |bytes: &[u8]| Some(base64url(bytes));
    let of = |kty: &str, alg: Algorithm| Wire {
        kty: kty.to_owned(),
        alg: Some(alg.name().to_owned()),
        ..Wire::default()
    };
    if let Some(rest) = bytes.strip_prefix(ES256) {
        let (x, rest) = rest.split_first_chunk::<32>()?;
        let (y, rest) = rest.strip_prefix(ES256_Y)?.split_first_chunk::<32>()?;
        let crv = Some("P-256".to_owned());
        return Some((Wire { crv, x: text(x), y: text(y), ..of("EC", Algorithm::Es256) }, rest));
    }
    if let Some(rest) = bytes.strip_prefix(EDDSA) {
        let (x, rest) = rest.split_first_chunk::<32>()?;
        let crv = Some("Ed25519".to_owned());
        return Some((Wire { crv, x: text(x), ..of("OKP", Algorithm::EdDsa) }, rest));
    }
    let (length, rest) = bytes.strip_prefix(RS256)?.split_first_chunk::<2>()?;
    let (n, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let rest = rest.strip_prefix(RS256_E)?;
    Some((Wire { n: text(n), e: Some("AQAB".to_owned()), ..of("RSA", Algorithm::Rs256) }, rest))
}
