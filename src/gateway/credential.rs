//! Finding the token in a request: in one of the places that the route allows, and in no second one.

use std::borrow::Cow;

use crate::error::Denied;
use crate::gateway::Target;
use crate::http::{Scheme, is_b64token, presented};
use crate::policy::TokenPlace;

/// The parameter of RFC 6750 sections 2.2 and 2.3.
const PARAMETER: &str = "access_token";

/// A token, and where it stood.
#[derive(Debug)]
pub(crate) struct Credential<'a> {
    pub(crate) token: Cow<'a, str>,
    pub(super) place: &'a TokenPlace,
    /// With a proof of possession only in `Authorization` (RFC 9449 section 7.1).
    pub(super) scheme: Scheme,
}

/// The one token of a request, whose body is this form where one was read. A token in two places is refused even where it is the same (RFC 6750 section 2): which
/// of two would count is nothing to guess. `Authorization` and the query are looked at in any case, so that a second
/// token cannot hide where the route expects none.
///
/// # Errors
/// [`Denied::MissToken`]; [`Denied::MalformCredentials`] where there are several, or one is no token.
pub(crate) fn find<'a>(
    places: &'a [TokenPlace],
    target: &'a Target<'_>,
    form: Option<&'a str>,
) -> Result<Credential<'a>, Denied> {
    let mut found: Option<Credential<'a>> = None;
    let mut others: usize = 0;
    let allowed = |place: &TokenPlace| places.iter().find(|known| *known == place);
    let mut scheme = Scheme::Bearer;
    let in_header = match presented(target.authorization) {
        Ok((how, token)) => {
            scheme = how;
            Some(Cow::Borrowed(token))
        }
        Err(Denied::MissToken) => None,
        Err(denied) => return Err(denied),
    };
    let in_query = parameters(target.query)?;
    let mut take = |token: Option<Cow<'a, str>>, place: Option<&'a TokenPlace>| match (token, place) {
        (None, _) => {}
        (Some(token), Some(place)) if found.is_none() => {
            let scheme = if *place == TokenPlace::Authorization { scheme } else { Scheme::Bearer };
            found = Some(Credential { token, place, scheme });
        }
        (Some(_), _) => others = others.saturating_add(1),
    };
    take(in_header, allowed(&TokenPlace::Authorization));
    take(in_query, allowed(&TokenPlace::Query));
    for place in places {
        match place {
            TokenPlace::Authorization | TokenPlace::Query => {}
            TokenPlace::Cookie(name) => take(cookie(target, name)?, Some(place)),
            TokenPlace::Form => take(parameters(form)?, Some(place)),
            TokenPlace::Header(name) => take(target.header(name).map(Cow::Owned), Some(place)),
        }
    }
    match found {
        // One that stands where the route does not look is no credential here; beside one that does, it is a second.
        None => Err(Denied::MissToken),
        Some(_) if others > 0 => Err(Denied::MalformCredentials),
        // `bearer` has looked at its own.
        Some(credential)
            if *credential.place == TokenPlace::Authorization || is_b64token(&credential.token) =>
        {
            Ok(credential)
        }
        Some(_) => Err(Denied::MalformCredentials),
    }
}

/// The one `access_token` among parameters.
fn parameters(text: Option<&str>) -> Result<Option<Cow<'_, str>>, Denied> {
    let Some(text) = text else {
        return Ok(None);
    };
    let mut tokens =
        form_urlencoded::parse(text.as_bytes()).filter(|(name, _)| name == PARAMETER).map(|(_, value)| value);
    let first = tokens.next();
    if tokens.next().is_some() { Err(Denied::MalformCredentials) } else { Ok(first) }
}

/// White space around a cookie: more would let a name pass for another that browsers guard (`__Host-`).
const SPACE: [char; 2] = [' ', '\t'];

/// The one cookie of this name (RFC 6265 section 4.2.1). The platform joins several fields by `, `, which no cookie
/// holds: a second field with this name is a second token.
fn cookie<'a>(target: &Target<'_>, name: &str) -> Result<Option<Cow<'a, str>>, Denied> {
    let header = target.header("cookie").unwrap_or_default();
    if header.contains(&format!(", {name}=")) {
        return Err(Denied::MalformCredentials);
    }
    let pairs = header.split(';').filter_map(|pair| pair.trim_matches(SPACE).split_once('='));
    let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    let first = values.next().map(|value| Cow::Owned(value.to_owned()));
    if values.next().is_some() { Err(Denied::MalformCredentials) } else { Ok(first) }
}

/// Parameters without their `access_token`, each of the others as it was written.
pub(super) fn without_token(text: &str) -> String {
    let is_other = |pair: &&str| {
        form_urlencoded::parse(pair.as_bytes()).next().is_none_or(|(name, _)| name != PARAMETER)
    };
    text.split('&').filter(is_other).collect::<Vec<_>>().join("&")
}

/// A `Cookie` header without the cookies of this name.
pub(super) fn without_cookie(header: &str, name: &str) -> String {
    let is_other = |pair: &&str| pair.split_once('=').is_none_or(|(known, _)| known != name);
    let pairs = header.split(';').map(|pair| pair.trim_matches(SPACE)).filter(|pair| !pair.is_empty());
    pairs.filter(is_other).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_out_and_everything_else_stays_as_it_was() {
        for (given, left) in [
            ("access_token=x", ""),
            ("a=1&access_token=x&b=%2f+", "a=1&b=%2f+"),
            ("access%5Ftoken=x&a", "a"),
            ("a=access_token", "a=access_token"),
            ("a=1&&b", "a=1&&b"),
        ] {
            assert_eq!(without_token(given), left, "{given}");
        }
        assert_eq!(without_cookie("a=1; t=x; b=2", "t"), "a=1; b=2");
        assert_eq!(without_cookie("t=x", "t"), "");
        assert_eq!(without_cookie("tt=x; T=y", "t"), "tt=x; T=y");
    }
}
