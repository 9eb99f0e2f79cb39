//! A key set (RFC 7517 section 5): which keys it offers, and which one a token's header means.

use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::id::{KeyId, Malformed};
use crate::json::{self, Object, Value};
use crate::token::jwk::Wire;
use crate::token::{Algorithm, Jwk, Unfit};

/// Keys of one issuer, each of which meets the policy. Cheap to clone, and so is each key.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(from = "Members")]
pub struct JwkSet(Arc<[Arc<Jwk>]>);

/// As it travels.
#[derive(Deserialize)]
#[serde(rename = "open")]
struct Members {
    keys: Vec<Jwk>,
}

impl From<Members> for JwkSet {
    fn from(members: Members) -> Self {
        members.keys.into_iter().collect()
    }
}

impl Serialize for JwkSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Members<'a> {
            keys: Vec<&'a Jwk>,
        }
        Members { keys: self.keys().collect() }.serialize(serializer)
    }
}

impl FromIterator<Jwk> for JwkSet {
    fn from_iter<I: IntoIterator<Item = Jwk>>(keys: I) -> Self {
        Self(keys.into_iter().map(Arc::new).collect())
    }
}

/// The largest number of keys that is read from a document.
pub const MAX_KEYS: usize = 100;

impl JwkSet {
    /// Reads a set that somebody publishes. Keys that do not meet the policy are left out, each with its reason,
    /// and so are secrets: what everybody can fetch is no secret. The caller bounds the size.
    ///
    /// # Errors
    /// No strict JSON object with an array `keys` of at most [`MAX_KEYS`].
    pub fn parse(bytes: &[u8]) -> Result<(Self, Vec<Unfit>), Malformed> {
        const BAD: Malformed =
            Malformed::new("JWK Set", "a JSON object with `keys`, an array of at most 100 keys");
        let document = json::object(bytes).map_err(|_| BAD)?;
        let entries = document
            .get("keys")
            .and_then(Value::as_array)
            .filter(|keys| keys.len() <= MAX_KEYS)
            .ok_or(BAD)?;
        let (mut keys, mut unfit): (Vec<Jwk>, Vec<Unfit>) = (Vec::new(), Vec::new());
        for entry in entries {
            match Jwk::published(entry) {
                // The same key twice is one key.
                Ok(key) if keys.contains(&key) => {}
                Ok(key) => keys.push(key),
                Err(reason) => unfit.push(reason),
            }
        }
        let ambiguous = |key: &Jwk| keys.iter().filter(|other| key.is_rival_of(other)).count() > 1;
        let (rivals, keys): (Vec<Jwk>, Vec<Jwk>) = keys.iter().cloned().partition(ambiguous);
        unfit.extend(rivals.iter().map(|_| Unfit::Duplicate));
        Ok((keys.into_iter().collect(), unfit))
    }

    /// Whether two keys have one `kid` and could serve the same algorithm.
    #[must_use]
    pub fn has_rivals(&self) -> bool {
        self.keys().any(|key| self.keys().filter(|other| key.is_rival_of(other)).count() > 1)
    }

    /// Each key.
    pub fn keys(&self) -> impl Iterator<Item = &Jwk> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one key that a header means: by `kid`; without a `kid`, the only key that may verify `algorithm`.
    /// Several keys that fit are no key: guessing costs a signature check each.
    #[must_use]
    pub fn find(&self, id: Option<&KeyId>, algorithm: Algorithm) -> Option<&Arc<Jwk>> {
        let mut fitting =
            self.0.iter().filter(|key| key.serves(algorithm) && id.is_none_or(|id| key.id() == Some(id)));
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    }
}

impl Jwk {
    /// A key that everybody may read: of a published set, or in the header of a proof.
    ///
    /// # Errors
    /// Why it is not used; a secret is [`Unfit::Private`].
    pub fn published(entry: &Value<'_>) -> Result<Self, Unfit> {
        let wire = Wire::of(entry.as_object().ok_or(Unfit::Member)?)?;
        if wire.kty == "oct" { Err(Unfit::Private) } else { wire.try_into() }
    }
}

impl Wire {
    /// The members that count; one of the wrong type is not "absent".
    fn of(members: &Object<'_>) -> Result<Self, Unfit> {
        let text = |name| match members.get(name) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone().into_owned())),
            Some(_) => Err(Unfit::Member),
        };
        let key_ops = match members.get("key_ops") {
            None => None,
            Some(Value::Array(ops)) => {
                let ops = ops.iter().map(|op| op.as_text().map(str::to_owned)).collect::<Option<Vec<_>>>();
                Some(ops.ok_or(Unfit::Member)?)
            }
            Some(_) => return Err(Unfit::Member),
        };
        Ok(Self {
            kty: text("kty")?.ok_or(Unfit::Member)?,
            crv: text("crv")?,
            x: text("x")?,
            y: text("y")?,
            n: text("n")?,
            e: text("e")?,
            k: text("k")?,
            public: text("pub")?,
            kid: text("kid")?,
            alg: text("alg")?,
            usage: text("use")?,
            key_ops,
            d: text("d")?,
            private: text("priv")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    fn key(id: Option<&str>) -> Jwk {
        Jwk::p256(id.map(|id| id.parse().unwrap()), X, Y).unwrap()
    }

    fn unfit(members: &str) -> Option<Unfit> {
        let (set, mut unfit) = JwkSet::parse(format!(r#"{{"keys":[{{{members}}}]}}"#).as_bytes()).unwrap();
        assert_ne!(set.is_empty(), unfit.is_empty());
        unfit.pop()
    }

    fn ec(more: &str) -> String {
        format!(r#""kty":"EC","crv":"P-256","x":"{X}","y":"{Y}"{more}"#)
    }

    fn modulus(bytes: usize, last: u8) -> String {
        let mut n = vec![0x81; bytes];
        n.pop();
        n.push(last);
        crate::encoding::base64url(&n)
    }

    #[test]
    fn the_wire_shape_is_pinned() {
        // Stored in KV `jwks:{realm}` and in the keyring: a change needs a migration.
        let written = format!(
            r#"{{"kty":"EC","crv":"P-256","x":"{X}","y":"{Y}","kid":"k","alg":"ES256","use":"sig"}}"#
        );
        assert_eq!(serde_json::to_string(&key(Some("k"))).unwrap(), written);
        assert_eq!(serde_json::from_str::<Jwk>(&written).unwrap(), key(Some("k")));
    }

    #[test]
    fn attack_13_rsa_keys_that_are_weak_or_made_to_cost() {
        let rsa = |n: &str, e: &str| unfit(&format!(r#""kty":"RSA","n":"{n}","e":"{e}""#));
        assert_eq!(rsa(&modulus(256, 1), "AQAB"), None);
        assert_eq!(rsa(&modulus(1024, 1), "AQAB"), None);
        for (bytes, last) in [(64, 1), (128, 1), (255, 1), (1025, 1), (2048, 1), (256, 2)] {
            assert_eq!(rsa(&modulus(bytes, last), "AQAB"), Some(Unfit::Weak), "{bytes} bytes");
        }
        for e in ["AQ", "Aw", "AQAA", "AQAD", "AQAAAAE", "AA", ""] {
            assert_eq!(rsa(&modulus(256, 1), e), Some(Unfit::Exponent), "{e}");
        }
    }

    #[test]
    fn attack_14_points_that_are_none() {
        let x = |x: &str| unfit(&format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}""#));
        assert_eq!(x("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"), None);
        for first in [0_u8, 1] {
            let mut point = [0; 32];
            point[0] = first;
            assert_eq!(x(&crate::encoding::base64url(&point)), Some(Unfit::SmallOrder));
            point[31] = 0x80;
            assert_eq!(x(&crate::encoding::base64url(&point)), Some(Unfit::SmallOrder), "with the sign bit");
        }
        assert_eq!(unfit(&ec("").replace(X, "AA")), Some(Unfit::Member));
        assert_eq!(unfit(&ec("").replace("P-256", "P-384")), Some(Unfit::Member), "another curve's length");
        assert_eq!(unfit(r#""kty":"OKP","crv":"X25519","x":"AA""#), Some(Unfit::Type));
        assert_eq!(unfit(&ec("").replace("x_FEz", "x_FEy")), Some(Unfit::OffCurve));
        assert_eq!(unfit(&ec("").replace("P-256", "secp256k1")), Some(Unfit::OffCurve));
    }

    #[test]
    fn attack_23_a_key_for_something_else_is_left_out_and_the_set_lives() {
        for (members, reason) in [
            (ec(r#","use":"enc""#), Unfit::Usage),
            (ec(r#","key_ops":["sign"]"#), Unfit::Usage),
            (ec(r#","alg":"ES384""#), Unfit::Algorithm),
            (ec(r#","alg":"none""#), Unfit::Algorithm),
            (ec(r#","d":"AA""#), Unfit::Private),
            (ec(r#","kid":7"#), Unfit::Member),
            (format!(r#""kty":"oct","k":"{}""#, modulus(32, 1)), Unfit::Private),
            (r#""kty":"unheard-of""#.to_owned(), Unfit::Type),
            (r#""kid":"k""#.to_owned(), Unfit::Member),
        ] {
            assert_eq!(unfit(&members), Some(reason), "{members}");
            let both = format!(r#"{{"keys":[{{{members}}},{{{}}}]}}"#, ec(""));
            assert_eq!(JwkSet::parse(both.as_bytes()).unwrap().0.keys().count(), 1);
        }
        assert_eq!(
            unfit(&ec(r#","use":"sig","key_ops":["verify"],"alg":"ES256","x5c":["x"],"more":1"#)),
            None
        );
        for bad in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#] {
            assert!(JwkSet::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        let many = format!(r#"{{"keys":[{}]}}"#, vec!["{}"; 101].join(","));
        assert!(JwkSet::parse(many.as_bytes()).is_err());
    }

    #[test]
    fn attack_23_two_keys_of_one_kid_and_kind_are_none_and_one_key_twice_is_one() {
        let parse = |keys: &[String]| {
            let (set, unfit) =
                JwkSet::parse(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()).unwrap();
            (set.keys().count(), unfit)
        };
        let named = |kid: &str| format!("{{{}}}", ec(&format!(r#","kid":"{kid}""#)));
        // RFC 7517 appendix A.1.
        let other = named("k")
            .replace(X, "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4")
            .replace(Y, "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
        let rsa = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB","kid":"k"}}"#, modulus(256, 1));
        assert_eq!(parse(&[named("k"), named("k")]), (1, vec![]));
        assert_eq!(parse(&[named("k"), other.clone()]), (0, vec![Unfit::Duplicate; 2]));
        assert_eq!(parse(&[named("k"), other, named("j")]), (1, vec![Unfit::Duplicate; 2]));
        assert_eq!(
            parse(&[named("k"), rsa]),
            (2, vec![]),
            "RFC 7517 section 4.5: another type is another key"
        );
    }

    #[test]
    fn attack_54_a_short_secret_is_no_key() {
        let oct = |bytes: usize, alg: &str| {
            let k = modulus(bytes, 1);
            serde_json::from_str::<Jwk>(&format!(r#"{{"kty":"oct","k":"{k}","alg":"{alg}"}}"#)).is_ok()
        };
        assert!(oct(32, "HS256") && oct(48, "HS384") && oct(64, "HS512"));
        assert!(!oct(31, "HS256") && !oct(47, "HS384") && !oct(63, "HS512"));
        assert!(serde_json::from_str::<Jwk>(r#"{"kty":"oct","k":""}"#).is_err());
    }

    #[test]
    fn attack_05_and_07_a_key_verifies_nothing_but_its_own_kind() {
        let key = key(None);
        for algorithm in Algorithm::ALL {
            assert_eq!(key.serves(algorithm), algorithm == Algorithm::Es256, "{algorithm:?}");
        }
    }

    #[test]
    fn attack_06_a_key_pinned_to_one_algorithm_serves_no_sibling() {
        let key = |alg: &str| {
            let text = format!(r#"{{"kty":"RSA","n":"{}","e":"AQAB"{alg}}}"#, modulus(256, 1));
            serde_json::from_str::<Jwk>(&text).unwrap()
        };
        let pinned = key(r#","alg":"PS256""#);
        assert!(
            pinned.serves(Algorithm::Ps256)
                && !pinned.serves(Algorithm::Rs256)
                && !pinned.serves(Algorithm::Ps384)
        );
        assert!(
            key("").serves(Algorithm::Rs256)
                && key("").serves(Algorithm::Ps512)
                && !key("").serves(Algorithm::Hs256)
        );
    }

    #[test]
    fn attack_22_a_header_without_kid_means_the_only_key() {
        let find = |keys: Vec<Jwk>, id: Option<&str>| {
            let id = id.map(|id| id.parse().unwrap());
            keys.into_iter().collect::<JwkSet>().find(id.as_ref(), Algorithm::Es256).is_some()
        };
        assert!(find(vec![key(Some("a"))], None));
        assert!(!find(vec![key(Some("a"))], Some("b")));
        assert!(!find(vec![key(Some("a")), key(Some("b"))], None));
        assert!(find(vec![key(Some("a")), key(Some("b"))], Some("b")));
        assert!(!find(vec![key(Some("a")), key(Some("a"))], Some("a")), "two keys of one name");
    }
}
