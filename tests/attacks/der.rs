//! As much DER and PEM as public keys and signatures need.

use base64ct::{Base64, Encoding as _};

/// Object identifiers and parameters, as they stand.
pub(super) const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
pub(super) const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
pub(super) const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
pub(super) const P384: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22];
pub(super) const P521: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
pub(super) const SECP256K1: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a];
pub(super) const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
pub(super) const NULL: &[u8] = &[0x05, 0x00];

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match (high, low) {
        (0, 0..0x80) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head.as_slice(), content].concat()
}

pub(super) fn sequence(content: &[u8]) -> Vec<u8> {
    element(0x30, content)
}

/// A number that is not negative, from its big-endian bytes.
pub(super) fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let bare = &number[zeros.min(number.len() - 1)..];
    let sign: &[u8] = if bare[0] & 0x80 == 0 { &[] } else { &[0] };
    element(0x02, &[sign, bare].concat())
}

pub(super) fn spki(algorithm: &[&[u8]], key: &[u8]) -> Vec<u8> {
    let bits = element(0x03, &[&[0], key].concat());
    sequence(&[sequence(&algorithm.concat()), bits].concat())
}

/// With lines of 64 and no line feed at its end.
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let body = Base64::encode_string(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", lines.join("\n"))
}
