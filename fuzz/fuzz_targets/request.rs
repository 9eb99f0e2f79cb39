#![no_main]
//! What callers send before a token is looked at: paths, credentials, forms. Never panics; a path is stable.

use libfuzzer_sys::fuzz_target;
use tollgate::grant::TokenRequest;
use tollgate::http::{Form, bearer};
use tollgate::policy::{Host, is_identity_header};
use tollgate::scope::ScopeSet;
use tollgate::secret::{Credential, Kind};
use tollgate::uri::{Issuer, RequestPath};

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
    let _ = (is_identity_header(text), Credential::parse(Kind::RefreshToken, text));
    if let Ok(form) = Form::parse(Some("application/x-www-form-urlencoded"), bytes) {
        let _ = TokenRequest::parse(None, &form);
    }
    let form = Form::parse(Some("application/x-www-form-urlencoded"), b"grant_type=client_credentials").expect("a form");
    let _ = TokenRequest::parse(Some(text), &form);
});
