//! The person that a principal is: taken in, changed, forgotten.
//!
//! Each change that takes something away ends every session in the same step.

use crate::error::Fault;
use crate::grant::{SignInMethod, Throttle};
use crate::principal::client::StoredClient;
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::tokens::record_of;
use crate::principal::user::User;
use crate::principal::{ChangeUser, NewUser, Refused, UserView};
use crate::session::EndReason;
use crate::time::Timestamp;

impl<R: Rows> Draft<'_, R> {
    pub(super) fn create_user(
        &self,
        new: &NewUser,
        now: Timestamp,
    ) -> Result<Result<UserView, Refused>, Fault> {
        let mut principal = self.principal()?;
        if principal.user.is_some() {
            return Ok(Err(Refused::Taken));
        }
        let password = new.password.as_ref().map(|typed| record_of(typed, &new.salt)).transpose()?;
        let user = User {
            id: new.id.clone(),
            login: new.login.clone(),
            roles: sorted(&new.roles),
            disabled: false,
            password,
            needs_passkey: false,
            created_at: now,
            profile: new.profile.clone(),
            internal_scopes: new.internal_scopes.clone(),
            federated: new.federated.clone(),
        };
        let view = user.view();
        principal.realm = Some(new.realm.clone());
        principal.user = Some(user);
        self.save_principal(&principal)?;
        self.tell_user(&view.id, now)?;
        if let Some(browser) = &new.browser {
            self.know((browser, None), principal.seq, (now, SignInMethod::Password), now)?;
        }
        // Whoever tried this login before it was anybody's has nothing to do with its owner.
        for (key, _) in self.stored::<Throttle>(Kind::Throttle)? {
            if key.starts_with("password") {
                self.delete(Kind::Throttle, &key);
            }
        }
        Ok(Ok(view))
    }

    pub(super) fn change_user(
        &self,
        change: &ChangeUser,
        now: Timestamp,
    ) -> Result<Result<UserView, Refused>, Fault> {
        let mut principal = self.principal()?;
        let Some(user) = &mut principal.user else { return Ok(Err(Refused::NotFound)) };
        let mut ends = None;
        if let Some((typed, salt)) = &change.password {
            if user.login.is_none() {
                return Ok(Err(Refused::Elsewhere));
            }
            user.password = Some(record_of(typed, salt)?);
            ends = Some(EndReason::Password);
        }
        if let Some(roles) = &change.roles {
            let roles = sorted(roles);
            ends = if roles == user.roles { ends } else { Some(EndReason::Roles) };
            user.roles = roles;
        }
        if let Some(disabled) = change.disabled {
            ends = if disabled && !user.disabled { Some(EndReason::Disabled) } else { ends };
            user.disabled = disabled;
        }
        if let Some(scopes) = &change.internal_scopes {
            let is_less = user.internal_scopes.iter().any(|scope| !scopes.contains(scope));
            ends = if is_less { Some(EndReason::Roles) } else { ends };
            user.internal_scopes = scopes.clone();
        }
        if let Some(profile) = &change.profile {
            user.profile = profile.clone();
        }
        if change.forgets_passkeys {
            self.forget_passkeys()?;
            user.needs_passkey = false;
            ends = Some(EndReason::Password);
        }
        let view = user.view();
        if change.roles.is_some() {
            self.keep_roles(&view.roles, now)?;
        }
        self.tell_user(&view.id, now)?;
        match ends {
            Some(reason) => self.end_all(&mut principal, reason, now)?,
            None => self.save_principal(&principal)?,
        }
        Ok(Ok(view))
    }

    /// A role that the person has no more leaves the clients that act for them.
    fn keep_roles(&self, roles: &[crate::id::Role], now: Timestamp) -> Result<(), Fault> {
        for (_, mut stored) in self.stored::<StoredClient>(Kind::Client)? {
            if stored.client.roles.iter().any(|role| !roles.contains(role)) {
                stored.client.roles.retain(|role| roles.contains(role));
                self.save_client(&stored)?;
                self.tell_client(&stored.client.client_id, now)?;
            }
        }
        Ok(())
    }

    /// Forgets the person, their passkeys, and the clients that act for them.
    pub(super) fn delete_user(&self, now: Timestamp) -> Result<Option<Refused>, Fault> {
        let mut principal = self.principal()?;
        let Some(user) = principal.user.take() else { return Ok(Some(Refused::NotFound)) };
        self.tell_user(&user.id, now)?;
        for (key, stored) in self.stored::<StoredClient>(Kind::Client)? {
            self.tell_gone(&stored, now)?;
            self.delete(Kind::Client, &key);
        }
        self.forget_passkeys()?;
        self.end_all(&mut principal, EndReason::Disabled, now)?;
        Ok(None)
    }
}

fn sorted(roles: &[crate::id::Role]) -> Vec<crate::id::Role> {
    let mut roles = roles.to_vec();
    roles.sort();
    roles.dedup();
    roles
}
