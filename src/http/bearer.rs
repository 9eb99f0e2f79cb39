//! The bearer token of an `Authorization` header (RFC 6750 section 2.1). Other places are found in [`crate::gateway`].

use crate::error::Denied;

/// How a token was presented.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scheme {
    /// RFC 6750 section 2.1.
    Bearer,
    /// With a proof of possession (RFC 9449 section 7.1).
    Dpop,
}

/// The bearer token of an `Authorization` value. Checks that there is exactly one credential; does **not**
/// look into the token.
///
/// # Errors
/// [`Denied::MissToken`] without the header or with another scheme; [`Denied::MalformCredentials`] when the
/// scheme is `Bearer` and what follows is not one `b64token`, two joined headers among them.
pub fn bearer(authorization: Option<&str>) -> Result<&str, Denied> {
    match presented(authorization)? {
        (Scheme::Bearer, token) => Ok(token),
        (Scheme::Dpop, _) => Err(Denied::MissToken),
    }
}

/// The token of an `Authorization` value, and how it was presented. Checks and does not check the same.
///
/// # Errors
/// As [`bearer`], for either scheme.
pub fn presented(authorization: Option<&str>) -> Result<(Scheme, &str), Denied> {
    let value = authorization.ok_or(Denied::MissToken)?;
    let (name, rest) = value.split_once(' ').unwrap_or((value, ""));
    let scheme = if name.eq_ignore_ascii_case("Bearer") {
        Scheme::Bearer
    } else if name.eq_ignore_ascii_case("DPoP") {
        Scheme::Dpop
    } else {
        // A tab after the scheme, or a second `Bearer` behind another scheme, is not "no token".
        let hidden = value.as_bytes().windows(6).any(|window| window.eq_ignore_ascii_case(b"bearer"));
        return Err(if hidden { Denied::MalformCredentials } else { Denied::MissToken });
    };
    // RFC 9110 section 11.4: one or more spaces.
    let token = rest.trim_start_matches(' ').trim_end_matches(' ');
    if is_b64token(token) { Ok((scheme, token)) } else { Err(Denied::MalformCredentials) }
}

/// Whether this is a `b64token`, as tokens are in every place (RFC 6750 section 2.1).
#[must_use]
pub fn is_b64token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| B64TOKEN.get(usize::from(b)).copied().unwrap_or(false))
}

/// Which bytes may stand in one. A table: every token of every request is looked at byte by byte.
#[expect(clippy::indexing_slicing, reason = "a byte is below 256, and the compiler runs this")]
const B64TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=".as_slice();
    while let [first, others @ ..] = rest {
        table[*first as usize] = true;
        rest = others;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6750_section_2_1_one_credential() {
        for good in ["Bearer abc.d_e-f~+/=", "bearer abc", "BEARER  abc", "Bearer abc "] {
            assert!(bearer(Some(good)).is_ok(), "{good}");
        }
    }

    #[test]
    fn rfc9449_section_7_1_the_scheme_is_told_apart() {
        assert_eq!(presented(Some("DPoP abc")), Ok((Scheme::Dpop, "abc")));
        assert_eq!(presented(Some("dpop  xBearery ")), Ok((Scheme::Dpop, "xBearery")));
        assert_eq!(presented(Some("Bearer abc")), Ok((Scheme::Bearer, "abc")));
        for bad in ["DPoP", "DPoP ", "DPoP\tBearer", "DPoP a, DPoP b", "DPoP a, Bearer b", "DPoP a b"] {
            assert_eq!(presented(Some(bad)), Err(Denied::MalformCredentials), "{bad:?}");
        }
    }

    #[test]
    fn attack_55_anything_but_one_credential_is_refused() {
        assert_eq!(bearer(None), Err(Denied::MissToken));
        for other in ["Basic YTpi", "", "Digest x=y", "DPoP abc"] {
            assert_eq!(bearer(Some(other)), Err(Denied::MissToken), "{other}");
        }
        for bad in [
            "Bearer",
            "Bearer ",
            "Bearer\tabc",
            "Bearer a b",
            "Bearer a, Bearer b",
            "Bearer a,b",
            "Bearer \"a\"",
            "Bearer ä",
            "Basic YTpi, Bearer a",
            "Bearer a\tb",
        ] {
            assert_eq!(bearer(Some(bad)), Err(Denied::MalformCredentials), "{bad:?}");
        }
    }
}
