//! Section A: signatures and algorithms.

use rsa::BigUint;
use tollgate::encoding::{base64url, from_base64url, hex};
use tollgate::port::Ports as _;

use super::corpus::Corpus;
use super::draft::{Draft, text};
use super::genuine::{ALGORITHMS, ml_dsa};
use super::keys::KEYS;
use super::numbers::{CURVES, Curve, ed25519_order, fixed_le};
use super::{confusion, padding};

const FORGED: &str = "reject_signature";

pub(super) fn add(to: &mut Corpus) {
    no_algorithm(to);
    no_signature(to);
    other_algorithm(to);
    confusion::add(to);
    pinned_key(to);
    key_ring(to);
    numbers_at_their_ends(to);
    other_shapes(to);
    second_signature(to);
    padding::add(to);
    other_key_sizes(to);
    no_points(to);
    changed(to);
}

fn no_algorithm(to: &mut Corpus) {
    to.attack(1);
    for issuer in ["EdDSA", "ES256", "HS256", "RS256"] {
        let kept = Draft::of(issuer).signature();
        for alg in ["none", "None", "NONE", "nOnE", "NoNe", "none ", " none", "none\\u0000"] {
            let draft = Draft::of(issuer).header("alg", &text(alg));
            let name = alg.replace(' ', "_").replace("\\u0000", "_nul");
            to.refused(&format!("{issuer}_{name}_empty"), "reject_algorithm", draft.with(&[]));
            to.refused(&format!("{issuer}_{name}_kept"), "reject_algorithm", draft.with(&kept));
            to.refused(&format!("{issuer}_{name}_genuine"), "reject_algorithm", draft.token());
        }
    }
    // Most such headers say nothing else: then `typ` is missed before `alg` is looked at.
    let bare = Draft::es256().without_header("kid").without_header("typ").header("alg", &text("none"));
    to.refused("bare_header", "reject_type", bare.with(&[]));
    let no_kid = Draft::es256().without_header("kid").header("alg", &text("none"));
    to.refused("without_kid", "reject_algorithm", no_kid.with(&[]));
    // RFC 7515 appendix A.5: the published one.
    let published = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
    to.refused("rfc7515_a_5", "untrusted_issuer", published);
}

fn no_signature(to: &mut Corpus) {
    to.attack(2);
    for alg in ALGORITHMS {
        to.refused(&format!("{alg}_empty"), FORGED, Draft::of(alg).with(&[]));
        to.refused(&format!("{alg}_one_byte"), FORGED, Draft::of(alg).with(&[0]));
    }
    for (alg, token) in ml_dsa() {
        let input = token.rsplit_once('.').unwrap().0;
        to.refused(&format!("{alg}_empty"), FORGED, format!("{input}."));
        to.refused(&format!("{alg}_one_byte"), FORGED, format!("{input}.AA"));
    }
    let input = Draft::es256().input();
    to.refused("no_dot_either", "malform_token", input);
}

fn other_algorithm(to: &mut Corpus) {
    to.attack(3);
    let draft = Draft::es256;
    to.refused("missing", "malform_token", draft().without_header("alg").token());
    for (name, value) in [
        ("null", "null"),
        ("number", "1"),
        ("array", r#"["ES256"]"#),
        ("object", r#"{"alg":"ES256"}"#),
        ("bool", "true"),
    ] {
        to.refused(name, "malform_token", draft().header("alg", value).token());
    }
    for (name, alg) in [
        ("empty", ""),
        ("lower_case", "es256"),
        ("mixed_case", "Es256"),
        ("space_behind", "ES256 "),
        ("space_before", " ES256"),
        ("nul_behind", "ES256\\u0000"),
        ("line_feed_behind", "ES256\\n"),
        ("with_a_dash", "ES-256"),
        ("two_names", "ES256,none"),
        ("cyrillic", "\u{415}S256"),
        ("full_width", "\u{ff25}\u{ff33}256"),
        ("by_oid", "1.2.840.10045.4.3.2"),
        ("by_curve", "P-256"),
        ("unknown", "ES1"),
        ("of_keys", "ECDH-ES"),
        ("sha_1", "RS1"),
        ("hmac_64", "HS256/64"),
    ] {
        to.refused(name, "reject_algorithm", draft().header("alg", &text(alg)).token());
    }
    for alg in ALGORITHMS.into_iter().filter(|alg| *alg != "ES256") {
        let name = format!("another_{alg}");
        to.refused(&name, "reject_algorithm", draft().header("alg", &text(alg)).token());
    }
    // RFC 9864: the same algorithm by the name that also says the curve.
    to.passes("ed25519_is_eddsa", Draft::of("EdDSA").header("alg", &text("Ed25519")).token());
    to.refused("ed448", "reject_algorithm", Draft::of("EdDSA").header("alg", &text("Ed448")).token());
}

fn pinned_key(to: &mut Corpus) {
    to.attack(6);
    let all = ["PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];
    let issued = ["PS256", "RS256", "RS384"];
    for (issuer, secret, own) in [
        ("pinned-ps256", &KEYS.ps, Some("PS256")),
        ("pinned-rs256", &KEYS.rs, Some("RS256")),
        ("unpinned-rsa", &KEYS.rs, None),
    ] {
        for alg in all {
            let name = format!("{alg}_at_{issuer}");
            let token = Draft::new(issuer, secret, alg, "rsa").token();
            if !issued.contains(&alg) {
                to.refused(&name, "reject_algorithm", token);
            } else if own.is_none_or(|own| own == alg) {
                to.passes(&name, token);
            } else {
                to.refused(&name, "unknown_key", token);
            }
        }
    }
    // The header names one that counts, the signature is of another.
    for (said, done) in [
        ("PS256", "RS256"),
        ("PS256", "PS384"),
        ("RS256", "PS256"),
        ("RS256", "RS384"),
        ("RS384", "RS256"),
        ("RS384", "PS384"),
    ] {
        let draft = Draft::new("unpinned-rsa", &KEYS.rs, said, "rsa").by(&KEYS.rs, done);
        to.refused(&format!("said_{said}_done_{done}"), FORGED, draft.token());
    }
    for (alg, secret) in [("ES256", &KEYS.es384), ("ES256", &KEYS.es256k), ("ES384", &KEYS.es256)] {
        let name = format!("{alg}_by_{}", secret.members()[0].1);
        to.refused(&name, FORGED, Draft::of(alg).by(secret, "").token());
    }
    let name = "ES256K_by_P-256";
    to.refused(name, FORGED, Draft::of("ES256K").by(&KEYS.es256, "").token());
    // Of 64 bytes, too.
    to.refused("ES256_by_Ed25519", FORGED, Draft::es256().by(&KEYS.eddsa, "").token());
    to.refused("EdDSA_by_P-256", FORGED, Draft::of("EdDSA").by(&KEYS.es256, "").token());
}

fn key_ring(to: &mut Corpus) {
    to.attack(7);
    let keys = [("ec", &KEYS.es256, "ES256"), ("ed", &KEYS.eddsa, "EdDSA"), ("rsa", &KEYS.rs, "RS256")];
    for (kid, _, own) in keys {
        let secret = Draft::new("ring", &KEYS.hs256, "HS256", kid);
        to.refused(&format!("HS256_named_{kid}"), "unknown_key", secret.token());
        let said = secret.header("alg", &text(own));
        to.refused(&format!("HS256_said_{own}_named_{kid}"), FORGED, said.token());
        for (_, secret, alg) in keys.into_iter().filter(|(other, ..)| *other != kid) {
            let draft = Draft::new("ring", secret, alg, kid);
            to.refused(&format!("{alg}_named_{kid}"), "unknown_key", draft.token());
            // What is said fits the key, what is done does not.
            let draft = draft.header("alg", &text(own));
            to.refused(&format!("{alg}_said_{own}_named_{kid}"), FORGED, draft.token());
        }
    }
    for (kid, secret, alg) in keys {
        let draft = Draft::new("ring", secret, alg, kid).without_header("kid");
        to.passes(&format!("{alg}_names_nobody"), draft.token());
    }
    // GHSA-jc38-x7x8-2xc8: `alg` in the header that nothing protects.
    let draft = Draft::es256().without_header("alg");
    let flattened = format!(
        r#"{{"protected":"{}","header":{{"alg":"none"}},"payload":"{}","signature":""}}"#,
        base64url(draft.header_text().as_bytes()),
        base64url(draft.claims_text().as_bytes())
    );
    to.no_credential("alg_in_an_unprotected_header", flattened.clone());
    to.refused("alg_in_an_unprotected_header_encoded", "malform_token", base64url(flattened.as_bytes()));
    let inner = Draft::es256().without_header("alg").header("header", r#"{"alg":"ES256"}"#);
    to.refused("alg_below_another_member", "malform_token", inner.token());
    let claimed = Draft::es256().without_header("alg").claim("alg", &text("ES256"));
    to.refused("alg_among_the_claims", "malform_token", claimed.token());
}

fn numbers_at_their_ends(to: &mut Corpus) {
    to.attack(8);
    for curve in &CURVES {
        for (r_name, r) in curve.edges() {
            for (s_name, s) in curve.edges() {
                let name = format!("{}_r_{r_name}_s_{s_name}", curve.alg);
                to.refused(&name, FORGED, Draft::of(curve.alg).with(&curve.signature(&r, &s)));
            }
        }
        // One half genuine.
        let genuine = Draft::of(curve.alg).signature();
        let (r, s) = curve.split(&genuine);
        let zero = BigUint::from(0_u8);
        to.refused(
            &format!("{}_s_0", curve.alg),
            FORGED,
            Draft::of(curve.alg).with(&curve.signature(&r, &zero)),
        );
        to.refused(
            &format!("{}_r_0", curve.alg),
            FORGED,
            Draft::of(curve.alg).with(&curve.signature(&zero, &s)),
        );
    }
    // The same idea elsewhere.
    let neutral = [vec![1], vec![0; 63]].concat();
    let ed = Draft::of("EdDSA");
    to.refused("EdDSA_zeros", FORGED, ed.with(&[0; 64]));
    to.refused("EdDSA_neutral_r_s_0", FORGED, ed.with(&neutral));
    to.refused("EdDSA_full", FORGED, ed.with(&[0xff; 64]));
    for (alg, secret) in [("RS256", &KEYS.rs), ("PS256", &KEYS.ps)] {
        let rsa = secret.rsa();
        let number = |value: u8| BigUint::from(value);
        for (name, value) in [
            ("0", number(0)),
            ("1", number(1)),
            ("2", number(2)),
            ("n_less_1", &rsa.n - number(1)),
            ("n", rsa.n.clone()),
            ("n_plus_1", &rsa.n + number(1)),
        ] {
            to.refused(&format!("{alg}_{name}"), FORGED, Draft::of(alg).with(&rsa.filled(&value)));
        }
        to.refused(&format!("{alg}_full"), FORGED, Draft::of(alg).with(&vec![0xff; rsa.length()]));
    }
    for (alg, length) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        to.refused(&format!("{alg}_zeros"), FORGED, Draft::of(alg).with(&vec![0; length]));
    }
}

fn other_shapes(to: &mut Corpus) {
    to.attack(9);
    for curve in &CURVES {
        let draft = Draft::of(curve.alg);
        let genuine = draft.signature();
        let (r, s) = genuine.split_at(curve.length);
        let der = super::der::sequence(&[super::der::integer(r), super::der::integer(s)].concat());
        let shapes: [(&str, Vec<u8>); 14] = [
            ("der", der),
            ("zero_before", [&[0], genuine.as_slice()].concat()),
            ("zero_behind", [genuine.as_slice(), &[0]].concat()),
            ("zeros_before_both", [&[0], r, &[0], s].concat()),
            ("zeros_before_both_aligned", [&[0; 32], r, &[0; 32], s].concat()),
            ("first_byte_cut", genuine[1..].to_vec()),
            ("last_byte_cut", genuine[..genuine.len() - 1].to_vec()),
            ("r_alone", r.to_vec()),
            ("s_alone", s.to_vec()),
            ("swapped", [s, r].concat()),
            ("twice", [genuine.as_slice(), &genuine].concat()),
            ("as_hex", hex(&genuine).into_bytes()),
            ("as_base64url", base64url(&genuine).into_bytes()),
            ("with_recovery_id", [&[27], genuine.as_slice()].concat()),
        ];
        for (name, signature) in shapes {
            to.refused(&format!("{}_{name}", curve.alg), FORGED, draft.with(&signature));
        }
    }
    for alg in ["EdDSA", "HS256", "PS256", "RS256"] {
        let draft = Draft::of(alg);
        let genuine = draft.signature();
        to.refused(&format!("{alg}_zero_before"), FORGED, draft.with(&[&[0], genuine.as_slice()].concat()));
        to.refused(&format!("{alg}_zero_behind"), FORGED, draft.with(&[genuine.as_slice(), &[0]].concat()));
        to.refused(&format!("{alg}_first_byte_cut"), FORGED, draft.with(&genuine[1..]));
        to.refused(&format!("{alg}_last_byte_cut"), FORGED, draft.with(&genuine[..genuine.len() - 1]));
        to.refused(&format!("{alg}_half"), FORGED, draft.with(&genuine[..genuine.len() / 2]));
        to.refused(&format!("{alg}_as_hex"), FORGED, draft.with(hex(&genuine).as_bytes()));
    }
}

fn second_signature(to: &mut Corpus) {
    to.attack(10);
    for curve in &CURVES {
        let draft = Draft::of(curve.alg);
        let (r, s) = curve.split(&draft.signature());
        let other = curve.signature(&r, &(curve.order() - &s));
        // By the definition of ECDSA both are genuine. What must not happen is that a token is known by its text.
        to.passes(&format!("{}_one", curve.alg), draft.token());
        to.passes(&format!("{}_other_s", curve.alg), draft.with(&other));
        let negative_r = curve.signature(&(curve.order() - &r), &s);
        to.refused(&format!("{}_other_r", curve.alg), FORGED, draft.with(&negative_r));
    }
    edwards(to);
    // RSA's second spelling, where it fits: s + n.
    for (alg, secret) in [("RS256", &KEYS.rs), ("PS256", &KEYS.ps)] {
        let rsa = secret.rsa();
        let fits = (0..).map(|n| Draft::of(alg).claim("jti", &text(&n.to_string()))).find_map(|draft| {
            let more = BigUint::from_bytes_be(&draft.signature()) + &rsa.n;
            (more.bits() <= rsa.length() * 8).then(|| (draft.token(), draft.with(&rsa.filled(&more))))
        });
        let (genuine, other) = fits.unwrap();
        to.passes(&format!("{alg}_s"), genuine);
        to.refused(&format!("{alg}_s_plus_n"), FORGED, other);
    }
}

/// Ed25519 (RFC 8032 section 5.1.7): s below the order, R in its one encoding and of full order.
fn edwards(to: &mut Corpus) {
    let draft = Draft::of("EdDSA");
    let genuine = draft.signature();
    let order = ed25519_order();
    let s = BigUint::from_bytes_le(&genuine[32..]);
    to.passes("EdDSA_one", draft.token());
    for times in 1_u8..16 {
        let more = &s + &order * BigUint::from(times);
        if more.bits() <= 256 {
            let signature = [&genuine[..32], &fixed_le(&more, 32)].concat();
            to.refused(&format!("EdDSA_s_plus_{times}_orders"), FORGED, draft.with(&signature));
        }
    }
    let negative = [&genuine[..32], &fixed_le(&(&order - &s), 32)].concat();
    to.refused("EdDSA_other_s", FORGED, draft.with(&negative));
    let mut flipped = genuine.clone();
    flipped[31] ^= 0x80;
    to.refused("EdDSA_other_r", FORGED, draft.with(&flipped));
    // With R of small order and no nonce, s = hash * key fits the equation, or does but for that point.
    let super::keys::Secret::Ed25519(pair) = draft.secret() else { panic!("it is of another kind") };
    let mut scalar = hmac_sha512::Hash::hash(&pair.sk[..32])[..32].to_vec();
    scalar[0] &= 0xf8;
    scalar[31] = scalar[31] & 0x7f | 0x40;
    let scalar = BigUint::from_bytes_le(&scalar);
    for (name, r) in small_order() {
        let hash = hmac_sha512::Hash::hash([r.as_slice(), &*pair.pk, draft.input().as_bytes()].concat());
        let s = BigUint::from_bytes_le(&hash) * &scalar % &order;
        to.refused(
            &format!("EdDSA_r_{name}"),
            FORGED,
            draft.with(&[r.as_slice(), &fixed_le(&s, 32)].concat()),
        );
    }
}

/// Encodings of the points whose order divides 8, but for the neutral one in its proper spelling: with that one
/// the signature is genuine by definition, and verifiers differ. Only the key's owner could make it.
pub(super) fn small_order() -> Vec<(&'static str, [u8; 32])> {
    let y = |text: &str| tollgate::encoding::from_hex::<32>(text).unwrap();
    let signed = |mut y: [u8; 32]| {
        y[31] |= 0x80;
        y
    };
    let neutral = y("0100000000000000000000000000000000000000000000000000000000000000");
    let zero = [0; 32];
    let eighth = y("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
    let other_eighth = y("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a");
    let p_less_1 = y("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    let p = y("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    let p_plus_1 = y("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
    vec![
        ("neutral_with_sign", signed(neutral)),
        ("neutral_unreduced", p_plus_1),
        ("neutral_unreduced_with_sign", signed(p_plus_1)),
        ("order_2", p_less_1),
        ("order_2_with_sign", signed(p_less_1)),
        ("order_4", zero),
        ("order_4_with_sign", signed(zero)),
        ("order_4_unreduced", p),
        ("order_4_unreduced_with_sign", signed(p)),
        ("order_8", eighth),
        ("order_8_with_sign", signed(eighth)),
        ("order_8_other", other_eighth),
        ("order_8_other_with_sign", signed(other_eighth)),
    ]
}

fn other_key_sizes(to: &mut Corpus) {
    to.attack(13);
    // Weak keys are refused where they are read: see `policy.rs`. A signature cannot bring its size along.
    for (alg, secret) in [("PS256", &KEYS.ps), ("RS256", &KEYS.rs)] {
        for bytes in [64, 128, 255, 257, 512, 1024, 2048] {
            let name = format!("{alg}_signature_of_{bytes}_bytes");
            to.refused(&name, FORGED, Draft::of(alg).with(&vec![0x55; bytes]));
        }
        let long = [vec![0; 256], secret.sign(alg, Draft::of(alg).input().as_bytes())].concat();
        to.refused(&format!("{alg}_signature_filled_up"), FORGED, Draft::of(alg).with(&long));
    }
}

fn no_points(to: &mut Corpus) {
    to.attack(14);
    for (issuer, secret, alg) in [
        ("no-point-ed25519", &KEYS.eddsa, "EdDSA"),
        ("no-modulus-rsa", &KEYS.rs, "RS256"),
        ("no-modulus-rsa-pss", &KEYS.ps, "PS256"),
    ] {
        let draft = Draft::new(issuer, secret, alg, "any").without_header("kid");
        to.refused(issuer, FORGED, draft.token());
    }
}

fn changed(to: &mut Corpus) {
    to.attack(15);
    for alg in ["EdDSA", "ES256", "ES256K", "ES384", "HS256", "PS256", "RS256"] {
        to.each_byte_counts(&format!("{alg}_every_byte"), Draft::of(alg).token());
    }
    for alg in ALGORITHMS {
        let (one, two) = (Draft::of(alg), Draft::of(alg).claim("jti", &text("2")));
        to.refused(&format!("{alg}_signature_of_another"), FORGED, one.with(&two.signature()));
        let other = if alg == "ES256" { Draft::of("ES384") } else { Draft::es256() };
        to.refused(&format!("{alg}_signature_of_another_issuer"), FORGED, one.with(&other.signature()));
        let more = one.clone().claim("scope", &text("attacks:read attacks:write"));
        to.refused(&format!("{alg}_one_scope_more"), FORGED, more.with(&one.signature()));
        let longer = one.clone().claim("exp", "4102444801");
        to.refused(&format!("{alg}_one_second_longer"), FORGED, longer.with(&one.signature()));
        let bare = one.clone().without_header("kid");
        to.refused(&format!("{alg}_another_header"), FORGED, bare.with(&one.signature()));
        let spaced = Draft::of(alg).edit_claims(|claims| claims.replacen(',', ", ", 1));
        let payload = spaced.split('.').nth(1).unwrap();
        let header = base64url(one.header_text().as_bytes());
        let token = format!("{header}.{payload}.{}", base64url(&one.signature()));
        to.refused(&format!("{alg}_one_space_more"), FORGED, token);
    }
}

tests! {
    0 what_is_genuine_passes;
    1 attack_01_no_algorithm;
    2 attack_02_no_signature;
    3 attack_03_an_algorithm_that_is_none;
    6 attack_06_a_key_for_another_algorithm;
    7 attack_07_a_key_of_another_kind;
    8 attack_08_numbers_at_their_ends;
    9 attack_09_other_shapes_of_a_signature;
    10 attack_10_a_second_signature_of_the_same_key;
    13 attack_13_signatures_of_other_sizes;
    14 attack_14_keys_that_are_no_points;
    15 attack_15_one_bit_of_every_byte_and_mixed_parts;
}

#[test]
fn attack_15_every_bit_counts() {
    let world = super::world();
    let edge = world.edge();
    for alg in ["EdDSA", "ES256", "HS256"] {
        let token = Draft::of(alg).token();
        let parts: Vec<Vec<u8>> = token.split('.').map(|part| from_base64url(part).unwrap()).collect();
        for (which, part) in parts.iter().enumerate() {
            for bit in 0..part.len() * 8 {
                let mut changed = parts.clone();
                changed[which][bit / 8] ^= 1 << (bit % 8);
                let changed = changed.iter().map(|part| base64url(part)).collect::<Vec<_>>().join(".");
                assert_eq!(super::status(&edge, &changed), 401, "{alg}: bit {bit} of part {which}");
            }
        }
        assert_eq!(super::status(&edge, &token), 200);
    }
}

#[test]
fn attack_10_two_signatures_of_the_same_claims_are_two_facts() {
    let curve = Curve::of("ES256");
    let draft = Draft::es256();
    let (r, s) = curve.split(&draft.signature());
    let world = super::world();
    let edge = world.edge();
    let tokens = [draft.token(), draft.with(&curve.signature(&r, &(curve.order() - s)))];
    for _ in 0..2 {
        for token in &tokens {
            assert_eq!(super::status(&edge, token), 200);
        }
    }
    assert_eq!((world.verified.get(), edge.isolate().verified_tokens().0), (2, 2));
}
