//! The cookies of the console. Each belongs to the host alone, travels over TLS only, is out of reach for scripts, and does not come along
//! when another site posts, as those of the other pages ([`crate::people`]).
//!
//! | cookie | what | how long |
//! | --- | --- | --- |
//! | `__Host-tollgate-console.REALM`, and with `.1`, `.2` behind it | the access token, in parts that a browser keeps | until the browser closes |
//! | `__Host-tollgate-console.REALM.trip` | binds a sign-in to this browser ([`super::trip`]) | ten minutes |

use crate::console::trip;
use crate::http::Head;

/// What the names begin with. No realm's name has a dot, so none begins another's cookies.
const PREFIX: &str = "__Host-tollgate-console.";

/// What every cookie ends in.
const OWN: &str = "Path=/; Secure; HttpOnly; SameSite=Lax";

/// Characters of a part: a cookie has 4,096 bytes (RFC 6265bis section 5.6), name and attributes included.
const PART: usize = 3_800;

/// Parts of a token: the longest that is taken has 16 KiB, and one by ML-DSA-65 about six.
const PARTS: usize = 3;

/// What a browser sent, as far as it is the console's, of whatever realm.
#[derive(Debug)]
pub(super) struct Jar(Vec<(String, String)>);

impl Jar {
    pub(super) fn of(head: &Head<'_>) -> Self {
        let header = head.headers.get("cookie").unwrap_or_default();
        let pairs = header.split(';').filter_map(|pair| pair.trim().strip_prefix(PREFIX)?.split_once('='));
        Self(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The access token of a realm's console.
    pub(super) fn token(&self, realm: &str) -> Option<String> {
        let first = self.get(realm).filter(|first| !first.is_empty())?;
        let rest = (1..PARTS).map_while(|at| self.get(&format!("{realm}.{at}")));
        Some(std::iter::once(first).chain(rest).collect())
    }

    /// Keeps a token, in as many parts as it needs; those of another before it go. `None`: no browser would.
    pub(super) fn keep(&self, realm: &str, token: &str) -> Option<Vec<String>> {
        // A token is ASCII: every byte is a place to cut.
        let (mut rest, mut parts) = (token, Vec::new());
        while !rest.is_empty() {
            let (part, more) = rest.split_at_checked(PART).unwrap_or((rest, ""));
            parts.push(format!("{PREFIX}{}={part}; {OWN}", part_name(realm, parts.len())));
            rest = more;
        }
        let spare = (parts.len()..PARTS).map(|at| part_name(realm, at));
        let stale = spare.filter(|name| self.get(name).is_some()).map(|name| gone(&name));
        (parts.len() <= PARTS).then(|| parts.iter().cloned().chain(stale).collect())
    }

    /// Forgets the token.
    pub(super) fn forget(&self, realm: &str) -> Vec<String> {
        let names = (0..PARTS).map(|at| part_name(realm, at));
        names.filter(|name| self.get(name).is_some()).map(|name| gone(&name)).collect()
    }

    /// What binds a sign-in to this browser.
    pub(super) fn salt(&self, realm: &str) -> Option<&str> {
        self.get(&format!("{realm}.trip")).filter(|salt| trip::is_salt(salt))
    }

    /// Binds a sign-in to this browser.
    pub(super) fn begin(realm: &str, salt: &str) -> String {
        let seconds = trip::LIFETIME.as_seconds();
        format!("{PREFIX}{realm}.trip={salt}; Max-Age={seconds}; {OWN}")
    }
}

fn part_name(realm: &str, at: usize) -> String {
    if at == 0 { realm.to_owned() } else { format!("{realm}.{at}") }
}

fn gone(name: &str) -> String {
    format!("{PREFIX}{name}=; Max-Age=0; {OWN}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(set: &[String]) -> Jar {
        let pair = |cookie: &String| {
            let (name, rest) = cookie.strip_prefix(PREFIX).unwrap().split_once('=').unwrap();
            (name.to_owned(), rest.split(';').next().unwrap().to_owned())
        };
        Jar(set.iter().map(pair).filter(|(_, value)| !value.is_empty()).collect())
    }

    #[test]
    fn a_long_token_is_kept_in_parts_and_a_shorter_one_after_it_alone() {
        let (none, long) = (Jar(Vec::new()), "x".repeat(7_000));
        let jar = after(&none.keep("test", &long).unwrap());
        assert_eq!(jar.token("test"), Some(long));
        assert_eq!((jar.token("tes"), jar.token("test.1").map(|part| part.len())), (None, Some(3_200)));
        let set = jar.keep("test", "short").unwrap();
        assert_eq!((set.len(), after(&set).token("test").as_deref()), (2, Some("short")));
        assert_eq!(jar.forget("test").len(), 2);
        assert!(none.keep("test", &"x".repeat(PART * PARTS + 1)).is_none());
        assert!(set.iter().chain(&none.keep("test", "x").unwrap()).all(|cookie| cookie.len() < 4_096));
    }
}
