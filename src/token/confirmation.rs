//! What a token is bound to (RFC 7800), and who may use it then (RFC 9449, RFC 8705).

use crate::encoding::Digest;
use crate::error::Denied;
use crate::json::Object;

/// Whether a token is bound to a key (RFC 7800).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Confirmation {
    /// Whoever bears it may use it.
    Bearer,
    /// Only over a connection whose client has the certificate of this thumbprint: `x5t#S256` and nothing else (RFC 8705 section 3.1).
    Certificate(Digest),
    /// Only whoever holds the key of this thumbprint: `jkt` and nothing else (RFC 9449 section 6.1).
    Key(Digest),
    /// Only whoever holds the key of the first thumbprint, over a connection with the certificate of the second.
    KeyAndCertificate(Digest, Digest),
    /// Only with a proof of a kind that is not known here.
    Other,
}

/// Whoever is at the other end of a connection.
pub trait Peer {
    /// The thumbprint of the certificate whose key they have proved to hold in the handshake (RFC 8705 section 3.1): the SHA-256 of its DER.
    /// What a header says of it is never asked.
    fn certificate(&self) -> Option<Digest>;
}

/// What is known of whoever presents a token.
#[derive(Clone, Copy)]
pub enum Holder<'a> {
    /// They bear it, and have proved nothing else.
    Bearer,
    /// They have come over a connection, and may have proved that they hold the key of this thumbprint (RFC 9449).
    Caller(Option<Digest>, &'a dyn Peer),
    /// They have proved that they hold the key of this thumbprint (RFC 9449).
    Key(Digest),
    /// Nobody uses it: somebody asks what it is, or takes it back.
    Nobody,
}

impl std::fmt::Debug for Holder<'_> {
    /// The kind only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bearer => "Bearer",
            Self::Caller(..) => "Caller(..)",
            Self::Key(_) => "Key(..)",
            Self::Nobody => "Nobody",
        })
    }
}

impl Confirmation {
    /// Whether it takes a look at the connection to tell who may use the token.
    pub(crate) const fn has_certificate(self) -> bool {
        matches!(self, Self::Certificate(_) | Self::KeyAndCertificate(..))
    }

    /// Whether a token that is bound so may be used by such a holder (RFC 9449 sections 7.1 and 7.2, RFC 8705 section 3): a bound one not without its
    /// proof, and one that is not bound to a key not as if it were. The certificate of a connection is asked for only where the token names one.
    ///
    /// # Errors
    /// [`Denied::RefuseUnproven`], [`Denied::RefuseUnbound`], [`Denied::RejectProof`].
    pub fn met_by(self, holder: Holder<'_>) -> Result<(), Denied> {
        let (proved, peer) = match holder {
            Holder::Nobody => return Ok(()),
            Holder::Bearer => (None, None),
            Holder::Caller(key, peer) => (key, Some(peer)),
            Holder::Key(key) => (Some(key), None),
        };
        let (key, certificate) = match self {
            Self::Other => return Err(Denied::RefuseUnproven),
            Self::Bearer => (None, None),
            Self::Certificate(certificate) => (None, Some(certificate)),
            Self::Key(key) => (Some(key), None),
            Self::KeyAndCertificate(key, certificate) => (Some(key), Some(certificate)),
        };
        match (key, proved) {
            (Some(key), Some(proved)) if key != proved => return Err(Denied::RejectProof("jkt")),
            (Some(_), None) => return Err(Denied::RefuseUnproven),
            (None, Some(_)) => return Err(Denied::RefuseUnbound),
            (None, None) | (Some(_), Some(_)) => {}
        }
        if certificate.is_some() && peer.and_then(Peer::certificate) != certificate {
            return Err(Denied::RefuseUnproven);
        }
        Ok(())
    }

    pub(super) fn read(claims: &Object<'_>) -> Self {
        let Some(cnf) = claims.get("cnf") else { return Self::Bearer };
        let Some(members) = cnf.as_object() else { return Self::Other };
        let digest = |name| Digest::try_from(members.get(name)?.as_text()?.to_owned()).ok();
        // What is there and is no thumbprint, or is not known, makes it more than can be proved here.
        match (members.iter().count(), digest("jkt"), digest("x5t#S256")) {
            (1, Some(key), None) => Self::Key(key),
            (1, None, Some(certificate)) => Self::Certificate(certificate),
            (2, Some(key), Some(certificate)) => Self::KeyAndCertificate(key, certificate),
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Claims;

    fn read(members: &str) -> Result<Claims, Denied> {
        Claims::parse(format!(r#"{{"iss":"i","sub":"s",{members}}}"#).as_bytes())
    }

    #[test]
    fn any_cnf_makes_a_token_bound() {
        let key = Digest::of(b"key");
        for cnf in [
            "{}",
            "null",
            r#"{"jkt":"x"}"#,
            &format!(r#"{{"jkt":["{key}"]}}"#),
            &format!(r#"{{"jkt":"{key}","x5t#S256":"y"}}"#),
        ] {
            assert_eq!(read(&format!(r#""cnf":{cnf}"#)).unwrap().confirmation, Confirmation::Other, "{cnf}");
        }
        let bound = read(&format!(r#""cnf":{{"jkt":"{key}"}}"#)).unwrap().confirmation;
        assert_eq!(bound, Confirmation::Key(key));
    }

    struct Cert(Option<Digest>);

    impl Peer for Cert {
        fn certificate(&self) -> Option<Digest> {
            self.0
        }
    }

    #[test]
    fn rfc8705_section_3_1_a_token_is_bound_to_a_certificate_to_a_key_or_to_both() {
        let (key, certificate) = (Digest::of(b"key"), Digest::of(b"certificate"));
        let bound = |cnf: String| read(&format!(r#""cnf":{cnf}"#)).unwrap().confirmation;
        let [jkt, x5t] = [format!(r#""jkt":"{key}""#), format!(r#""x5t#S256":"{certificate}""#)];
        assert_eq!(bound(format!("{{{x5t}}}")), Confirmation::Certificate(certificate));
        assert_eq!(bound(format!("{{{x5t},{jkt}}}")), Confirmation::KeyAndCertificate(key, certificate));
        for other in [
            format!(r#"{{{x5t},"x5t":"y"}}"#),
            format!(r#"{{{x5t},"jkt":null}}"#),
            format!(r#"{{{x5t},{jkt},"kid":"1"}}"#),
            format!(r#"{{"x5t#s256":"{certificate}"}}"#),
            format!(r#"{{"x5t#S256":["{certificate}"]}}"#),
            r#"{"x5t#S256":""}"#.to_owned(),
        ] {
            assert_eq!(bound(other.clone()), Confirmation::Other, "{other}");
        }
    }

    #[test]
    fn rfc8705_section_3_only_the_certificate_of_the_connection_counts() {
        use Confirmation as C;
        let (key, other, cert) = (Digest::of(b"key"), Digest::of(b"other"), Digest::of(b"certificate"));
        let (none, its, another) = (Cert(None), Cert(Some(cert)), Cert(Some(other)));
        let unproven = Err(Denied::RefuseUnproven);
        for (at, (bound, holder, want)) in [
            (C::Certificate(cert), Holder::Caller(None, &its), Ok(())),
            (C::Certificate(cert), Holder::Caller(None, &another), unproven.clone()),
            (C::Certificate(cert), Holder::Caller(None, &none), unproven.clone()),
            (C::Certificate(cert), Holder::Bearer, unproven.clone()),
            (C::Certificate(cert), Holder::Nobody, Ok(())),
            // RFC 9449 section 7.1: with a proof of a key that it is not bound to, it is none.
            (C::Certificate(cert), Holder::Caller(Some(key), &its), Err(Denied::RefuseUnbound)),
            (C::KeyAndCertificate(key, cert), Holder::Caller(Some(key), &its), Ok(())),
            (C::KeyAndCertificate(key, cert), Holder::Caller(None, &its), unproven.clone()),
            (C::KeyAndCertificate(key, cert), Holder::Caller(Some(key), &another), unproven.clone()),
            (
                C::KeyAndCertificate(key, cert),
                Holder::Caller(Some(other), &its),
                Err(Denied::RejectProof("jkt")),
            ),
            (C::KeyAndCertificate(key, cert), Holder::Key(key), unproven.clone()),
            // A certificate binds nothing by being there.
            (C::Bearer, Holder::Caller(None, &its), Ok(())),
            (C::Key(key), Holder::Caller(Some(key), &its), Ok(())),
            (C::Key(key), Holder::Caller(None, &its), unproven.clone()),
            (C::Other, Holder::Caller(Some(key), &its), unproven),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(bound.met_by(holder), want, "{at}");
        }
    }

    #[test]
    fn rfc9449_section_7_2_a_bound_token_is_no_bearer_token_and_the_other_way_round() {
        use Confirmation as C;
        let (key, other) = (Digest::of(b"key"), Digest::of(b"other"));
        for (bound, holder, want) in [
            (C::Bearer, Holder::Bearer, Ok(())),
            (C::Bearer, Holder::Key(key), Err(Denied::RefuseUnbound)),
            (C::Key(key), Holder::Bearer, Err(Denied::RefuseUnproven)),
            (C::Key(key), Holder::Key(key), Ok(())),
            (C::Key(key), Holder::Key(other), Err(Denied::RejectProof("jkt"))),
            (C::Other, Holder::Bearer, Err(Denied::RefuseUnproven)),
            (C::Other, Holder::Key(key), Err(Denied::RefuseUnproven)),
            (C::Other, Holder::Nobody, Ok(())),
        ] {
            assert_eq!(bound.met_by(holder), want, "{bound:?} {holder:?}");
        }
    }
}
