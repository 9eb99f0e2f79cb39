#![no_main]
//! What callers send before a token is looked at: paths, credentials, forms, headers, a proxy's account of a request;
//! and what servers say of freshness. Never panics; a path is stable.

use libfuzzer_sys::fuzz_target;
use tollgate::grant::{Assertion, Serves, TokenRequest, subject_of};
use tollgate::gateway::{Named, original};
use tollgate::http::{Form, Headers, bearer, freshness};
use tollgate::policy::{Host, forwards, is_identity_header};
use tollgate::scope::ScopeSet;
use tollgate::secret::{Credential, Kind};
use tollgate::token::ClaimPath;
use tollgate::uri::{Issuer, RequestPath};

/// Says the same of everything.
struct Echo<'a>(&'a str);

impl Headers for Echo<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (!name.ends_with("method")).then(|| self.0.to_owned()).or_else(|| Some("GET".to_owned()))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(path) = text.parse::<RequestPath>() {
        assert_eq!(path.as_str().parse::<RequestPath>().as_ref(), Ok(&path));
        let hidden = |segment: &str| segment.is_empty() || segment == "." || segment == "..";
        let segments: Vec<_> = path.as_str()[1..].split('/').collect();
        let (_, inner) = segments.split_last().expect("split gives one at least");
        assert!(!inner.iter().any(|segment| hidden(segment)), "{path}");
    }
    let _ = (bearer(Some(text)), text.parse::<Issuer>(), text.parse::<ScopeSet>(), Host::of_authority(text));
    if is_identity_header(text) {
        assert!(!forwards(text, "") && !forwards(&text.replace('-', "_"), text));
    }
    let _ = (freshness(Some(text), Some(text)), text.parse::<ClaimPath>());
    let _ = original(&mut Named::default(), true, Some(text), &Echo(text));
    for kind in Kind::ALL {
        let _ = Credential::parse(kind, text);
    }
    let serves = Serves { code: true, password: true };
    if let Ok(form) = Form::parse(Some("application/x-www-form-urlencoded"), bytes) {
        let _ = TokenRequest::parse(None, &form, serves);
    }
    let form = Form::parse(Some("application/x-www-form-urlencoded"), b"grant_type=client_credentials").expect("a form");
    let _ = TokenRequest::parse(Some(text), &form, serves);
    // An assertion's claims, whose signature has been checked: whoever registers has a key. Nothing is one by chance.
    let client = "c1".parse().expect("a client id");
    let now = tollgate::time::Timestamp::from_seconds(1_800_000_000);
    let _ = Assertion::check(Some("JWT"), bytes, &client, ["https://a.example/r", "https://a.example/r/oauth/token"], now);
    let _ = subject_of(text);
});
