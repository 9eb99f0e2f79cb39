//! Refresh tokens (RFC 6749 section 6) as a state machine: each has one successor.
//!
//! A token that is redeemed is spent, and its successor lives. A caller whose answer was lost asks again with the spent
//! one: within [`GRACE`] it is told the same successor. After that, whoever still has the spent token is not who was given
//! the successor, or has lost it: nobody can tell the thief from the owner, so the whole family ends (RFC 9700
//! section 4.14.2).
//!
//! The successor is not stored. It follows from the spent token and a nonce ([`crate::secret::Credential::successor`]):
//! the store alone cannot make it, and the spent token alone cannot either.

use serde::{Deserialize, Serialize};

use crate::encoding::Digest;
use crate::time::{Lifetime, Timestamp};

/// How long a spent token, or a used code, may be presented again without ending what it has led to: a caller that lost the
/// answer tries again within seconds.
pub const GRACE: Lifetime = Lifetime::from_seconds(10);

/// One refresh token. Stored under its digest; a test pins the shape.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Refresh {
    /// The session that it belongs to, and with it its whole family.
    pub session: String,
    /// When it is over, redeemed or not.
    pub expires_at: Timestamp,
    /// Whether it was redeemed.
    pub spent: Option<Spent>,
}

/// What is known of a token that was redeemed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Spent {
    /// When.
    pub at: Timestamp,
    /// What its successor follows from, with the token itself.
    pub nonce: Digest,
    /// The successor's digest.
    pub successor: Digest,
}

/// A successor that a caller proposes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Proposal {
    /// 256 random bits.
    pub nonce: Digest,
    /// The digest of the token that follows from them and the one that is presented.
    pub successor: Digest,
}

/// What presenting a refresh token comes to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Presented {
    /// It is over: `invalid_grant`, and nothing else happens.
    Expired,
    /// It is redeemed: the next state of this token, and its successor, to be stored together.
    Rotated {
        /// This token, spent.
        spent: Refresh,
        /// The one that lives.
        successor: Refresh,
    },
    /// It was redeemed a moment ago: the same successor is told again.
    Repeated(Spent),
    /// It was redeemed too long ago: the family ends.
    Reused,
}

impl Refresh {
    /// A token that nobody has redeemed.
    #[must_use]
    pub const fn new(session: String, expires_at: Timestamp) -> Self {
        Self { session, expires_at, spent: None }
    }

    /// Presents the token at `now`. `expires_at` is when a successor is over. Does **not** check the session.
    #[must_use]
    pub fn present(&self, proposal: Proposal, expires_at: Timestamp, now: Timestamp) -> Presented {
        match self.spent {
            Some(spent) if now <= spent.at.after(GRACE) => Presented::Repeated(spent),
            Some(_) => Presented::Reused,
            None if now > self.expires_at => Presented::Expired,
            None => Presented::Rotated {
                spent: Self {
                    spent: Some(Spent { at: now, nonce: proposal.nonce, successor: proposal.successor }),
                    ..self.clone()
                },
                successor: Self::new(self.session.clone(), expires_at),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn proposal(n: u8) -> Proposal {
        Proposal { nonce: Digest::of(&[n]), successor: Digest::of(&[n, n]) }
    }

    fn spent(first: &Refresh, now: u64) -> Refresh {
        match first.present(proposal(1), at(1000), at(now)) {
            Presented::Rotated { spent, successor } => {
                assert_eq!(successor, Refresh::new("s".to_owned(), at(1000)));
                spent
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rfc9700_section_4_14_2_a_token_is_redeemed_once_and_repeated_within_the_grace() {
        let first = Refresh::new("s".to_owned(), at(100));
        let spent = spent(&first, 50);
        for now in [50, 55, 60] {
            let Presented::Repeated(known) = spent.present(proposal(2), at(2000), at(now)) else {
                panic!("at {now}");
            };
            assert_eq!(known.successor, proposal(1).successor, "the same one at {now}");
        }
        let just_after = Timestamp::from_millis(60_001);
        assert_eq!(spent.present(proposal(2), at(2000), just_after), Presented::Reused);
    }

    #[test]
    fn a_token_is_alive_at_its_end_and_over_after_it() {
        let first = Refresh::new("s".to_owned(), at(100));
        assert!(matches!(first.present(proposal(1), at(200), at(100)), Presented::Rotated { .. }));
        assert_eq!(first.present(proposal(1), at(200), at(101)), Presented::Expired);
    }

    #[test]
    fn a_clock_that_goes_back_repeats_and_does_not_end() {
        let first = Refresh::new("s".to_owned(), at(100));
        assert!(matches!(spent(&first, 50).present(proposal(2), at(200), at(40)), Presented::Repeated(_)));
    }

    #[test]
    fn the_stored_shape_is_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        let first = Refresh::new("s".to_owned(), at(100));
        assert_eq!(
            serde_json::to_string(&first).unwrap(),
            r#"{"session":"s","expires_at":100000,"spent":null}"#
        );
        let zero = Digest::of(b"");
        let spent = Refresh { spent: Some(Spent { at: at(1), nonce: zero, successor: zero }), ..first };
        assert_eq!(
            serde_json::to_string(&spent).unwrap(),
            format!(
                r#"{{"session":"s","expires_at":100000,"spent":{{"at":1000,"nonce":"{zero}","successor":"{zero}"}}}}"#
            )
        );
    }
}
