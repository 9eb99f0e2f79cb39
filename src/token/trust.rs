//! Which tokens of one issuer count, and the checks on claims that need no key.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Denied;
use crate::id::Malformed;
use crate::json::Object;
use crate::time::{Lifetime, Timestamp};
use crate::token::{Algorithm, ClaimMap, Claims, Header, Holder, RequiredClaim};
use crate::uri::Issuer;

/// A `typ` value, compared in lower case and without `application/`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct TokenType(String);

impl TokenType {
    /// `at+jwt`: an access token (RFC 9068 section 2.1).
    #[must_use]
    pub fn access_token() -> Self {
        Self("at+jwt".to_owned())
    }

    fn is_access_token(&self) -> bool {
        self.0 == "at+jwt"
    }
}

impl FromStr for TokenType {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let lower = text.to_ascii_lowercase();
        let bare = lower.strip_prefix("application/").unwrap_or(&lower);
        let fits = !bare.is_empty()
            && bare.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        fits.then(|| Self(bare.to_owned())).ok_or(Malformed::new("typ", "a media type such as at+jwt"))
    }
}

impl TryFrom<String> for TokenType {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<TokenType> for String {
    fn from(typ: TokenType) -> Self {
        typ.0
    }
}

impl fmt::Display for TokenType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The terms on which one issuer's tokens count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Trust {
    /// Whose.
    pub issuer: Issuer,
    /// For whom: a token must name at least one of these.
    pub audiences: Vec<String>,
    /// How signed.
    pub algorithms: Vec<Algorithm>,
    /// Of which `typ`.
    pub types: Vec<TokenType>,
    /// Whether a header without `typ` counts as well: some issuers write none.
    pub untyped: bool,
    /// How far two clocks may be apart.
    pub leeway: Lifetime,
    /// How long its tokens may live, from `iat` to `exp`.
    pub max_lifetime: Option<Lifetime>,
    /// Where it puts its claims.
    pub claims: ClaimMap,
    /// What its tokens must say besides.
    pub required: Vec<RequiredClaim>,
}

impl Trust {
    /// The terms of an access token by RFC 9068 and nothing else: `typ` is `at+jwt`, clocks may be 30 s apart.
    #[must_use]
    pub fn new(issuer: Issuer, audiences: Vec<String>, algorithms: Vec<Algorithm>) -> Self {
        Self {
            issuer,
            audiences,
            algorithms,
            types: vec![TokenType::access_token()],
            untyped: false,
            leeway: Lifetime::from_seconds(30),
            max_lifetime: None,
            claims: ClaimMap::default(),
            required: Vec::new(),
        }
    }

    /// Checks `typ` and `alg`. Does **not** check the signature.
    ///
    /// # Errors
    /// [`Denied::RejectType`], [`Denied::RejectAlgorithm`].
    pub fn check_header(&self, header: &Header) -> Result<Algorithm, Denied> {
        let counts =
            header.typ.as_deref().map_or(self.untyped, |typ| self.types.iter().any(|known| known.0 == typ));
        if !counts {
            return Err(Denied::RejectType);
        }
        header.algorithm.filter(|alg| self.algorithms.contains(alg)).ok_or(Denied::RejectAlgorithm)
    }

    /// Checks `iss`, `aud`, `exp`, `nbf`, `iat`, `cnf` against what `holder` has proved, the lifetime, and for an `at+jwt` that every claim of
    /// RFC 9068 section 2.2 is there. Does **not** check the signature, scopes or the session.
    ///
    /// A token is alive at `exp` plus the leeway minus one millisecond, and dead at `exp` plus the leeway:
    /// the processing time MUST be before `exp` (RFC 7519 section 4.1.4).
    ///
    /// # Errors
    /// The first check that fails, in the order above.
    pub fn check_claims(
        &self,
        header: &Header,
        claims: &Claims,
        holder: Holder<'_>,
        now: Timestamp,
    ) -> Result<(), Denied> {
        if claims.issuer != self.issuer.as_str() {
            return Err(Denied::UntrustedIssuer);
        }
        self.check_audience(claims)?;
        if claims.expires_at.is_none() {
            return Err(Denied::LackClaim("exp"));
        }
        self.check_times(claims, now)?;
        claims.confirmation.met_by(holder)?;
        let is_access_token =
            |typ: &str| self.types.iter().any(|known| known.is_access_token() && known.0 == typ);
        if header.typ.as_deref().is_some_and(is_access_token) {
            for (name, there) in [
                ("client_id", claims.client.is_some()),
                ("iat", claims.issued_at.is_some()),
                ("jti", claims.token_id.is_some()),
            ] {
                if !there {
                    return Err(Denied::LackClaim(name));
                }
            }
        }
        Ok(())
    }

    /// Checks what an issuer says about a token (RFC 7662 section 2.2): `aud` unless the issuer is asked about every
    /// token and none is configured, `exp`, `nbf` and `iat` where it says them, the lifetime. Does **not**
    /// check scopes, nor `cnf`.
    ///
    /// # Errors
    /// The first check that fails, in the order above.
    pub fn check_answer(&self, claims: &Claims, now: Timestamp) -> Result<(), Denied> {
        if !self.audiences.is_empty() {
            self.check_audience(claims)?;
        }
        self.check_times(claims, now)
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), Denied> {
        let is_ours = claims.audiences.iter().any(|aud| self.audiences.contains(aud));
        if is_ours { Ok(()) } else { Err(Denied::RejectAudience) }
    }

    fn check_times(&self, claims: &Claims, now: Timestamp) -> Result<(), Denied> {
        if claims.expires_at.is_some_and(|expires_at| now >= expires_at.after(self.leeway)) {
            return Err(Denied::ExpireToken);
        }
        let latest = now.after(self.leeway);
        if claims.not_before.is_some_and(|nbf| nbf > latest)
            || claims.issued_at.is_some_and(|iat| iat > latest)
        {
            return Err(Denied::TooEarly);
        }
        if let Some(longest) = self.max_lifetime {
            let expires_at = claims.expires_at.ok_or(Denied::LackClaim("exp"))?;
            let issued_at = claims.issued_at.ok_or(Denied::LackClaim("iat"))?;
            if expires_at.since(issued_at) > longest {
                return Err(Denied::ExceedLifetime);
            }
        }
        Ok(())
    }

    /// Checks that the claims say what the configuration asks for besides. What it finds is a fact about the
    /// bytes of a token: it does not change with time.
    ///
    /// # Errors
    /// [`Denied::LackRequired`] with the first place that does not.
    pub fn check_required(&self, claims: &Object<'_>) -> Result<(), Denied> {
        match self.required.iter().find(|required| !required.is_met(claims)) {
            None => Ok(()),
            Some(required) => Err(Denied::LackRequired(required.path.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trust() -> Trust {
        let issuer = "https://issuer.example".parse().unwrap();
        Trust::new(issuer, vec!["https://api.example".to_owned()], vec![Algorithm::Es256])
    }

    fn header(typ: Option<&str>) -> Header {
        Header { algorithm: Some(Algorithm::Es256), key: None, typ: typ.map(str::to_owned) }
    }

    fn checked(change: &[(&str, Option<&str>)], now: u64) -> Result<(), Denied> {
        let mut members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(
            r#"{"iss":"https://issuer.example","sub":"s","aud":"https://api.example","exp":1000,"iat":900,"jti":"j","client_id":"c"}"#,
        )
        .unwrap();
        for (name, value) in change {
            match value {
                Some(value) => drop(members.insert((*name).to_owned(), serde_json::from_str(value).unwrap())),
                None => drop(members.remove(*name)),
            }
        }
        let claims = Claims::parse(&serde_json::to_vec(&members).unwrap())?;
        trust().check_claims(&header(Some("at+jwt")), &claims, Holder::Bearer, Timestamp::from_seconds(now))
    }

    #[test]
    fn attack_49_only_the_listed_types_pass() {
        assert!(trust().check_header(&header(Some("at+jwt"))).is_ok());
        for typ in [None, Some("jwt"), Some("dpop+jwt"), Some("logout+jwt"), Some("at+jwt "), Some("")] {
            assert_eq!(trust().check_header(&header(typ)), Err(Denied::RejectType), "{typ:?}");
        }
    }

    #[test]
    fn attack_44_exp_is_a_hard_end_with_its_leeway() {
        assert_eq!(checked(&[], 1029), Ok(()));
        assert_eq!(checked(&[], 1030), Err(Denied::ExpireToken));
        assert_eq!(checked(&[("exp", None)], 950), Err(Denied::LackClaim("exp")));
    }

    #[test]
    fn attack_45_a_token_from_the_future_does_not_count_yet() {
        assert_eq!(checked(&[("nbf", Some("980"))], 950), Ok(()));
        assert_eq!(checked(&[("nbf", Some("981"))], 950), Err(Denied::TooEarly));
        assert_eq!(checked(&[("iat", Some("981"))], 950), Err(Denied::TooEarly));
    }

    #[test]
    fn attack_46_and_47_names_are_compared_whole() {
        for aud in [
            r#""https://api.example.evil""#,
            r#""https://api""#,
            "[]",
            r#""https://api.example/""#,
            r#""HTTPS://api.example""#,
        ] {
            assert_eq!(checked(&[("aud", Some(aud))], 950), Err(Denied::RejectAudience), "{aud}");
        }
        assert_eq!(checked(&[("aud", None)], 950), Err(Denied::RejectAudience));
        assert_eq!(checked(&[("aud", Some(r#"["x","https://api.example"]"#))], 950), Ok(()));
        for iss in [
            r#""https://issuer.example/""#,
            r#""https://issuer""#,
            r#""https://ISSUER.example""#,
            r#""https://issuer.example:443""#,
        ] {
            assert_eq!(checked(&[("iss", Some(iss))], 950), Err(Denied::UntrustedIssuer), "{iss}");
        }
    }

    #[test]
    fn a_token_that_lives_too_long_for_its_issuer_is_refused() {
        let short = Trust { max_lifetime: Some(Lifetime::from_seconds(60)), ..trust() };
        let check = |claims: &str| {
            let claims = format!(
                r#"{{"iss":"https://issuer.example","sub":"s","aud":"https://api.example",{claims}}}"#
            );
            let header = Header { algorithm: Some(Algorithm::Es256), key: None, typ: None };
            let claims = Claims::parse(claims.as_bytes())?;
            short.check_claims(&header, &claims, Holder::Bearer, Timestamp::from_seconds(950))
        };
        assert_eq!(check(r#""iat":940,"exp":1000"#), Ok(()));
        assert_eq!(check(r#""iat":939.5,"exp":1000"#), Err(Denied::ExceedLifetime));
        assert_eq!(check(r#""exp":1000"#), Err(Denied::LackClaim("iat")));
    }

    #[test]
    fn a_header_without_typ_counts_only_where_the_issuer_writes_none() {
        let lax = Trust { untyped: true, ..trust() };
        assert!(lax.check_header(&header(None)).is_ok());
        assert_eq!(lax.check_header(&header(Some("jwt"))), Err(Denied::RejectType));
        assert_eq!(trust().check_header(&header(None)), Err(Denied::RejectType));
    }

    #[test]
    fn attack_51_a_bound_token_without_its_proof_is_refused() {
        assert_eq!(checked(&[("cnf", Some(r#"{"jkt":"x"}"#))], 950), Err(Denied::RefuseUnproven));
    }

    #[test]
    fn rfc9068_section_2_2_the_claims_of_an_access_token_are_all_there() {
        for name in ["client_id", "iat", "jti"] {
            assert_eq!(checked(&[(name, None)], 950), Err(Denied::LackClaim(name)));
        }
    }
}
