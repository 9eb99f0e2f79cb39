//! Redirect URIs, as clients may register them (RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700 section 2.1).

use url::{Host, Url};

/// Whether a client may register this address. It is kept as it is written and compared byte for byte, so it has to be
/// in the one spelling that every reader understands alike.
pub(crate) fn is_redirect_uri(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    // Visible ASCII, no fragment (RFC 6749 section 3.1.2), no backslash, which browsers take for a slash.
    if !text.bytes().all(|byte| (0x21..0x7f).contains(&byte)) || text.contains(['#', '\\', '<', '>', '"']) {
        return false;
    }
    if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
        return false;
    }
    // `..` and other spellings of another path.
    let is_normal =
        url.as_str() == text || (url.path() == "/" && url.as_str().strip_suffix('/') == Some(text));
    match url.scheme() {
        "https" => url.host().is_some() && is_normal,
        "http" => is_normal && url.host().is_some_and(|host| is_loopback(&host)),
        // RFC 8252 section 7.1: a private scheme is a domain name backwards, which `javascript:` and `data:` are not.
        scheme => scheme.contains('.') && is_normal,
    }
}

/// RFC 8252 section 7.3: an address, not a name. `localhost` is allowed to be registered all the same, for development.
fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => *name == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9700_section_2_1_addresses_that_may_be_registered() {
        for good in [
            "https://app.example/cb",
            "https://app.example",
            "https://app.example:8443/cb?x=1",
            "http://127.0.0.1:5173/cb",
            "http://[::1]/cb",
            "http://localhost:3000/cb",
            "com.example.app:/oauth",
        ] {
            assert!(is_redirect_uri(good), "{good}");
        }
    }

    #[test]
    fn attack_66_dangerous_addresses_are_refused() {
        for bad in [
            "",
            "/cb",
            "app.example/cb",
            "http://app.example/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "https://app.example/cb#x",
            "https://user@app.example/cb",
            "https://app.example@evil.example/cb",
            "https://app.example/a/../cb",
            "https://app.example/%2e%2e/cb",
            "https://app.example\\@evil.example/cb",
            "https://APP.example/cb",
            "https://app.example:443/cb",
            "https://app.example/c b",
            "https://äpp.example/cb",
            "vbscript:x",
            "https://",
        ] {
            assert!(!is_redirect_uri(bad), "{bad}");
        }
    }
}
