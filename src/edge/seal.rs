//! Private keys at rest: sealed with AES-256-GCM under the secret `TOLLGATE_KEK`, through `crypto.subtle`.

use worker::Env;
use worker::js_sys::{ArrayBuffer, Object, Promise, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::web_sys::CryptoKey;

use crate::edge::platform::{KEK, PlatformEntropy};
use crate::encoding::{base64url, secret_from_base64url};
use crate::error::Fault;
use crate::keyring::{RingName, SealedKey};
use crate::port::random;
use crate::token::Jwk;
use crate::webcrypto::{Wait, fault, object, subtle, usages};

/// Seals the private part of a new key, and overwrites it.
pub(super) async fn seal(
    env: &Env,
    realm: &RingName,
    public: Jwk,
    private: &Uint8Array,
) -> Result<SealedKey, Fault> {
    const OP: &str = "make key";
    let nonce: [u8; 12] = random(&PlatformEntropy)?;
    let algorithm = aes_gcm(&nonce, &SealedKey::context(realm, &public))?;
    let promise = subtle()?
        .encrypt_with_object_and_js_u8_array(&algorithm, &kek(env, "encrypt").await?, private)
        .map_err(fault(OP))?;
    let sealed = bytes(done(OP, promise).await?);
    private.fill(0, 0, private.length());
    let sealed = base64url(&[nonce.as_slice(), &sealed].concat());
    SealedKey::new(public, sealed).map_err(|e| Fault::new(OP, e.to_string()))
}

/// Opens the private part of a key. Whoever takes it overwrites it.
pub(super) async fn unseal(env: &Env, realm: &RingName, key: &SealedKey) -> Result<Uint8Array, Fault> {
    const OP: &str = "open key";
    let whole = secret_from_base64url(key.sealed()).map_err(|e| Fault::new(OP, e.to_string()))?;
    let (nonce, sealed) = whole.split_at_checked(12).ok_or_else(|| Fault::new(OP, "it is too short"))?;
    let algorithm = aes_gcm(nonce, &SealedKey::context(realm, key.public()))?;
    let promise = subtle()?
        .decrypt_with_object_and_js_u8_array(
            &algorithm,
            &kek(env, "decrypt").await?,
            &Uint8Array::from(sealed),
        )
        .map_err(fault(OP))?;
    let opened =
        done(OP, promise).await.map_err(|_| Fault::new(OP, "TOLLGATE_KEK is not the one that sealed it"))?;
    Ok(Uint8Array::new(&opened))
}

/// Whether the secret is set, and could be a key.
pub(super) fn has_kek(env: &Env) -> bool {
    raw_kek(env).is_ok()
}

fn raw_kek(env: &Env) -> Result<Vec<u8>, Fault> {
    const OP: &str = "read TOLLGATE_KEK";
    let text = env.secret(KEK).map_err(|_| Fault::new(OP, "the secret is not set"))?.to_string();
    secret_from_base64url(&text)
        .ok()
        .filter(|raw| raw.len() == 32)
        .ok_or_else(|| Fault::new(OP, "it is not 32 bytes in base64url"))
}

/// The key-encryption key: 32 bytes in base64url.
async fn kek(env: &Env, usage: &str) -> Result<CryptoKey, Fault> {
    const OP: &str = "read TOLLGATE_KEK";
    let raw = raw_kek(env)?;
    let promise = subtle()?
        .import_key_with_object(
            "raw",
            &Uint8Array::from(raw.as_slice()),
            &object(&[("name", "AES-GCM".into())])?,
            false,
            &usages(&[usage]),
        )
        .map_err(fault(OP))?;
    Ok(done(OP, promise).await?.unchecked_into())
}

fn aes_gcm(nonce: &[u8], context: &str) -> Result<Object, Fault> {
    object(&[
        ("name", "AES-GCM".into()),
        ("iv", Uint8Array::from(nonce).into()),
        ("additionalData", Uint8Array::from(context.as_bytes()).into()),
    ])
}

pub(super) fn bytes(buffer: JsValue) -> Vec<u8> {
    Uint8Array::new(&buffer.unchecked_into::<ArrayBuffer>()).to_vec()
}

pub(super) async fn done(op: &'static str, promise: Promise) -> Result<JsValue, Fault> {
    Wait::new(promise).await.map_err(fault(op))
}
