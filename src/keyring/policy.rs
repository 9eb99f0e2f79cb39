//! On what terms a realm's keys change, and the times that follow from them.

use crate::time::Lifetime;
use crate::token::Algorithm;

/// What a realm can sign with.
pub const ALGORITHMS: [Algorithm; 5] =
    [Algorithm::EdDsa, Algorithm::Es256, Algorithm::MlDsa65, Algorithm::Ps256, Algorithm::Rs256];

/// The terms of one realm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Policy {
    /// What the next key is for.
    pub signing: Algorithm,
    /// How long whoever has a key set uses it without asking again: our isolates, and caches of `/jwks`.
    pub fresh: Lifetime,
    /// How long the longest-lived token lives that is signed.
    pub tokens_live: Lifetime,
    /// How far two clocks may be apart.
    pub leeway: Lifetime,
    /// How long a key signs before the next one is made. `None`: until somebody rotates by hand.
    pub rotates_after: Option<Lifetime>,
}

impl Policy {
    /// How late KV's copy may be at another edge: the platform says "up to 60 seconds".
    pub const COPY_LATE: Lifetime = Lifetime::from_seconds(60);

    /// The longest that an opened key stays in an isolate's memory, whatever [`Self::fresh`] is.
    pub const LONGEST_OPEN: Lifetime = Lifetime::from_seconds(300);

    /// How long after its publication a key is in every set that anybody goes by: until then it must not sign.
    ///
    /// A key is published at 0. The last edge sees the copy at [`Self::COPY_LATE`]; just before, an isolate there took
    /// the old one and goes by it for [`Self::fresh`]; just before that ends, it answered `/jwks` with it, and a cache
    /// keeps the answer for as long again.
    #[must_use]
    pub const fn spread(&self) -> Lifetime {
        Self::COPY_LATE.plus(self.fresh).plus(self.fresh)
    }

    /// How long an isolate may sign with a key that it has opened, before it must ask again which one signs.
    #[must_use]
    pub fn open_for(&self) -> Lifetime {
        self.fresh.min(Self::LONGEST_OPEN)
    }

    /// How long a key that signs no more still verifies: isolates go on signing with it for [`Self::open_for`]; the last
    /// token lives [`Self::tokens_live`], dated by a clock that may be [`Self::leeway`] ahead, and is read with the
    /// same leeway.
    #[must_use]
    pub fn overlap(&self) -> Lifetime {
        self.open_for().plus(self.tokens_live).plus(self.leeway.times(2))
    }

    /// The shortest [`Self::rotates_after`] that makes sense: a new key has spread, and the one before the last has left.
    #[must_use]
    pub fn shortest_rotation(&self) -> Lifetime {
        self.spread().max(self.overlap())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_those_of_the_documents() {
        // docs/guarantees.md has this arithmetic.
        let seconds = Lifetime::from_seconds;
        let policy = |fresh: u64, tokens_live: u64| Policy {
            signing: Algorithm::Es256,
            fresh: seconds(fresh),
            tokens_live: seconds(tokens_live),
            leeway: seconds(5),
            rotates_after: None,
        };
        for (fresh, tokens_live, spread, open_for, overlap) in
            [(300, 3600, 660, 300, 3910), (5, 10, 70, 5, 25), (3600, 86_400, 7260, 300, 86_710)]
        {
            let policy = policy(fresh, tokens_live);
            assert_eq!(policy.spread(), seconds(spread));
            assert_eq!(policy.open_for(), seconds(open_for));
            assert_eq!(policy.overlap(), seconds(overlap));
            assert_eq!(policy.shortest_rotation(), seconds(spread.max(overlap)));
        }
    }
}
