//! Codes, refresh tokens and passwords of one principal: redeemed, rotated, revoked.

use crate::encoding::Digest;
use crate::error::Fault;
use crate::grant::{
    FREE, FREE_TOGETHER, GRACE, Outcome, PasswordRecord, Presented, Redemption, Refresh, SignInMethod,
    Throttle, Verdict, grant_scopes, kept_scopes,
};
use crate::principal::clients::KNOWN_FOR;
use crate::principal::cutoff::LEEWAY;
use crate::principal::opening::Opening;
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::sessions::StoredSession;
use crate::principal::user::{Principal, User};
use crate::principal::{
    By, ByClient, Client, GrantType, Granted, Inspected, OpenSession, Password, RedeemCode, Refused, Rotate,
    SignIn, SignedIn, Token,
};
use crate::scope::{ScopeCatalogue, ScopeSet, ScopeToken};
use crate::secret::Secret;
use crate::session::{EndReason, Session};
use crate::time::Timestamp;

/// What a question comes to: an answer, or a refusal. A fault means that nothing is known and nothing is stored.
type Said<T> = Result<Result<T, Refused>, Fault>;

impl<R: Rows> Draft<'_, R> {
    /// RFC 6749 section 4.4. 1. The client proves who it is. 2. It may use the grant. 3. It may have the scopes. 4. Its owner
    /// may sign in.
    pub(super) fn open_session(
        &self,
        open: &OpenSession,
        catalogue: &ScopeCatalogue,
        now: Timestamp,
    ) -> Said<Granted> {
        let stored = match self.authenticate(&open.client, now)? {
            Ok(stored) => stored,
            Err(refused) => return Ok(Err(refused)),
        };
        let client = &stored.client;
        let scope = match grant_scopes(client, GrantType::ClientCredentials, open.scopes.as_ref(), catalogue)
        {
            Ok(scope) => scope,
            Err(refused) => return Ok(Err(refused)),
        };
        let user = self.principal()?.user;
        // Who acts for a person has no internal scope that is not on the list of both.
        let is_listed = |scope: &&ScopeToken| {
            let listed = |user: &User| catalogue.covers(&user.internal_scopes, scope);
            catalogue.offers(scope) || user.as_ref().is_none_or(listed)
        };
        let allowed: ScopeSet = scope.iter().filter(is_listed).cloned().collect();
        if open.scopes.is_some() && allowed != scope {
            return Ok(Err(Refused::Scope));
        }
        let scope = allowed;
        if client.must_prove && open.session.key.is_none() {
            return Ok(Err(Refused::Unproven));
        }
        if user.is_some_and(|user| user.disabled) {
            return Ok(Err(Refused::Grant));
        }
        // The edge went by a copy that may be old; this is the record that counts.
        let refresh = open.session.refresh.filter(|_| client.may(GrantType::RefreshToken));
        let new =
            super::NewSession { terms: open.session.terms.within(client), refresh, ..open.session.clone() };
        let opening = Opening {
            client_id: &client.client_id,
            own_client: true,
            new: &new,
            scope,
            sign_in: None,
            is_public: false,
            code: None,
        };
        let standing =
            if open.may_stand { self.stand(&opening, (&stored, &open.client.proof), now)? } else { None };
        standing.map_or_else(|| self.open(opening, now), Ok)
    }

    /// RFC 6749 section 4.3. A wrong password and a login that nobody has take the same way.
    pub(super) fn sign_in(
        &self,
        asked: &SignIn,
        catalogue: &ScopeCatalogue,
        now: Timestamp,
    ) -> Said<Granted> {
        let scope = match grant_scopes(&asked.client, GrantType::Password, asked.scopes.as_ref(), catalogue) {
            Ok(scope) => scope,
            Err(refused) => return Ok(Err(refused)),
        };
        let principal = match self.prove(asked.source, &asked.password, &asked.salt, now)? {
            Ok(principal) => principal,
            Err(refused) => return Ok(Err(refused)),
        };
        if principal.user.is_none_or(|user| user.needs_passkey) {
            return Ok(Err(Refused::Grant));
        }
        let sign_in = Some(SignedIn { auth_time: now, nonce: None, method: SignInMethod::Password });
        let own_client = self.client(&asked.client.client_id)?.is_some();
        let opening = Opening {
            client_id: &asked.client.client_id,
            own_client,
            new: &asked.session,
            scope,
            sign_in,
            is_public: asked.client.is_public(),
            code: None,
        };
        self.open(opening, now)
    }

    /// The principal, of whom somebody at `source` knows the password. How often they may be wrong is counted.
    pub(super) fn prove(
        &self,
        source: Digest,
        password: &Password,
        salt: &Digest,
        now: Timestamp,
    ) -> Said<Principal> {
        let keys = [format!("password/{source}"), "password".to_owned()];
        let [here, everywhere] = [self.throttle(&keys[0])?, self.throttle(&keys[1])?];
        let together = everywhere.wait(now).filter(|_| !here.is_known());
        if let Some(wait) = here.wait(now).max(together) {
            return Ok(Err(Refused::Wait(wait)));
        }
        let mut principal = self.principal()?;
        let typed = Secret::new(password.0.clone().into_bytes());
        let record = principal.user.as_ref().and_then(|user| user.password.as_ref());
        let verdict = record.map_or_else(|| PasswordRecord::refuse(&typed), |record| record.check(&typed))?;
        let may = principal.user.as_ref().is_some_and(|user| !user.disabled);
        if verdict == Verdict::Wrong || !may {
            self.save_throttle(&keys[0], here.wrong(FREE, now))?;
            self.save_throttle(&keys[1], everywhere.wrong(FREE_TOGETHER, now))?;
            return Ok(Err(Refused::Grant));
        }
        self.save_throttle(&keys[0], Throttle::right(now))?;
        if let (Verdict::RightButOld, Some(user)) = (verdict, &mut principal.user) {
            user.password = Some(record_of(password, salt)?);
            self.save_principal(&principal)?;
        }
        Ok(Ok(principal))
    }

    fn throttle(&self, key: &str) -> Result<Throttle, Fault> {
        Ok(self.read(Kind::Throttle, key)?.unwrap_or_default())
    }

    fn save_throttle(&self, key: &str, throttle: Throttle) -> Result<(), Fault> {
        self.write(Kind::Throttle, key, &throttle, Some(throttle.clear_at(KNOWN_FOR)))
    }

    /// RFC 6749 section 4.1.3, RFC 7636 section 4.6.
    pub(super) fn redeem(
        &self,
        asked: &RedeemCode,
        catalogue: &ScopeCatalogue,
        now: Timestamp,
    ) -> Said<Granted> {
        let key = asked.code.to_string();
        let Some(code) = self.read::<crate::grant::Code>(Kind::Code, &key)? else {
            return Ok(Err(Refused::Grant));
        };
        let redemption = Redemption {
            client: &asked.client.client_id,
            redirect_uri: asked.redirect_uri.as_deref(),
            challenge: asked.challenge,
            session: &asked.session.local,
            key: asked.session.key,
        };
        let redeemed = match code.redeem(&redemption, now) {
            Outcome::Redeemed(redeemed) => *redeemed,
            Outcome::Refused => return Ok(Err(Refused::Grant)),
            Outcome::Reused { session } => {
                self.end_session(&session, EndReason::Reused, now)?;
                return Ok(Err(Refused::Reused));
            }
        };
        let principal = self.principal()?;
        // What has ended every session since the code was issued has ended what it stands for, too. (No browser that signed in before an
        // ending gets a code after it; and who signs in elsewhere may have done so long before.)
        let taken_back = self.taken_back(&asked.client.client_id)?;
        let is_over = principal.ended.is_some_and(|ended| code.issued_at <= ended.at)
            || taken_back.is_some_and(|ended| code.issued_at <= ended.at)
            || asked.client.ended_at.is_some_and(|end| code.issued_at <= end);
        // Nor does it outlive that its browser is known.
        let has_left = match &code.browser {
            Some(browser) => !self.knows_browser(browser)?,
            None => false,
        };
        if is_over || has_left || principal.user.is_none_or(|user| user.disabled) {
            return Ok(Err(Refused::Grant));
        }
        let Some(resources) = narrowed(&code.resources, &asked.session.resources) else {
            return Ok(Err(Refused::Resource));
        };
        let new = super::NewSession { resources, ..asked.session.clone() };
        let sign_in =
            Some(SignedIn { auth_time: code.auth_time, nonce: code.nonce.clone(), method: code.method });
        let own_client = self.client(&asked.client.client_id)?.is_some();
        let scope = kept_scopes(&code.scope, &asked.client.scope, catalogue);
        let opening = Opening {
            client_id: &asked.client.client_id,
            own_client,
            new: &new,
            scope,
            sign_in,
            is_public: asked.client.is_public,
            code: Some(&code),
        };
        let granted = self.open(opening, now)?;
        if granted.is_ok() {
            // Kept as long as what it issued may live: a code that leaks late ends it.
            self.write(Kind::Code, &key, &redeemed, Some(now.after(new.terms.session)))?;
        }
        Ok(granted)
    }

    /// RFC 6749 section 6, RFC 9700 section 4.14.2.
    pub(super) fn rotate(&self, asked: &Rotate, catalogue: &ScopeCatalogue, now: Timestamp) -> Said<Granted> {
        let (client, terms) = match &asked.client {
            By::Known(client) => (client.clone(), asked.terms),
            By::Asks(asks) => match self.authenticate(asks, now)? {
                Ok(stored) if stored.client.may(GrantType::RefreshToken) => {
                    if stored.client.must_prove && asked.key.is_none() {
                        return Ok(Err(Refused::Unproven));
                    }
                    let is_public = stored.client.is_public();
                    let Client { client_id, scope, .. } = stored.client.clone();
                    // What has ended its sessions here says so itself.
                    let by = ByClient { client_id, scope, ended_at: None, is_public };
                    (by, asked.terms.within(&stored.client))
                }
                Ok(_) => return Ok(Err(Refused::Unauthorized(GrantType::RefreshToken))),
                Err(refused) => return Ok(Err(refused)),
            },
        };
        let key = asked.token.to_string();
        let Some(refresh) = self.read::<Refresh>(Kind::Refresh, &key)? else {
            return Ok(Err(Refused::Grant));
        };
        // Another client's token: refused, and nothing ends because of a stranger.
        let is_its = |session: &StoredSession| session.client_id == client.client_id;
        let Some(session) = self.alive(&refresh.session, now)?.filter(is_its) else {
            return Ok(Err(Refused::Grant));
        };
        // Who has the token and not its key is told no more, and ends nothing. But one that was spent before there was a key is a theft when
        // it comes back late, whoever has bound the session meanwhile.
        if session.key.is_some() && session.key != asked.key {
            let is_late = refresh
                .spent
                .is_some_and(|spent| Some(spent.at) <= session.key_since && now > spent.at.after(GRACE));
            if is_late {
                self.end_session(&refresh.session, EndReason::Reused, now)?;
                return Ok(Err(Refused::Reused));
            }
            return Ok(Err(Refused::Key));
        }
        // Its client is kept elsewhere, and has got another secret there since.
        if !session.own_client && client.ended_at.is_some_and(|end| session.opened_at <= end) {
            self.end_session(&refresh.session, EndReason::Credential, now)?;
            return Ok(Err(Refused::Grant));
        }
        let Session::Open { ends_at, .. } = session.state else { return Ok(Err(Refused::Grant)) };
        // The client may end sooner than it was to when the session began.
        let ends_at = ends_at.min(terms.client_ends.unwrap_or(Timestamp::END));
        let principal = self.principal()?;
        let lasts = terms.access_token;
        let mut granted = self.granted(&refresh.session, &session, &principal, (now, lasts))?;
        // What the client may not have any more, and what the configuration does not know any more, is not in the next token.
        granted.expires_at = granted.expires_at.min(ends_at);
        granted.scope = kept_scopes(&granted.scope, &client.scope, catalogue);
        let presented = refresh.present(asked.proposal, now.after(terms.refresh_token).min(ends_at), now);
        if presented == Presented::Reused {
            self.end_session(&refresh.session, EndReason::Reused, now)?;
        }
        // What is told again binds nothing: its successor is somebody's already.
        let binds = matches!(presented, Presented::Rotated { .. }) && client.is_public;
        // Only a request that is granted spends the token.
        let narrow = narrow(&mut granted, asked);
        let mut needed_until = session.needed_until.max(granted.expires_at.after(LEEWAY));
        granted.nonce = match (presented, narrow) {
            (Presented::Expired, _) => return Ok(Err(Refused::Grant)),
            (Presented::Reused, _) => return Ok(Err(Refused::Reused)),
            (_, Err(refused)) => return Ok(Err(refused)),
            (Presented::Repeated(spent), Ok(())) => {
                let next = self.read::<Refresh>(Kind::Refresh, &spent.successor.to_string())?;
                // The successor has been used: it arrived, and whoever has this one is late.
                if next.is_none_or(|next| next.spent.is_some()) {
                    return Ok(Err(Refused::Grant));
                }
                Some(spent.nonce)
            }
            (Presented::Rotated { spent, successor }, Ok(())) => {
                self.save_refresh(&asked.token, &spent)?;
                self.save_refresh(&asked.proposal.successor, &successor)?;
                needed_until = needed_until.max(successor.expires_at);
                Some(asked.proposal.nonce)
            }
        };
        // RFC 9449 section 5: what a public client gets with a proof is bound to its key, from the first proof on.
        let key = session.key.or(asked.key.filter(|_| binds));
        let key_since = if session.key.is_none() { key.map(|_| now) } else { session.key_since };
        self.save_session(&refresh.session, &StoredSession { needed_until, key, key_since, ..session })?;
        self.used(&refresh.session, now)?;
        Ok(Ok(granted))
    }

    /// RFC 7009 section 2.1: the token's session ends, if it is this client's. What is not known is as good as revoked.
    pub(super) fn revoke(
        &self,
        client: &crate::id::ClientId,
        token: &Token,
        now: Timestamp,
    ) -> Result<Option<Refused>, Fault> {
        let Some(local) = self.local_of(token)? else { return Ok(None) };
        match self.session(&local)? {
            Some(session) if session.client_id != *client => Ok(Some(Refused::NotYours)),
            Some(_) => self.end_session(&local, EndReason::Revoked, now).map(|()| None),
            None => Ok(None),
        }
    }

    fn local_of(&self, token: &Token) -> Result<Option<String>, Fault> {
        Ok(match token {
            Token::Access(local) => Some(local.clone()),
            Token::Refresh(digest) => {
                self.read::<Refresh>(Kind::Refresh, &digest.to_string())?.map(|refresh| refresh.session)
            }
        })
    }

    /// RFC 7662 section 2.2: what a token stands for, while it counts. Looking is no use.
    pub(super) fn inspect(&self, token: &Token, now: Timestamp) -> Result<Option<Inspected>, Fault> {
        let (local, ends_at) = match token {
            Token::Access(local) => (local.clone(), None),
            Token::Refresh(digest) => {
                let refresh = self.read::<Refresh>(Kind::Refresh, &digest.to_string())?;
                match refresh.filter(|refresh| refresh.spent.is_none() && now <= refresh.expires_at) {
                    Some(refresh) => (refresh.session, Some(refresh.expires_at)),
                    None => return Ok(None),
                }
            }
        };
        let Some(session) = self.alive(&local, now)? else { return Ok(None) };
        let (subject, roles) = self.speaks_for(&session, &self.principal()?)?;
        let Session::Open { ends_at: limit, .. } = session.state else { return Ok(None) };
        Ok(Some(Inspected {
            client_id: session.client_id,
            subject,
            scope: session.scope,
            roles,
            opened_at: session.opened_at,
            expires_at: ends_at.unwrap_or(limit),
            local,
            is_elsewhere: !session.own_client,
        }))
    }
}

/// What was asked for, of what was granted (RFC 6749 section 6, RFC 8707 section 2.2): never more.
fn narrow(granted: &mut Granted, asked: &Rotate) -> Result<(), Refused> {
    if let Some(scopes) = &asked.scopes {
        let is_held = |scopes: &ScopeSet| scopes.iter().all(|scope| granted.scope.contains(scope));
        if !is_held(scopes) {
            return Err(Refused::Scope);
        }
        granted.scope = scopes.clone();
    }
    granted.resources = narrowed(&granted.resources, &asked.resources).ok_or(Refused::Resource)?;
    Ok(())
}

/// Those of the granted resources that are asked for; all where none is, `None` where one was not granted.
fn narrowed(granted: &[String], asked: &[String]) -> Option<Vec<String>> {
    if asked.is_empty() {
        return Some(granted.to_vec());
    }
    // What is granted for the realm's audience is not narrowed to a resource here: the caller has done that.
    (granted.is_empty() || asked.iter().all(|one| granted.contains(one))).then(|| asked.to_vec())
}

/// The record of a new password.
pub(super) fn record_of(password: &Password, salt: &Digest) -> Result<PasswordRecord, Fault> {
    let salt = salt.bytes().first_chunk::<16>().ok_or_else(|| Fault::new("hash password", "no salt"))?;
    PasswordRecord::make(&Secret::new(password.0.clone().into_bytes()), salt)
}
