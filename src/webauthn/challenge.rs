//! Challenges: what a passkey has to sign, given out with a page and taken back with the answer.
//!
//! Nothing is stored for somebody who has not signed in, so a challenge proves itself: it is a time, 16 random bytes and a MAC by a secret of
//! the deployment over both, the realm, the ceremony, and what only the browser has that got the page. That it counts once is marked by the
//! person's principal, in the step that believes it ([`crate::principal::Question::EnterPasskey`]).

use crate::encoding::{Digest, base64url, from_base64url};
use crate::grant::TRANSACTION_LIFETIME;
use crate::id::{Locator, RealmName};
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};

const TIME: usize = 8;
const RANDOM: usize = 16;
const MAC: usize = 32;

/// How long it counts that somebody knew the password.
const AFTER_PASSWORD: Lifetime = Lifetime::from_seconds(300);

/// What a challenge is for. One for something else does not count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ceremony {
    /// The person at this place makes a passkey.
    Create(Locator),
    /// Somebody says who they are.
    SignIn,
    /// Somebody who knows the password of the person at this place says that they are that person.
    SignInAfterPassword(Locator),
}

impl Ceremony {
    /// No two are spelled alike.
    fn name(self) -> String {
        match self {
            Self::Create(locator) => format!("create:{}", locator.to_hex()),
            Self::SignIn => "sign-in".to_owned(),
            Self::SignInAfterPassword(locator) => format!("after-password:{}", locator.to_hex()),
        }
    }

    const fn lasts(self) -> Lifetime {
        match self {
            Self::Create(_) | Self::SignIn => TRANSACTION_LIFETIME,
            Self::SignInAfterPassword(_) => AFTER_PASSWORD,
        }
    }
}

/// Where a challenge counts.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'a> {
    /// A secret of the deployment.
    pub key: &'a Secret,
    /// The realm.
    pub realm: &'a RealmName,
    /// What the browser has in a cookie; no colon is in it.
    pub bond: &'a str,
}

/// One challenge.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Challenge {
    text: String,
    ends_at: Timestamp,
}

impl Challenge {
    /// A new one.
    #[must_use]
    pub fn begin(ceremony: Ceremony, bounds: Bounds<'_>, random: &[u8; RANDOM], now: Timestamp) -> Self {
        let mut open = now.as_millis().to_be_bytes().to_vec();
        open.extend_from_slice(random);
        let sum = mac(ceremony, bounds, &open);
        open.extend_from_slice(&sum);
        Self { text: base64url(&open), ends_at: now.after(ceremony.lasts()) }
    }

    /// What a browser brought back. `None`: it was given out for something else, to another browser, or too long ago.
    #[must_use]
    pub fn open(text: &str, ceremony: Ceremony, bounds: Bounds<'_>, now: Timestamp) -> Option<Self> {
        let whole = from_base64url(text).ok()?;
        let (open, sum) = whole.split_at_checked(TIME.saturating_add(RANDOM))?;
        // Digests compare in constant time.
        if sum.len() != MAC || Digest::of(sum) != Digest::of(&mac(ceremony, bounds, open)) {
            return None;
        }
        let begun_at = Timestamp::from_millis(u64::from_be_bytes(*open.first_chunk::<TIME>()?));
        let is_fresh = now.is_within(ceremony.lasts(), begun_at);
        is_fresh.then(|| Self { text: text.to_owned(), ends_at: begun_at.after(ceremony.lasts()) })
    }

    /// As a page gives it out, in base64url.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What is kept of it once it has counted.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }

    /// When it counts no more.
    #[must_use]
    pub const fn ends_at(&self) -> Timestamp {
        self.ends_at
    }
}

fn mac(ceremony: Ceremony, bounds: Bounds<'_>, open: &[u8]) -> [u8; MAC] {
    let Bounds { key, realm, bond } = bounds;
    // What comes behind the last colon has one length.
    let message =
        [format!("tollgate passkey 1:{realm}:{}:{bond}:", ceremony.name()).as_bytes(), open].concat();
    hmac_sha256::HMAC::mac(message, key.reveal())
}
