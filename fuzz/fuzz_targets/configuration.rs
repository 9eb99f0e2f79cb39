#![no_main]
//! Documents that people write: never panics; every error has a path and a text.

use libfuzzer_sys::fuzz_target;
use tollgate::config::Config;

fuzz_target!(|text: &str| {
    if let Err(errors) = Config::parse(text) {
        assert!(!errors.is_empty());
        assert!(errors.iter().all(|error| !error.path.is_empty() && !error.problem.is_empty()));
    }
});
