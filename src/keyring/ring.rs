//! The keyring as a state machine. Exactly one key signs, by construction.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::KeyId;
use crate::keyring::{Policy, SealedKey};
use crate::time::Timestamp;
use crate::token::{Algorithm, JwkSet};

/// The largest number of keys. A rotation by itself needs three; the others are for whoever rotates by hand in a hurry.
/// Eight public keys of the largest kind (ML-DSA-65, 2.7 kB) are a third of what others read of a key set.
pub const MOST_KEYS: usize = 8;

/// Where a key stands. Instants that a state needs are part of it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum KeyState {
    /// It signs, and verifies. One key at a time.
    Active {
        /// Since when.
        since: Timestamp,
    },
    /// Everybody can have it, or will: it verifies, and does not sign yet.
    Published {
        /// When the public copy was written.
        at: Timestamp,
        /// From when on everybody has it, by the terms of that moment.
        usable_at: Timestamp,
    },
    /// It signs no more, and verifies what it has signed.
    Retired {
        /// Since when.
        at: Timestamp,
        /// Until when: then every token of it is dead.
        until: Timestamp,
    },
    /// It was made, and nobody has seen it.
    Staged {
        /// When.
        at: Timestamp,
    },
}

/// Why a change is refused.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// No key is published that could sign.
    NothingPublished,
    /// Not everybody has the key that is published.
    TooEarly {
        /// From when on everybody does.
        at: Timestamp,
    },
    /// There are [`MOST_KEYS`] keys.
    TooMany {
        /// When the next one leaves.
        until: Timestamp,
    },
    /// The next key is there already.
    UnderWay,
}

/// What is to be done with a keyring.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Work {
    /// Drop what has ended: [`Keyring::without_ended`].
    Drop,
    /// Make a key for this algorithm and stage it: [`Keyring::stage`].
    Make(Algorithm),
    /// Let the published key sign: [`Keyring::promote`].
    Promote,
    /// Nothing, until then.
    Rest(Option<Timestamp>),
    /// Write the public copy, and when it is written say so: [`Keyring::written`].
    Write(JwkSet),
}

/// Stored keys that make no keyring.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Corrupt;

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a keyring has exactly one key that signs, and at most one that is to follow")
    }
}

impl std::error::Error for Corrupt {}

/// A realm's keys. Each change takes the keyring and gives the next one, or says why not.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Keyring {
    /// Oldest first.
    retired: Vec<Retired>,
    active: Active,
    next: Option<Next>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Retired {
    key: SealedKey,
    at: Timestamp,
    until: Timestamp,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Active {
    key: SealedKey,
    since: Timestamp,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Next {
    Published { key: SealedKey, at: Timestamp, usable_at: Timestamp },
    Staged { key: SealedKey, at: Timestamp },
}

impl Keyring {
    /// A realm's first key signs at once: before it nobody had a set that could lack it.
    #[must_use]
    pub const fn first(key: SealedKey, now: Timestamp) -> Self {
        Self { retired: Vec::new(), active: Active { key, since: now }, next: None }
    }

    /// The keyring of these keys, in any order; `None` of none.
    ///
    /// # Errors
    /// Not exactly one key signs, or more than one is to follow.
    pub fn of(entries: impl IntoIterator<Item = (SealedKey, KeyState)>) -> Result<Option<Self>, Corrupt> {
        let (mut retired, mut active, mut next, mut is_empty) = (Vec::new(), None, None, true);
        for (key, state) in entries {
            is_empty = false;
            let is_second = match state {
                KeyState::Active { since } => active.replace(Active { key, since }).is_some(),
                KeyState::Published { at, usable_at } => {
                    next.replace(Next::Published { key, at, usable_at }).is_some()
                }
                KeyState::Retired { at, until } => {
                    retired.push(Retired { key, at, until });
                    false
                }
                KeyState::Staged { at } => next.replace(Next::Staged { key, at }).is_some(),
            };
            if is_second {
                return Err(Corrupt);
            }
        }
        retired.sort_by_key(|retired| retired.at);
        match active {
            Some(active) => Ok(Some(Self { retired, active, next })),
            None if is_empty => Ok(None),
            None => Err(Corrupt),
        }
    }

    /// Each key and where it stands, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = (&SealedKey, KeyState)> {
        let retired = self.retired.iter().map(|Retired { key, at, until }| {
            let (at, until) = (*at, *until);
            (key, KeyState::Retired { at, until })
        });
        let active = (&self.active.key, KeyState::Active { since: self.active.since });
        let next = self.next.iter().map(|next| match next {
            Next::Published { key, at, usable_at } => {
                let (at, usable_at) = (*at, *usable_at);
                (key, KeyState::Published { at, usable_at })
            }
            Next::Staged { key, at } => (key, KeyState::Staged { at: *at }),
        });
        retired.chain([active]).chain(next)
    }

    /// The key that signs.
    #[must_use]
    pub const fn signing_key(&self) -> &SealedKey {
        &self.active.key
    }

    /// The keys that verify: all but one that is staged, and those whose time has passed.
    #[must_use]
    pub fn public_keys(&self, now: Timestamp) -> JwkSet {
        self.keys_where(now, |state| !matches!(state, KeyState::Staged { .. }))
    }

    fn keys_where(&self, now: Timestamp, is_wanted: impl Fn(KeyState) -> bool) -> JwkSet {
        let lives = |state| !matches!(state, KeyState::Retired { until, .. } if until <= now);
        self.entries()
            .filter(|(_, state)| lives(*state) && is_wanted(*state))
            .map(|(key, _)| key.public().clone())
            .collect()
    }

    /// Takes in the key that is to sign next. Nobody sees it yet: it waits for the copy to be written.
    ///
    /// # Errors
    /// [`Refusal::UnderWay`], [`Refusal::TooMany`].
    pub fn stage(self, key: SealedKey, now: Timestamp) -> Result<Self, Refusal> {
        if self.next.is_some() {
            return Err(Refusal::UnderWay);
        }
        if let Some(until) = self.is_full_until() {
            return Err(Refusal::TooMany { until });
        }
        Ok(Self { next: Some(Next::Staged { key, at: now }), ..self })
    }

    /// Why no further key may be made now, before one is made in vain.
    ///
    /// # Errors
    /// As [`Self::stage`].
    pub fn may_stage(&self) -> Result<(), Refusal> {
        match (&self.next, self.is_full_until()) {
            (Some(_), _) => Err(Refusal::UnderWay),
            (None, Some(until)) => Err(Refusal::TooMany { until }),
            (None, None) => Ok(()),
        }
    }

    fn is_full_until(&self) -> Option<Timestamp> {
        // The active one counts as well, and the one that is to come.
        let is_full = self.retired.len().saturating_add(2) > MOST_KEYS;
        self.first_to_drop().filter(|_| is_full)
    }

    fn first_to_drop(&self) -> Option<Timestamp> {
        self.retired.iter().map(|retired| retired.until).min()
    }

    /// Takes note that a copy with these keys has been written: one that was staged and is among them is published
    /// from now on, and no sooner.
    #[must_use]
    pub fn written(mut self, copy: &[KeyId], policy: &Policy, now: Timestamp) -> Self {
        self.next = self.next.map(|next| match next {
            Next::Staged { key, .. } if copy.contains(key.id()) => {
                Next::Published { key, at: now, usable_at: now.after(policy.spread()) }
            }
            other => other,
        });
        self
    }

    /// Lets the published key sign, and retires the one that did. Refuses before everybody can have the new key, by the
    /// terms of its publication and by those of now.
    ///
    /// # Errors
    /// [`Refusal::NothingPublished`], [`Refusal::TooEarly`].
    pub fn promote(mut self, policy: &Policy, now: Timestamp) -> Result<Self, Refusal> {
        let at = self.usable_at(policy).ok_or(Refusal::NothingPublished)?;
        if now < at {
            return Err(Refusal::TooEarly { at });
        }
        let Some(Next::Published { key, .. }) = self.next.take() else {
            return Err(Refusal::NothingPublished);
        };
        let active = std::mem::replace(&mut self.active, Active { key, since: now });
        self.retired.push(Retired { key: active.key, at: now, until: now.after(policy.overlap()) });
        Ok(self)
    }

    fn usable_at(&self, policy: &Policy) -> Option<Timestamp> {
        match &self.next {
            Some(Next::Published { at, usable_at, .. }) => Some((*usable_at).max(at.after(policy.spread()))),
            Some(Next::Staged { .. }) | None => None,
        }
    }

    /// Without the keys of which every token is dead.
    #[must_use]
    pub fn without_ended(mut self, now: Timestamp) -> Self {
        self.retired.retain(|retired| now < retired.until);
        self
    }

    /// What is due, the most pressing first. `copy` is what the public copy is known to hold, if it is known.
    ///
    /// By itself a keyring makes a key when the active one is old enough or for another algorithm than the realm's, and
    /// promotes it when it may; with [`Policy::rotates_after`] `None` it does neither.
    #[must_use]
    pub fn work(&self, copy: Option<&[KeyId]>, policy: &Policy, now: Timestamp) -> Work {
        let drops_at = self.first_to_drop();
        let promotes_at = policy.rotates_after.and_then(|_| self.usable_at(policy));
        let stages_at = policy.rotates_after.filter(|_| self.may_stage().is_ok()).map(|after| {
            let since = self.active.since;
            if self.active.key.algorithm() == policy.signing { since.after(after) } else { since }
        });
        let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        if is_due(drops_at) {
            return Work::Drop;
        }
        if is_due(promotes_at) {
            return Work::Promote;
        }
        // A staged key is on its way to be published, so the copy has it first.
        let wanted = self.keys_where(now, |_| true);
        let is_written = copy.is_some_and(|copy| wanted.keys().filter_map(|key| key.id()).eq(copy));
        if !is_written || matches!(self.next, Some(Next::Staged { .. })) {
            return Work::Write(wanted);
        }
        if is_due(stages_at) {
            return Work::Make(policy.signing);
        }
        Work::Rest([drops_at, promotes_at, stages_at].into_iter().flatten().min())
    }
}

#[cfg(test)]
mod tests;
