//! The claims of an access token (RFC 9068 section 2.2), read by type: a claim of the wrong type is an
//! error, never "absent" (RFC 7519 section 4.1; CVE-2026-25537).

use crate::encoding::visible;
use crate::error::Denied;
use crate::json::{self, Object, Value};
use crate::scope::{ScopeSet, ScopeToken};
use crate::time::Timestamp;
use crate::token::{ClaimMap, ClaimPath, Confirmation};

/// How long a claim may be as a header, encoded, in bytes: servers take 8 KiB for all headers together.
pub(crate) const LONGEST_CARRIED: usize = 4096;

/// What a token says, read but not checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claims {
    /// `iss`, as it stands.
    pub issuer: String,
    /// `sub`, or what stands for it ([`ClaimMap`]).
    pub subject: String,
    /// `aud`, one or many.
    pub audiences: Vec<String>,
    /// `exp`.
    pub expires_at: Option<Timestamp>,
    /// `nbf`.
    pub not_before: Option<Timestamp>,
    /// `iat`.
    pub issued_at: Option<Timestamp>,
    /// `client_id`.
    pub client: Option<String>,
    /// `jti`.
    pub token_id: Option<String>,
    /// `scope`; absent is empty.
    pub scopes: ScopeSet,
    /// Whether `scope` was there at all.
    pub says_scopes: bool,
    /// `roles`; absent is empty.
    pub roles: Vec<String>,
    /// `sid`, where it is text: ours are [`crate::id::SessionId`]s, other issuers' are their own business.
    pub session: Option<String>,
    /// `acr`, where it is text (RFC 9470 section 6.1). Nothing asks for it but a route's `require`, where one that is no text is none.
    pub acr: Option<String>,
    /// `auth_time`, where it is a `NumericDate`; the same.
    pub auth_time: Option<Timestamp>,
    /// `cnf`.
    pub confirmation: Confirmation,
    /// What else upstreams are told ([`ClaimMap::carried`]), each as the text of its header; `None`: it is not there, or `null`. One that is longer than
    /// 4 KiB is not whole.
    pub carried: Vec<Option<String>>,
}

impl Claims {
    /// Reads a payload with the standard names. Checks types and the presence of `iss` and `sub`; does **not**
    /// check values.
    ///
    /// # Errors
    /// [`Denied::MalformToken`] when it is no strict JSON object, [`Denied::MalformClaim`], [`Denied::LackClaim`].
    pub fn parse(payload: &[u8]) -> Result<Self, Denied> {
        let members = json::object(payload).map_err(|_| Denied::MalformToken)?;
        Self::read(&members, &ClaimMap::default())
    }

    /// Reads claims where their issuer puts them. Checks and does not check the same.
    ///
    /// # Errors
    /// [`Denied::MalformClaim`], [`Denied::LackClaim`].
    pub fn read(claims: &Object<'_>, map: &ClaimMap) -> Result<Self, Denied> {
        let members = Members(claims);
        Ok(Self {
            issuer: issuer_of(claims)?.to_owned(),
            subject: members.subject(&map.subject)?,
            audiences: members.audiences(&map.audience)?,
            expires_at: members.date("exp")?,
            not_before: members.date("nbf")?,
            issued_at: members.date("iat")?,
            client: members.client(&map.client)?,
            token_id: members.text("jti")?,
            scopes: members.scopes(&map.scope)?,
            says_scopes: members.first(&map.scope).is_some(),
            roles: members.roles(&map.roles)?,
            session: members.text("sid").ok().flatten(),
            acr: members.text("acr").ok().flatten(),
            auth_time: members.date("auth_time").ok().flatten(),
            confirmation: Confirmation::read(claims),
            carried: map.carried.iter().map(|place| members.carried(place)).collect(),
        })
    }
}

impl Claims {
    /// How much memory they keep, in bytes, about: each text has its bytes, and what it costs to have one more.
    pub(crate) fn weight(&self) -> usize {
        const EACH: usize = 48;
        let single = [Some(&self.issuer), Some(&self.subject), self.client.as_ref(), self.token_id.as_ref()];
        let texts = single.into_iter().chain([self.session.as_ref(), self.acr.as_ref()]).flatten();
        let texts = texts.chain(self.carried.iter().flatten());
        let texts = texts.chain(&self.audiences).chain(&self.roles).map(String::len);
        texts
            .chain(self.scopes.iter().map(|scope| scope.as_str().len()))
            .fold(size_of::<Self>(), |sum, length| sum.saturating_add(length).saturating_add(EACH))
    }

    /// These claims, where their issuer has also been asked: its answer is about the same subject, and where it says
    /// what it grants now, that is all that counts of what the token grants. Where it says how and when somebody signed in (RFC 9470
    /// section 6.2), that counts. Roles are those of the token.
    ///
    /// # Errors
    /// [`Denied::InactiveToken`] where the answer is about somebody else.
    pub fn confirmed_by(&self, told: &Self) -> Result<Self, Denied> {
        if told.subject != self.subject && Some(&told.subject) != self.client.as_ref() {
            return Err(Denied::InactiveToken);
        }
        let mut claims = self.clone();
        if told.says_scopes {
            claims.scopes = self.scopes.iter().filter(|scope| told.scopes.contains(scope)).cloned().collect();
        }
        claims.acr = told.acr.clone().or(claims.acr);
        claims.auth_time = told.auth_time.or(claims.auth_time);
        Ok(claims)
    }
}

/// `iss`: one string, which decides whose rules the rest is read by.
///
/// # Errors
/// [`Denied::MalformClaim`], [`Denied::LackClaim`].
pub fn issuer_of<'c>(claims: &'c Object<'_>) -> Result<&'c str, Denied> {
    let issuer = claims.get("iss").ok_or(Denied::LackClaim("iss"))?;
    issuer.as_text().ok_or(Denied::MalformClaim("iss"))
}

struct Members<'c>(&'c Object<'c>);

impl<'c> Members<'c> {
    fn first(&self, places: &[ClaimPath]) -> Option<&'c Value<'c>> {
        places.iter().find_map(|place| place.find(self.0))
    }

    /// Empty is absent: some issuers leave `sub` so where another claim names the caller.
    fn subject(&self, places: &[ClaimPath]) -> Result<String, Denied> {
        for value in places.iter().filter_map(|place| place.find(self.0)) {
            let text = value.as_text().ok_or(Denied::MalformClaim("sub"))?;
            if !text.is_empty() {
                return Ok(text.to_owned());
            }
        }
        Err(Denied::LackClaim("sub"))
    }

    fn client(&self, places: &[ClaimPath]) -> Result<Option<String>, Denied> {
        let text =
            |value: &Value<'_>| value.as_text().map(str::to_owned).ok_or(Denied::MalformClaim("client_id"));
        self.first(places).map(text).transpose()
    }

    /// The start of one that is too long tells so: it is cut before anybody knows whether the token is genuine.
    fn carried(&self, place: &ClaimPath) -> Option<String> {
        let mut text = match place.find(self.0)? {
            Value::Null => return None,
            Value::Text(text) => visible(text),
            value => visible(&value.to_string()),
        };
        // ASCII: any place is one between two characters.
        text.truncate(LONGEST_CARRIED.saturating_add(1));
        text.shrink_to_fit();
        Some(text)
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, Denied> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone().into_owned())),
            Some(_) => Err(Denied::MalformClaim(name)),
        }
    }

    fn date(&self, name: &'static str) -> Result<Option<Timestamp>, Denied> {
        date_of(self.0, name)
    }

    /// `aud` (RFC 7519 section 4.1.3): a string, or an array of strings.
    fn audiences(&self, places: &[ClaimPath]) -> Result<Vec<String>, Denied> {
        self.first(places).map_or(Ok(Vec::new()), |value| texts(value).ok_or(Denied::MalformClaim("aud")))
    }

    /// `scope` (RFC 6749 section 3.3): one string of names with single spaces; or, as others write it, an array of
    /// names.
    fn scopes(&self, places: &[ClaimPath]) -> Result<ScopeSet, Denied> {
        let bad = Denied::MalformClaim("scope");
        match self.first(places) {
            None => Ok(ScopeSet::default()),
            Some(Value::Text(text)) => text.parse().map_err(|_| bad),
            Some(value) => texts(value)
                .and_then(|names| {
                    names.iter().map(|name| name.parse::<ScopeToken>().ok()).collect::<Option<ScopeSet>>()
                })
                .ok_or(bad),
        }
    }

    /// Roles: a string is one role.
    fn roles(&self, places: &[ClaimPath]) -> Result<Vec<String>, Denied> {
        let mut roles = Vec::new();
        for value in places.iter().filter_map(|place| place.find(self.0)) {
            roles.extend(texts(value).ok_or(Denied::MalformClaim("roles"))?);
        }
        Ok(roles)
    }
}

/// A `NumericDate` (RFC 7519 section 2): whole or fractional seconds, not negative, below the year 10000. Absent is `None`.
///
/// # Errors
/// [`Denied::MalformClaim`] for anything else.
pub fn date_of(claims: &Object<'_>, name: &'static str) -> Result<Option<Timestamp>, Denied> {
    const YEAR_10000: f64 = 253_402_300_800.0;
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds =
        value.as_number().filter(|s| (0.0..YEAR_10000).contains(s)).ok_or(Denied::MalformClaim(name))?;
    // Within 0 and 2.6e14: nothing is lost but what is below a millisecond.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked above")]
    let millis = (seconds * 1000.0) as u64;
    Ok(Some(Timestamp::from_millis(millis)))
}

/// A string, or an array of strings.
fn texts(value: &Value<'_>) -> Option<Vec<String>> {
    match value {
        Value::Text(one) => Some(vec![one.clone().into_owned()]),
        Value::Array(many) => many.iter().map(|item| item.as_text().map(str::to_owned)).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(members: &str) -> Result<Claims, Denied> {
        Claims::parse(format!(r#"{{"iss":"i","sub":"s",{members}}}"#).as_bytes())
    }

    #[test]
    fn attack_43_a_date_of_the_wrong_type_is_an_error_and_not_absent() {
        for name in ["exp", "nbf", "iat"] {
            for value in ["\"9999999999\"", "null", "[1]", "{}", "true", "-1", "1e18", "9223372036854775808"]
            {
                let claims = read(&format!(r#""{name}":{value}"#));
                assert_eq!(claims.unwrap_err(), Denied::MalformClaim(name), "{name} {value}");
            }
        }
        assert_eq!(read(r#""exp":1.5"#).unwrap().expires_at, Some(Timestamp::from_millis(1500)));
        assert_eq!(read(r#""exp":1e3"#).unwrap().expires_at, Some(Timestamp::from_seconds(1000)));
    }

    #[test]
    fn attack_46_audience_is_a_string_or_an_array_of_strings() {
        assert_eq!(read(r#""aud":["a","b"]"#).unwrap().audiences, ["a", "b"]);
        for bad in ["1", "null", "{}", "[1]", r#"["a",1]"#, r#"[["a"]]"#] {
            assert_eq!(read(&format!(r#""aud":{bad}"#)).unwrap_err(), Denied::MalformClaim("aud"), "{bad}");
        }
    }

    #[test]
    fn attack_50_scopes_are_one_string_or_an_array_of_names() {
        for good in [r#""a b""#, r#"["b","a"]"#, r#"["a","b","a"]"#] {
            assert_eq!(read(&format!(r#""scope":{good}"#)).unwrap().scopes.to_string(), "a b", "{good}");
        }
        for bad in
            ["null", "7", "{}", "[7]", r#"["a b"]"#, r#"[""]"#, r#""a  b""#, r#"" a""#, r#"["a",null]"#]
        {
            let claims = read(&format!(r#""scope":{bad}"#));
            assert_eq!(claims.unwrap_err(), Denied::MalformClaim("scope"), "{bad}");
        }
        assert!(read(r#""scp":"a""#).unwrap().scopes.is_empty(), "only where the issuer puts it");
    }

    #[test]
    fn claims_are_found_where_the_issuer_puts_them() {
        let path = |text: &str| vec![text.parse::<ClaimPath>().unwrap()];
        let map = ClaimMap {
            audience: path("client_id"),
            client: vec!["azp".parse().unwrap(), "appid".parse().unwrap()],
            roles: vec!["/realm_access/roles".parse().unwrap(), "groups".parse().unwrap()],
            scope: vec!["scope".parse().unwrap(), "scp".parse().unwrap()],
            subject: vec!["sub".parse().unwrap(), "common_name".parse().unwrap()],
            carried: Vec::new(),
        };
        let text = r#"{"iss":"i","sub":"","common_name":"n","client_id":"c","appid":"a","scp":["r"],
            "realm_access":{"roles":["x","y"]},"groups":"z"}"#;
        let claims = Claims::read(&json::object(text.as_bytes()).unwrap(), &map).unwrap();
        assert_eq!((claims.subject.as_str(), claims.client.as_deref()), ("n", Some("a")));
        assert_eq!((claims.audiences, claims.scopes.to_string()), (vec!["c".to_owned()], "r".to_owned()));
        assert_eq!(claims.roles, ["x", "y", "z"]);
        let bad = json::object(br#"{"iss":"i","sub":"s","realm_access":{"roles":{"x":1}}}"#).unwrap();
        assert_eq!(Claims::read(&bad, &map).unwrap_err(), Denied::MalformClaim("roles"));
    }

    #[test]
    fn what_is_carried_is_as_it_was_written_and_no_longer_than_can_be_told() {
        let carried = |value: &str| {
            let map = ClaimMap { carried: vec!["x".parse().unwrap()], ..ClaimMap::default() };
            let text = format!(r#"{{"iss":"i","sub":"s","x":{value}}}"#);
            Claims::read(&json::object(text.as_bytes()).unwrap(), &map).unwrap().carried.remove(0)
        };
        for (value, header) in [
            ("9007199254740993", "9007199254740993"),
            ("[1e308, 1.0, -0]", "[1e308,1.0,-0]"),
            (r#""ä%""#, "%C3%A4%25"),
            (r#"{"b":null,"a":"ä"}"#, r#"{"a":"%C3%A4","b":null}"#),
        ] {
            assert_eq!(carried(value).as_deref(), Some(header));
        }
        assert_eq!(carried("null"), None);
        let long = |length: usize| carried(&format!("\"{}\"", "ä".repeat(length))).unwrap();
        assert_eq!([long(682).len(), long(683).len(), long(9000).len()], [4092, 4097, 4097]);
        assert!(long(9000).capacity() < 5000);
    }

    #[test]
    fn rfc9470_section_6_a_sign_in_of_the_wrong_type_is_none_and_refuses_nothing() {
        let at = Timestamp::from_seconds;
        let good = read(r#""acr":"a","auth_time":7"#).unwrap();
        assert_eq!((good.acr.as_deref(), good.auth_time), (Some("a"), Some(at(7))));
        for bad in ["1", "null", "{}", r#"["a"]"#, "true"] {
            assert_eq!(read(&format!(r#""acr":{bad}"#)).unwrap().acr, None, "{bad}");
        }
        for bad in [r#""7""#, "null", "{}", "[7]", "true", "-7", "1e18", r#""2026-01-01T00:00:00Z""#] {
            assert_eq!(read(&format!(r#""auth_time":{bad}"#)).unwrap().auth_time, None, "{bad}");
        }
    }

    #[test]
    fn rfc9470_section_6_2_what_the_issuer_says_now_of_the_sign_in_counts() {
        let at = Timestamp::from_seconds;
        let token = read(r#""acr":"a","auth_time":7"#).unwrap();
        let told = |members: &str| {
            let claims = token.confirmed_by(&read(members).unwrap()).unwrap();
            (claims.acr.unwrap(), claims.auth_time.unwrap())
        };
        assert_eq!(told(r#""acr":"b","auth_time":3"#), ("b".to_owned(), at(3)));
        assert_eq!(told(r#""active":true"#), ("a".to_owned(), at(7)));
    }

    #[test]
    fn attack_47_and_51_issuer_and_subject_are_one_string_each() {
        for (payload, want) in [
            (r#"{"sub":"s"}"#, Denied::LackClaim("iss")),
            (r#"{"iss":["i"],"sub":"s"}"#, Denied::MalformClaim("iss")),
            (r#"{"iss":"i"}"#, Denied::LackClaim("sub")),
            (r#"{"iss":"i","sub":""}"#, Denied::LackClaim("sub")),
            (r#"{"iss":"i","sub":7}"#, Denied::MalformClaim("sub")),
            (r#"["iss"]"#, Denied::MalformToken),
        ] {
            assert_eq!(Claims::parse(payload.as_bytes()).unwrap_err(), want, "{payload}");
        }
    }
}
