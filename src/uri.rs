//! Addresses: the issuer string, absolute HTTP URLs, and a request's path in its one normal form.
//!
//! An [`Issuer`] keeps its exact text and is compared byte for byte (RFC 8414 section 2, RFC 9207
//! section 2.4). A [`RequestPath`] exists so that the path that is matched and the path that is forwarded
//! cannot differ: whatever two servers could read differently is refused, not repaired.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::id::Malformed;

/// An issuer identifier: an absolute HTTP(S) URL in its normal spelling, without query, fragment or user.
/// Some issuers end theirs in a slash, and then it belongs to the name.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct Issuer(String);

impl Issuer {
    /// The exact text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Scheme, host and port: `https://api.example.com`.
    #[must_use]
    pub fn origin(&self) -> &str {
        let after_scheme = self.0.find("://").and_then(|at| at.checked_add(3)).unwrap_or(0);
        let path = self.0.get(after_scheme..).and_then(|rest| rest.find('/'));
        path.and_then(|at| at.checked_add(after_scheme)).and_then(|end| self.0.get(..end)).unwrap_or(&self.0)
    }

    /// What follows the origin: empty, or `/realm`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.0.get(self.origin().len()..).unwrap_or_default()
    }

    /// The name of its host: `api.example.com`. `None`: its host is an address.
    #[must_use]
    pub fn domain(&self) -> Option<String> {
        Url::parse(&self.0).ok()?.domain().map(str::to_owned)
    }

    /// Whether it is reached in clear.
    #[must_use]
    pub fn is_plain_http(&self) -> bool {
        self.0.starts_with("http://")
    }

    /// Whether its host is this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| is_loopback(&url))
    }
}

impl FromStr for Issuer {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const RULE: Malformed = Malformed::new(
            "issuer",
            "an absolute https URL in its normal spelling, without query, fragment or user",
        );
        let url = http_url(text, RULE)?;
        let same = url.as_str() == text || url.as_str().strip_suffix('/') == Some(text);
        same.then(|| Self(text.to_owned())).ok_or(RULE)
    }
}

impl TryFrom<String> for Issuer {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<Issuer> for String {
    fn from(issuer: Issuer) -> Self {
        issuer.0
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an upstream lives: scheme, host, port and a path prefix; no query, fragment or user.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Whether it may be used: over TLS, or on this machine.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| url.scheme() == "https" || is_loopback(&url))
    }

    /// The address of `path` (with its query) below this base.
    #[must_use]
    pub fn join(&self, path: &RequestPath, query: Option<&str>) -> String {
        let mut url = format!("{}{path}", self.0);
        if let Some(query) = query {
            url.push('?');
            url.push_str(query);
        }
        url
    }
}

impl FromStr for BaseUrl {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const RULE: Malformed =
            Malformed::new("upstream URL", "an absolute http or https URL without query, fragment or user");
        let url = http_url(text, RULE)?;
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }
}

fn http_url(text: &str, rule: Malformed) -> Result<Url, Malformed> {
    let url = Url::parse(text).map_err(|_| rule)?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    plain.then_some(url).ok_or(rule)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An address that tollgate itself asks: a key set, metadata, introspection. Over TLS, or on this machine.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct WebUrl(String);

impl WebUrl {
    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where an issuer describes itself (OpenID Connect Discovery section 4.1): behind its identifier.
    ///
    /// # Errors
    /// The issuer is reached without TLS, and not on this machine.
    pub fn openid_metadata(issuer: &Issuer) -> Result<Self, Malformed> {
        let base = issuer.as_str().strip_suffix('/').unwrap_or(issuer.as_str());
        format!("{base}/.well-known/openid-configuration").parse()
    }

    /// Where an issuer describes itself (RFC 8414 section 3.1): between its host and its path.
    ///
    /// # Errors
    /// As [`Self::openid_metadata`].
    pub fn oauth_metadata(issuer: &Issuer) -> Result<Self, Malformed> {
        let path = issuer.path().strip_suffix('/').unwrap_or(issuer.path());
        format!("{}/.well-known/oauth-authorization-server{path}", issuer.origin()).parse()
    }
}

impl FromStr for WebUrl {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const RULE: Malformed = Malformed::new(
            "address",
            "an absolute https URL without fragment or user (http on this machine only)",
        );
        let url = Url::parse(text).map_err(|_| RULE)?;
        let is_plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        (is_plain && is_safe && url.has_host() && text.len() <= 2048).then(|| Self(url.into())).ok_or(RULE)
    }
}

impl TryFrom<String> for WebUrl {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl From<WebUrl> for String {
    fn from(url: WebUrl) -> Self {
        url.0
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A request's path in normal form: escapes of unreserved characters undone, other escapes in capitals.
///
/// Refused, because two servers could read them differently: empty and dot segments in any spelling, also with
/// spaces, which file systems drop at the end of a name; escaped slashes, backslashes, control characters, escapes
/// that are broken or no UTF-8, and dot segments that hide behind a `;`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RequestPath(String);

/// Longer paths are refused: 8 KiB is what common servers accept for a whole request line.
const MAX_PATH: usize = 8192;

impl RequestPath {
    /// The path as it is matched and forwarded.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is left of it behind so many bytes, which are whole segments: in normal form as well.
    #[must_use]
    pub fn below(&self, bytes: usize) -> Self {
        match self.0.get(bytes..) {
            Some("") => Self("/".to_owned()),
            Some(rest) => Self(rest.to_owned()),
            None => self.clone(),
        }
    }
}

impl FromStr for RequestPath {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const RULE: Malformed = Malformed::new("path", "segments that every server reads alike");
        let rest = text.strip_prefix('/').filter(|_| text.len() <= MAX_PATH).ok_or(RULE)?;
        let mut path = String::with_capacity(text.len());
        let mut segments = rest.split('/').peekable();
        while let Some(segment) = segments.next() {
            let last = segments.peek().is_none();
            let segment = normal_segment(segment).ok_or(RULE)?;
            // An escaped `;` is data to one server and the start of a parameter to another: look before either.
            let bare =
                segment.split(';').next().and_then(|part| part.split("%3B").next()).unwrap_or_default();
            if is_nothing(bare) && !(last && segment.is_empty()) {
                return Err(RULE);
            }
            path.push('/');
            path.push_str(&segment);
        }
        Ok(Self(path))
    }
}

impl fmt::Display for RequestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a segment names nothing, or another folder than its own: nothing but dots and spaces.
fn is_nothing(bare: &str) -> bool {
    bare.split("%20").all(|part| part.bytes().all(|byte| byte == b'.'))
}

/// One segment with its escapes in normal form; `None` where it could be read as more than one segment, or as none that is UTF-8: an
/// overlong form of a slash is one to some servers.
fn normal_segment(segment: &str) -> Option<String> {
    let mut out = String::with_capacity(segment.len());
    // What is written, from the first byte on that is no ASCII.
    let mut beyond = Vec::new();
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                let byte = u8::try_from((high << 4) | low).ok()?;
                if byte >= 0x80 || !beyond.is_empty() {
                    beyond.push(byte);
                }
                match byte {
                    0..=0x1f | 0x7f | b'/' | b'\\' => return None,
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                        out.push(char::from(byte));
                    }
                    _ => {
                        out.push('%');
                        out.push(char::from_digit(high, 16)?.to_ascii_uppercase());
                        out.push(char::from_digit(low, 16)?.to_ascii_uppercase());
                    }
                }
            }
            // Serialised URLs hold none of these (WHATWG URL, path percent-encode set): another server would escape them.
            b'\\' | b'?' | b'#' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'}' => return None,
            0x21..=0x7e => {
                if !beyond.is_empty() {
                    beyond.push(byte);
                }
                out.push(char::from(byte));
            }
            _ => return None,
        }
    }
    std::str::from_utf8(&beyond).is_ok().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_ascii() {
        // docs/decisions/0025-room-in-the-worker.md: held by the lock.
        assert!("https://b\u{fc}cher.example".parse::<BaseUrl>().is_err());
        assert!("https://xn--bcher-kva.example".parse::<BaseUrl>().is_ok());
    }

    #[test]
    fn an_issuer_has_one_spelling() {
        let issuer: Issuer = "http://127.0.0.1:8787/test".parse().unwrap();
        assert_eq!((issuer.origin(), issuer.path()), ("http://127.0.0.1:8787", "/test"));
        assert!(issuer.is_loopback() && issuer.is_plain_http());
        let bare: Issuer = "https://accounts.example.com".parse().unwrap();
        assert_eq!((bare.origin(), bare.path()), ("https://accounts.example.com", ""));
        assert!(!bare.is_loopback());
        let slash: Issuer = "https://tenant.example.com/".parse().unwrap();
        assert_eq!((slash.as_str(), slash.path()), ("https://tenant.example.com/", "/"));
        assert_ne!(slash.as_str(), bare.as_str());
        for bad in [
            "https://Example.com/a",
            "https://example.com:443/a",
            "https://example.com/a?b",
            "https://example.com/a#b",
            "https://u@example.com/a",
            "ftp://example.com/a",
            "https://example.com/a/../b",
            "example.com",
            "",
            "https://exämple.com",
        ] {
            assert!(bad.parse::<Issuer>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_has_one_normal_form() {
        for (given, normal) in [
            ("/", "/"),
            ("/orders", "/orders"),
            ("/orders/", "/orders/"),
            ("/%6frders/%7e", "/orders/~"),
            ("/a%2bb%e2%82%ac", "/a%2Bb%E2%82%AC"),
            ("/a;v=1", "/a;v=1"),
            ("/a%3bv=1", "/a%3Bv=1"),
            ("/a%252e", "/a%252e"),
            ("/a./.b/c..d/%20e", "/a./.b/c..d/%20e"),
            ("/%f0%9f%98%80x%c3%a4", "/%F0%9F%98%80x%C3%A4"),
        ] {
            assert_eq!(given.parse::<RequestPath>().unwrap().as_str(), normal, "{given}");
        }
    }

    #[test]
    fn attack_57_a_path_that_servers_read_differently_is_refused() {
        for bad in [
            "",
            "orders",
            "//orders",
            "/a//b",
            "/a/../b",
            "/..",
            "/a/%2e%2e/b",
            "/a/.%2E/b",
            "/./a",
            "/a/..;/b",
            "/a/..;x=1/b",
            "/a/;/b",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/a%00",
            "/a%0d%0a",
            "/a%7f",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a b",
            "/a\tb",
            "/ä",
            "/a?b",
            "/a#b",
            "/..%3bx/a",
            "/a/...",
            "/a/..%20/b",
            "/a/%20..;x/b",
            "/a/%20/b",
            "/a/%c0%ae%c0%ae/b",
            "/a/..%c0%afb",
            "/a%e0%80%af",
            "/a%ff",
            "/a%c3",
            "/a%c3b%a4",
            "/a%ed%a0%80",
        ] {
            assert!(bad.parse::<RequestPath>().is_err(), "{bad:?}");
        }
        assert!(format!("/{}", "a".repeat(MAX_PATH)).parse::<RequestPath>().is_err());
    }

    #[test]
    fn normal_form_is_stable() {
        for path in ["/a%2Bb", "/a;b", "/x/y/z/"] {
            let once: RequestPath = path.parse().unwrap();
            assert_eq!(once.as_str().parse::<RequestPath>().unwrap(), once);
        }
    }

    #[test]
    fn attack_24_what_is_fetched_has_tls_and_metadata_has_its_place() {
        for bad in [
            "http://issuer.example/jwks",
            "ftp://issuer.example",
            "//issuer.example",
            "javascript:alert(1)",
            "data:application/json,{}",
            "file:///etc/passwd",
            "https://u:p@issuer.example",
            "https://issuer.example/#x",
            "https://",
            "",
        ] {
            assert!(bad.parse::<WebUrl>().is_err(), "{bad}");
        }
        assert!("https://issuer.example/jwks?v=1".parse::<WebUrl>().is_ok());
        assert!("http://127.0.0.1:9000/jwks".parse::<WebUrl>().is_ok());
        for (issuer, openid, oauth) in [
            (
                "https://i.example",
                "https://i.example/.well-known/openid-configuration",
                "https://i.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://i.example/",
                "https://i.example/.well-known/openid-configuration",
                "https://i.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://i.example/t/v2",
                "https://i.example/t/v2/.well-known/openid-configuration",
                "https://i.example/.well-known/oauth-authorization-server/t/v2",
            ),
        ] {
            let issuer: Issuer = issuer.parse().unwrap();
            assert_eq!(WebUrl::openid_metadata(&issuer).unwrap().as_str(), openid);
            assert_eq!(WebUrl::oauth_metadata(&issuer).unwrap().as_str(), oauth);
        }
    }

    #[test]
    fn a_base_joins_without_doubling_slashes() {
        let base: BaseUrl = "https://origin.example.com/api/".parse().unwrap();
        let path: RequestPath = "/orders".parse().unwrap();
        assert_eq!(base.join(&path, Some("a=1")), "https://origin.example.com/api/orders?a=1");
        for (text, is_safe) in [
            ("http://Origin.example.com", false),
            ("http://x.example:80/", false),
            ("http://localhost:9000", true),
            ("http://[::1]/a", true),
            ("https://x.example", true),
        ] {
            assert_eq!(text.parse::<BaseUrl>().unwrap().is_safe(), is_safe, "{text}");
        }
    }
}
