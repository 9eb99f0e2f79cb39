//! A simulator of colos: what happens when many things happen at once, at several edges, and messages are slow or lost.
//!
//! **What it is.** Three edges ([`colo`]), each with one isolate at a time ([`site`]); a KV that is as late as it may be
//! ([`kv`]); exact objects that it takes a while to reach ([`objects`]). Requests go the whole way through
//! [`tollgate::app::App`], with real forms and JSON. Every port suspends, and which task goes on is drawn by lot ([`tasks`]).
//! So is how long a message takes, what is lost, which state of a key KV shows, and when an isolate ends. All of it
//! follows from one number, the seed.
//!
//! **How to use it.** A property is checked for some hundred seeds by `cargo test`, and for more by
//! `SIM_SEEDS=5000 cargo test --release --test main simulator -- --nocapture`, which prints the worst cases that were seen. A
//! failure prints its seed, and `SIM_SEED=17 cargo test --test main NAME` runs that one again.
//!
//! **What it is not.** Signatures are stand-ins, keys do not rotate (`tests/flows/rotation.rs`), all clocks are one, and what
//! an object does around its step is written here after `src/edge/principal_do.rs`, not taken from it.

mod colo;
mod kv;
mod objects;
mod rng;
mod site;
mod tasks;

mod codes;
mod endings;
mod idle;
mod late;
mod load;
mod parties;
mod refresh;
mod stale;
mod standing;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tollgate::time::Lifetime;

/// The worst that was seen of something, by name.
type Worst = BTreeMap<&'static str, Lifetime>;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Checks a property for many seeds: `SIM_SEEDS` of them, or as many as it says itself; or the one of `SIM_SEED`.
fn for_each_seed(name: &str, seeds: u64, property: impl Fn(u64) -> Worst) -> Worst {
    let seeds = number("SIM_SEEDS").unwrap_or(seeds);
    let range = number("SIM_SEED").map_or(0..seeds, |seed| seed..seed + 1);
    let mut worst = Worst::new();
    for seed in range.clone() {
        match catch_unwind(AssertUnwindSafe(|| property(seed))) {
            Ok(seen) => {
                for (what, span) in seen {
                    let known = worst.entry(what).or_default();
                    *known = span.max(*known);
                }
            }
            Err(panic) => {
                eprintln!(
                    "seed {seed} fails; to run it again: SIM_SEED={seed} cargo test --test main {name}"
                );
                resume_unwind(panic);
            }
        }
    }
    let seen: Vec<_> = worst.iter().map(|(what, span)| format!("{what} {} ms", span.as_millis())).collect();
    eprintln!("{name}: {} seeds; worst: {}", range.end - range.start, seen.join(", "));
    worst
}
