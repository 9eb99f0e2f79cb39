//! Authorization codes (RFC 6749 section 4.1) as a state machine: each is redeemed once.
//!
//! A code is bound to its client, its redirect URI and its PKCE challenge (RFC 7636), which every code here has; and to a key, where the
//! request named one (RFC 9449 section 10). It is used
//! up by the first redemption that fits. Whoever presents it again within [`GRACE`] hears `invalid_grant`: that is how
//! requests that race end. After that it is a code that leaked: what it has issued ends (RFC 6749 section 4.1.2).
//!
//! **Out of scope**: making codes, which the authorization endpoint does.

use serde::{Deserialize, Serialize};

use crate::encoding::Digest;
use crate::grant::{GRACE, SignInMethod};
use crate::id::ClientId;
use crate::scope::ScopeSet;
use crate::time::{Lifetime, Timestamp};

/// How long a code may be redeemed (RFC 6749 section 4.1.2 recommends ten minutes at most): a redirect takes seconds.
pub const CODE_LIFETIME: Lifetime = Lifetime::from_seconds(60);

/// One code. Stored under its digest; a test pins the shape.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Code {
    /// The client that may redeem it.
    pub client_id: ClientId,
    /// Where it was sent to.
    pub redirect_uri: String,
    /// `code_challenge`, of the method S256: what its redeemer must know the origin of.
    pub challenge: Digest,
    /// What it grants.
    pub scope: ScopeSet,
    /// For which resources (RFC 8707); empty: the realm's audience.
    pub resources: Vec<String>,
    /// What the ID token repeats (OpenID Connect Core section 3.1.2.1).
    pub nonce: Option<String>,
    /// When the person proved who they are.
    pub auth_time: Timestamp,
    /// What they proved it by.
    #[serde(default, skip_serializing_if = "SignInMethod::is_usual")]
    pub method: SignInMethod,
    /// When it was made, by the clock of its principal: what ends sessions before then has nothing to do with it.
    pub issued_at: Timestamp,
    /// When it is over.
    pub expires_at: Timestamp,
    /// Whether it was redeemed.
    pub redeemed: Option<Redeemed>,
    /// The thumbprint of the key that its redeemer must hold (`dpop_jkt`, RFC 9449 section 10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Digest>,
    /// The digest of what the browser is known by that it was allowed in: signing out there ends what it issues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<Digest>,
    /// What that browser was first known by, where the person has signed in there again since: what it issues names that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Digest>,
    /// Whether its client wants to hear that what it issues is over (OpenID Connect Back-Channel Logout 1.0).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tells: bool,
}

/// What is known of a code that was redeemed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Redeemed {
    /// When.
    pub at: Timestamp,
    /// The session that it started.
    pub session: String,
}

/// Who redeems a code, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Redemption<'a> {
    /// The client, which has proved who it is.
    pub client: &'a ClientId,
    /// `redirect_uri`.
    pub redirect_uri: Option<&'a str>,
    /// What follows from the `code_verifier` ([`crate::pkce::Verifier::challenge`]).
    pub challenge: Option<Digest>,
    /// The session that it is to start.
    pub session: &'a str,
    /// The thumbprint of the key that the client has proved to hold.
    pub key: Option<Digest>,
}

/// What presenting a code comes to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It is redeemed: its next state.
    Redeemed(Box<Code>),
    /// `invalid_grant`, and nothing else happens.
    Refused,
    /// It was redeemed before: the session that it started ends.
    Reused {
        /// Which.
        session: String,
    },
}

impl Code {
    /// Presents the code at `now`.
    #[must_use]
    pub fn redeem(&self, with: &Redemption<'_>, now: Timestamp) -> Outcome {
        // Somebody else's code: neither redeemed nor a reason to end anything.
        if *with.client != self.client_id {
            return Outcome::Refused;
        }
        if let Some(redeemed) = &self.redeemed {
            return if now <= redeemed.at.after(GRACE) {
                Outcome::Refused
            } else {
                Outcome::Reused { session: redeemed.session.clone() }
            };
        }
        let fits = now <= self.expires_at
            && with.redirect_uri == Some(self.redirect_uri.as_str())
            && with.challenge == Some(self.challenge)
            && self.key.is_none_or(|key| with.key == Some(key));
        if !fits {
            return Outcome::Refused;
        }
        let redeemed = Some(Redeemed { at: now, session: with.session.to_owned() });
        Outcome::Redeemed(Box::new(Self { redeemed, ..self.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn code() -> Code {
        Code {
            client_id: "c1".parse().unwrap(),
            redirect_uri: "https://app.example/cb".to_owned(),
            challenge: Digest::of(b"verifier"),
            scope: "a openid".parse().unwrap(),
            resources: vec![],
            nonce: Some("n".to_owned()),
            auth_time: at(90),
            method: SignInMethod::Password,
            issued_at: at(100),
            expires_at: at(160),
            redeemed: None,
            key: None,
            browser: None,
            origin: None,
            tells: false,
        }
    }

    fn redeem(
        code: &Code,
        client: &str,
        uri: Option<&str>,
        verifier: Option<&[u8]>,
        now: Timestamp,
    ) -> Outcome {
        let client = client.parse().unwrap();
        let challenge = verifier.map(Digest::of);
        let with = Redemption { client: &client, redirect_uri: uri, challenge, session: "s1", key: None };
        code.redeem(&with, now)
    }

    fn good(code: &Code, now: Timestamp) -> Outcome {
        redeem(code, "c1", Some("https://app.example/cb"), Some(b"verifier"), now)
    }

    #[test]
    fn attack_60_61_client_redirect_uri_verifier_and_time_must_fit() {
        let uri = Some("https://app.example/cb");
        let verifier: Option<&[u8]> = Some(b"verifier");
        for (what, client, uri, verifier, now) in [
            ("another client", "c2", uri, verifier, 100),
            ("no redirect_uri", "c1", None, verifier, 100),
            ("another redirect_uri", "c1", Some("https://app.example/cb/"), verifier, 100),
            ("no verifier", "c1", uri, None, 100),
            ("an empty verifier", "c1", uri, Some(b"".as_slice()), 100),
            ("the challenge as verifier", "c1", uri, Some(b"challenge".as_slice()), 100),
            ("too late", "c1", uri, verifier, 161),
        ] {
            assert_eq!(redeem(&code(), client, uri, verifier, at(now)), Outcome::Refused, "{what}");
        }
        assert!(matches!(good(&code(), at(160)), Outcome::Redeemed(_)), "the limit itself is alive");
    }

    #[test]
    fn rfc9449_section_10_a_code_is_redeemed_by_whoever_holds_the_key_that_it_names() {
        let (key, other) = (Digest::of(b"key"), Digest::of(b"other"));
        let client = "c1".parse().unwrap();
        let redeem = |bound: Option<Digest>, key: Option<Digest>| {
            let with = Redemption {
                client: &client,
                redirect_uri: Some("https://app.example/cb"),
                challenge: Some(Digest::of(b"verifier")),
                session: "s1",
                key,
            };
            matches!(Code { key: bound, ..code() }.redeem(&with, at(100)), Outcome::Redeemed(_))
        };
        assert!(redeem(Some(key), Some(key)) && redeem(None, Some(key)) && redeem(None, None));
        assert!(!redeem(Some(key), Some(other)) && !redeem(Some(key), None));
    }

    #[test]
    fn attack_61_a_code_is_redeemed_once_and_later_reuse_ends_what_it_issued() {
        let Outcome::Redeemed(used) = good(&code(), at(100)) else { panic!() };
        assert_eq!(good(&used, at(100)), Outcome::Refused, "a race ends nothing");
        assert_eq!(good(&used, at(110)), Outcome::Refused);
        let late = Timestamp::from_millis(110_001);
        assert_eq!(good(&used, late), Outcome::Reused { session: "s1".to_owned() });
        assert_eq!(redeem(&used, "c1", None, None, late), Outcome::Reused { session: "s1".to_owned() });
        assert_eq!(
            redeem(&used, "c2", None, None, late),
            Outcome::Refused,
            "a stranger's client ends nothing"
        );
    }

    #[test]
    fn the_stored_shape_is_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        let digest = Digest::of(b"verifier");
        let Outcome::Redeemed(used) = good(&code(), at(100)) else { panic!() };
        assert_eq!(
            serde_json::to_string(&used).unwrap(),
            format!(
                concat!(
                    r#"{{"client_id":"c1","redirect_uri":"https://app.example/cb","challenge":"{digest}","#,
                    r#""scope":"a openid","resources":[],"nonce":"n","auth_time":90000,"issued_at":100000,"expires_at":160000,"#,
                    r#""redeemed":{{"at":100000,"session":"s1"}}}}"#
                ),
                digest = digest
            )
        );
    }
}
