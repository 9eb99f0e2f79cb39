//! What a browser has put together for the authenticator to sign (section 5.8.1).

use crate::json::{self, Value};
use crate::webauthn::Flaw;

/// The challenge of client data of this type, from a page of this origin.
pub(super) fn challenge(bytes: &[u8], kind: &str, origin: &str) -> Result<String, Flaw> {
    let members = json::object(bytes).map_err(|_| Flaw::ClientData)?;
    let text = |name| members.get(name).and_then(Value::as_text);
    if text("type") != Some(kind) {
        return Err(Flaw::ClientData);
    }
    // No page of ours lets itself be framed (`frame-ancestors 'none'`).
    let is_framed = members.has("topOrigin")
        || members.get("crossOrigin").is_some_and(|value| *value != Value::Bool(false));
    if text("origin") != Some(origin) || is_framed {
        return Err(Flaw::Origin);
    }
    text("challenge").map(str::to_owned).ok_or(Flaw::ClientData)
}
