//! Against the vectors of Web Authentication Level 3 (section 16), and against what is nearly right.

use tollgate::encoding::{base64url, from_base64url};
use tollgate::id::Locator;
use tollgate::port::Verifier as _;
use tollgate::secret::Secret;
use tollgate::software::SoftwareVerifier;
use tollgate::time::Timestamp;
use tollgate::token::Algorithm;
use tollgate::webauthn::{
    Bounds, Ceremony, Challenge, Flaw, Made, PasskeyId, RelyingParty, Said, fixed, made, used,
};

use crate::fakes::run;

const PARTY: RelyingParty<'_> = RelyingParty { origin: "https://example.org", id: "example.org" };

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().map(|digit| digit.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

/// What section 16 publishes of one kind of passkey: made, and used once.
struct Vector {
    made: &'static str,
    made_says: &'static str,
    made_challenge: &'static str,
    used: &'static str,
    used_says: &'static str,
    used_challenge: &'static str,
    signature: &'static str,
    algorithm: Algorithm,
}

/// Section 16.2: ES256, synchronised, nobody has shown who they are.
const ES256: Vector = Vector {
    made: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b559000000008446ccb9ab1db374750b2367ff6f3a1f0020f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4a5010203262001215820afefa16f97ca9b2d23eb86ccb64098d20db90856062eb249c33a9b672f26df61225820930a56b87a2fca66334b03458abf879717c12cc68ed73290af2e2664796b9220",
    made_says: "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a22414d4d507434557878475453746e63647134313759447742466938767049612d7077386f4f755657345441222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a20426b5165446a646354427258426941774a544c453551227d",
    made_challenge: "00c30fb78531c464d2b6771dab8d7b603c01162f2fa486bea70f283ae556e130",
    used: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b51900000000",
    used_says: "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a224f63446e55685158756c5455506f334a5558543049393770767a7a59425039745a63685879617630314167222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d",
    used_challenge: "39c0e7521417ba54d43e8dc95174f423dee9bf3cd804ff6d65c857c9abf4d408",
    signature: "3046022100f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd380221008480ac0f0b93538174f575bf11a1dd5d78c6e486013f937295ea13653e331e87",
    algorithm: Algorithm::Es256,
};

/// Section 16.11: Ed25519, on one device, nobody has shown who they are.
const EDDSA: Vector = Vector {
    made: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b54100000000d5aa33581e8ca478e20fe713f5d32ff20020ce9f840ed96599580cd140fbc7bb3230633f50f61041aff73308ae71caa8a2bda401010327200621582044e06ddd331c36a8dc667bab52bcae63486c916aa5e339e6acebaa84934bf832",
    made_says: "7b2274797065223a22776562617574686e2e637265617465222c226368616c6c656e6765223a22714b763532723347734e396a526d733576616e6f6f306f303459557a656c6e7878586d5a426e6254733730222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73652c22657874726144617461223a22636c69656e74446174614a534f4e206d617920626520657874656e6465642077697468206164646974696f6e616c206669656c647320696e20746865206675747572652c207375636820617320746869733a20425f44543567375a445f2d394f544c59583549764551227d",
    made_challenge: "a8abf9dabdc6b0df63466b39bda9e8a34a34e185337a59f1c579990676d3b3bd",
    used: "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b50100000000",
    used_says: "7b2274797065223a22776562617574686e2e676574222c226368616c6c656e6765223a2269566c583442786a4f6d6d44534b4c596f7870557439736e364d48454f7943413135726947514a6e763949222c226f726967696e223a2268747470733a2f2f6578616d706c652e6f7267222c2263726f73734f726967696e223a66616c73657d",
    used_challenge: "895957e01c633a698348a2d8a31a54b7db27e8c1c43b2080d79ae2190267bfd2",
    signature: "f5c59c7e46c34f6f8cc197101ddf9934fa2595f68eb1913a637e8419eb9ba4cfdfc48f85393bc0d40b011f0d6fecb097d6607525713223a0dc0d453993dae00b",
    algorithm: Algorithm::EdDsa,
};

/// The flags stand behind the digest of the RP ID.
const FLAGS: usize = 32;

/// The same, where somebody has shown who they are.
fn verified(data: &str) -> Vec<u8> {
    let mut data = bytes(data);
    data[FLAGS] |= 0x04;
    data
}

fn making(vector: &Vector, change: impl FnOnce(&mut Vec<u8>)) -> Result<(Made, String), Flaw> {
    let mut data = verified(vector.made);
    change(&mut data);
    made(&Said { client_data: &bytes(vector.made_says), authenticator_data: &data }, PARTY)
}

#[test]
fn webauthn_section_16_passkeys_are_read_and_their_signatures_are_good() {
    for vector in [&ES256, &EDDSA] {
        let (made, challenge) = making(vector, |_| ()).unwrap();
        assert_eq!(from_base64url(&challenge).unwrap(), bytes(vector.made_challenge));
        assert_eq!(made.key.algorithm(), Some(vector.algorithm));
        assert_eq!((made.counter, made.is_synced), (0, vector.algorithm == Algorithm::Es256));
        assert_eq!(from_base64url(made.id.as_str()).unwrap(), bytes(vector.made)[55..87]);

        let data = verified(vector.used);
        let said = Said { client_data: &bytes(vector.used_says), authenticator_data: &data };
        let (used, challenge) = used(&said, PARTY).unwrap();
        assert_eq!(from_base64url(&challenge).unwrap(), bytes(vector.used_challenge));
        let mut input = from_base64url(&used.input).unwrap();
        assert_eq!(input[..data.len()], data);
        // What was signed had not this flag.
        input[FLAGS] ^= 0x04;
        let signature = bytes(vector.signature);
        let signature = if vector.algorithm == Algorithm::Es256 {
            fixed(&signature).unwrap().to_vec()
        } else {
            signature
        };
        let is_good = |input: &[u8]| {
            run(SoftwareVerifier.verify(&made.key, vector.algorithm, input, &signature)).unwrap()
        };
        assert!(is_good(&input));
        input[FLAGS] ^= 0x04;
        assert!(!is_good(&input));
    }
}

#[test]
fn webauthn_section_7_somebody_has_to_be_there_and_to_have_shown_who_they_are() {
    for vector in [&ES256, &EDDSA] {
        let said = Said { client_data: &bytes(vector.used_says), authenticator_data: &bytes(vector.used) };
        assert_eq!(used(&said, PARTY).unwrap_err(), Flaw::Unverified);
        assert_eq!(making(vector, |data| data[FLAGS] &= !0x04).unwrap_err(), Flaw::Unverified);
        assert_eq!(making(vector, |data| data[FLAGS] &= !0x01).unwrap_err(), Flaw::Unverified);
    }
}

#[test]
fn webauthn_section_7_authenticator_data_is_of_this_party_and_has_one_shape() {
    let flaw = |change: fn(&mut Vec<u8>)| making(&ES256, change).unwrap_err();
    assert_eq!(flaw(|data| data[0] ^= 1), Flaw::RelyingParty);
    assert_eq!(flaw(|data| data[FLAGS] &= !0x08), Flaw::AuthenticatorData, "backed up, and may not be");
    assert_eq!(flaw(|data| data[FLAGS] &= !0x40), Flaw::AuthenticatorData, "no passkey in it");
    assert_eq!(flaw(|data| data[FLAGS] |= 0x80), Flaw::AuthenticatorData, "extensions, and none there");
    assert_eq!(flaw(|data| data.push(0)), Flaw::AuthenticatorData, "more than it says");
    assert_eq!(flaw(|data| data.truncate(36)), Flaw::AuthenticatorData);
    assert_eq!(flaw(|data| data.truncate(80)), Flaw::AuthenticatorData, "half a name");
    assert_eq!(flaw(|data| data.truncate(150)), Flaw::Key, "half a key");
}

#[test]
fn webauthn_section_9_4_extensions_that_come_unasked_are_not_looked_at() {
    let with = making(&ES256, |data| {
        data[FLAGS] |= 0x80;
        data.extend_from_slice(&[0xa0]);
    });
    assert_eq!(with.unwrap(), making(&ES256, |_| ()).unwrap());
}

#[test]
fn webauthn_section_6_5_1_a_key_has_one_spelling_and_lies_on_its_curve() {
    // The key begins behind the digest, flags, counter, make, length and name.
    const KEY: usize = 32 + 1 + 4 + 16 + 2 + 32;
    let flaw = |at: usize, byte: u8| making(&ES256, |data| data[KEY + at] ^= byte).unwrap_err();
    for at in 0..77 {
        assert_eq!(flaw(at, 1), Flaw::Key, "{at}");
    }
    let (made, _) = making(&EDDSA, |_| ()).unwrap();
    assert_ne!(
        made,
        making(&EDDSA, |data| data[KEY + 20] ^= 1).unwrap().0,
        "every number is a point, or taken for one"
    );
    let zeros = making(&EDDSA, |data| data[KEY + 10..].fill(0)).unwrap_err();
    assert_eq!(zeros, Flaw::Key, "small order");
    // A name of 15 bytes has too little in it to be guessed by nobody.
    let short = making(&ES256, |data| {
        data.drain(KEY - 17..KEY);
        data[KEY - 33] = 15;
    });
    assert_eq!(short.unwrap_err(), Flaw::Key);
}

#[test]
fn webauthn_section_7_client_data_is_of_this_ceremony_and_of_our_own_page() {
    let data = verified(ES256.used);
    let flaw =
        |text: &str| used(&Said { client_data: text.as_bytes(), authenticator_data: &data }, PARTY).map(drop);
    let with = |kind: &str, origin: &str, more: &str| {
        format!(r#"{{"type":"{kind}","challenge":"AAAA","origin":"{origin}"{more}}}"#)
    };
    let ours = "https://example.org";
    assert_eq!(flaw(&with("webauthn.get", ours, "")), Ok(()));
    assert_eq!(flaw(&with("webauthn.get", ours, r#","crossOrigin":false,"more":[1]"#)), Ok(()));
    for (text, expected) in [
        (with("webauthn.create", ours, ""), Flaw::ClientData),
        (with("payment.get", ours, ""), Flaw::ClientData),
        (with("webauthn.get", ours, r#","type":"webauthn.get""#), Flaw::ClientData),
        (with("webauthn.get", ours, r#","challenge":"BBBB""#), Flaw::ClientData),
        (format!("\u{feff}{}", with("webauthn.get", ours, "")), Flaw::ClientData),
        (format!("{} x", with("webauthn.get", ours, "")), Flaw::ClientData),
        (r#"{"type":"webauthn.get","origin":"https://example.org"}"#.to_owned(), Flaw::ClientData),
        (String::new(), Flaw::ClientData),
        (with("webauthn.get", "http://example.org", ""), Flaw::Origin),
        (with("webauthn.get", "https://example.org:8443", ""), Flaw::Origin),
        (with("webauthn.get", "https://www.example.org", ""), Flaw::Origin),
        (with("webauthn.get", "https://example.org/", ""), Flaw::Origin),
        (with("webauthn.get", ours, r#","crossOrigin":true"#), Flaw::Origin),
        (with("webauthn.get", ours, r#","crossOrigin":"false""#), Flaw::Origin),
        (with("webauthn.get", ours, r#","topOrigin":"https://example.org""#), Flaw::Origin),
    ] {
        assert_eq!(flaw(&text), Err(expected), "{text}");
    }
}

#[test]
fn webauthn_section_7_2_a_use_brings_no_passkey() {
    let mut data = verified(ES256.made);
    let said = |data: &[u8]| {
        used(&Said { client_data: &bytes(ES256.used_says), authenticator_data: data }, PARTY).unwrap_err()
    };
    assert_eq!(said(&data), Flaw::AuthenticatorData);
    data[FLAGS] &= !0x40;
    assert_eq!(said(&data), Flaw::AuthenticatorData);
}

#[test]
fn webauthn_section_6_5_5_a_signature_has_one_spelling() {
    let good = bytes(ES256.signature);
    let both = fixed(&good).unwrap();
    assert_eq!(both[..32], bytes("f50a4e2e4409249c4a853ba361282f09841df4dd4547a13a87780218deffcd38"));
    // Small numbers are short, and filled up.
    let small = fixed(&[0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x7f]).unwrap();
    assert_eq!((small[31], small[63], small[..31].iter().all(|byte| *byte == 0)), (1, 0x7f, true));
    let one = [0x02, 0x01, 0x01];
    let of = |first: &[u8], second: &[u8]| {
        let body = [first, second].concat();
        fixed(&[&[0x30, u8::try_from(body.len()).unwrap()], body.as_slice()].concat())
    };
    assert!(of(&one, &one).is_some());
    for (what, first) in [
        ("no digits", vec![0x02, 0x00]),
        ("negative", vec![0x02, 0x01, 0x80]),
        ("a zero that is not needed", vec![0x02, 0x02, 0x00, 0x01]),
        ("another type", vec![0x03, 0x01, 0x01]),
        ("33 digits", [&[0x02, 0x21][..], &[0x01; 33]].concat()),
        ("a length in two bytes", vec![0x02, 0x81, 0x01, 0x01]),
        ("more than there is", vec![0x02, 0x7f, 0x01]),
    ] {
        assert_eq!(of(&first, &one), None, "{what}");
        assert_eq!(of(&one, &first), None, "{what}, second");
    }
    assert_eq!(of(&one, &[]), None);
    assert_eq!(of(&one, &[one.as_slice(), &[0]].concat()), None, "more behind it");
    for end in 0..good.len() {
        assert_eq!(fixed(&good[..end]), None, "{end}");
    }
    assert_eq!(fixed(&[good.as_slice(), &[0]].concat()), None);
    assert_eq!(fixed(&both), None, "as JWS spells it");
}

#[test]
fn webauthn_section_13_4_3_a_challenge_counts_for_one_ceremony_in_one_browser_and_for_its_time() {
    let (key, other) = (Secret::new(b"key".to_vec()), Secret::new(b"other".to_vec()));
    let (realm, neighbour) = ("test".parse().unwrap(), "tes".parse().unwrap());
    let bounds = Bounds { key: &key, realm: &realm, bond: "bond" };
    let at = Timestamp::from_seconds;
    let (ada, eve) = (Locator::from([1; 32]), Locator::from([2; 32]));
    for (ceremony, lasts) in
        [(Ceremony::SignIn, 1_800), (Ceremony::Create(ada), 1_800), (Ceremony::SignInAfterPassword(ada), 300)]
    {
        let challenge = Challenge::begin(ceremony, bounds, &[7; 16], at(100));
        let open = |text: &str, ceremony, bounds, now| Challenge::open(text, ceremony, bounds, at(now));
        let text = challenge.as_str();
        assert_eq!(open(text, ceremony, bounds, 100 + lasts).as_ref(), Some(&challenge));
        assert_eq!(open(text, ceremony, bounds, 101 + lasts), None, "too late");
        assert_eq!(open(text, ceremony, Bounds { key: &other, ..bounds }, 100), None, "another secret");
        assert_eq!(open(text, ceremony, Bounds { realm: &neighbour, ..bounds }, 100), None, "another realm");
        assert_eq!(open(text, ceremony, Bounds { bond: "ond", ..bounds }, 100), None, "another browser");
        for elsewhere in [
            Ceremony::SignIn,
            Ceremony::Create(ada),
            Ceremony::Create(eve),
            Ceremony::SignInAfterPassword(ada),
            Ceremony::SignInAfterPassword(eve),
        ] {
            assert_eq!(open(text, elsewhere, bounds, 100).is_some(), elsewhere == ceremony, "{elsewhere:?}");
        }
        let mut whole = from_base64url(text).unwrap();
        for byte in 0..whole.len() {
            whole[byte] ^= 1;
            assert_eq!(open(&base64url(&whole), ceremony, bounds, 100), None, "byte {byte}");
            whole[byte] ^= 1;
        }
        for end in 0..whole.len() {
            assert_eq!(open(&base64url(&whole[..end]), ceremony, bounds, 100), None, "{end}");
        }
        assert_ne!(challenge, Challenge::begin(ceremony, bounds, &[8; 16], at(100)), "each is another");
    }
}

#[test]
fn a_passkey_has_a_name_of_16_to_1023_bytes() {
    for (length, is_name) in [(0, false), (15, false), (16, true), (1023, true), (1024, false)] {
        assert_eq!(base64url(&vec![1; length]).parse::<PasskeyId>().is_ok(), is_name, "{length}");
    }
    assert!("AAAAAAAAAAAAAAAAAAAAAB".parse::<PasskeyId>().is_err(), "another spelling of the same bytes");
}

#[test]
fn webauthn_section_6_5_1_rsa_keys_have_2048_bits_and_the_usual_exponent() {
    let mut start = verified(EDDSA.made);
    start.truncate(32 + 1 + 4 + 16 + 2 + 32);
    let with = |n: &[u8], e: &[u8]| {
        let mut data = start.clone();
        data.extend([0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, 0x59]);
        data.extend(u16::try_from(n.len()).unwrap().to_be_bytes());
        data.extend(n);
        data.extend([0x21, 0x43]);
        data.extend(e);
        made(&Said { client_data: &bytes(EDDSA.made_says), authenticator_data: &data }, PARTY)
    };
    let (made, _) = with(&[0xff; 256], &[1, 0, 1]).unwrap();
    assert_eq!(made.key.algorithm(), Some(Algorithm::Rs256));
    assert!(made.key.serves(Algorithm::Rs256) && !made.key.serves(Algorithm::Ps256));
    for (what, n, e) in [
        ("1024 bits", vec![0xff; 128], [1, 0, 1]),
        ("another exponent", vec![0xff; 256], [0, 0, 3]),
        ("an even number", [vec![0xff; 255], vec![0xfe]].concat(), [1, 0, 1]),
    ] {
        assert_eq!(with(&n, &e).unwrap_err(), Flaw::Key, "{what}");
    }
}
