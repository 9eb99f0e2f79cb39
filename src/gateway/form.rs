//! The body of a request, where a route looks for the token there (RFC 6750 section 2.2).

use crate::check::Check;
use crate::error::{Denied, Error};
use crate::gateway::Target;
use crate::policy::TokenPlace;
use crate::port::{Body, Ports};

/// The longest form that is read.
const LIMIT: usize = 64 * 1024;

/// The form that is the body, if tokens are looked for in forms and this is one. It is read whole, and goes on
/// as it was, without the token.
///
/// # Errors
/// [`Denied::ExceedForm`]; [`Denied::MalformCredentials`] where it is no form after all.
pub(super) async fn read<P: Ports>(
    ports: &P,
    places: &[TokenPlace],
    target: &Target<'_>,
    body: &mut impl Body,
) -> Result<Option<String>, Error> {
    if !places.contains(&TokenPlace::Form) || !target.has_body {
        return Ok(None);
    }
    let media = target.header("content-type").unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Ok(None);
    }
    ports.begin(&[Check::Form]);
    let bytes = body.read(LIMIT).await?.ok_or(Denied::ExceedForm)?;
    // RFC 6750 section 2.2: "MUST consist entirely of ASCII"; a form of single parts, and no line ends.
    let is_form = bytes.iter().all(u8::is_ascii_graphic);
    let text = String::from_utf8(bytes).ok().filter(|_| is_form).ok_or(Denied::MalformCredentials)?;
    Ok(Some(text))
}
