//! Published vectors, through the same port that the edge serves with `WebCrypto`.

use tollgate::port::Verifier;
use tollgate::software::SoftwareVerifier;
use tollgate::token::{Compact, Jwk};

use crate::fakes::run;

fn verifies(key: &Jwk, token: &str) -> bool {
    run(SoftwareVerifier.verify(key, &Compact::parse(token).unwrap())).unwrap()
}

/// RFC 7515 appendix A.3: ES256.
const KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const TOKEN: &str = concat!(
    "eyJhbGciOiJFUzI1NiJ9",
    ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
);

#[test]
fn rfc7515_appendix_a_3_es256() {
    let key: Jwk = serde_json::from_str(KEY).unwrap();
    assert!(verifies(&key, TOKEN));
    assert!(!verifies(&key, &TOKEN.replace(".Dt", ".Du")), "another signature");
    assert!(!verifies(&key, &TOKEN.replace("LA0K", "LA0L")), "another payload");
}

#[test]
fn attack_14_a_point_off_the_curve_verifies_nothing() {
    let off: Jwk = serde_json::from_str(&KEY.replace("x_FEz", "x_FEy")).unwrap();
    assert!(!verifies(&off, TOKEN));
}

#[test]
fn rfc7638_section_3_the_thumbprint_names_the_required_members_in_order() {
    let key: Jwk = serde_json::from_str(KEY).unwrap();
    let members = r#"{"crv":"P-256","kty":"EC","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    assert_eq!(key.thumbprint().bytes(), &hmac_sha256::Hash::hash(members.as_bytes()));
}
