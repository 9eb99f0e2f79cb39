//! Which request headers reach an upstream.
//!
//! An upstream behind tollgate believes identity headers, so no caller may send one: not with `_` for `-`,
//! not in another case, not hidden by naming ours in `Connection`.

use std::borrow::Cow;

/// Headers of this exact name speak of who is calling, in one product or another.
const IDENTITY_NAMES: [&str; 14] = [
    "forwarded",
    "true-client-ip",
    "x-access-token",
    "x-anonymous-consumer",
    "x-apigateway-api-userinfo",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-email",
    "x-endpoint-api-userinfo",
    "x-forwarded",
    "x-groups",
    "x-id-token",
    "x-real-ip",
    "x-roles",
];

/// Headers that start so do as well.
const IDENTITY_PREFIXES: [&str; 8] =
    ["tollgate-", "cf-access-", "iv-", "oidc-", "remote-", "sm-", "ssl-client-", "tailscale-"];

/// And those that start so behind `x-`.
const IDENTITY_X_PREFIXES: [&str; 24] = [
    "tollgate-",
    "amzn-oidc-",
    "auth-",
    "authelia-",
    "authenticated-",
    "authentik-",
    "client-cert",
    "consumer-",
    "credential-",
    "envoy-",
    "forwarded-",
    "goog-authenticated-user-",
    "goog-iap-",
    "hasura-",
    "jwt-",
    "ms-client-",
    "ms-token-",
    "original-",
    "pomerium-",
    "remote-",
    "ssl-",
    "user",
    "vouch-",
    "webauth-",
];

/// Headers that make some servers act on another method or path than the one that was allowed.
pub(super) const OVERRIDES: [&str; 4] =
    ["x-http-method", "x-http-method-override", "x-method-override", "x-rewrite-url"];

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

/// A header's name as a CGI-style server would tell it from others: case does not count, and neither does which
/// punctuation stands between its words.
pub(super) fn plain(name: &str) -> Cow<'_, str> {
    // As the platform spells most of them.
    if name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
        return Cow::Borrowed(name);
    }
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// Whether a caller's header would be read as identity by an upstream.
#[must_use]
pub fn is_identity_header(name: &str) -> bool {
    is_identity(&plain(name))
}

fn is_identity(plain: &str) -> bool {
    let starts = plain.strip_prefix("x-").map_or_else(
        || IDENTITY_PREFIXES.iter().any(|prefix| plain.starts_with(prefix)),
        |rest| IDENTITY_X_PREFIXES.iter().any(|prefix| rest.starts_with(prefix)),
    );
    starts || IDENTITY_NAMES.contains(&plain)
}

/// Whether a caller's header goes on to the upstream. `connection` is the value of the `Connection` header.
#[must_use]
pub fn forwards(name: &str, connection: &str) -> bool {
    let named = || connection.split(',').any(|token| token.trim().eq_ignore_ascii_case(name));
    let plain = plain(name);
    // In another spelling it is no length to one server, and one to another.
    let is_no_length = plain == "content-length" && !name.eq_ignore_ascii_case("content-length");
    !is_identity(&plain)
        && !is_no_length
        && !OVERRIDES.contains(&plain.as_ref())
        && !HOP_BY_HOP.contains(&plain.as_ref())
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
            "X.Tollgate.Subject",
            "Remote-Groups",
            "X-Consumer-Custom-ID",
            "X-authentik-username",
            "OIDC_CLAIM_sub",
            "X-Hasura-Role",
            "Tailscale-User-Login",
            "X-SSL-Client-DN",
            "True-Client-IP",
            "X_Access_Token",
            "X-Roles",
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
    fn attack_57_no_second_length_gets_through_in_another_spelling() {
        for name in
            ["Transfer_Encoding", "transfer.encoding", "Content_Length", "CONTENT~LENGTH", "Proxy_Connection"]
        {
            assert!(!forwards(name, ""), "{name}");
        }
        assert!(forwards("Content-Length", "") && forwards("content-type", ""));
    }

    #[test]
    fn attack_57_no_header_changes_the_method_or_path_that_was_allowed() {
        for name in [
            "X-HTTP-Method-Override",
            "x_http_method_override",
            "X-HTTP-Method",
            "X-Method-Override",
            "X-Rewrite-URL",
        ] {
            assert!(!forwards(name, ""), "{name}");
        }
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
