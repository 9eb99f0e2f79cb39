use proptest::prelude::*;

use super::*;
use crate::encoding::{Digest, base64url};
use crate::keyring::public_part;
use crate::time::Lifetime;

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn seconds(seconds: u64) -> Lifetime {
    Lifetime::from_seconds(seconds)
}

fn at(after: u64) -> Timestamp {
    START.after(seconds(after))
}

/// 300 s of freshness, tokens of an hour: 660 s to spread, 3,910 s of overlap, and a rotation each 10,000 s.
const POLICY: Policy = Policy {
    signing: Algorithm::EdDsa,
    fresh: Lifetime::from_seconds(300),
    tokens_live: Lifetime::from_seconds(3600),
    leeway: Lifetime::from_seconds(5),
    rotates_after: Some(Lifetime::from_seconds(10_000)),
};

const BY_HAND: Policy = Policy { rotates_after: None, ..POLICY };

fn key(number: usize) -> SealedKey {
    let x = base64url(Digest::of(&number.to_be_bytes()).bytes());
    let exported = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#);
    SealedKey::new(public_part(&exported, Algorithm::EdDsa).unwrap(), "c2VhbGVk".to_owned()).unwrap()
}

fn ids(keys: &JwkSet) -> Vec<KeyId> {
    keys.keys().map(|key| key.id().unwrap().clone()).collect()
}

fn id(number: usize) -> KeyId {
    key(number).id().clone()
}

/// Key 0 signs; key 1 was published at 100.
fn published() -> Keyring {
    let ring = Keyring::first(key(0), START).stage(key(1), at(90)).unwrap();
    ring.written(&[id(0), id(1)], &POLICY, at(100))
}

#[test]
fn the_first_key_signs_at_once() {
    let ring = Keyring::first(key(0), START);
    assert_eq!(ring.signing_key().id(), &id(0));
    assert_eq!(ids(&ring.public_keys(START)), [id(0)]);
}

#[test]
fn a_staged_key_is_in_no_set_until_the_copy_has_been_written() {
    let ring = Keyring::first(key(0), START).stage(key(1), at(90)).unwrap();
    assert_eq!(ids(&ring.public_keys(at(91))), [id(0)]);
    let Work::Write(copy) = ring.work(Some(&[id(0)]), &POLICY, at(91)) else { panic!("not to be written") };
    assert_eq!(ids(&copy), [id(0), id(1)], "the copy has it first");
    let ring = ring.written(&ids(&copy), &POLICY, at(100));
    assert_eq!(ids(&ring.public_keys(at(100))), [id(0), id(1)]);
    assert_eq!(ring.signing_key().id(), &id(0));
}

#[test]
fn a_copy_that_lacks_the_staged_key_publishes_nothing() {
    let ring = Keyring::first(key(0), START).stage(key(1), at(90)).unwrap();
    assert_eq!(ring.clone().written(&[id(0)], &POLICY, at(100)), ring);
}

#[test]
fn a_key_that_is_not_published_does_not_sign() {
    let first = Keyring::first(key(0), START);
    assert_eq!(first.clone().promote(&POLICY, at(99_999)), Err(Refusal::NothingPublished));
    let staged = first.stage(key(1), at(90)).unwrap();
    assert_eq!(staged.promote(&POLICY, at(99_999)), Err(Refusal::NothingPublished));
}

#[test]
fn attack_75_a_key_does_not_sign_before_every_validator_can_have_it() {
    let usable = at(100 + 660);
    for early in [at(100), at(700), Timestamp::from_millis(usable.as_millis() - 1)] {
        assert_eq!(published().promote(&POLICY, early), Err(Refusal::TooEarly { at: usable }));
    }
    let ring = published().promote(&POLICY, usable).unwrap();
    assert_eq!(ring.signing_key().id(), &id(1));
    assert_eq!(ids(&ring.public_keys(usable)), [id(0), id(1)]);
}

#[test]
fn changed_terms_never_make_a_promotion_earlier() {
    let shorter = Policy { fresh: seconds(5), ..POLICY };
    assert_eq!(published().promote(&shorter, at(759)), Err(Refusal::TooEarly { at: at(760) }));
    let longer = Policy { fresh: seconds(3600), ..POLICY };
    assert_eq!(published().promote(&longer, at(760)), Err(Refusal::TooEarly { at: at(100 + 7260) }));
}

#[test]
fn attack_75_a_retired_key_verifies_until_its_last_token_is_dead_and_no_longer() {
    let ring = published().promote(&POLICY, at(1000)).unwrap();
    let until = at(1000 + 3910);
    let last = Timestamp::from_millis(until.as_millis() - 1);
    assert_eq!(ids(&ring.public_keys(last)), [id(0), id(1)]);
    assert_eq!(ids(&ring.public_keys(until)), [id(1)]);
    assert_eq!(ring.clone().without_ended(last), ring);
    assert_eq!(ring.without_ended(until).entries().count(), 1);
}

#[test]
fn one_rotation_at_a_time() {
    let staged = Keyring::first(key(0), START).stage(key(1), at(90)).unwrap();
    assert_eq!(staged.stage(key(2), at(91)), Err(Refusal::UnderWay));
    assert_eq!(published().stage(key(2), at(101)), Err(Refusal::UnderWay));
}

#[test]
fn there_is_an_end_to_keys() {
    let policy = Policy { tokens_live: seconds(86_400), ..POLICY };
    let (mut ring, mut now) = (Keyring::first(key(0), START), START);
    for number in 1.. {
        ring = match ring.clone().stage(key(number), now) {
            Ok(ring) => ring,
            Err(refusal) => {
                assert_eq!(refusal, Refusal::TooMany { until: at(660 + 86_710) });
                assert_eq!(number, MOST_KEYS);
                break;
            }
        };
        ring = ring.written(&[id(number)], &policy, now);
        now = now.after(seconds(660));
        ring = ring.promote(&policy, now).unwrap();
        assert!(ring.entries().count() <= MOST_KEYS);
    }
    assert!(!matches!(ring.work(None, &policy, at(9_999)), Work::Make(_)));
}

#[test]
fn what_is_due() {
    let promoted = published().promote(&POLICY, at(1000)).unwrap();
    let staged = Keyring::first(key(0), START).stage(key(1), at(90)).unwrap();
    let first = Keyring::first(key(0), START);
    let two: JwkSet = [key(0), key(1)].iter().map(|key| key.public().clone()).collect();
    let one: JwkSet = [key(0).public().clone()].into_iter().collect();
    let (k0, k01) = ([id(0)], [id(0), id(1)]);
    let (k0, k01): (Option<&[KeyId]>, Option<&[KeyId]>) = (Some(&k0), Some(&k01));
    let other = Policy { signing: Algorithm::Es256, ..POLICY };
    for (about, ring, copy, policy, now, want) in [
        ("a copy that nobody has written", &first, None, POLICY, START, Work::Write(one)),
        ("a young key", &first, k0, POLICY, at(1), Work::Rest(Some(at(10_000)))),
        ("a young key, by hand", &first, k0, BY_HAND, at(1), Work::Rest(None)),
        ("an old key", &first, k0, POLICY, at(10_000), Work::Make(Algorithm::EdDsa)),
        ("an old key, by hand", &first, k0, BY_HAND, at(10_000), Work::Rest(None)),
        ("another algorithm", &first, k0, other, at(1), Work::Make(Algorithm::Es256)),
        (
            "another algorithm, by hand",
            &first,
            k0,
            Policy { rotates_after: None, ..other },
            at(1),
            Work::Rest(None),
        ),
        ("a staged key", &staged, k0, POLICY, at(91), Work::Write(two.clone())),
        ("a staged key, by hand", &staged, k0, BY_HAND, at(91), Work::Write(two.clone())),
        (
            "a staged key whose copy was written and not noted",
            &staged,
            k01,
            POLICY,
            at(91),
            Work::Write(two.clone()),
        ),
        ("a published key", &published(), k01, POLICY, at(759), Work::Rest(Some(at(760)))),
        ("a published key that everybody has", &published(), k01, POLICY, at(760), Work::Promote),
        ("the same, by hand", &published(), k01, BY_HAND, at(760), Work::Rest(None)),
        (
            "an overlap: the order of keys stays, so the copy does",
            &promoted,
            k01,
            POLICY,
            at(1001),
            Work::Rest(Some(at(4910))),
        ),
        ("a copy that failed in an overlap", &promoted, None, POLICY, at(1001), Work::Write(two)),
        ("an overlap that ends", &promoted, k01, BY_HAND, at(4910), Work::Drop),
    ] {
        assert_eq!(ring.work(copy, &policy, now), want, "{about}");
    }
}

#[test]
fn keys_that_make_no_keyring_are_refused() {
    let (active, staged) = (KeyState::Active { since: START }, KeyState::Staged { at: START });
    let published = KeyState::Published { at: START, usable_at: at(660) };
    assert_eq!(Keyring::of([]), Ok(None));
    assert_eq!(Keyring::of([(key(0), active)]), Ok(Some(Keyring::first(key(0), START))));
    for states in [vec![active, active], vec![staged], vec![active, staged, published], vec![published]] {
        let entries = states.iter().enumerate().map(|(number, state)| (key(number), *state));
        assert_eq!(Keyring::of(entries), Err(Corrupt), "{states:?}");
    }
}

#[test]
fn the_stored_states_are_pinned() {
    // Stored in the keyring's table: a change needs a migration, a line in docs/storage.md and a minor version.
    let (at, later) = (Timestamp::from_millis(1), Timestamp::from_millis(2));
    for (state, written) in [
        (KeyState::Active { since: at }, r#"{"state":"active","since":1}"#),
        (KeyState::Published { at, usable_at: later }, r#"{"state":"published","at":1,"usable_at":2}"#),
        (KeyState::Retired { at, until: later }, r#"{"state":"retired","at":1,"until":2}"#),
        (KeyState::Staged { at }, r#"{"state":"staged","at":1}"#),
    ] {
        assert_eq!(serde_json::to_string(&state).unwrap(), written);
        assert_eq!(serde_json::from_str::<KeyState>(written).unwrap(), state);
    }
}

/// What happens to a keyring.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The alarm, which finds KV well or not.
    Alarm {
        writes: bool,
    },
    /// An isolate asks which key signs.
    Open,
    Pass(u64),
    Promote,
    Rotate,
    /// An isolate signs with the key that it opened last.
    Sign,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<bool>().prop_map(|writes| Event::Alarm { writes }),
        Just(Event::Open),
        (1_u64..400).prop_map(Event::Pass),
        Just(Event::Promote),
        Just(Event::Rotate),
        Just(Event::Sign),
    ]
}

struct Run {
    policy: Policy,
    ring: Keyring,
    copy: Option<Vec<KeyId>>,
    made: usize,
    now: Timestamp,
    /// What the keyring answers, and since when.
    sets: Vec<(Timestamp, Vec<KeyId>)>,
    opened: Option<(KeyId, Timestamp)>,
    /// Which key signed, and when the token is dead for every validator.
    tokens: Vec<(KeyId, Timestamp)>,
}

impl Run {
    fn new(policy: Policy) -> Self {
        let ring = Keyring::first(key(0), START);
        Self {
            policy,
            ring,
            copy: None,
            made: 1,
            now: START,
            sets: vec![(START, vec![id(0)])],
            opened: None,
            tokens: Vec::new(),
        }
    }

    fn alarm(&mut self, writes: bool) {
        loop {
            match self.ring.work(self.copy.as_deref(), &self.policy, self.now) {
                Work::Drop => self.ring = self.ring.clone().without_ended(self.now),
                Work::Make(_) => self.rotate(),
                Work::Promote => self.ring = self.ring.clone().promote(&self.policy, self.now).unwrap(),
                Work::Rest(until) => {
                    assert!(until.is_none_or(|until| until > self.now), "it rests, and something is due");
                    return;
                }
                Work::Write(keys) => {
                    self.copy = None;
                    if !writes {
                        return;
                    }
                    let written = ids(&keys);
                    self.ring = self.ring.clone().written(&written, &self.policy, self.now);
                    self.copy = Some(written);
                }
            }
        }
    }

    fn rotate(&mut self) {
        if let Ok(ring) = self.ring.clone().stage(key(self.made), self.now) {
            self.ring = ring;
            self.made = self.made.saturating_add(1);
        }
    }

    fn step(&mut self, event: Event) {
        match event {
            Event::Alarm { writes } => self.alarm(writes),
            Event::Open => self.opened = Some((self.ring.signing_key().id().clone(), self.now)),
            Event::Pass(span) => self.now = self.now.after(seconds(span)),
            Event::Promote => {
                if let Ok(ring) = self.ring.clone().promote(&self.policy, self.now) {
                    self.ring = ring;
                }
            }
            Event::Rotate => self.rotate(),
            Event::Sign => self.sign(),
        }
        self.sets.push((self.now, ids(&self.ring.public_keys(self.now))));
    }

    fn sign(&mut self) {
        let Some((key, since)) = self.opened.clone() else { return };
        if self.now.since(since) > self.policy.open_for() {
            return;
        }
        // Whatever set a validator goes by, it is one of the last `spread`.
        let oldest =
            self.sets.iter().rposition(|(at, _)| at.after(self.policy.spread()) <= self.now).unwrap_or(0);
        for (at, set) in &self.sets[oldest..] {
            assert!(set.contains(&key), "a validator may have the set of {at:?}, which lacks the key");
        }
        let lives = self.policy.tokens_live.plus(self.policy.leeway.times(2));
        self.tokens.push((key, self.now.after(lives)));
    }

    fn check(&self) {
        let states: Vec<KeyState> = self.ring.entries().map(|(_, state)| state).collect();
        let active = states.iter().filter(|state| matches!(state, KeyState::Active { .. })).count();
        assert_eq!(active, 1);
        assert!(states.len() <= MOST_KEYS);
        let set = ids(&self.ring.public_keys(self.now));
        assert!(set.contains(self.ring.signing_key().id()));
        for (key, dies_at) in &self.tokens {
            assert!(*dies_at <= self.now || set.contains(key), "a token lives, and its key is gone");
        }
        let entries = self.ring.entries().map(|(key, state)| (key.clone(), state));
        assert_eq!(Keyring::of(entries), Ok(Some(self.ring.clone())), "it is stored as it is");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn whatever_happens_no_token_lacks_its_key(
        events in prop::collection::vec(event(), 1..200),
        by_hand in any::<bool>(),
    ) {
        let rotates_after = (!by_hand).then_some(seconds(4_000));
        // Tokens as short as the waits, so that each wait is met at its end.
        let mut run = Run::new(Policy { rotates_after, tokens_live: seconds(300), ..POLICY });
        for event in events {
            run.step(event);
            run.check();
        }
    }
}
