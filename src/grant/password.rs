//! Passwords, as they are kept: Argon2id (RFC 9106), with the parameters in the record.
//!
//! A record that was made with other parameters than today's is made anew when its password is next right. Checking takes
//! the same time whether there is a record or not: without one, a record that fits nothing is checked
//! ([`PasswordRecord::refuse`]).
//!
//! A password is counted in characters, at least 8 and at most 128 (NIST SP 800-63B section 3.1.1.2), and taken as it is
//! typed: no rule on what it is made of.

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};

use crate::encoding::{base64url, secret_from_base64url};
use crate::error::Fault;
use crate::secret::Secret;
use subtle::ConstantTimeEq;

/// Memory in KiB, passes, lanes: the second of OWASP's equal choices. One check holds 19 MiB of an isolate's 128, and its
/// principal answers one question at a time.
const TODAY: Cost = Cost { memory: 19_456, passes: 2, lanes: 1 };

/// Parameters above these are no record of ours: they would stop the isolate.
const MOST: Cost = Cost { memory: 65_536, passes: 10, lanes: 4 };

const HASH_BYTES: usize = 32;

/// What a check costs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Cost {
    /// KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
}

/// A password as it is kept. Stored as JSON; a test pins the shape.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct PasswordRecord {
    algorithm: Kind,
    cost: Cost,
    salt: String,
    hash: String,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
enum Kind {
    #[serde(rename = "argon2id")]
    Argon2id,
}

impl std::fmt::Debug for PasswordRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordRecord(..)")
    }
}

/// Whether a password is right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is.
    Right,
    /// It is, and its record should be made anew.
    RightButOld,
    /// It is not.
    Wrong,
}

/// Whether a text may be a password: 8 to 128 characters.
#[must_use]
pub fn may_be_password(text: &str) -> bool {
    (8..=128).contains(&text.chars().count())
}

impl PasswordRecord {
    /// A record of a password, with 16 random bytes of salt.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn make(password: &Secret, salt: &[u8; 16]) -> Result<Self, Fault> {
        let hash = TODAY.hash(password.reveal(), salt)?;
        Ok(Self { algorithm: Kind::Argon2id, cost: TODAY, salt: base64url(salt), hash: base64url(&hash) })
    }

    /// Whether this is the password. Compares in constant time.
    ///
    /// # Errors
    /// The record is damaged, or there is not enough memory.
    pub fn check(&self, password: &Secret) -> Result<Verdict, Fault> {
        let damaged = |_| Fault::new(OP, "the stored record is damaged");
        if self.cost.exceeds(MOST) {
            return Err(Fault::new(OP, "the stored record asks for too much"));
        }
        let salt = secret_from_base64url(&self.salt).map_err(damaged)?;
        let known = secret_from_base64url(&self.hash).map_err(damaged)?;
        let hash = self.cost.hash(password.reveal(), &salt)?;
        Ok(match (bool::from(known.ct_eq(hash.as_slice())), self.cost == TODAY) {
            (true, true) => Verdict::Right,
            (true, false) => Verdict::RightButOld,
            (false, _) => Verdict::Wrong,
        })
    }

    /// Takes as long as [`Self::check`] and finds nothing right: for whoever has no record.
    ///
    /// # Errors
    /// There is not enough memory.
    pub fn refuse(password: &Secret) -> Result<Verdict, Fault> {
        let hash = TODAY.hash(password.reveal(), &[0; 16])?;
        // Nothing hashes to this by any chance that matters; the comparison is for the time that it takes.
        let _ = bool::from(hash.ct_eq(&[0; HASH_BYTES]));
        Ok(Verdict::Wrong)
    }
}

const OP: &str = "hash password";

impl Cost {
    const fn exceeds(self, other: Self) -> bool {
        self.memory > other.memory || self.passes > other.passes || self.lanes > other.lanes
    }

    fn hash(self, password: &[u8], salt: &[u8]) -> Result<[u8; HASH_BYTES], Fault> {
        let fault = |error: argon2::Error| Fault::new(OP, error.to_string());
        let params = Params::new(self.memory, self.passes, self.lanes, Some(HASH_BYTES)).map_err(fault)?;
        let mut hash = [0; HASH_BYTES];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password, salt, &mut hash)
            .map_err(fault)?;
        Ok(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.as_bytes().to_vec())
    }

    #[test]
    fn rfc9106_section_5_3_the_vector_of_argon2id() {
        // The RFC's vector has a secret and associated data, which records here do not use: the crate is checked with both.
        let params = argon2::ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .data(argon2::AssociatedData::new(&[4; 12]).unwrap())
            .output_len(32)
            .build()
            .unwrap();
        let argon = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let mut hash = [0; 32];
        argon.hash_password_into(&[1; 32], &[2; 16], &mut hash).unwrap();
        assert_eq!(
            crate::encoding::hex(&hash),
            "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
        );
    }

    #[test]
    fn a_password_is_right_for_its_own_record_only() {
        let record = PasswordRecord::make(&secret("correct horse"), &[1; 16]).unwrap();
        assert_eq!(record.check(&secret("correct horse")).unwrap(), Verdict::Right);
        for other in ["", "correct horsf", "correct horse ", "Correct horse"] {
            assert_eq!(record.check(&secret(other)).unwrap(), Verdict::Wrong, "{other:?}");
        }
        assert_eq!(PasswordRecord::refuse(&secret("correct horse")).unwrap(), Verdict::Wrong);
    }

    #[test]
    fn a_record_of_other_parameters_is_right_but_old_and_one_that_asks_for_too_much_is_a_fault() {
        let cheap = Cost { memory: 64, passes: 1, lanes: 1 };
        let hash = base64url(&cheap.hash(b"password", &[1; 16]).unwrap());
        let record =
            PasswordRecord { algorithm: Kind::Argon2id, cost: cheap, salt: base64url(&[1; 16]), hash };
        assert_eq!(record.check(&secret("password")).unwrap(), Verdict::RightButOld);
        let huge = PasswordRecord { cost: Cost { memory: 4_000_000, ..TODAY }, ..record };
        assert!(huge.check(&secret("password")).is_err());
    }

    #[test]
    fn length_counts_in_characters() {
        for (text, may) in [("1234567", false), ("12345678", true), ("ääääääää", true)] {
            assert_eq!(may_be_password(text), may, "{text}");
        }
        assert!(may_be_password(&"x".repeat(128)) && !may_be_password(&"x".repeat(129)));
    }

    #[test]
    fn the_stored_shape_is_pinned_and_prints_nothing() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        let record = PasswordRecord {
            algorithm: Kind::Argon2id,
            cost: TODAY,
            salt: "c2FsdA".to_owned(),
            hash: "aGFzaA".to_owned(),
        };
        assert_eq!(
            serde_json::to_string(&record).unwrap(),
            r#"{"algorithm":"argon2id","cost":{"memory":19456,"passes":2,"lanes":1},"salt":"c2FsdA","hash":"aGFzaA"}"#
        );
        assert_eq!(format!("{record:?}"), "PasswordRecord(..)");
    }
}
