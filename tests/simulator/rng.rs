//! Chance, from a seed: splitmix64.

use std::cell::Cell;

use tollgate::time::Lifetime;

pub(super) struct Rng(Cell<u64>);

impl Rng {
    pub(super) const fn new(seed: u64) -> Self {
        // Seeds that follow each other start far from each other.
        Self(Cell::new(seed.wrapping_mul(0xD134_2543_DE82_EF95)))
    }

    pub(super) fn draw(&self) -> u64 {
        self.0.set(self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15));
        let mut z = self.0.get();
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0, below `end`.
    pub(super) fn below(&self, end: u64) -> u64 {
        self.draw() % end.max(1)
    }

    pub(super) fn index(&self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    /// Whether something happens that happens in so many of a thousand cases.
    pub(super) fn per_mille(&self, times: u64) -> bool {
        self.below(1000) < times
    }

    /// A span of so many milliseconds, the ends included.
    pub(super) fn millis(&self, from: u64, to: u64) -> Lifetime {
        Lifetime::from_millis(from + self.below(to - from + 1))
    }
}
