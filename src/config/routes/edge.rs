//! What is answered at the edge for a route's upstream: to browsers, and to whoever calls too often.

use crate::config::Problems;
use crate::config::document::{CorsDocument, LimitByName, LimitDocument};
use crate::policy::{Cors, LimitBy, RateLimit};
use crate::time::Lifetime;
use crate::uri::Issuer;

pub(super) fn cors(path: &str, document: &CorsDocument, problems: &mut Problems) -> Cors {
    if document.origins.is_empty() {
        problems.add(format_args!("{path}.origins"), "is empty; name an origin, or leave `cors` out");
    }
    let is_open = document.origins.iter().any(|origin| origin == "*");
    if is_open && document.origins.len() > 1 {
        problems.add(format_args!("{path}.origins"), "`*` stands alone; remove it, or the others");
    }
    if is_open && document.credentials {
        let mend = "would let every page use its visitors' cookies; name the origins";
        problems.add(format_args!("{path}.credentials"), mend);
    }
    for (at, origin) in document.origins.iter().enumerate().filter(|_| !is_open) {
        let is_origin = origin.parse::<Issuer>().is_ok_and(|parsed| parsed.origin() == origin);
        if !is_origin {
            problems.add(
                format_args!("{path}.origins[{at}]"),
                "is no origin as browsers write it; use scheme and host in lower case, such as https://app.example.com",
            );
        }
    }
    for (name, list) in [("headers", &document.headers), ("expose", &document.expose)] {
        for (at, header) in list.iter().enumerate() {
            let is_name = !header.is_empty()
                && header.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            if !is_name {
                problems.add(format_args!("{path}.{name}[{at}]"), "is no header's name; use A-Z 0-9 - _ .");
            }
        }
    }
    let max_age = problems.range(format_args!("{path}.max_age_seconds"), document.max_age_seconds, 0, 7200);
    Cors {
        origins: if is_open { Vec::new() } else { document.origins.clone() },
        headers: document.headers.clone(),
        expose: document.expose.clone(),
        credentials: document.credentials,
        max_age: Lifetime::from_seconds(max_age),
    }
}

pub(super) fn limit(
    path: &str,
    (document, is_anonymous): (&LimitDocument, bool),
    problems: &mut Problems,
) -> RateLimit {
    let binding = &document.binding;
    if binding.is_empty() || !binding.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        problems.add(format_args!("{path}.limit.binding"), "is no binding's name; use A-Z 0-9 _");
    }
    let by = match document.by {
        LimitByName::Address => LimitBy::Address,
        LimitByName::Client => LimitBy::Client,
        LimitByName::Subject => LimitBy::Subject,
    };
    if is_anonymous && by != LimitBy::Address {
        let mend = "nobody is known where everybody may pass; use `address`";
        problems.add(format_args!("{path}.limit.by"), mend);
    }
    if !matches!(document.period_seconds, 10 | 60) {
        problems
            .add(format_args!("{path}.limit.period_seconds"), "the platform counts for 10 or for 60 seconds");
    }
    RateLimit { binding: binding.clone(), by, period_seconds: document.period_seconds }
}
