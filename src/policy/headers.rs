//! Which request headers reach an upstream.
//!
//! An upstream behind tollgate believes identity headers, so no caller may send one: not with `_` for `-`,
//! not in another case, not hidden by naming ours in `Connection`.

/// Headers of this exact name speak of who is calling, in one product or another.
const IDENTITY_NAMES: [&str; 8] = [
    "remote-user",
    "forwarded",
    "x-real-ip",
    "x-client-cert",
    "x-consumer-id",
    "x-consumer-username",
    "x-credential-identifier",
    "x-userinfo",
];

/// Headers that start so do as well.
const IDENTITY_PREFIXES: [&str; 16] = [
    "tollgate-",
    "x-tollgate-",
    "x-auth-",
    "x-authenticated-",
    "x-user",
    "x-remote-",
    "x-forwarded-",
    "x-original-",
    "x-jwt-",
    "x-webauth-",
    "x-goog-authenticated-user-",
    "x-goog-iap-",
    "x-ms-client-",
    "x-amzn-oidc-",
    "cf-access-",
    "x-envoy-",
];

/// Hop by hop (RFC 9110 section 7.6.1). `upgrade` is left to the platform, which serves web sockets.
const HOP_BY_HOP: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
];

/// Whether a caller's header would be read as identity by an upstream: compared without regard to case, and
/// with `_` read as `-`, because CGI-style servers do the same.
#[must_use]
pub fn is_identity_header(name: &str) -> bool {
    let name: String = name.chars().map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect();
    IDENTITY_NAMES.contains(&name.as_str()) || IDENTITY_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether a caller's header goes on to the upstream. `connection` is the value of the `Connection` header.
#[must_use]
pub fn forwards(name: &str, connection: &str) -> bool {
    let named = || connection.split(',').any(|token| token.trim().eq_ignore_ascii_case(name));
    !is_identity_header(name)
        && !HOP_BY_HOP.iter().any(|hop| name.eq_ignore_ascii_case(hop))
        && (name.eq_ignore_ascii_case("upgrade") || !named())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_56_identity_headers_are_seen_in_every_spelling() {
        for name in [
            "X-Tollgate-Subject",
            "x_tollgate_subject",
            "X-TOLLGATE_SUBJECT",
            "Tollgate-Subject",
            "X-User",
            "X_Forwarded_User",
            "x-forwarded-email",
            "X-Auth-Request-User",
            "CF-Access-Authenticated-User-Email",
            "Cf_Access_Jwt_Assertion",
            "Remote_User",
            "X-Remote-User",
            "X-Original-URI",
            "X-Forwarded-For",
            "Forwarded",
            "X-Userinfo",
            "X-User-Id",
        ] {
            assert!(is_identity_header(name), "{name}");
            assert!(!forwards(name, ""), "{name}");
        }
    }

    #[test]
    fn attack_56_connection_cannot_carry_or_hide_a_header() {
        assert!(!forwards("X-Secret", "close, x-secret"));
        assert!(!forwards("Connection", ""));
        assert!(!forwards("Transfer-Encoding", ""));
        assert!(forwards("Upgrade", "Upgrade"));
    }

    #[test]
    fn ordinary_headers_pass() {
        for name in
            ["accept", "content-type", "user-agent", "cookie", "x-request-id", "idempotency-key", "cf-ray"]
        {
            assert!(forwards(name, "keep-alive"), "{name}");
        }
    }
}
