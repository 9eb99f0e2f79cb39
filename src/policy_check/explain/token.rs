//! What a token says, for whoever asks why it was refused. Never the token itself.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::config::{Config, KeySource, TrustedIssuer};
use crate::json;
use crate::policy_check::shown;
use crate::time::Timestamp;
use crate::token::{Claims, Compact, Confirmation, Header, issuer_of};

/// A token as it was read, by the validator's own functions.
#[derive(Default)]
pub(super) struct Seen<'c> {
    is_there: bool,
    pub(super) header: Option<Header>,
    pub(super) issuer: Option<&'c TrustedIssuer>,
    pub(super) claims: Option<Claims>,
    /// `iss`, whoever that is.
    named: Option<String>,
    payload: Vec<u8>,
}

/// What is shown of it.
#[derive(Debug)]
pub(super) struct Shown {
    /// `JWT`, or why it is none.
    pub(super) kind: &'static str,
    /// Names and values, in the order in which they are told.
    pub(super) says: Vec<(&'static str, String)>,
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(
            [("kind", self.kind)]
                .into_iter()
                .chain(self.says.iter().map(|(name, value)| (*name, value.as_str()))),
        )
    }
}

impl<'c> Seen<'c> {
    pub(super) fn read(config: &'c Config, token: Option<&str>) -> Self {
        let Some(token) = token else { return Self::default() };
        let mut seen = Self { is_there: true, ..Self::default() };
        let Ok(compact) = Compact::parse(token) else { return seen };
        seen.header = Some(compact.header().clone());
        seen.payload = compact.payload().to_vec();
        let Ok(members) = json::object(compact.payload()) else { return seen };
        let Ok(name) = issuer_of(&members) else { return seen };
        seen.named = Some(name.to_owned());
        seen.issuer = config.trusted(name).map(AsRef::as_ref);
        seen.claims = seen.issuer.and_then(|issuer| Claims::read(&members, &issuer.trust.claims).ok());
        seen
    }

    /// Every claim, where they are one JSON object.
    pub(super) fn members(&self) -> Option<Map<String, Value>> {
        serde_json::from_slice(&self.payload).ok()
    }

    /// The realm whose token it says to be.
    pub(super) fn realm(&self) -> Option<&str> {
        match &self.issuer?.keys {
            KeySource::Realm(ring, _) => Some(ring.realm().as_str()),
            _ => None,
        }
    }

    /// What matters of it; `None`: there is no token.
    pub(super) fn shown(&self, now: Timestamp) -> Option<Shown> {
        if !self.is_there {
            return None;
        }
        let mut says = Vec::new();
        let Some(header) = &self.header else {
            return Some(Shown { kind: "not a JWT that can be read", says });
        };
        let mut say =
            |name: &'static str, value: Option<String>| says.extend(value.map(|value| (name, shown(&value))));
        say("alg", header.algorithm.map(|algorithm| algorithm.name().to_owned()));
        say("kid", header.key.as_ref().map(ToString::to_string));
        say("typ", header.typ.clone());
        say("iss", self.named.clone());
        say("realm", self.realm().map(str::to_owned));
        if let Some(claims) = &self.claims {
            say("subject", Some(claims.subject.clone()));
            say("client", claims.client.clone());
            let listed = |text: String| if text.is_empty() { "none".to_owned() } else { text };
            say("audience", Some(listed(claims.audiences.join(" "))));
            say("scope", Some(listed(claims.scopes.to_string())));
            say("roles", Some(listed(claims.roles.join(" "))));
            say("expires", claims.expires_at.map(|at| moment(at, now)));
            say("not_before", claims.not_before.map(|at| moment(at, now)));
            say("issued", claims.issued_at.map(|at| moment(at, now)));
            let bound = match claims.confirmation {
                Confirmation::Bearer => None,
                Confirmation::Key(_) => Some("to a key (DPoP)"),
                Confirmation::Certificate(_) => Some("to a client certificate"),
                Confirmation::KeyAndCertificate(..) => Some("to a key (DPoP) and a client certificate"),
                Confirmation::Other => Some("to something of which no proof is known here"),
            };
            say("bound", bound.map(str::to_owned));
        }
        Some(Shown { kind: "JWT", says })
    }
}

/// A time, and how far away it is.
pub(super) fn moment(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.as_seconds();
    if at > now {
        format!("{seconds}, in {} s", at.since(now).as_seconds())
    } else {
        format!("{seconds}, {} s ago", now.since(at).as_seconds())
    }
}
