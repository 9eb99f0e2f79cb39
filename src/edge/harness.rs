//! Exports for tests and benchmarks that ask the validator directly, without HTTP. Feature `harness`: never in an
//! artefact that is deployed.

use std::cell::RefCell;
use std::rc::Rc;

use worker::wasm_bindgen::{self, JsCast, JsValue, prelude::wasm_bindgen};

use crate::config::Config;
use crate::edge::journal::ConsoleJournal;
use crate::edge::platform::{Edge, PlatformEntropy, isolate, now};
use crate::edge::turns;
use crate::error::Error;
use crate::policy::Access;
use crate::port::{AtOnce, Ports, poll_once};
use crate::token::{Algorithm, Holder, Jwk};
use crate::validator::{Jws, Need, verify};
use crate::webcrypto::WebCryptoVerifier;

thread_local! {
    static CONFIG: RefCell<Option<Rc<Config>>> = const { RefCell::new(None) };
}

fn loaded() -> Result<Rc<Config>, JsValue> {
    CONFIG.with_borrow(Clone::clone).ok_or_else(|| "call harness_load first".into())
}

/// Takes a configuration in. Tokens are then asked for what its first route with `require` needs.
///
/// # Errors
/// Everything that is wrong with it.
#[wasm_bindgen]
pub fn harness_load(text: &str) -> Result<(), JsValue> {
    let config = Config::parse(text)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    CONFIG.set(Some(Rc::new(config)));
    Ok(())
}

async fn validate<P: Ports>(config: &Config, ports: &P, token: &str) -> Result<bool, JsValue> {
    let now = now();
    let Some((route, issuers, scopes, step_up, binding)) =
        config.routes().iter().find_map(|route| match &route.access {
            Access::Token { issuers, scopes, step_up, binding, .. } => {
                Some((route, issuers, scopes, step_up, *binding))
            }
            Access::Anonymous => None,
        })
    else {
        return Err("no route needs a token".into());
    };
    let checked = async {
        let verified = verify(token, config, ports, issuers, Holder::Bearer, now).await?;
        let resource = route.described.as_ref().map(|about| about.resource.as_str());
        let need = Need { resource, scopes, catalogue: config.scopes(), step_up, binding };
        verified.permit(&need, ports, now)?.authorize(&route.id, None, ports, now).await
    };
    match checked.await {
        Ok(_) => Ok(true),
        Err(Error::Denied(_)) => Ok(false),
        Err(Error::Fault(fault)) => Err(fault.to_string().into()),
    }
}

fn edge() -> Edge {
    // No binding is asked for where keys stand in the configuration and no session is of ours.
    Edge::new(JsValue::UNDEFINED.unchecked_into())
}

/// Validates a token, however long that takes: whether it may pass, in turns as [`super::decide`].
///
/// # Errors
/// No configuration, or trouble of our own.
#[wasm_bindgen]
pub fn harness_first(token: Vec<u8>, number: u32) -> Result<JsValue, JsValue> {
    let token = String::from_utf8(token).map_err(|_| "not UTF-8")?;
    turns::start(number, async move {
        let config = loaded()?;
        validate(&config, &edge(), &token).await.map(JsValue::from)
    })
}

/// Validates a token from memory alone: whether it may pass; no where it would have to be waited for.
///
/// # Errors
/// No configuration.
#[wasm_bindgen]
pub fn harness_repeated(token: &[u8]) -> Result<bool, JsValue> {
    let token = str::from_utf8(token).map_err(|_| "not UTF-8")?;
    let config = loaded()?;
    let isolate = isolate();
    let ports = AtOnce { entropy: &PlatformEntropy, isolate: &isolate, journal: &ConsoleJournal };
    poll_once(validate(&config, &ports, token)).unwrap_or(Ok(false))
}

/// Forgets every verified token.
#[wasm_bindgen]
pub fn harness_forget() {
    isolate().forget_tokens();
}

/// The module's memory, in bytes. It never shrinks.
#[wasm_bindgen]
#[must_use]
pub fn harness_memory() -> f64 {
    #[cfg(target_arch = "wasm32")]
    let pages = core::arch::wasm32::memory_size::<0>();
    #[cfg(not(target_arch = "wasm32"))]
    let pages = 0_usize;
    u32::try_from(pages).map_or(f64::NAN, |pages| f64::from(pages) * 65_536.0)
}

/// How many verified tokens are remembered.
#[wasm_bindgen]
#[must_use]
pub fn harness_remembered() -> usize {
    isolate().verified_tokens().0
}

/// Whether `token`, a compact JWS over anything, was signed by `jwk` with `algorithm`, in turns as [`super::decide`].
///
/// # Errors
/// Trouble of our own.
#[wasm_bindgen]
pub fn harness_verify(
    jwk: String,
    algorithm: String,
    token: String,
    number: u32,
) -> Result<JsValue, JsValue> {
    turns::start(number, async move {
        let (Ok(key), Some(algorithm)) = (crate::json::read::<Jwk>(&jwk), Algorithm::named(&algorithm))
        else {
            return Ok(false.into());
        };
        match Jws::verify(&token, &key, &[algorithm], &WebCryptoVerifier).await {
            Ok(_) => Ok(true.into()),
            Err(Error::Denied(_)) => Ok(false.into()),
            Err(Error::Fault(fault)) => Err(fault.to_string().into()),
        }
    })
}
