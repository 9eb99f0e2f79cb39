//! Where an issuer puts what. The standard has names for claims, and issuers have their own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::Malformed;
use crate::json::{Object, Value};

/// A place in the claims: the name of a member (`scp`, `https://example.com/roles`), or, with a `/` in front, a
/// JSON pointer (RFC 6901) such as `/realm_access/roles`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct ClaimPath {
    text: String,
    /// Never empty.
    steps: Vec<String>,
}

impl ClaimPath {
    /// The member of this name.
    #[must_use]
    pub fn member(name: &str) -> Self {
        Self { text: name.to_owned(), steps: vec![name.to_owned()] }
    }

    /// The member of this name in the one of that name.
    #[must_use]
    pub fn nested(outer: &str, inner: &str) -> Self {
        Self { text: format!("/{outer}/{inner}"), steps: vec![outer.to_owned(), inner.to_owned()] }
    }

    /// The names of the members on the way there; one at least.
    #[must_use]
    pub fn steps(&self) -> &[String] {
        &self.steps
    }

    /// What stands there.
    #[must_use]
    pub fn find<'c>(&self, claims: &'c Object<'c>) -> Option<&'c Value<'c>> {
        let (first, rest) = self.steps.split_first()?;
        rest.iter().try_fold(claims.get(first)?, |value, step| match value {
            Value::Object(members) => members.get(step),
            // RFC 6901 section 4: an index has no leading zeros.
            Value::Array(items) if *step == "0" || !step.starts_with('0') => {
                items.get(step.parse::<usize>().ok()?)
            }
            _ => None,
        })
    }
}

impl FromStr for ClaimPath {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const RULE: Malformed = Malformed::new("claim", "a member's name, or a JSON pointer such as /a/b");
        let steps = match text.strip_prefix('/') {
            None => vec![text.to_owned()],
            Some(pointer) => pointer.split('/').map(unescaped).collect::<Option<_>>().ok_or(RULE)?,
        };
        let fits = text.len() <= 256 && steps.first().is_some_and(|first| !first.is_empty());
        fits.then(|| Self { text: text.to_owned(), steps }).ok_or(RULE)
    }
}

/// RFC 6901 section 4: `~1` is `/`, `~0` is `~`, and no other `~` may stand.
fn unescaped(step: &str) -> Option<String> {
    let mut parts = step.split('~');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (c, rest) = match part.as_bytes().first()? {
            b'0' => ('~', part.get(1..)?),
            b'1' => ('/', part.get(1..)?),
            _ => return None,
        };
        out.push(c);
        out.push_str(rest);
    }
    Some(out)
}

impl TryFrom<String> for ClaimPath {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<ClaimPath> for String {
    fn from(path: ClaimPath) -> Self {
        path.text
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Where the claims that tollgate uses are found. Of several places the first that is there counts; roles are
/// gathered from all of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClaimMap {
    /// For whom the token is: by default `aud`.
    pub audience: Vec<ClaimPath>,
    /// Which client it was given to: by default `client_id`.
    pub client: Vec<ClaimPath>,
    /// Which roles its subject has: by default `roles`.
    pub roles: Vec<ClaimPath>,
    /// What it grants: by default `scope`.
    pub scope: Vec<ClaimPath>,
    /// Who it speaks for: by default `sub`.
    pub subject: Vec<ClaimPath>,
    /// What else upstreams are told ([`crate::policy::ClaimHeader`]).
    pub carried: Vec<ClaimPath>,
}

impl Default for ClaimMap {
    /// The names of RFC 7519 and RFC 9068.
    fn default() -> Self {
        let named = |name: &str| vec![ClaimPath::member(name)];
        Self {
            audience: named("aud"),
            client: named("client_id"),
            roles: named("roles"),
            scope: named("scope"),
            subject: named("sub"),
            carried: Vec::new(),
        }
    }
}

/// A claim that has to be there, and what it has to say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequiredClaim {
    /// Where.
    pub path: ClaimPath,
    /// What.
    pub wanted: Wanted,
}

/// What a required claim has to say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// Anything but `null`.
    Anything,
    /// This.
    Flag(bool),
    /// One of these texts, alone or in an array.
    OneOf(Vec<String>),
}

impl RequiredClaim {
    /// Whether the claims meet it.
    #[must_use]
    pub fn is_met(&self, claims: &Object<'_>) -> bool {
        let Some(value) = self.path.find(claims) else {
            return false;
        };
        match &self.wanted {
            Wanted::Anything => *value != Value::Null,
            Wanted::Flag(flag) => *value == Value::Bool(*flag),
            Wanted::OneOf(texts) => {
                let is_wanted =
                    |value: &Value<'_>| value.as_text().is_some_and(|text| texts.iter().any(|w| w == text));
                is_wanted(value) || value.as_array().is_some_and(|items| items.iter().any(is_wanted))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn found(path: &str, claims: &str) -> Option<String> {
        let claims = json::object(claims.as_bytes()).unwrap();
        let path: ClaimPath = path.parse().unwrap();
        path.find(&claims).and_then(Value::as_text).map(str::to_owned)
    }

    #[test]
    fn rfc6901_section_5_pointers_and_plain_names() {
        let text = |text: &str| Some(text.to_owned());
        let claims = r#"{"a":{"b":["x","y"]},"a/b":"slash","m~n":"tilde","https://x.example/r":"url","":{"z":"empty"}}"#;
        assert_eq!(found("/a/b/1", claims), text("y"));
        assert_eq!(found("/a~1b", claims), text("slash"));
        assert_eq!(found("/m~0n", claims), text("tilde"));
        assert_eq!(found("https://x.example/r", claims), text("url"));
        assert_eq!(found("a/b", claims), text("slash"), "a plain name is no pointer");
        for none in ["/a/c", "/a/b/2", "/a/b/01", "/a/b/-", "/a/b/1/x", "b", "/A"] {
            assert_eq!(found(none, claims), None, "{none}");
        }
        for bad in ["", "/", "/a~", "/a~2b", &"x".repeat(300)] {
            assert!(bad.parse::<ClaimPath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_required_claim_is_there_and_says_what_it_should() {
        let met = |wanted: &Wanted, claims: &str| {
            RequiredClaim { path: "typ".parse().unwrap(), wanted: wanted.clone() }
                .is_met(&json::object(claims.as_bytes()).unwrap())
        };
        let one_of = |texts: &[&str]| Wanted::OneOf(texts.iter().map(|text| (*text).to_owned()).collect());
        assert!(met(&Wanted::Anything, r#"{"typ":0}"#) && met(&Wanted::Anything, r#"{"typ":false}"#));
        assert!(met(&one_of(&["a", "b"]), r#"{"typ":"b"}"#) && met(&one_of(&["a"]), r#"{"typ":["x","a"]}"#));
        assert!(met(&Wanted::Flag(true), r#"{"typ":true}"#) && met(&Wanted::Flag(false), r#"{"typ":false}"#));
        for none in ["{}", r#"{"typ":null}"#] {
            assert!(
                !met(&Wanted::Anything, none)
                    && !met(&Wanted::Flag(false), none)
                    && !met(&one_of(&["a"]), none)
            );
        }
        for other in [r#"{"typ":false}"#, r#"{"typ":"true"}"#, r#"{"typ":1}"#, r#"{"typ":[true]}"#] {
            assert!(!met(&Wanted::Flag(true), other), "{other}");
        }
        for other in
            [r#"{"typ":"A"}"#, r#"{"typ":["x"]}"#, r#"{"typ":{"a":1}}"#, r#"{"typ":1}"#, r#"{"typ":true}"#]
        {
            assert!(!met(&one_of(&["a"]), other), "{other}");
        }
    }
}
