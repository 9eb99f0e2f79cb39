//! Section A, cases 11 and 12: RSA signatures whose block is not exactly the one that the standard makes.

use rsa::BigUint;

use super::corpus::Corpus;
use super::draft::{Draft, text};
use super::keys::KEYS;
use super::rsa::{Hash, cube_root};

const FORGED: &str = "reject_signature";

/// `DigestInfo` for SHA-256, with other parameters, or none.
fn info(parameters: &[u8], digest: &[u8]) -> Vec<u8> {
    let id: &[u8] = &[0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    let algorithm = super::der::sequence(&[id, parameters].concat());
    super::der::sequence(&[algorithm.as_slice(), &[0x04, 0x20], digest].concat())
}

/// RSASSA-PKCS1-v1_5. All but one are made with the private key: what is wrong is the block alone.
fn v15(to: &mut Corpus) {
    to.attack(11);
    let draft = Draft::of("RS256");
    let rsa = KEYS.rs.rsa();
    let digest = Hash::Sha256.digest(draft.input().as_bytes());
    let prefix = Hash::Sha256.prefix();
    let good = [prefix.as_slice(), &digest].concat();
    assert_eq!(info(&[5, 0], &digest), good);
    to.passes("the_block_of_the_standard", draft.with(&rsa.raw(&rsa.v15_block(&[0, 1], &good))));
    let short = |padding: usize, tail: &[u8], fill: u8| {
        let mut block = [&[0, 1], vec![0xff; padding].as_slice(), &[0], tail].concat();
        block.resize(rsa.length(), fill);
        block
    };
    let changed = |at: usize, to: u8| {
        let mut block = rsa.v15_block(&[0, 1], &good);
        block[at] = to;
        block
    };
    let long_form = [&[0x30, 0x81, 0x31], &prefix[2..], &digest].concat();
    let longer_form = [&[0x30, 0x82, 0x00, 0x31], &prefix[2..], &digest].concat();
    let open = [&[0x30, 0x80], &prefix[2..], digest.as_slice(), &[0, 0]].concat();
    let long_digest = [&[0x30, 0x32], &prefix[2..17], &[0x04, 0x81, 0x20], &digest].concat();
    let inner = [&[0x30, 0x32, 0x30, 0x81, 0x0d], &prefix[4..], &digest].concat();
    let long_null = info(&[0x05, 0x81, 0x00], &digest);
    let end = rsa.length();
    for (name, block) in [
        ("ber_length_of_the_whole", rsa.v15_block(&[0, 1], &long_form)),
        ("ber_length_in_two_bytes", rsa.v15_block(&[0, 1], &longer_form)),
        ("ber_indefinite_length", rsa.v15_block(&[0, 1], &open)),
        ("ber_length_of_the_digest", rsa.v15_block(&[0, 1], &long_digest)),
        ("ber_length_of_the_algorithm", rsa.v15_block(&[0, 1], &inner)),
        ("ber_length_of_the_null", rsa.v15_block(&[0, 1], &long_null)),
        ("no_null", rsa.v15_block(&[0, 1], &info(&[], &digest))),
        ("other_parameters", rsa.v15_block(&[0, 1], &info(&[0x04, 0x00], &digest))),
        ("garbage_in_parameters", rsa.v15_block(&[0, 1], &info(&[0x04, 0x20].repeat(17)[..34], &digest))),
        ("garbage_in_null", rsa.v15_block(&[0, 1], &info(&[0x05, 0x04, 1, 2, 3, 4], &digest))),
        ("garbage_behind", short(8, &good, 0xaa)),
        ("zeros_behind", short(8, &good, 0)),
        ("garbage_behind_long_padding", short(end - 3 - good.len() - 8, &good, 0xaa)),
        ("no_padding", short(0, &good, 0xff)),
        ("seven_bytes_of_padding", short(7, &good, 0)),
        ("one_zero_behind", short(end - 3 - good.len() - 1, &good, 0)),
        ("digest_alone", rsa.v15_block(&[0, 1], &digest)),
        ("digest_without_its_tag", rsa.v15_block(&[0, 1], &[&prefix[..17], &digest].concat())),
        ("block_type_0", changed(1, 0)),
        ("block_type_2", changed(1, 2)),
        ("first_byte_1", changed(0, 1)),
        ("a_hole_in_the_padding", changed(20, 0)),
        ("a_wrong_byte_of_padding", changed(20, 0xfe)),
        ("last_byte_of_padding", changed(end - good.len() - 2, 0xfe)),
        ("no_zero_between", changed(end - good.len() - 1, 0xff)),
        ("another_object_identifier", changed(end - 37, 2)),
        ("another_tag", changed(end - 34, 0x24)),
        ("another_length_of_the_digest", changed(end - 33, 0x1f)),
        ("another_digest", changed(end - 1, !digest[31])),
        ("first_byte_of_the_digest", changed(end - 32, !digest[0])),
        ("sha_512_said", rsa.v15_block(&[0, 1], &[Hash::Sha512.prefix().as_slice(), &digest].concat())),
        (
            "sha_512_done",
            rsa.v15_block(
                &[0, 1],
                &[Hash::Sha512.prefix().as_slice(), &Hash::Sha512.digest(draft.input().as_bytes())].concat(),
            ),
        ),
        (
            "digest_of_the_digest",
            rsa.v15_block(&[0, 1], &[&prefix[..], &Hash::Sha256.digest(&digest)].concat()),
        ),
        ("digest_of_nothing", rsa.v15_block(&[0, 1], &[&prefix[..], &Hash::Sha256.digest(&[])].concat())),
        ("twice", rsa.v15_block(&[0, 1], &[good.as_slice(), &good].concat())),
        ("a_pss_block", rsa.pss_block(Hash::Sha256, Hash::Sha256, &[7; 32], draft.input().as_bytes())),
    ] {
        to.refused(name, FORGED, draft.with(&rsa.raw(&block)));
    }
    // Bleichenbacher 2006: for e = 3 this cube would have the right beginning, without any private key.
    let root = cube_root(&BigUint::from_bytes_be(&short(8, &good, 0)));
    to.refused("cube_root", FORGED, draft.with(&rsa.filled(&root)));
    to.refused("unsigned_block", FORGED, draft.with(&rsa.v15_block(&[0, 1], &good)));
    let public = BigUint::from_bytes_be(&rsa.v15_block(&[0, 1], &good)).modpow(&rsa.e, &rsa.n);
    to.refused("public_key_applied", FORGED, draft.with(&rsa.filled(&public)));
}

fn pss(to: &mut Corpus) {
    to.attack(12);
    for (alg, hash) in [("PS256", Hash::Sha256), ("PS384", Hash::Sha384), ("PS512", Hash::Sha512)] {
        let draft = Draft::of(alg);
        let (rsa, input) = (KEYS.ps.rsa(), draft.input());
        let input = input.as_bytes();
        let salted = |length: usize| rsa.pss_block(hash, hash, &vec![0x33; length], input);
        let own = hash.length();
        to.passes(&format!("{alg}_another_salt"), draft.with(&rsa.raw(&salted(own))));
        for length in [0, 1, 20, own - 1, own + 1, rsa.length() - own - 2] {
            let name = format!("{alg}_salt_of_{length}");
            to.refused(&name, FORGED, draft.with(&rsa.raw(&salted(length))));
        }
        for (name, other) in [("256", Hash::Sha256), ("384", Hash::Sha384), ("512", Hash::Sha512)] {
            if other.length() == own {
                continue;
            }
            let salt = vec![0x33; own];
            let mask = rsa.pss_block(hash, other, &salt, input);
            to.refused(&format!("{alg}_mask_by_sha_{name}"), FORGED, draft.with(&rsa.raw(&mask)));
            let digest = rsa.pss_block(other, hash, &salt, input);
            to.refused(&format!("{alg}_digest_by_sha_{name}"), FORGED, draft.with(&rsa.raw(&digest)));
        }
        let changed = |at: usize, bits: u8| {
            let mut block = salted(own);
            block[at] ^= bits;
            block
        };
        let end = rsa.length();
        for (name, block) in [
            ("another_trailer", changed(end - 1, 0xbc ^ 0xcc)),
            ("a_bit_of_the_padding", changed(3, 1)),
            ("a_bit_of_the_separator", changed(end - 2 * own - 2, 1)),
            ("a_bit_of_the_salt", changed(end - own - 2, 1)),
            ("a_bit_of_the_digest", changed(end - 2, 1)),
        ] {
            to.refused(&format!("{alg}_{name}"), FORGED, draft.with(&rsa.raw(&block)));
        }
        // The topmost bit must be zero (RFC 8017 section 9.1.2, step 6): look for a block that is still below n.
        let top = (0..).map(|n| Draft::of(alg).claim("jti", &text(&n.to_string()))).find_map(|draft| {
            let mut block = rsa.pss_block(hash, hash, &vec![0x33; own], draft.input().as_bytes());
            block[0] |= 0x80;
            (BigUint::from_bytes_be(&block) < rsa.n).then(|| draft.with(&rsa.raw(&block)))
        });
        to.refused(&format!("{alg}_topmost_bit"), FORGED, top.unwrap());
    }
}

pub(super) fn add(to: &mut Corpus) {
    v15(to);
    pss(to);
}

tests! {
    11 attack_11_blocks_of_pkcs1_that_are_not_exact;
    12 attack_12_blocks_of_pss_that_are_not_exact;
}
