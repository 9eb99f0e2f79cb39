//! `crypto.subtle`: signatures, and the seal around private keys.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde::Deserialize;
use worker::Env;
use worker::js_sys::futures::JsFuture;
use worker::js_sys::{Array, ArrayBuffer, JSON, Object, Promise, Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::web_sys::{CryptoKey, SubtleCrypto};

use crate::edge::platform::{KEK, PlatformEntropy, crypto, fault};
use crate::encoding::{base64url, from_base64url};
use crate::error::Fault;
use crate::id::RealmName;
use crate::port::{Verifier, random};
use crate::software;
use crate::token::{Algorithm, Compact, Jwk, Material, SealedKey};

/// Imported public keys that one isolate keeps; each is a few hundred bytes.
const KEPT: usize = 256;

/// A key's thumbprint and the algorithm that it was imported for.
type Name = ([u8; 32], Algorithm);

thread_local! {
    // Key handles belong to the isolate, not to a request. `None`: the platform refused the key.
    static IMPORTED: RefCell<BTreeMap<Name, Option<CryptoKey>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Who checks which algorithm: `crypto.subtle` where it can, software for what it lacks and for HMAC, which
/// costs less in `WebAssembly` than the way to `crypto.subtle` and back.
enum Adapter {
    Software,
    WebCrypto {
        /// For `importKey`.
        import: Object,
        /// For `verify`.
        verify: Object,
    },
}

fn adapter(algorithm: Algorithm) -> Result<Adapter, Fault> {
    use Algorithm as A;
    let ecdsa = |curve: &str, hash: &str| {
        let import = object(&[("name", "ECDSA".into()), ("namedCurve", curve.into())])?;
        Ok(Adapter::WebCrypto { import, verify: object(&[("name", "ECDSA".into()), ("hash", hash.into())])? })
    };
    let rsa = |name: &str, hash: &str, salt: Option<u32>| {
        let import = object(&[("name", name.into()), ("hash", hash.into())])?;
        let verify = match salt {
            None => object(&[("name", name.into())])?,
            // RFC 7518 section 3.5: the salt is as long as the digest.
            Some(salt) => object(&[("name", name.into()), ("saltLength", salt.into())])?,
        };
        Ok(Adapter::WebCrypto { import, verify })
    };
    match algorithm {
        A::EdDsa => {
            let name = object(&[("name", "Ed25519".into())])?;
            Ok(Adapter::WebCrypto { import: name.clone(), verify: name })
        }
        A::Es256 => ecdsa("P-256", "SHA-256"),
        A::Es384 => ecdsa("P-384", "SHA-384"),
        A::Es512 => ecdsa("P-521", "SHA-512"),
        A::Ps256 => rsa("RSA-PSS", "SHA-256", Some(32)),
        A::Ps384 => rsa("RSA-PSS", "SHA-384", Some(48)),
        A::Ps512 => rsa("RSA-PSS", "SHA-512", Some(64)),
        A::Rs256 => rsa("RSASSA-PKCS1-v1_5", "SHA-256", None),
        A::Rs384 => rsa("RSASSA-PKCS1-v1_5", "SHA-384", None),
        A::Rs512 => rsa("RSASSA-PKCS1-v1_5", "SHA-512", None),
        A::Es256k | A::Hs256 | A::Hs384 | A::Hs512 | A::MlDsa44 | A::MlDsa65 | A::MlDsa87 => {
            Ok(Adapter::Software)
        }
    }
}

/// The edge's verifier: one algorithm, one adapter.
#[derive(Debug)]
pub(super) struct EdgeVerifier;

impl Verifier for EdgeVerifier {
    async fn verify(&self, key: &Jwk, algorithm: Algorithm, token: &Compact<'_>) -> Result<bool, Fault> {
        const OP: &str = "verify";
        if !key.serves(algorithm) || !key.signs_in(token.signature().len()) {
            return Ok(false);
        }
        let (input, signature) = (token.signing_input().as_bytes(), token.signature());
        let Adapter::WebCrypto { import, verify } = adapter(algorithm)? else {
            return Ok(software(key.material(), algorithm, input, signature).unwrap_or(false));
        };
        let Some(key) = imported(key, algorithm, &import).await? else {
            return Ok(false);
        };
        let promise = subtle()?
            .verify_with_object_and_js_u8_array_and_js_u8_array(
                &verify,
                &key,
                &Uint8Array::from(signature),
                &Uint8Array::from(input),
            )
            .map_err(fault(OP))?;
        done(OP, promise).await?.as_bool().ok_or_else(|| Fault::new(OP, "neither yes nor no"))
    }
}

fn software(material: &Material, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> Option<bool> {
    match material {
        Material::Ec { x, y, .. } => software::secp256k1(&[&[4], x.as_slice(), y].concat(), input, signature),
        Material::MlDsa(_, public) => software::ml_dsa(algorithm, public, input, signature),
        Material::Oct(secret) => software::hmac(algorithm, secret, input, signature),
        Material::Ed25519(_) | Material::Rsa { .. } => None,
    }
}

/// The key as the platform holds it; `None` where the platform says that it is none.
async fn imported(key: &Jwk, algorithm: Algorithm, import: &Object) -> Result<Option<CryptoKey>, Fault> {
    let name = (*key.thumbprint().bytes(), algorithm);
    if let Some(known) = IMPORTED.with(|all| all.borrow().get(&name).cloned()) {
        return Ok(known);
    }
    let text = |bytes: &[u8]| JsValue::from(base64url(bytes));
    let jwk = match key.material() {
        Material::Ec { curve, x, y } => {
            object(&[("kty", "EC".into()), ("crv", curve.name().into()), ("x", text(x)), ("y", text(y))])?
        }
        Material::Ed25519(x) => object(&[("kty", "OKP".into()), ("crv", "Ed25519".into()), ("x", text(x))])?,
        Material::Rsa { n, e } => object(&[("kty", "RSA".into()), ("n", text(n)), ("e", text(e))])?,
        Material::MlDsa(..) | Material::Oct(_) => return Ok(None),
    };
    let promise = subtle()?
        .import_key_with_object("jwk", &jwk, import, false, &usages(&["verify"]))
        .map_err(fault("import key"))?;
    let imported = match JsFuture::from(promise).await {
        Ok(key) => Some(key.unchecked_into::<CryptoKey>()),
        // The key's fault, for good. Anything else is the platform's, and may pass.
        Err(error) if is_data_error(&error) => None,
        Err(error) => return Err(fault("import key")(error)),
    };
    IMPORTED.with(|all| {
        let mut all = all.borrow_mut();
        if all.len() >= KEPT {
            all.clear();
        }
        all.insert(name, imported.clone());
    });
    Ok(imported)
}

fn is_data_error(error: &JsValue) -> bool {
    Reflect::get(error, &"name".into()).is_ok_and(|name| name == "DataError")
}

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
    let whole = from_base64url(&key.sealed).map_err(|e| Fault::new(OP, e.to_string()))?;
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
    let raw = from_base64url(&text)
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

fn subtle() -> Result<SubtleCrypto, Fault> {
    Ok(crypto()?.subtle())
}

async fn done(op: &'static str, promise: Promise) -> Result<JsValue, Fault> {
    JsFuture::from(promise).await.map_err(fault(op))
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

fn object(members: &[(&str, JsValue)]) -> Result<Object, Fault> {
    let object = Object::new();
    for (name, value) in members {
        Reflect::set(&object, &(*name).into(), value).map_err(fault("write object"))?;
    }
    Ok(object)
}

fn usages(names: &[&str]) -> JsValue {
    names.iter().map(|name| JsValue::from_str(name)).collect::<Array>().into()
}

fn bytes(buffer: JsValue) -> Vec<u8> {
    Uint8Array::new(&buffer.unchecked_into::<ArrayBuffer>()).to_vec()
}
