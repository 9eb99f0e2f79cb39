//! The clients that one principal keeps: proving who they are, and managing them.

use crate::dpop::Mark;
use crate::encoding::Digest;
use crate::error::Fault;
use crate::grant::{FREE, Throttle};
use crate::principal::client::{ClientView, MAX_SECRETS, StoredClient, StoredSecret};
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::{
    Asks, AuthMethod, ChangeClient, Client, NewSecret, Owner, Proof, Refused, RegisterClient,
};
use crate::session::{EndReason, Touch};
use crate::time::{Lifetime, Timestamp};
use crate::token::{Jwk, JwkSet};

/// How exactly the last use of a secret is known: a row written for each token request would be too many.
const LAST_USED_STEP: Lifetime = Lifetime::from_seconds(60);

/// How far an edge's clock may be off that has judged an assertion.
const CLOCKS: Lifetime = Lifetime::from_seconds(300);

/// Clients of one person: more are somebody's mistake, and all of them are looked through where they are listed.
const MOST_CLIENTS: usize = 200;

/// How long it is remembered that a source was right: a month of holidays.
pub(super) const KNOWN_FOR: Lifetime = Lifetime::from_seconds(30 * 86_400);

/// No client has a name with a dot.
fn proof_key(proof: &Mark) -> String {
    format!("dpop.proof/{}", proof.id)
}

impl<R: Rows> Draft<'_, R> {
    /// A client that is who it says it is, and whose time is not over.
    pub(super) fn authenticate(
        &self,
        asks: &Asks,
        now: Timestamp,
    ) -> Result<Result<StoredClient, Refused>, Fault> {
        let Some(mut stored) = self.client(&asks.client_id)? else {
            return Ok(Err(Refused::WrongClient));
        };
        let method = stored.client.token_endpoint_auth_method;
        let is_proved = match &asks.proof {
            Proof::Secret(digest) => method.has_secret() && self.use_secret(&mut stored, digest, now)?,
            Proof::Assertion { key, jti, expires_at } => {
                let is_known = |stored: &StoredClient| {
                    let mut keys = stored.client.jwks.iter().flat_map(JwkSet::keys);
                    keys.any(|known| known.thumbprint() == *key)
                };
                method == AuthMethod::PrivateKeyJwt
                    && is_known(&stored)
                    && self.use_once(&asks.client_id, jti, *expires_at, now)?
            }
            Proof::Nothing => method == AuthMethod::None,
        };
        if !is_proved {
            return self.wrong_client(asks, now).map(Err);
        }
        if stored.client.expires_at.is_some_and(|end| end <= now) {
            return Ok(Err(Refused::ExpiredClient));
        }
        Ok(Ok(stored))
    }

    /// Counts a wrong attempt. A public client has nothing to guess.
    fn wrong_client(&self, asks: &Asks, now: Timestamp) -> Result<Refused, Fault> {
        if asks.proof == Proof::Nothing {
            return Ok(Refused::WrongClient);
        }
        let key = format!("client/{}/{}", asks.client_id, asks.source);
        let throttle: Throttle = self.read(Kind::Throttle, &key)?.unwrap_or_default();
        if let Some(wait) = throttle.wait(now) {
            return Ok(Refused::Wait(wait));
        }
        let next = throttle.wrong(FREE, now);
        self.write(Kind::Throttle, &key, &next, Some(next.clear_at(KNOWN_FOR)))?;
        Ok(Refused::WrongClient)
    }

    fn use_secret(&self, stored: &mut StoredClient, digest: &Digest, now: Timestamp) -> Result<bool, Fault> {
        // Every digest is compared, each in constant time: which one fits does not show.
        let mut right = None;
        for (at, secret) in stored.secrets.iter().enumerate() {
            let counts = secret.expires_at.is_none_or(|end| now < end);
            if (secret.digest == *digest) & counts {
                right = Some(at);
            }
        }
        let Some(secret) = right.and_then(|at| stored.secrets.get_mut(at)) else { return Ok(false) };
        if secret.last_used.is_none_or(|last| now.since(last) >= LAST_USED_STEP) {
            secret.last_used = Some(now);
            self.save_client(stored)?;
        }
        Ok(true)
    }

    /// Whether an assertion counts: the first time that its `jti` is seen.
    fn use_once(
        &self,
        client: &crate::id::ClientId,
        jti: &Digest,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let key = format!("{client}/{jti}");
        // A clock ahead of the one that judged it would clear the mark while the assertion still counts there.
        if now > expires_at || self.read::<Timestamp>(Kind::Jti, &key)?.is_some() {
            return Ok(false);
        }
        self.write(Kind::Jti, &key, &now, Some(expires_at.after(CLOCKS)))?;
        Ok(true)
    }

    /// Whether a proof of possession was used here, or is too old by this clock to be known: the same rule.
    pub(super) fn is_used(&self, proof: &Mark, now: Timestamp) -> Result<bool, Fault> {
        Ok(now > proof.until || self.read::<Timestamp>(Kind::Jti, &proof_key(proof))?.is_some())
    }

    /// Keeps a mark of it.
    pub(super) fn mark(&self, proof: &Mark, now: Timestamp) -> Result<(), Fault> {
        self.write(Kind::Jti, &proof_key(proof), &now, Some(proof.until.after(CLOCKS)))
    }

    /// Takes a client in. A request that has come before is answered as it was; its first secret follows from what is answered with it.
    pub(super) fn register(
        &self,
        register: &RegisterClient,
        now: Timestamp,
    ) -> Result<Result<(ClientView, Option<Digest>), Refused>, Fault> {
        let client = &register.client;
        if let Some(stored) = self.client(&client.client_id)? {
            let attempt = stored.attempt.filter(|attempt| now <= attempt.until);
            let Some((known, new)) = attempt.zip(register.attempt) else { return Ok(Err(Refused::Taken)) };
            let is_same = known.said == new.said;
            return Ok(if is_same {
                Ok((self.viewed(stored, now)?, Some(known.nonce)))
            } else {
                Err(Refused::Changed)
            });
        }
        let mut principal = self.principal()?;
        if principal.realm.as_ref().is_some_and(|realm| *realm != client.realm) {
            return Ok(Err(Refused::NotFound));
        }
        if register.is_theirs {
            let Some(user) = principal.user.as_ref().filter(|user| !user.disabled) else {
                return Ok(Err(Refused::NotFound));
            };
            if !client.roles.iter().all(|role| user.roles.contains(role)) {
                return Ok(Err(Refused::Role));
            }
            if self.stored::<StoredClient>(Kind::Client)?.len() >= MOST_CLIENTS {
                return Ok(Err(Refused::Full));
            }
        }
        principal.realm = Some(client.realm.clone());
        self.save_principal(&principal)?;
        let secret = |digest| StoredSecret { digest, created_at: now, expires_at: None, last_used: None };
        let stored = StoredClient {
            client: client.clone(),
            secrets: register.secret.map(secret).into_iter().collect(),
            registration: register.registration,
            created_at: now,
            ended: None,
            waiting: register.waiting.clone(),
            attempt: register.attempt,
        };
        self.save_client(&stored)?;
        self.tell_client(&client.client_id, now)?;
        Ok(Ok((self.viewed(stored, now)?, None)))
    }

    /// The client that somebody may manage: whoever has its registration access token, or may manage all of them.
    pub(super) fn managed(&self, owner: &Owner) -> Result<Result<StoredClient, Refused>, Fault> {
        Ok(match self.client(&owner.client_id)? {
            None => Err(Refused::NotFound),
            Some(stored) if owner.registration.is_none() || stored.registration == owner.registration => {
                Ok(stored)
            }
            Some(_) => Err(Refused::NotYours),
        })
    }

    pub(super) fn view(&self, owner: &Owner, now: Timestamp) -> Result<Result<ClientView, Refused>, Fault> {
        Ok(match self.managed(owner)? {
            Ok(stored) => Ok(self.viewed(stored, now)?),
            Err(refused) => Err(refused),
        })
    }

    /// Changes a record. What names and places the client stays; other roles, or an end that has come, end its sessions.
    pub(super) fn change_client(
        &self,
        change: &ChangeClient,
        now: Timestamp,
    ) -> Result<Result<Client, Refused>, Fault> {
        let mut stored = match self.managed(&change.owner)? {
            Ok(stored) => stored,
            Err(refused) => return Ok(Err(refused)),
        };
        let old = stored.client.clone();
        // The realm's own console is made and changed by itself alone.
        if old.first_party != change.client.first_party {
            return Ok(Err(Refused::NotYours));
        }
        let (client_id, realm, locator) = (old.client_id.clone(), old.realm.clone(), old.locator);
        let is_credential = old.is_credential;
        stored.client = Client { client_id, realm, locator, is_credential, ..change.client.clone() };
        if change.is_theirs {
            let principal = self.principal()?;
            let has = |role| principal.user.as_ref().is_some_and(|user| user.roles.contains(role));
            if !stored.client.roles.iter().all(has) {
                return Ok(Err(Refused::Role));
            }
        }
        stored.waiting = change.waiting.clone();
        if change.owner.registration.is_some() {
            // Whoever only has the registration access token may not make the client more than it was made.
            let Client { roles, expires_at, limits, may_introspect, .. } = old.clone();
            stored.client = Client { roles, expires_at, limits, may_introspect, ..stored.client };
        } else {
            // What somebody else has decided the client shall not undo.
            stored.registration = None;
        }
        let is_over = stored.client.expires_at.is_some_and(|end| end <= now);
        // A key that is taken away is a credential that is replaced.
        let keys = |client: &Client| -> Vec<Digest> {
            client.jwks.iter().flat_map(JwkSet::keys).map(Jwk::thumbprint).collect()
        };
        let left = keys(&stored.client);
        let is_over = is_over || keys(&old).iter().any(|key| !left.contains(key));
        if stored.client.roles != old.roles {
            self.end_client(&mut stored, EndReason::Roles, now)?;
        } else if is_over || stored.client.token_endpoint_auth_method != old.token_endpoint_auth_method {
            self.end_client(&mut stored, EndReason::Credential, now)?;
        }
        if !stored.client.token_endpoint_auth_method.has_secret() {
            stored.secrets.clear();
        }
        self.save_client(&stored)?;
        self.tell_client(&stored.client.client_id, now)?;
        Ok(Ok(stored.client))
    }

    /// Deletes a client. Its sessions are over because it is not there any more.
    pub(super) fn delete_client(&self, owner: &Owner, now: Timestamp) -> Result<Option<Refused>, Fault> {
        let mut stored = match self.managed(owner)? {
            Ok(stored) => stored,
            Err(refused) => return Ok(Some(refused)),
        };
        if stored.client.first_party {
            return Ok(Some(Refused::NotYours));
        }
        self.end_client(&mut stored, EndReason::Credential, now)?;
        self.tell_gone(&stored, now)?;
        self.delete(Kind::Client, owner.client_id.as_str());
        self.forget_nobody(&stored.client, now)?;
        Ok(None)
    }

    /// Gives a client another secret. The old one counts for the overlap; without one, what it opened ends.
    pub(super) fn new_secret(
        &self,
        new: &NewSecret,
        now: Timestamp,
    ) -> Result<Result<Client, Refused>, Fault> {
        let mut stored = match self.managed(&new.owner)? {
            Ok(stored) if stored.client.token_endpoint_auth_method.has_secret() => stored,
            Ok(_) => return Ok(Err(Refused::NotFound)),
            Err(refused) => return Ok(Err(refused)),
        };
        let end = now.after(new.overlap);
        let mut kept: Vec<_> = stored.secrets_at(now).cloned().collect();
        for secret in &mut kept {
            secret.expires_at = Some(secret.expires_at.map_or(end, |known| known.min(end)));
        }
        kept.retain(|_| new.overlap > Lifetime::ZERO);
        // The newest of the old ones: two count at most.
        kept.sort_by_key(|secret| std::cmp::Reverse(secret.created_at));
        kept.truncate(MAX_SECRETS.saturating_sub(1));
        let fresh = StoredSecret { digest: new.secret, created_at: now, expires_at: None, last_used: None };
        stored.secrets = std::iter::once(fresh).chain(kept).collect();
        // What made the client showed another secret: it cannot come again.
        stored.attempt = None;
        if new.overlap == Lifetime::ZERO {
            self.end_client(&mut stored, EndReason::Credential, now)?;
        }
        self.save_client(&stored)?;
        Ok(Ok(stored.client))
    }

    /// Whether a session answers to `touch`: what [`Self::used`] says, and its calls are counted.
    pub(super) fn touch(
        &self,
        local: &str,
        used_at: Timestamp,
        usage: &[(crate::id::RouteId, u32)],
    ) -> Result<Touch, Fault> {
        let (session, touch) = self.used(local, used_at)?;
        // Calls that were let through before the end was known were made all the same.
        let session = match session {
            None if usage.is_empty() => None,
            None => self.session(local)?,
            session => session,
        };
        if let Some(session) = session {
            self.count(&session.client_id, usage, used_at)?;
        }
        Ok(touch)
    }
}
