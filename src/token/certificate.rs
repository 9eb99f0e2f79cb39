//! The certificate of a client's connection (RFC 8705), as the platform tells of it.

use crate::encoding::{Digest, base64url, from_hex};

/// What Cloudflare says of a client's certificate: members of `request.cf.tlsClientAuth`. The edge has ended the handshake before there is a request, and
/// with it checked that the client holds the certificate's key (RFC 8446 section 4.4.3).
#[derive(Clone, Copy, Debug)]
pub struct ClientCertificate<'a> {
    /// `certPresented`: `1` where there is one.
    pub presented: &'a str,
    /// `certVerified`: `SUCCESS`, or `FAILED:` and why its chain does not count at the edge; `NONE` without a certificate.
    pub verified: &'a str,
    /// `certRevoked`: `0`, or `1` where a certificate of a good chain was taken back.
    pub revoked: &'a str,
    /// `certFingerprintSHA256`: of its DER, in hexadecimal.
    pub fingerprint: &'a str,
}

impl ClientCertificate<'_> {
    /// The thumbprint of a certificate that the client has proved to hold. Whose authority it comes from does not count, as it may be the client's own
    /// (RFC 8705 sections 2.2 and 3): the token says which it is. One that was revoked proves nothing, and anything that is not as documented neither.
    #[must_use]
    pub fn thumbprint(&self) -> Option<Digest> {
        let is_there = self.presented == "1" && self.revoked == "0";
        let is_told = self.verified == "SUCCESS" || self.verified.starts_with("FAILED:");
        let bytes = from_hex::<32>(&self.fingerprint.to_ascii_lowercase()).ok()?;
        Digest::try_from(base64url(&bytes)).ok().filter(|_| is_there && is_told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::hex;

    #[test]
    fn rfc8705_section_3_what_was_presented_and_not_revoked_counts() {
        let digest = Digest::of(b"der");
        let print = hex(digest.bytes());
        let upper = print.to_ascii_uppercase();
        for (presented, verified, revoked, fingerprint, counts) in [
            ("1", "SUCCESS", "0", print.as_str(), true),
            ("1", "SUCCESS", "0", &upper, true),
            ("1", "FAILED:self signed certificate", "0", &print, true),
            ("1", "SUCCESS", "1", &print, false),
            ("0", "NONE", "0", "", false),
            ("0", "SUCCESS", "0", &print, false),
            ("1", "NONE", "0", &print, false),
            ("1", "", "0", &print, false),
            ("1", "success", "0", &print, false),
            ("true", "SUCCESS", "0", &print, false),
            ("1", "SUCCESS", "", &print, false),
            ("1", "SUCCESS", "0", "", false),
            ("1", "SUCCESS", "0", &print[2..], false),
            ("1", "SUCCESS", "0", &format!("{print}00"), false),
            ("1", "SUCCESS", "0", &print.replace(&print[..2], "g0"), false),
        ] {
            let said = ClientCertificate { presented, verified, revoked, fingerprint };
            assert_eq!(said.thumbprint(), counts.then_some(digest), "{said:?}");
        }
    }
}
