//! Signature checks with `crypto.subtle`, as Workers and browsers have it.
//!
//! What costs the same every time is done once for a key and algorithm: importing the key, and writing the objects
//! that `verify` takes.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use js_sys::futures::JsFuture;
use js_sys::{Array, Object, Promise, Reflect};
use litemap::LiteMap;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Crypto, CryptoKey, SubtleCrypto};

use crate::encoding::base64url;
use crate::error::Fault;
use crate::port::Verifier;
use crate::software;
use crate::token::{Algorithm, Jwk, Material};

/// Imported public keys that one isolate keeps; each is a few hundred bytes.
const KEPT: usize = 256;

/// A key's thumbprint and the algorithm that it was imported for.
type Name = ([u8; 32], Algorithm);

/// A key as the platform holds it, and what `verify` has to be told. Shared as a whole: each handle of its own costs.
struct Imported {
    subtle: SubtleCrypto,
    key: CryptoKey,
    verify: Object,
}

thread_local! {
    // Key handles belong to the isolate, not to a request. `None`: the platform refused the key.
    static IMPORTED: RefCell<LiteMap<Name, Option<Rc<Imported>>>> = const { RefCell::new(LiteMap::new()) };
    static SUBTLE: RefCell<Option<SubtleCrypto>> = const { RefCell::new(None) };
}

/// What `crypto.subtle` has to be told.
pub(crate) struct Parameters {
    /// For `importKey`.
    pub(crate) import: Object,
    /// For `verify`, and for `sign`.
    pub(crate) verify: Object,
}

/// Who checks an algorithm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Adapter {
    /// [`crate::software`].
    Software,
    /// `crypto.subtle`.
    Subtle,
}

/// Who checks which algorithm: the one table. Measured in `workerd`, see `docs/decisions/0011-algorithms.md` and
/// `docs/decisions/0013-hot-path.md`.
const fn adapter(algorithm: Algorithm) -> Adapter {
    use Algorithm as A;
    match algorithm {
        A::EdDsa
        | A::Es256
        | A::Es384
        | A::Es512
        | A::Ps256
        | A::Ps384
        | A::Ps512
        | A::Rs256
        | A::Rs384
        | A::Rs512 => Adapter::Subtle,
        // The platform lacks them; or, for HMAC, to wait for its promise costs more than to compute.
        A::Es256k | A::Hs256 | A::Hs384 | A::Hs512 | A::MlDsa44 | A::MlDsa65 | A::MlDsa87 => {
            Adapter::Software
        }
    }
}

/// How `crypto.subtle` is told of an algorithm, where it knows it.
pub(crate) fn parameters(algorithm: Algorithm) -> Result<Option<Parameters>, Fault> {
    use Algorithm as A;
    let ecdsa = |curve: &str, hash: &str| {
        let import = object(&[("name", "ECDSA".into()), ("namedCurve", curve.into())])?;
        let verify = object(&[("name", "ECDSA".into()), ("hash", hash.into())])?;
        Ok(Some(Parameters { import, verify }))
    };
    let rsa = |name: &str, hash: &str, salt: Option<u32>| {
        let import = object(&[("name", name.into()), ("hash", hash.into())])?;
        let verify = match salt {
            None => object(&[("name", name.into())])?,
            // RFC 7518 section 3.5: the salt is as long as the digest.
            Some(salt) => object(&[("name", name.into()), ("saltLength", salt.into())])?,
        };
        Ok(Some(Parameters { import, verify }))
    };
    match algorithm {
        A::EdDsa => {
            let name = object(&[("name", "Ed25519".into())])?;
            Ok(Some(Parameters { import: name.clone(), verify: name }))
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
        A::Es256k | A::Hs256 | A::Hs384 | A::Hs512 | A::MlDsa44 | A::MlDsa65 | A::MlDsa87 => Ok(None),
    }
}

/// Checks every algorithm: with `crypto.subtle` where that can, else in software.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebCryptoVerifier;

impl Verifier for WebCryptoVerifier {
    async fn verify(
        &self,
        key: &Jwk,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
    ) -> Result<bool, Fault> {
        const OP: &str = "verify";
        if !key.serves(algorithm) || !key.signs_in(signature.len()) {
            return Ok(false);
        }
        if adapter(algorithm) == Adapter::Software {
            return Ok(software(key.material(), algorithm, input, signature));
        }
        let Some(key) = imported(key, algorithm).await? else {
            return Ok(false);
        };
        // Views of memory, not copies: the platform reads them before `verify` returns (Web Cryptography section 14.3.4
        // takes copies; `workerd` checks at once), and the input stays where it is until it has answered.
        let promise = key
            .subtle
            .verify_with_object_and_u8_array_and_u8_array(&key.verify, &key.key, signature, input)
            .map_err(fault(OP))?;
        let verified = Wait::new(promise).await.map_err(fault(OP))?;
        verified.as_bool().ok_or_else(|| Fault::new(OP, "neither yes nor no"))
    }
}

/// Whether software finds the signature good. RSA, Ed25519 and the curves of NIST are not linked: nothing comes of them.
fn software(material: &Material, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
    use Algorithm as A;
    let verified = match (algorithm, material) {
        (A::Es256k, Material::Ec { x, y, .. }) => {
            software::secp256k1(&[&[4], x.as_slice(), y].concat(), input, signature)
        }
        (A::MlDsa44 | A::MlDsa65 | A::MlDsa87, Material::MlDsa(_, public)) => {
            software::ml_dsa(algorithm, public, input, signature)
        }
        (A::Hs256 | A::Hs384 | A::Hs512, Material::Oct(secret)) => {
            software::hmac(algorithm, secret, input, signature)
        }
        _ => None,
    };
    verified.unwrap_or(false)
}

/// The key as the platform holds it; `None` where the platform says that it is none.
async fn imported(key: &Jwk, algorithm: Algorithm) -> Result<Option<Rc<Imported>>, Fault> {
    let name = (*key.thumbprint().bytes(), algorithm);
    if let Some(known) = IMPORTED.with_borrow(|all| all.get(&name).cloned()) {
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
    let Some(Parameters { import, verify }) = parameters(algorithm)? else {
        return Ok(None);
    };
    let promise = subtle()?
        .import_key_with_object("jwk", &jwk, &import, false, &usages(&["verify"]))
        .map_err(fault("import key"))?;
    let imported = match JsFuture::from(promise).await {
        Ok(key) => Some(Rc::new(Imported { subtle: subtle()?, key: key.unchecked_into(), verify })),
        // The key's fault, for good.
        Err(error) if is_named(&error, "DataError") => None,
        // The platform's.
        Err(error) => return Err(fault("import key")(error)),
    };
    IMPORTED.with_borrow_mut(|all| {
        if all.len() >= KEPT {
            all.clear();
        }
        all.insert(name, imported.clone());
    });
    Ok(imported)
}

fn is_named(error: &JsValue, name: &str) -> bool {
    Reflect::get(error, &"name".into()).is_ok_and(|found| found == name)
}

/// What went wrong in JavaScript, for the log.
pub(crate) fn fault(op: &'static str) -> impl Fn(JsValue) -> Fault {
    move |error| {
        let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
        Fault::new(op, message.unwrap_or_else(|| "not an Error".to_owned()))
    }
}

/// `globalThis.crypto`.
pub(crate) fn crypto() -> Result<Crypto, Fault> {
    Reflect::get(&js_sys::global(), &JsValue::from_str("crypto"))
        .map(JsCast::unchecked_into)
        .map_err(fault("find crypto"))
}

pub(crate) fn subtle() -> Result<SubtleCrypto, Fault> {
    SUBTLE.with_borrow_mut(|known| {
        if let Some(subtle) = known {
            return Ok(subtle.clone());
        }
        let subtle = crypto()?.subtle();
        Ok(known.insert(subtle).clone())
    })
}

/// Where work is done in turns: what the promise that it waited for came to, and the promise that it waits for.
#[derive(Default)]
struct Turn {
    settled: Option<Result<JsValue, JsValue>>,
    wanted: Option<Promise>,
}

thread_local! {
    // There is no turn but while `turn` runs, and it does not run while it runs.
    static TURN: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

/// One turn of work that [`Wait`] may stop: what `poll` says, and the promise to wait for.
#[cfg(feature = "worker")]
pub(crate) fn turn<T>(
    settled: Option<Result<JsValue, JsValue>>,
    poll: impl FnOnce() -> T,
) -> (T, Option<Promise>) {
    TURN.set(Some(Turn { settled, wanted: None }));
    let polled = poll();
    (polled, TURN.take().and_then(|turn| turn.wanted))
}

/// A promise as a future. Where work is done in turns, whoever takes the turns waits for it; elsewhere it waits as any
/// other does.
pub(crate) struct Wait {
    promise: Promise,
    usual: Option<JsFuture>,
}

impl Wait {
    pub(crate) const fn new(promise: Promise) -> Self {
        Self { promise, usual: None }
    }
}

impl Future for Wait {
    type Output = Result<JsValue, JsValue>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.usual.is_none() {
            let in_turns = TURN.with_borrow_mut(|turn| {
                let turn = turn.as_mut()?;
                let settled = turn.settled.take();
                if settled.is_none() {
                    turn.wanted = Some(self.promise.clone());
                }
                Some(settled)
            });
            match in_turns {
                Some(Some(settled)) => return Poll::Ready(settled),
                Some(None) => return Poll::Pending,
                None => {}
            }
        }
        let promise = self.promise.clone();
        Pin::new(self.usual.get_or_insert_with(|| JsFuture::from(promise))).poll(context)
    }
}

pub(crate) fn object(members: &[(&str, JsValue)]) -> Result<Object, Fault> {
    let object = Object::new();
    for (name, value) in members {
        Reflect::set(&object, &(*name).into(), value).map_err(fault("write object"))?;
    }
    Ok(object)
}

pub(crate) fn usages(names: &[&str]) -> JsValue {
    names.iter().map(|name| JsValue::from_str(name)).collect::<Array>().into()
}
