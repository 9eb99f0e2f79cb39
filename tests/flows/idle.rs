//! Idle expiry over any number of edges: **never early, at most two grains late**, whatever is lost on the way.

use std::collections::VecDeque;

use proptest::prelude::{Just, Strategy, any, prop, proptest};
use proptest::{prop_assert, prop_oneof};
use tollgate::time::{Lifetime, Timestamp};

use super::{CONFIG, gate, token};
use crate::fakes::{Broken, Call, Edge, World, call, finish};

const IDLE: Lifetime = Lifetime::from_seconds(60);
const EDGES: usize = 3;

fn use_once(edge: &Edge<'_>, token: &str) -> u16 {
    gate(edge, &Call::get("https://edge.example/orders/1").bearer(token))
}

fn config(grain: u64) -> String {
    CONFIG.replace(
        r#""grain_seconds": 15"#,
        &format!(r#""grain_seconds": {grain}, "access_token_seconds": 86400"#),
    )
}

#[test]
fn a_token_in_use_lives_and_one_that_is_not_dies() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    for _ in 0..20 {
        world.pass(Lifetime::from_seconds(45));
        assert_eq!(use_once(&edge, &token), 200, "used before its idle time");
    }
    world.pass(Lifetime::from_seconds(91));
    assert_eq!(use_once(&edge, &token), 401);
    assert_eq!(use_once(&world.edge(), &token), 401, "everywhere, and for good");
}

#[test]
fn strict_mode_is_exact() {
    let world = World::new(&config(0));
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    world.pass(IDLE);
    assert_eq!(use_once(&edge, &token), 200, "the limit itself is alive");
    world.pass(Lifetime::from_millis(60_001));
    assert_eq!(use_once(&edge, &token), 401);
}

#[test]
fn within_the_grain_nobody_is_asked_and_after_it_once_in_the_background() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    assert_eq!(use_once(&edge, &token), 200);
    let asked = world.asked_principals.get();
    for _ in 0..50 {
        assert_eq!(use_once(&edge, &token), 200);
    }
    world.pass(Lifetime::from_seconds(15));
    assert_eq!(use_once(&edge, &token), 200);
    assert_eq!(world.asked_principals.get(), asked, "from memory");
    world.pass(Lifetime::from_seconds(1));
    let chores: Vec<_> = (0..50)
        .filter_map(|_| call(&edge, &Call::get("https://edge.example/orders/1").bearer(&token)).1)
        .collect();
    assert_eq!(chores.len(), 1, "one touch for the grain");
}

#[test]
fn while_the_authority_is_away_memory_carries_two_grains_and_then_it_is_503() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    assert_eq!(use_once(&edge, &token), 200);
    world.broken.set(Some(Broken::PrincipalsBefore));
    world.pass(Lifetime::from_seconds(30));
    assert_eq!(use_once(&edge, &token), 200);
    world.pass(Lifetime::from_seconds(1));
    assert_eq!(use_once(&edge, &token), 503, "our trouble is not the caller's");
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Time passes, in milliseconds.
    Pass(u64),
    /// A request at an edge. What it leaves behind is done `Some(n)` steps later, or never.
    Use { edge: usize, chore_after: Option<usize> },
    /// The authority does not answer during the next request at an edge, before or after it did its work.
    UseBroken { edge: usize, after: bool },
    /// An isolate is evicted: a new one with nothing remembered takes its place.
    Evict(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let edge = 0..EDGES;
    prop::collection::vec(
        prop_oneof![
            4 => prop_oneof![0..5_000_u64, 10_000..40_000_u64, 55_000..95_000_u64].prop_map(Step::Pass),
            6 => (edge.clone(), prop_oneof![Just(None), (0..4_usize).prop_map(Some)]).prop_map(|(edge, chore_after)| Step::Use { edge, chore_after }),
            1 => (edge.clone(), any::<bool>()).prop_map(|(edge, after)| Step::UseBroken { edge, after }),
            1 => edge.prop_map(Step::Evict),
        ],
        1..120,
    )
}

proptest! {
    #[test]
    fn never_early_and_at_most_two_grains_late(steps in steps(), grain in prop_oneof![Just(0_u64), 1..=15_u64]) {
        let world = World::new(&config(grain));
        let mut edges: Vec<Edge<'_>> = (0..EDGES).map(|_| world.edge()).collect();
        let token = token(&edges[0], "test", "orders:read");
        let request = Call::get("https://edge.example/orders/1").bearer(&token);
        let grain = Lifetime::from_seconds(grain);
        // What an outsider knows: when the token was last let through, and whether it was ever found dead.
        let mut last_use: Timestamp = world.now();
        // A 503 may have been counted as a use, or not: from outside nobody can tell.
        let mut maybe_used: Timestamp = last_use;
        let mut is_dead = false;
        let mut owed = VecDeque::new();
        for (at, step) in steps.into_iter().enumerate() {
            while let Some((due, edge, chore)) = owed.pop_front() {
                if due > at {
                    owed.push_front((due, edge, chore));
                    break;
                }
                finish(&edges[edge], chore);
            }
            let unused = world.now().since(last_use);
            match step {
                Step::Pass(millis) => world.pass(Lifetime::from_millis(millis)),
                Step::Evict(edge) => {
                    owed.retain(|(_, owner, _)| *owner != edge);
                    edges[edge] = world.edge();
                }
                Step::Use { edge, chore_after } => {
                    let (reply, chore) = call(&edges[edge], &request);
                    match reply.status() {
                        200 => {
                            prop_assert!(!is_dead, "an ended session came back");
                            let at_least = world.now().since(maybe_used.max(last_use));
                            prop_assert!(at_least <= IDLE.plus(grain.times(2)), "late by more than two grains: {at_least:?}");
                            last_use = world.now();
                        }
                        401 => {
                            prop_assert!(is_dead || unused > IDLE, "early: {unused:?}");
                            is_dead = true;
                        }
                        other => prop_assert!(false, "{other}"),
                    }
                    if let (Some(chore), Some(after)) = (chore, chore_after) {
                        owed.push_back((at + after, edge, chore));
                        owed.make_contiguous().sort_by_key(|(due, _, _)| *due);
                    }
                }
                Step::UseBroken { edge, after } => {
                    world.broken.set(Some(if after { Broken::PrincipalsAfter } else { Broken::PrincipalsBefore }));
                    let (reply, _) = call(&edges[edge], &request);
                    world.broken.set(None);
                    match reply.status() {
                        200 => {
                            prop_assert!(!is_dead && unused <= IDLE, "memory answered for a dead session");
                            last_use = world.now();
                        }
                        503 => if after { maybe_used = world.now(); },
                        // An isolate that has heard of the end needs nobody to say so.
                        401 => prop_assert!(is_dead, "nobody has said that it is over"),
                        other => prop_assert!(false, "{other}"),
                    }
                }
            }
        }
    }
}
