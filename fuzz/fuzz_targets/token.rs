#![no_main]
//! Compact tokens, headers and claims: never panics; what is read has one spelling.

use libfuzzer_sys::fuzz_target;
use tollgate::encoding::base64url;
use tollgate::token::{Claims, Compact};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(token) = Compact::parse(text)
    {
        assert!(text.ends_with(&base64url(token.signature())));
        assert!(token.signing_input().ends_with(&base64url(token.payload())));
        let _ = Claims::parse(token.payload());
    }
    let _ = Claims::parse(bytes);
    let _ = Compact::parse(&format!("{}.e30.AA", base64url(bytes)));
});
