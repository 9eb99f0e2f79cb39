//! Published vectors, through the same port that the edge serves with `WebCrypto`.

mod algorithms;
mod json_test_suite;
mod signatures;
mod webauthn;
