//! The realms' private keys in use: made, opened, signed with. Through `crypto.subtle`, but for ML-DSA, which the platform
//! lacks.

use jwt_simple::reexports::zeroize::Zeroizing;
use worker::Env;
use worker::js_sys::{JSON, Object, Reflect, Uint8Array};
use worker::wasm_bindgen::JsCast;
use worker::web_sys::CryptoKey;

use crate::edge::platform::PlatformEntropy;
use crate::edge::seal::{bytes, done, seal, unseal};
use crate::encoding::base64url;
use crate::error::Fault;
use crate::keyring::{RingName, SealedKey, public_part};
use crate::port::Entropy;
use crate::software::MlDsa65;
use crate::token::Algorithm;
use crate::webcrypto::{Parameters, fault, parameters, subtle, usages};

/// 128 bits of strength, as the other algorithms have; 2048 would be 112 (NIST SP 800-57 part 1, table 2).
const RSA_BITS: u32 = 3072;

/// 65537.
const RSA_EXPONENT: [u8; 3] = [1, 0, 1];

/// A key that signs.
pub(super) enum SigningKey {
    /// In the module's memory.
    MlDsa65(Box<MlDsa65>),
    /// In the platform's, and it cannot be exported. With what `sign` has to be told.
    Subtle(CryptoKey, Object),
}

/// Makes a key pair and seals its private part at once.
pub(super) async fn make(env: &Env, realm: &RingName, algorithm: Algorithm) -> Result<SealedKey, Fault> {
    const OP: &str = "make key";
    let (public, private) = match algorithm {
        Algorithm::MlDsa65 => ml_dsa()?,
        _ => pair(algorithm).await?,
    };
    let public = public_part(&public, algorithm).map_err(|e| Fault::new(OP, e.to_string()))?;
    seal(env, realm, public, &private).await
}

/// The public part as a JWK, and the private one as PKCS #8.
async fn pair(algorithm: Algorithm) -> Result<(String, Uint8Array), Fault> {
    const OP: &str = "make key";
    let (subtle, told) = (subtle()?, told(OP, algorithm)?.import);
    if matches!(algorithm, Algorithm::Ps256 | Algorithm::Rs256) {
        Reflect::set(&told, &"modulusLength".into(), &RSA_BITS.into()).map_err(fault(OP))?;
        let exponent = Uint8Array::from(RSA_EXPONENT.as_slice());
        Reflect::set(&told, &"publicExponent".into(), &exponent).map_err(fault(OP))?;
    }
    let promise =
        subtle.generate_key_with_object(&told, true, &usages(&["sign", "verify"])).map_err(fault(OP))?;
    let pair = done(OP, promise).await?;
    let part = |name: &str| {
        Reflect::get(&pair, &name.into()).map(JsCast::unchecked_into::<CryptoKey>).map_err(fault(OP))
    };
    let jwk = done(OP, subtle.export_key("jwk", &part("publicKey")?).map_err(fault(OP))?).await?;
    let public = JSON::stringify(&jwk).map_err(fault(OP))?.as_string().unwrap_or_default();
    let private = done(OP, subtle.export_key("pkcs8", &part("privateKey")?).map_err(fault(OP))?).await?;
    Ok((public, Uint8Array::new(&private)))
}

/// The public part as a JWK, and the seed.
fn ml_dsa() -> Result<(String, Uint8Array), Fault> {
    const OP: &str = "make key";
    let mut seed = Zeroizing::new([0; 32]);
    PlatformEntropy.fill(seed.as_mut())?;
    let key = MlDsa65::of_seed(seed.as_ref()).ok_or_else(|| Fault::new(OP, "it has no 32 bytes"))?;
    let public = format!(r#"{{"kty":"AKP","pub":"{}"}}"#, base64url(&key.public()));
    Ok((public, Uint8Array::from(seed.as_slice())))
}

/// Opens a sealed key for signing.
pub(super) async fn open(env: &Env, realm: &RingName, key: &SealedKey) -> Result<SigningKey, Fault> {
    const OP: &str = "open key";
    let private = unseal(env, realm, key).await?;
    let opened = if key.algorithm() == Algorithm::MlDsa65 {
        let seed = Zeroizing::new(private.to_vec());
        let opened = MlDsa65::of_seed(&seed).ok_or_else(|| Fault::new(OP, "it has no 32 bytes"));
        opened.map(|opened| SigningKey::MlDsa65(Box::new(opened)))
    } else {
        import(key.algorithm(), &private).await
    };
    private.fill(0, 0, private.length());
    opened
}

async fn import(algorithm: Algorithm, private: &Uint8Array) -> Result<SigningKey, Fault> {
    const OP: &str = "open key";
    let Parameters { import, verify } = told(OP, algorithm)?;
    let promise = subtle()?
        .import_key_with_object("pkcs8", private, &import, false, &usages(&["sign"]))
        .map_err(fault(OP))?;
    Ok(SigningKey::Subtle(done(OP, promise).await?.unchecked_into(), verify))
}

fn told(op: &'static str, algorithm: Algorithm) -> Result<Parameters, Fault> {
    parameters(algorithm)?.ok_or_else(|| Fault::new(op, "the platform lacks its algorithm"))
}

/// Signs; in the form of RFC 7518 section 3.
pub(super) async fn sign(key: &SigningKey, input: &str) -> Result<Vec<u8>, Fault> {
    const OP: &str = "sign";
    match key {
        SigningKey::MlDsa65(key) => key.sign(input.as_bytes()),
        SigningKey::Subtle(key, told) => {
            let input = Uint8Array::from(input.as_bytes());
            let promise = subtle()?.sign_with_object_and_js_u8_array(told, key, &input).map_err(fault(OP))?;
            Ok(bytes(done(OP, promise).await?))
        }
    }
}
