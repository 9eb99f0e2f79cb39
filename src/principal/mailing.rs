//! Mail to the person that a principal is: whether, where to, and what its link is good for.
//!
//! How much mail somebody can have sent to one place is bounded here, exactly: [`FREE_MAILS`], then longer and longer waits. A link counts
//! once, until its time is over or anything ends the person's sessions: the next password, say.

use serde::{Deserialize, Serialize};

use crate::encoding::Digest;
use crate::error::Fault;
use crate::grant::{LINK_LIFETIME, Throttle};
use crate::principal::clients::KNOWN_FOR;
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::tokens::record_of;
use crate::principal::{Password, Refused};
use crate::session::EndReason;
use crate::time::Timestamp;

/// Mails to one place without a wait: one that was lost, one that was overlooked, one more. After that at most four an hour.
const FREE_MAILS: u32 = 3;

/// See [`crate::principal::Question::Mail`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Mail {
    /// What for.
    pub purpose: Purpose,
    /// The digest of what its link will be known by.
    pub link: Digest,
}

/// What a mail is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Somebody wants an account with this address.
    Register,
    /// Somebody has forgotten the password.
    Reset,
    /// The person in this browser, by its digest, says that their address is theirs.
    Verify(Digest),
}

/// Who there is to write to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Addressee {
    /// Nobody is here.
    Nobody,
    /// Somebody, at this address. Where the purpose has a link, it counts from now on.
    Somebody(String),
    /// Somebody who cannot be written to, or who may not come in.
    Unreachable,
}

/// See [`crate::principal::Question::Follow`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Follow {
    /// The digest of what the link is known by.
    pub link: Digest,
    /// The new password and 16 random bytes or more, where the link is for that; `None`: the address is theirs.
    pub password: Option<(Password, Digest)>,
}

/// A link that was sent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct StoredLink {
    /// Whether it is for a new password; else for the address alone.
    resets: bool,
    /// Where it was sent.
    address: String,
    /// The endings that the principal had seen.
    seq: u64,
    ends_at: Timestamp,
}

impl<R: Rows> Draft<'_, R> {
    pub(super) fn mail(&self, asked: &Mail, now: Timestamp) -> Result<Result<Addressee, Refused>, Fault> {
        const KEY: &str = "mail";
        let throttle: Throttle = self.read(Kind::Throttle, KEY)?.unwrap_or_default();
        if let Some(wait) = throttle.wait(now) {
            return Ok(Err(Refused::Wait(wait)));
        }
        let principal = self.principal()?;
        if let Purpose::Verify(browser) = asked.purpose
            && self.found(&browser, now)?.is_none()
        {
            return Ok(Err(Refused::NotFound));
        }
        let throttle = throttle.spent(FREE_MAILS, now);
        self.write(Kind::Throttle, KEY, &throttle, Some(throttle.clear_at(KNOWN_FOR)))?;
        let Some(user) = &principal.user else { return Ok(Ok(Addressee::Nobody)) };
        let Some(address) = user.view().address().filter(|_| !user.disabled) else {
            return Ok(Ok(Addressee::Unreachable));
        };
        let address = address.as_str().to_owned();
        if asked.purpose != Purpose::Register {
            let ends_at = now.after(LINK_LIFETIME);
            let resets = asked.purpose == Purpose::Reset;
            let link = StoredLink { resets, address: address.clone(), seq: principal.seq, ends_at };
            self.write(Kind::Link, &asked.link.to_string(), &link, Some(ends_at))?;
        }
        Ok(Ok(Addressee::Somebody(address)))
    }

    /// Who has the link reads the mail of the address that it was sent to.
    pub(super) fn follow(&self, asked: &Follow, now: Timestamp) -> Result<Option<Refused>, Fault> {
        let key = asked.link.to_string();
        let mut principal = self.principal()?;
        let link: Option<StoredLink> = self.read(Kind::Link, &key)?;
        let ended = principal.ended.map_or(0, |ended| ended.seq);
        let counts = |link: &StoredLink| {
            now < link.ends_at && ended <= link.seq && link.resets == asked.password.is_some()
        };
        let user = principal.user.as_mut().filter(|user| !user.disabled);
        let Some((link, user)) = link.filter(counts).zip(user) else { return Ok(Some(Refused::Grant)) };
        // It may be another address by now.
        if user.view().address().is_none_or(|address| address.as_str() != link.address) {
            return Ok(Some(Refused::Grant));
        }
        self.delete(Kind::Link, &key);
        let was_theirs = user.profile.email_verified;
        user.profile.email = Some(link.address);
        user.profile.email_verified = true;
        let id = user.id.clone();
        match &asked.password {
            Some((typed, salt)) => {
                user.password = Some(record_of(typed, salt)?);
                // Who had the account before anybody had shown that the address is theirs may have been somebody else.
                if !was_theirs {
                    user.needs_passkey = false;
                    self.forget_passkeys()?;
                }
                // Whoever knew the old one, and whoever guessed at it, has nothing of it, but for a passkey that they have added.
                self.end_all(&mut principal, EndReason::Password, now)?;
            }
            None => self.save_principal(&principal)?,
        }
        self.tell_user(&id, now)?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_shape_is_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        let link = StoredLink {
            resets: true,
            address: "ada@example.com".to_owned(),
            seq: 3,
            ends_at: Timestamp::from_seconds(9),
        };
        assert_eq!(
            serde_json::to_string(&link).unwrap(),
            r#"{"resets":true,"address":"ada@example.com","seq":3,"ends_at":9000}"#
        );
    }
}
