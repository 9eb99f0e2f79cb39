//! The browser artefact: PKCE (RFC 7636) for front ends, as `WebAssembly` exports.
//!
//! The rules are those of the edge ([`crate::pkce`]); this module only converts. Errors become JavaScript's
//! in the export itself, so that the rest stays testable natively.
//!
//! **Out of scope**: storage, redirects and requests: the typed facade in `pkg/` does those.

use js_sys::Reflect;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsError, JsValue};
use web_sys::Crypto;

use crate::pkce::Verifier;

/// A new `code_verifier`: 32 random bytes of `crypto.getRandomValues`, 43 characters (RFC 7636 section 4.1).
///
/// # Errors
/// There is no `crypto` here: neither a window nor a worker of a secure context.
#[wasm_bindgen(js_name = createVerifier)]
pub fn create_verifier() -> Result<String, JsError> {
    const NONE: &str = "crypto.getRandomValues is missing: use a secure context (https or localhost)";
    let mut random = [0; 32];
    let crypto =
        Reflect::get(&js_sys::global(), &JsValue::from_str("crypto")).map_err(|_| JsError::new(NONE))?;
    if !crypto.is_object() {
        return Err(JsError::new(NONE));
    }
    let crypto: Crypto = crypto.unchecked_into();
    crypto.get_random_values_with_u8_array(&mut random).map_err(|_| JsError::new(NONE))?;
    Ok(Verifier::from_random(&random).reveal().to_owned())
}

/// The S256 `code_challenge` of a `code_verifier` (RFC 7636 section 4.2).
///
/// # Errors
/// A verifier that is not 43 to 128 unreserved characters.
#[wasm_bindgen]
pub fn challenge(verifier: &str) -> Result<String, JsError> {
    verifier
        .parse::<Verifier>()
        .map(|verifier| verifier.challenge())
        .map_err(|e| JsError::new(&e.to_string()))
}
