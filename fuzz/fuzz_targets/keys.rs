#![no_main]
//! Key sets: never panics; a key that is read verifies nothing that it did not sign.

use libfuzzer_sys::fuzz_target;
use tollgate::port::Verifier as _;
use tollgate::software::SoftwareVerifier;
use tollgate::token::{Algorithm, JwkSet};

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
    for algorithm in Algorithm::ALL {
        if let Some(key) = set.find(None, algorithm) {
            assert_eq!(run(SoftwareVerifier.verify(key, algorithm, b"input", &[0; 64])), Ok(false));
        }
    }
});
