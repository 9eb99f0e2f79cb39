//! One authorization request, or a visit to a person's own pages, on its way through the sign-in: what a page hands to the browser, and takes back with the next step.
//!
//! Nothing is stored for somebody who has not signed in. So the request travels with the pages, sealed: its MAC is made with a secret
//! of the deployment, over the realm, the request and what the browser has in a cookie of this very transaction. Who has the page
//! has not the cookie, and who has the cookie cannot make a page: that is what keeps others from finishing it (RFC 9700 section
//! 4.7). Each has a cookie of its own, so any number of tabs go side by side.
//!
//! That it ends once is not decided here: the person's principal marks it ([`crate::principal::Question::Consider`]).

use serde::{Deserialize, Serialize};

use crate::encoding::{Digest, base64url, from_base64url};
use crate::grant::AuthorizationRequest;
use crate::id::{RealmName, UserId};
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};

/// How long somebody may take.
pub const TRANSACTION_LIFETIME: Lifetime = Lifetime::from_seconds(1_800);

/// How long a pushed request waits for its browser (RFC 9126 section 2.2).
pub const PUSHED_LIFETIME: Lifetime = Lifetime::from_seconds(60);

/// What the address of a pushed request begins with (RFC 9126 section 2.2).
pub const PUSHED: &str = "urn:ietf:params:oauth:request_uri:";

/// Bytes of a MAC.
const MAC: usize = 32;

/// One authorization request, and what has become of it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Transaction {
    /// What it is called, and its cookie with it.
    pub id: String,
    /// When the request came.
    pub begun_at: Timestamp,
    /// What a client asks for; `None`: the person wants to see a page of their own.
    pub request: Option<AuthorizationRequest>,
    /// Whom a page has asked for consent: nobody else can give it.
    pub shown_to: Option<UserId>,
}

impl Transaction {
    /// Whether this can be the name of one: base64url, as short as ours are.
    #[must_use]
    pub fn is_id(text: &str) -> bool {
        text.len() == 22 && from_base64url(text).is_ok()
    }

    /// A new one. Its name has 80 random bits after its time, so that the oldest are known by their names.
    #[must_use]
    pub fn begin(random: &[u8; 10], request: Option<AuthorizationRequest>, now: Timestamp) -> Self {
        let time = now.as_millis().to_be_bytes();
        let id = base64url(&[time.get(2..).unwrap_or_default(), random].concat());
        Self { id, begun_at: now, request, shown_to: None }
    }

    /// What sorts names of transactions, the oldest first.
    #[must_use]
    pub fn age_of(id: &str) -> Vec<u8> {
        from_base64url(id).unwrap_or_default()
    }

    /// What a page carries, for the browser that has this in the transaction's cookie. `None`: it does not serialise.
    #[must_use]
    pub fn seal(&self, key: &Secret, realm: &RealmName, browser: &str) -> Option<String> {
        let text = serde_json::to_vec(self).ok()?;
        let mac = mac(key, realm, browser, &text);
        Some(base64url(&[mac.as_slice(), &text].concat()))
    }

    /// The address of a request that its client has pushed. Whoever has it may bring it, in any browser, for [`PUSHED_LIFETIME`].
    #[must_use]
    pub fn push(&self, key: &Secret, realm: &RealmName) -> Option<String> {
        Some(format!("{PUSHED}{}", self.seal(key, realm, OF_NO_BROWSER)?))
    }

    /// The request at such an address.
    #[must_use]
    pub fn pushed(address: &str, key: &Secret, realm: &RealmName, now: Timestamp) -> Option<Self> {
        let sealed = address.strip_prefix(PUSHED)?;
        let pushed = Self::open(sealed, key, realm, OF_NO_BROWSER, now)?;
        now.is_within(PUSHED_LIFETIME, pushed.begun_at).then_some(pushed)
    }

    /// What the browser brought back. `None`: it is not ours, of another realm or browser, or too old.
    #[must_use]
    pub fn open(text: &str, key: &Secret, realm: &RealmName, browser: &str, now: Timestamp) -> Option<Self> {
        let whole = from_base64url(text).ok()?;
        let (sum, text) = whole.split_at_checked(MAC)?;
        // Digests compare in constant time.
        if Digest::of(sum) != Digest::of(&mac(key, realm, browser, text)) {
            return None;
        }
        let transaction: Self = crate::json::read(str::from_utf8(text).ok()?).ok()?;
        now.is_within(TRANSACTION_LIFETIME, transaction.begun_at).then_some(transaction)
    }

    /// The name of one that a page carries, before anything is known to be true of it: which cookie to look for.
    #[must_use]
    pub fn id_in(text: &str) -> Option<String> {
        let whole = from_base64url(text).ok()?;
        let (_, text) = whole.split_at_checked(MAC)?;
        let transaction: Self = crate::json::read(str::from_utf8(text).ok()?).ok()?;
        Self::is_id(&transaction.id).then_some(transaction.id)
    }

    /// When it is over, whatever becomes of it.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.begun_at.after(TRANSACTION_LIFETIME)
    }
}

/// In place of what a browser has in its cookie; no cookie can hold it.
const OF_NO_BROWSER: &str = "\n";

fn mac(key: &Secret, realm: &RealmName, browser: &str, text: &[u8]) -> [u8; MAC] {
    // None of the parts before the text has a colon.
    let message = [format!("tollgate transaction 1:{realm}:{browser}:").as_bytes(), text].concat();
    hmac_sha256::HMAC::mac(message, key.reveal())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::{Destination, ResponseMode};

    fn transaction() -> Transaction {
        let destination = Destination {
            redirect_uri: "https://app.example/cb".to_owned(),
            response_mode: ResponseMode::Query,
            state: Some("s".to_owned()),
        };
        let request = AuthorizationRequest {
            client_id: "c1".parse().unwrap(),
            destination,
            scope: None,
            nonce: None,
            challenge: Digest::of(b"verifier"),
            prompt: vec![],
            max_age: None,
            acr: None,
            login_hint: None,
            id_token_hint: None,
            resources: vec![],
            key: None,
        };
        Transaction::begin(&[1; 10], Some(request), Timestamp::from_seconds(100))
    }

    #[test]
    fn rfc9126_section_2_2_a_pushed_request_is_of_one_realm_and_deployment_and_waits_a_minute() {
        let (key, realm) = (Secret::new(b"key".to_vec()), "test".parse().unwrap());
        let address = transaction().push(&key, &realm).unwrap();
        let at = |text: &str, key: &Secret, realm: &str, now| {
            Transaction::pushed(text, key, &realm.parse().unwrap(), Timestamp::from_seconds(now))
        };
        assert_eq!(at(&address, &key, "test", 160), Some(transaction()));
        assert_eq!(at(&address, &key, "test", 161), None, "too late");
        assert_eq!(at(&address, &key, "other", 100), None, "another realm");
        assert_eq!(at(&address, &Secret::new(b"other".to_vec()), "test", 100), None, "another secret");
        let page = transaction().seal(&key, &realm, "browser").unwrap();
        assert_eq!(at(&format!("{PUSHED}{page}"), &key, "test", 100), None, "a page");
        let bare = address.strip_prefix(PUSHED).unwrap();
        assert_eq!(Transaction::open(bare, &key, &realm, "browser", Timestamp::from_seconds(100)), None);
    }

    #[test]
    fn attack_67_a_page_is_of_one_browser_realm_and_deployment_and_of_its_time() {
        let (key, other) = (Secret::new(b"key".to_vec()), Secret::new(b"other".to_vec()));
        let (realm, at) = ("test".parse().unwrap(), Timestamp::from_seconds);
        let sealed = transaction().seal(&key, &realm, "browser").unwrap();
        let open = |text: &str, key: &Secret, realm: &str, browser: &str, now| {
            Transaction::open(text, key, &realm.parse().unwrap(), browser, at(now))
        };
        assert_eq!(open(&sealed, &key, "test", "browser", 1_900), Some(transaction()));
        assert_eq!(Transaction::id_in(&sealed), Some(transaction().id));
        for (what, opened) in [
            ("another secret", open(&sealed, &other, "test", "browser", 100)),
            ("another realm", open(&sealed, &key, "tes", "browser", 100)),
            ("another browser", open(&sealed, &key, "test", "rowser", 100)),
            ("too late", open(&sealed, &key, "test", "browser", 1_901)),
            ("cut off", open(&sealed[..40], &key, "test", "browser", 100)),
            ("nothing", open("", &key, "test", "browser", 100)),
        ] {
            assert_eq!(opened, None, "{what}");
        }
        let mut bytes = from_base64url(&sealed).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert_eq!(open(&base64url(&bytes), &key, "test", "browser", 100), None, "byte {at}");
            bytes[at] ^= 1;
        }
    }
}
