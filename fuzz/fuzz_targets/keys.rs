#![no_main]
//! Key sets: never panics; a key that is read verifies nothing that it did not sign.

use libfuzzer_sys::fuzz_target;
use tollgate::port::Verifier as _;
use tollgate::software::SoftwareVerifier;
use tollgate::token::{Algorithm, Compact, JwkSet};

fn run<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => unreachable!("software does not wait"),
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Ok((set, _)) = JwkSet::parse(bytes) else {
        return;
    };
    let token = format!("eyJhbGciOiJFUzI1NiJ9.e30.{}", "A".repeat(86));
    let token = Compact::parse(&token).expect("a well-formed token");
    for algorithm in Algorithm::ALL {
        if let Some(key) = set.find(None, algorithm) {
            assert_eq!(run(SoftwareVerifier.verify(key, algorithm, &token)), Ok(false));
        }
    }
});
