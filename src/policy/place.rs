//! Where in a request a token may stand (RFC 6750 section 2). Only in the `Authorization` header, unless a route says
//! otherwise.

use std::fmt;
use std::str::FromStr;

use crate::id::Malformed;

/// A place for a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TokenPlace {
    /// `Authorization: Bearer` (RFC 6750 section 2.1): written `header`.
    Authorization,
    /// A cookie of this name: written `cookie:NAME`. Browsers send cookies along with requests that another site
    /// makes them send.
    Cookie(String),
    /// `access_token` in a form that is the body (RFC 6750 section 2.2): written `form`.
    Form,
    /// A header of this name that holds the token and nothing else: written `header:NAME`.
    Header(String),
    /// `access_token` in the query (RFC 6750 section 2.3): written `query`. Addresses are logged in many places.
    Query,
}

impl FromStr for TokenPlace {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const RULE: Malformed =
            Malformed::new("place for a token", "header, query, form, cookie:NAME or header:NAME");
        // RFC 9110 section 5.6.2; RFC 6265 section 4.1.1 takes the same for a cookie's name.
        let is_token = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
        };
        match text.split_once(':') {
            None if text == "header" => Ok(Self::Authorization),
            None if text == "query" => Ok(Self::Query),
            None if text == "form" => Ok(Self::Form),
            Some(("cookie", name)) if is_token(name) => Ok(Self::Cookie(name.to_owned())),
            Some(("header", name)) if name.eq_ignore_ascii_case("authorization") => Err(RULE),
            Some(("header", name)) if is_token(name) => Ok(Self::Header(name.to_ascii_lowercase())),
            _ => Err(RULE),
        }
    }
}

impl fmt::Display for TokenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorization => f.write_str("header"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
            Self::Form => f.write_str("form"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Query => f.write_str("query"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_they_are_read() {
        for text in ["header", "query", "form", "cookie:__Host-token", "header:cf-access-jwt-assertion"] {
            assert_eq!(text.parse::<TokenPlace>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "Header",
            "cookie",
            "cookie:",
            "cookie:a b",
            "cookie:a=b",
            "header:Authorization",
            "body",
            "header:a:b",
        ] {
            assert!(bad.parse::<TokenPlace>().is_err(), "{bad}");
        }
    }
}
