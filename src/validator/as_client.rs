//! tollgate as a client of somebody else's: it says who it is with a secret of the deployment.

use form_urlencoded::Serializer;

use crate::config::document::ClientAuthentication;
use crate::encoding::base64;
use crate::error::Fault;
use crate::port::{Ports, Vault};

/// Proves who asks: the `Authorization` header, or what is added to the form (RFC 6749 section 2.3.1).
///
/// # Errors
/// The deployment has no secret of this name; `op` was to be done.
pub(crate) fn authenticate_as<P: Ports>(
    ports: &P,
    (client_id, secret_name): (&str, &str),
    authentication: ClientAuthentication,
    form: &mut Serializer<'_, String>,
    op: &'static str,
) -> Result<Option<String>, Fault> {
    let secret = ports.vault().secret(secret_name);
    let secret = secret.as_ref().and_then(|secret| std::str::from_utf8(secret.reveal()).ok());
    let secret =
        secret.ok_or_else(|| Fault::new(op, "the deployment has no secret of the configured name"))?;
    Ok(match authentication {
        ClientAuthentication::Basic => Some(basic(client_id, secret)),
        ClientAuthentication::Post => {
            form.append_pair("client_id", client_id).append_pair("client_secret", secret);
            None
        }
    })
}

/// Both are form-encoded before they are joined.
fn basic(client_id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", base64(format!("{}:{}", encoded(client_id), encoded(secret)).as_bytes()))
}
