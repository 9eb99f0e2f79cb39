#![no_main]
//! Compact tokens, headers and claims, wherever an issuer puts them: never panics; what is read has one spelling.

use libfuzzer_sys::fuzz_target;
use tollgate::encoding::base64url;
use tollgate::json;
use tollgate::token::{ClaimMap, ClaimPath, Claims, Compact};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(token) = Compact::parse(text)
    {
        assert!(text.ends_with(&base64url(token.signature())));
        assert!(token.signing_input().ends_with(&base64url(token.payload())));
        let _ = Claims::parse(token.payload());
    }
    let _ = Claims::parse(bytes);
    if let Ok(members) = json::object(bytes) {
        let elsewhere = || vec![ClaimPath::nested("realm_access", "roles"), ClaimPath::member("scp")];
        let map = ClaimMap { audience: elsewhere(), roles: elsewhere(), scope: elsewhere(), ..ClaimMap::default() };
        let _ = Claims::read(&members, &map);
    }
    let _ = Compact::parse(&format!("{}.e30.AA", base64url(bytes)));
});
