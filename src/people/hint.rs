//! ID tokens that come back as hints: whose they are, however old (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout section 2).

use serde::Deserialize;

use crate::error::{Error, Fault};
use crate::keyring::ALGORITHMS;
use crate::oauth::every_key;
use crate::people::visit::Visit;
use crate::port::Ports;
use crate::validator::Jws;

/// What an ID token says of whose it is.
#[derive(Debug, Deserialize)]
pub(super) struct Hint {
    iss: String,
    /// `sub`: the person.
    pub(super) sub: String,
    /// `aud`: the client.
    pub(super) aud: String,
}

/// What an ID token of this realm says, whether or not its time is over. `None`: it is none.
pub(super) async fn id_token<P: Ports>(visit: &Visit<'_, P>, text: &str) -> Result<Option<Hint>, Fault> {
    let keys = every_key(visit.config, visit.ports, visit.realm, visit.now).await?;
    let jws = match Jws::verify(text, &keys, &ALGORITHMS, visit.ports.verifier()).await {
        Ok(jws) => jws,
        Err(Error::Denied(_)) => return Ok(None),
        Err(Error::Fault(fault)) => return Err(fault),
    };
    let is_id_token = jws.header().typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT"));
    let hint = serde_json::from_slice::<Hint>(jws.payload()).ok();
    Ok(hint.filter(|hint| is_id_token && hint.iss == visit.realm.issuer.as_str()))
}
