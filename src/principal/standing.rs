//! Standing grants: what a client that has proved itself is granted again for a grain without its principal being asked.
//!
//! Client credentials are the same question over and over. So the principal answers it with a grant that stands for a grain: the
//! edge that has it opens sessions under it from memory, each with a token of its own, and the principal hears of a session when it
//! is first used ([`crate::principal::Question::Touch`]), or revoked. Nothing of the promise is given up where sessions
//! are asked about:
//!
//! - A session under a grant has the grant's number, so whatever has ended the client's sessions since the grant was made (other
//!   roles, another secret, a disabled owner, the client's end) has ended it as well, also where it is opened later: its token is
//!   refused at its first use.
//! - So it is where the client would not be granted it any more: its secret is gone, or a scope that it had; or it has to prove a key now.
//! - It is a session like any other: it has a start of its own, from which idleness counts, and ends alone.
//! - What is cleared cannot come back: a session that has ended is kept as long as its grant, and the grant as long as a token
//!   under it may live.
//!
//! There is none where nothing is remembered (grain 0), where validators do not ask ([`crate::config`], `revocation`), for a proof
//! that counts once (an assertion, or a proof of possession, RFC 9449), and with a refresh token.

use serde::{Deserialize, Serialize};

use crate::encoding::Digest;
use crate::error::Fault;
use crate::id::SessionId;
use crate::principal::client::StoredClient;
use crate::principal::opening::Opening;
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::sessions::StoredSession;
use crate::principal::{GrantType, Granted, Proof, Refused, Standing};
use crate::scope::ScopeSet;
use crate::session::{EndReason, Session};
use crate::time::{Lifetime, Timestamp};

/// A standing grant as it is kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct StoredGrant {
    /// What the client proved itself by.
    pub(super) secret: Digest,
    /// Which scopes it was registered for.
    pub(super) registered: ScopeSet,
    /// What each session under it begins as.
    pub(super) session: StoredSession,
}

impl StoredGrant {
    /// Whether the client would have been granted this then, by what is known of it now.
    fn holds(&self, stored: &StoredClient, opened_at: Timestamp) -> bool {
        stored.client.may(GrantType::ClientCredentials)
            && !stored.client.must_prove
            && stored.secrets_at(opened_at).any(|secret| secret.digest == self.secret)
            && self.registered.iter().all(|scope| stored.client.scope.contains(scope))
    }
}

impl<R: Rows> Draft<'_, R> {
    /// Grants what `opening` says, for a grain: nothing is opened yet. `None`: it cannot stand, and a session has to be opened.
    pub(super) fn stand(
        &self,
        opening: &Opening<'_>,
        (stored, proof): (&StoredClient, &Proof),
        now: Timestamp,
    ) -> Result<Option<Result<Granted, Refused>>, Fault> {
        let (terms, Proof::Secret(digest)) = (&opening.new.terms, proof) else { return Ok(None) };
        let grain = terms.pace.grain();
        if grain == Lifetime::ZERO || opening.new.refresh.is_some() || opening.new.key.is_some() {
            return Ok(None);
        }
        if !self.makes_room()? {
            return Ok(Some(Err(Refused::Full)));
        }
        let principal = self.principal()?;
        let mut session = opening.session(principal.seq, now);
        let Session::Open { ends_at, .. } = session.state else { return Ok(None) };
        let same = stored.secrets.iter().filter(|secret| secret.digest == *digest);
        let over = same.filter_map(|secret| secret.expires_at).min().unwrap_or(ends_at).min(ends_at);
        let stands = grain.min(over.since(now));
        let granted = self.granted(&opening.new.local, &session, &principal, (now, terms.access_token))?;
        session.opened_at = granted.at;
        session.needed_until = session.needed_until.after(granted.at.since(now)).after(stands);
        let clear_at = Some(session.needed_until);
        let grant = StoredGrant { secret: *digest, registered: stored.client.scope.clone(), session };
        self.write(Kind::Grant, &opening.new.local, &grant, clear_at)?;
        let standing = Standing { stands, lasts: terms.access_token, ends_at };
        Ok(Some(Ok(Granted { standing: Some(standing), has_refresh: false, ..granted })))
    }

    /// The session `local` as it begins, where it is one of a standing grant.
    pub(super) fn under_grant(&self, local: &str) -> Result<Option<StoredSession>, Fault> {
        let Some((name, nth)) = SessionId::grant_of(local) else { return Ok(None) };
        let Some(grant) = self.read::<StoredGrant>(Kind::Grant, name)? else { return Ok(None) };
        let Session::Open { ends_at, pace, .. } = grant.session.state else { return Ok(None) };
        let opened_at = grant.session.opened_at.after(nth.after());
        let mut state = Session::open(opened_at, pace, ends_at);
        // Where the client itself is gone, its session is over anyhow.
        if let Some(stored) = self.client(&grant.session.client_id)?
            && !grant.holds(&stored, opened_at)
        {
            state = state.end(opened_at, EndReason::Credential);
        }
        Ok(Some(StoredSession { opened_at, state, ..grant.session }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Pace;

    #[test]
    fn the_stored_shape_is_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        let at = Timestamp::from_seconds;
        let pace = Pace::new(None, Lifetime::from_seconds(15));
        let session = StoredSession {
            client_id: "c1".parse().unwrap(),
            own_client: true,
            scope: "a".parse().unwrap(),
            resources: vec![],
            seq: 3,
            opened_at: at(1),
            needed_until: at(9),
            auth_time: None,
            method: crate::grant::SignInMethod::Password,
            state: Session::open(at(1), pace, at(10)),
            key: None,
            key_since: None,
            browser: None,
            tells: false,
        };
        let grant = StoredGrant { secret: Digest::of(b"right"), registered: "a b".parse().unwrap(), session };
        assert_eq!(
            serde_json::to_string(&grant).unwrap(),
            concat!(
                r#"{"secret":"JwQvTm7KfQsqfuQCbfLs-lHTM55tEiqgmRGOzYVjutk","registered":"a b","session":{"client_id":"c1","own_client":true,"scope":"a","resources":[],"#,
                r#""seq":3,"opened_at":1000,"needed_until":9000,"auth_time":null,"#,
                r#""state":{"state":"open","ends_at":10000,"last_seen":1000,"pace":{"idle":null,"grain":15000}}}}"#
            )
        );
    }
}
