//! A person's way from the console through the sign-in and back.
//!
//! Nothing is stored for it. The browser keeps a salt in a cookie, and everything that must be secret or unguessable follows from it, the deployment's
//! secret, the realm and the name of the trip: `code_verifier` (RFC 7636), `nonce` (OpenID Connect Core section 3.1.2.1) and the MAC in `state`
//! (RFC 6749 section 10.12), over the name, which has the time in it, and the page that was asked for. So an answer counts in the browser that left, and leads to the page that it
//! left for. One salt serves all tabs of a browser.

use crate::encoding::{Digest, base64url, from_base64url};
use crate::id::RealmName;
use crate::pkce::Verifier;
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};

/// How long somebody may take.
pub(super) const LIFETIME: Lifetime = Lifetime::from_seconds(600);

/// The longest page that somebody comes back to: `state` travels in addresses.
const MAX_PAGE: usize = 600;

/// Whether a text can be a salt of ours: no colon is in it.
pub(super) fn is_salt(text: &str) -> bool {
    text.len() == 22 && from_base64url(text).is_ok()
}

/// What a trip is bound to.
#[derive(Debug)]
pub(super) struct Bounds<'a> {
    pub(super) key: &'a Secret,
    pub(super) realm: &'a RealmName,
    /// What the browser has in its cookie.
    pub(super) salt: &'a str,
}

/// A trip, of which the browser knows the name.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Trip {
    /// The time and 80 random bits.
    name: String,
    /// The page that was asked for, below the console.
    pub(super) page: String,
}

impl Trip {
    /// A new one. What is too long to come back to is left out.
    pub(super) fn begin(random: &[u8; 10], page: &str, now: Timestamp) -> Self {
        let time = now.as_millis().to_be_bytes();
        let name = base64url(&[time.get(2..).unwrap_or_default(), random].concat());
        let is_good = page.len() <= MAX_PAGE && page.bytes().all(|b| b.is_ascii_graphic());
        Self { name, page: if is_good { page.to_owned() } else { String::new() } }
    }

    /// The trip that a `state` is of. `None`: it is none of this browser, realm and deployment, or too old.
    pub(super) fn answered(state: &str, bounds: &Bounds<'_>, now: Timestamp) -> Option<Self> {
        let mut parts = state.split('.');
        let (name, page, mac) = (parts.next()?, parts.next()?, parts.next()?);
        let page = String::from_utf8(from_base64url(page).ok()?).ok()?;
        let trip = Self { name: name.to_owned(), page };
        // Digests compare in constant time.
        let is_ours = Digest::of(trip.mac(bounds).as_bytes()) == Digest::of(mac.as_bytes());
        let mut time = [0; 8];
        time.get_mut(2..)?.copy_from_slice(from_base64url(name).ok()?.get(..6)?);
        let begun_at = Timestamp::from_millis(u64::from_be_bytes(time));
        (is_ours && parts.next().is_none() && now.is_within(LIFETIME, begun_at)).then_some(trip)
    }

    /// `state`.
    pub(super) fn state(&self, bounds: &Bounds<'_>) -> String {
        format!("{}.{}.{}", self.name, base64url(self.page.as_bytes()), self.mac(bounds))
    }

    /// `nonce`.
    pub(super) fn nonce(&self, bounds: &Bounds<'_>) -> String {
        base64url(&self.derive("nonce", bounds))
    }

    /// `code_verifier`.
    pub(super) fn verifier(&self, bounds: &Bounds<'_>) -> Verifier {
        Verifier::from_random(&self.derive("code_verifier", bounds))
    }

    fn mac(&self, bounds: &Bounds<'_>) -> String {
        base64url(&self.derive("state", bounds))
    }

    fn derive(&self, what: &str, bounds: &Bounds<'_>) -> [u8; 32] {
        let Bounds { key, realm, salt } = bounds;
        // None of the parts before the last has a colon.
        let message = format!("tollgate console trip 1:{what}:{realm}:{salt}:{}:{}", self.name, self.page);
        hmac_sha256::HMAC::mac(message, key.reveal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_67_a_trip_is_of_one_browser_realm_and_deployment_and_of_its_time() {
        let (key, other) = (Secret::new(b"key".to_vec()), Secret::new(b"other".to_vec()));
        let (test, cut): (RealmName, RealmName) = ("test".parse().unwrap(), "cut".parse().unwrap());
        let own = Bounds { key: &key, realm: &test, salt: "s" };
        let at = Timestamp::from_seconds;
        let trip = Trip::begin(&[1; 10], "/keys?a=b", at(1_000));
        let state = trip.state(&own);
        let page = |state: &str, bounds: &Bounds<'_>, now| {
            Trip::answered(state, bounds, at(now)).map(|trip| trip.page)
        };
        assert_eq!(page(&state, &own, 1_600).as_deref(), Some("/keys?a=b"));
        assert_eq!(page(&state, &own, 1_601), None, "too late");
        assert_eq!(page(&state, &Bounds { key: &other, ..own }, 1_000), None, "another secret");
        let own = Bounds { key: &key, realm: &test, salt: "s" };
        assert_eq!(page(&state, &Bounds { realm: &cut, ..own }, 1_000), None, "another realm");
        let own = Bounds { key: &key, realm: &test, salt: "s" };
        assert_eq!(page(&state, &Bounds { salt: "t", ..own }, 1_000), None, "another browser");
        let own = Bounds { key: &key, realm: &test, salt: "s" };
        let mac = state.rsplit('.').next().unwrap();
        let forged = format!("{}.{}.{mac}", trip.name, base64url(b"//evil.example"));
        assert_eq!(page(&forged, &own, 1_000), None, "another page");
        assert_eq!(page(&format!("{state}.x"), &own, 1_000), None);
        assert_ne!(trip.nonce(&own), trip.verifier(&own).reveal());
    }

    #[test]
    fn what_is_no_page_is_left_out() {
        let page = |page: &str| Trip::begin(&[0; 10], page, Timestamp::from_seconds(1)).page;
        assert_eq!((page("/a?b=%20"), page("/\r\nx: y")), ("/a?b=%20".to_owned(), String::new()));
        assert_eq!(page(&"x".repeat(MAX_PAGE + 1)), "");
    }
}
