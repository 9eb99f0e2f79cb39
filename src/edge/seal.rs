//! The realms' private keys: made, sealed, opened and used with `crypto.subtle`.

use serde::Deserialize;
use worker::Env;
use worker::js_sys::futures::JsFuture;
use worker::js_sys::{ArrayBuffer, JSON, Object, Promise, Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::web_sys::CryptoKey;

use crate::edge::platform::{KEK, PlatformEntropy};
use crate::encoding::{base64url, secret_from_base64url};
use crate::error::Fault;
use crate::id::RealmName;
use crate::port::random;
use crate::token::{Jwk, SealedKey};
use crate::webcrypto::{fault, object, subtle, usages};

/// Signs; the answer is r and s, 32 bytes each (RFC 7518 section 3.4).
pub(super) async fn sign(key: &CryptoKey, input: &str) -> Result<Vec<u8>, Fault> {
    const OP: &str = "sign";
    let input = Uint8Array::from(input.as_bytes());
    let promise =
        subtle()?.sign_with_object_and_js_u8_array(&ecdsa_sha256()?, key, &input).map_err(fault(OP))?;
    Ok(bytes(done(OP, promise).await?))
}

/// Makes a P-256 key pair and seals its private part at once.
pub(super) async fn generate(env: &Env, realm: &RealmName) -> Result<SealedKey, Fault> {
    const OP: &str = "make key";
    #[derive(Deserialize)]
    struct Exported {
        x: String,
        y: String,
    }
    let subtle = subtle()?;
    let promise = subtle
        .generate_key_with_object(&ecdsa_p256()?, true, &usages(&["sign", "verify"]))
        .map_err(fault(OP))?;
    let pair = done(OP, promise).await?;
    let part = |name: &str| {
        Reflect::get(&pair, &name.into()).map(JsCast::unchecked_into::<CryptoKey>).map_err(fault(OP))
    };
    let jwk = done(OP, subtle.export_key("jwk", &part("publicKey")?).map_err(fault(OP))?).await?;
    let text = JSON::stringify(&jwk).map_err(fault(OP))?.as_string().unwrap_or_default();
    let Exported { x, y } = serde_json::from_str(&text).map_err(|e| Fault::new(OP, e.to_string()))?;
    let public =
        Jwk::p256(None, &x, &y).and_then(Jwk::identified).map_err(|e| Fault::new(OP, e.to_string()))?;
    let private = done(OP, subtle.export_key("pkcs8", &part("privateKey")?).map_err(fault(OP))?).await?;
    let nonce: [u8; 12] = random(&PlatformEntropy)?;
    let algorithm = aes_gcm(&nonce, &SealedKey::context(realm, &public))?;
    let private = Uint8Array::new(&private);
    let promise = subtle
        .encrypt_with_object_and_js_u8_array(&algorithm, &kek(env, "encrypt").await?, &private)
        .map_err(fault(OP))?;
    let sealed = bytes(done(OP, promise).await?);
    private.fill(0, 0, private.length());
    Ok(SealedKey { public, sealed: base64url(&[nonce.as_slice(), &sealed].concat()) })
}

/// Opens a sealed key for signing. The handle cannot be exported.
pub(super) async fn open(env: &Env, realm: &RealmName, key: &SealedKey) -> Result<CryptoKey, Fault> {
    const OP: &str = "open key";
    let whole = secret_from_base64url(&key.sealed).map_err(|e| Fault::new(OP, e.to_string()))?;
    let (nonce, sealed) = whole.split_at_checked(12).ok_or_else(|| Fault::new(OP, "it is too short"))?;
    let algorithm = aes_gcm(nonce, &SealedKey::context(realm, &key.public))?;
    let promise = subtle()?
        .decrypt_with_object_and_js_u8_array(
            &algorithm,
            &kek(env, "decrypt").await?,
            &Uint8Array::from(sealed),
        )
        .map_err(fault(OP))?;
    let opened =
        done(OP, promise).await.map_err(|_| Fault::new(OP, "TOLLGATE_KEK is not the one that sealed it"))?;
    let private = Uint8Array::new(&opened);
    let promise = subtle()?
        .import_key_with_object("pkcs8", &private, &ecdsa_p256()?, false, &usages(&["sign"]))
        .map_err(fault(OP))?;
    let key = done(OP, promise).await.map(JsCast::unchecked_into::<CryptoKey>);
    private.fill(0, 0, private.length());
    key
}

/// The key-encryption key: 32 bytes in base64url.
async fn kek(env: &Env, usage: &str) -> Result<CryptoKey, Fault> {
    const OP: &str = "read TOLLGATE_KEK";
    let text = env.secret(KEK).map_err(|_| Fault::new(OP, "the secret is not set"))?.to_string();
    let raw = secret_from_base64url(&text)
        .ok()
        .filter(|raw| raw.len() == 32)
        .ok_or_else(|| Fault::new(OP, "it is not 32 bytes in base64url"))?;
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

fn ecdsa_p256() -> Result<Object, Fault> {
    object(&[("name", "ECDSA".into()), ("namedCurve", "P-256".into())])
}

fn ecdsa_sha256() -> Result<Object, Fault> {
    object(&[("name", "ECDSA".into()), ("hash", "SHA-256".into())])
}

fn aes_gcm(nonce: &[u8], context: &str) -> Result<Object, Fault> {
    object(&[
        ("name", "AES-GCM".into()),
        ("iv", Uint8Array::from(nonce).into()),
        ("additionalData", Uint8Array::from(context.as_bytes()).into()),
    ])
}

fn bytes(buffer: JsValue) -> Vec<u8> {
    Uint8Array::new(&buffer.unchecked_into::<ArrayBuffer>()).to_vec()
}

async fn done(op: &'static str, promise: Promise) -> Result<JsValue, Fault> {
    JsFuture::from(promise).await.map_err(fault(op))
}
