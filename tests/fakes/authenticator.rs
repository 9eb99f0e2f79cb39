//! An authenticator with one passkey, as a browser would speak for it (Web Authentication Level 3).

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};
use serde_json::json;
use tollgate::encoding::{Digest, base64url, from_base64url};

/// Bits of the flags.
pub(crate) const PRESENT: u8 = 0x01;
pub(crate) const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

/// One passkey for one relying party.
pub(crate) struct Authenticator {
    pub(crate) key: SigningKey,
    pub(crate) id: Vec<u8>,
    /// Whose it is: `user.id`.
    pub(crate) user: String,
    pub(crate) origin: String,
    pub(crate) party: String,
    pub(crate) flags: u8,
    pub(crate) counter: u32,
}

/// What a page hands back: names and values of its form.
pub(crate) type Said = Vec<(&'static str, String)>;

impl Authenticator {
    /// A new passkey; `n` makes it another one.
    pub(crate) fn new(n: u8, origin: &str, party: &str, user: &str) -> Self {
        Self {
            key: SigningKey::from_slice(&[n; 32]).unwrap(),
            id: vec![n; 16],
            user: user.to_owned(),
            origin: origin.to_owned(),
            party: party.to_owned(),
            flags: PRESENT | VERIFIED,
            counter: 0,
        }
    }

    fn client_data(&self, kind: &str, challenge: &str) -> Vec<u8> {
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    fn data(&self, flags: u8, more: &[u8]) -> Vec<u8> {
        let party = Digest::of(self.party.as_bytes());
        [party.bytes().as_slice(), &[flags], &self.counter.to_be_bytes(), more].concat()
    }

    /// What comes of `navigator.credentials.create`.
    pub(crate) fn make(&self, challenge: &str) -> Said {
        let point = self.key.verifying_key().to_sec1_point(false);
        let mut more = vec![0; 16];
        more.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        more.extend(&self.id);
        more.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        more.extend(point.x().unwrap());
        more.extend([0x22, 0x58, 0x20]);
        more.extend(point.y().unwrap());
        vec![
            ("id", base64url(&self.id)),
            ("client_data", base64url(&self.client_data("webauthn.create", challenge))),
            ("authenticator_data", base64url(&self.data(self.flags | ATTESTED, &more))),
        ]
    }

    /// What comes of `navigator.credentials.get`.
    pub(crate) fn answer(&self, challenge: &str) -> Said {
        let (client_data, data) = (self.client_data("webauthn.get", challenge), self.data(self.flags, &[]));
        let input = [data.as_slice(), Digest::of(&client_data).bytes()].concat();
        let signature: DerSignature = self.key.sign(&input);
        vec![
            ("id", base64url(&self.id)),
            ("client_data", base64url(&client_data)),
            ("authenticator_data", base64url(&data)),
            ("signature", base64url(signature.as_bytes())),
            ("user", self.user.clone()),
        ]
    }
}

/// The same, but for one value, of which a bit of the last byte is another.
pub(crate) fn bent(said: &Said, name: &str) -> Said {
    let bend = |(at, value): &(&'static str, String)| {
        let mut bytes = from_base64url(value).unwrap();
        if *at == name {
            *bytes.last_mut().unwrap() ^= 1;
        }
        (*at, base64url(&bytes))
    };
    said.iter().map(bend).collect()
}
