#![no_main]
//! A request's path and the policy, through the whole gate: what was matched is what is forwarded, normalising again changes nothing, and the
//! route is the one that a second matcher finds, which knows nothing of the first.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tollgate::app::{App, Outcome};
use tollgate::config::Config;
use tollgate::error::Fault;
use tollgate::gateway::Came;
use tollgate::http::{Head, Headers};
use tollgate::id::RequestId;
use tollgate::port::{AtOnce, Entropy, Entry, Journal};
use tollgate::time::Timestamp;
use tollgate::uri::RequestPath;
use tollgate::validator::Isolate;
use url::Url;

/// Id, host, method, pattern, what the upstream does not get, and where it is: `None` behind a binding.
type Rule = (&'static str, Option<&'static str>, &'static str, &'static str, &'static str, Option<&'static str>);

const RULES: [Rule; 11] = [
    ("root", None, "GET", "/", "", None),
    ("list", None, "GET", "/orders", "", None),
    ("list-slash", None, "GET", "/orders/", "", Some("https://up.example/base")),
    ("one", None, "GET", "/orders/{id}", "", Some("https://up.example/base")),
    ("lines", None, "GET", "/orders/{id}/lines/*", "", None),
    ("line", None, "GET", "/orders/{id}/line/{line}", "", Some("https://up.example")),
    ("odd", None, "GET", "/a%2Bb/~.;x=1", "", Some("https://up.example")),
    ("rest", None, "POST", "/files/*", "/files", Some("https://up.example/a/b")),
    ("below", None, "PUT", "/api/v1/{a}", "/api/v1", None),
    ("hosted", Some("b.example"), "PATCH", "/{a}/{b}", "", None),
    ("all", None, "DELETE", "/*", "", Some("https://up.example/x")),
];
const REQUESTS: [(&str, &str); 6] = [
    ("GET", "a.example"),
    ("POST", "a.example"),
    ("PUT", "a.example"),
    ("PATCH", "b.example"),
    ("PATCH", "a.example"),
    ("DELETE", "b.example"),
];
const ORIGIN: &str = "ORIGIN";

static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let routes = RULES.map(|(id, host, method, path, strip, base)| {
        let mut to = base.map_or_else(
            || serde_json::json!({ "service": ORIGIN }),
            |base| serde_json::json!({ "url": base }),
        );
        if !strip.is_empty() {
            to["strip_prefix"] = strip.into();
        }
        let mut route = serde_json::json!({
            "id": id, "methods": [method], "path": path, "anonymous": true, "to": to
        });
        if let Some(host) = host {
            route["host"] = host.into();
        }
        route
    });
    Config::parse(&serde_json::json!({ "routes": routes }).to_string()).expect("a configuration")
});

/// A pattern, segment by segment.
fn fits(pattern: &str, path: &str) -> bool {
    match (pattern.split_once('/'), path.split_once('/')) {
        _ if pattern == "*" => !path.is_empty(),
        (Some((ours, more)), Some((theirs, rest))) => fits_one(ours, theirs) && fits(more, rest),
        (None, None) => fits_one(pattern, path),
        _ => false,
    }
}

fn fits_one(ours: &str, theirs: &str) -> bool {
    if ours.starts_with('{') { !theirs.is_empty() } else { ours == theirs }
}

/// What a server makes of a segment that undoes escapes, and what some make of its end.
fn decoded(segment: &str) -> Vec<u8> {
    let mut bytes = segment.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        let mut digit = || char::from(bytes.next().expect("a digit")).to_digit(16).expect("a digit");
        out.push(if byte == b'%' { u8::try_from(digit() * 16 + digit()).expect("a byte") } else { byte });
    }
    out
}

struct Nothing;

impl Headers for Nothing {
    fn get(&self, _: &str) -> Option<String> {
        None
    }
}

impl Entropy for Nothing {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), Fault> {
        buffer.fill(7);
        Ok(())
    }
}

impl Journal for Nothing {
    fn record(&self, _: &Entry<'_>) {}
}

fuzz_target!(|input: (u8, &str)| {
    let (which, target) = input;
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let (method, authority) = REQUESTS[usize::from(which) % REQUESTS.len()];
    let head = Head { method, is_https: true, authority, path, query, has_body: false, headers: &Nothing };
    let isolate = Isolate::new();
    let ports = AtOnce { entropy: &Nothing, isolate: &isolate, journal: &Nothing };
    let id: RequestId = "request".parse().expect("an id");
    let now = Timestamp::from_seconds(1_800_000_000);
    let app = App { config: &CONFIG, ports: &ports, bootstrap: |_| None, now, request_id: &id };
    let outcome = app.at_once(&head);
    let Ok(normal) = path.parse::<RequestPath>() else {
        assert!(outcome.is_none(), "{path} has no normal form, and something happened");
        return;
    };
    assert_eq!(normal.as_str().parse::<RequestPath>().as_ref(), Ok(&normal), "normalising again changes nothing");
    // Tollgate's own paths are answered the long way.
    let Some(outcome) = outcome else { return };
    let rule = RULES.iter().find(|(_, host, its, pattern, ..)| {
        *its == method
            && host.is_none_or(|host| host == authority)
            && fits(&pattern[1..], &normal.as_str()[1..])
    });
    let Outcome::Forward(pass) = outcome else {
        assert!(rule.is_none(), "{path} fits {rule:?}, and is refused");
        return;
    };
    let (name, _, _, _, strip, base) = rule.expect("what passes fits a rule");
    assert_eq!(pass.route().as_str(), *name, "{path}");
    assert_eq!(pass.path(), &normal);
    let origin = format!("https://{authority}");
    let onward = pass.onward(Came { origin: &origin, query, connection: "" }, std::iter::empty(), &id);
    assert_eq!(onward.binding.as_deref(), base.is_none().then_some(ORIGIN));
    // The platform reads the address again, and whoever gets the request reads what comes of that.
    let url = Url::parse(&onward.url).expect("an address");
    let base = Url::parse(base.unwrap_or(&origin)).expect("an address");
    assert_eq!((url.scheme(), url.host(), url.port()), (base.scheme(), base.host(), base.port()));
    let below = normal.as_str().strip_prefix(strip).expect("what is stripped stands there");
    let arrives = format!("{}{}", base.path().trim_end_matches('/'), if below.is_empty() { "/" } else { below });
    assert_eq!(url.path(), arrives, "{path}");
    let segments: Vec<_> = url.path()[1..].split('/').collect();
    for (at, segment) in segments.iter().enumerate() {
        let read = decoded(segment);
        assert!(std::str::from_utf8(&read).is_ok(), "{path}");
        assert!(!read.iter().any(|byte| matches!(byte, 0..=0x1f | 0x7f | b'/' | b'\\')), "{path}");
        // Parameters of a segment, and what file systems do not see at its end.
        let bare = read.split(|byte| *byte == b';').next().unwrap_or_default();
        let seen = bare.iter().any(|byte| !matches!(byte, b'.' | b' '));
        assert!(seen || at + 1 == segments.len() && segment.is_empty(), "{path}");
    }
});
