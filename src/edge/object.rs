//! How a Durable Object is asked: one JSON question, one JSON answer, by its one method (`entry.js`).
//!
//! A method call costs less than a `fetch`, which makes a request and a response, and streams, of what is two texts. The object
//! is reachable through its binding only; no HTTP route of the worker leads to it.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::js_sys::Promise;
use worker::js_sys::futures::future_to_promise;
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};
use worker::{ObjectId, Response};

use crate::edge::platform::worker_fault;
use crate::error::Fault;
use crate::webcrypto::{Wait, fault};

#[wasm_bindgen]
extern "C" {
    /// An object's stub, as far as it is used.
    type Stub;

    #[wasm_bindgen(method, catch)]
    fn ask(this: &Stub, question: &str) -> Result<Promise, JsValue>;
}

/// Asks an object and waits for its answer.
pub(super) async fn ask<A: DeserializeOwned>(
    op: &'static str,
    id: &ObjectId<'_>,
    question: &impl Serialize,
) -> Result<A, Fault> {
    let question = serde_json::to_string(question).map_err(|e| Fault::new(op, e.to_string()))?;
    let stub: Stub = id.get_stub().map_err(worker_fault(op))?.into_rpc();
    let text = Wait::new(stub.ask(&question).map_err(fault(op))?).await.map_err(fault(op))?;
    let text = text.as_string().ok_or_else(|| Fault::new(op, "the object's answer is no text"))?;
    let answer: Result<A, String> = crate::json::read(&text).map_err(|e| Fault::new(op, e.to_string()))?;
    answer.map_err(|trouble| Fault::new(op, format!("the object says: {trouble}")))
}

/// The question that an object was asked.
pub(super) fn question<Q: DeserializeOwned>(text: &str) -> Result<Q, Fault> {
    crate::json::read(text).map_err(|e| Fault::new("read question", e.to_string()))
}

/// An object's answer, or what went wrong, for the caller's log: the text at once where nothing is waited for, else a promise of it.
pub(super) fn answer<A: Serialize>(work: impl Future<Output = Result<A, Fault>> + 'static) -> JsValue {
    let mut work = Box::pin(async move { said(&work.await) });
    match pin!(&mut work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(text) => text,
        Poll::Pending => future_to_promise(AssertUnwindSafe(async move { Ok(work.await) })).into(),
    }
}

fn said<A: Serialize>(answer: &Result<A, Fault>) -> JsValue {
    let told = answer.as_ref().map_err(ToString::to_string);
    // The caller finds no text where there is none.
    serde_json::to_string(&told).map_or(JsValue::NULL, JsValue::from)
}

/// What the platform's crate wants an object's `fetch` to answer; `entry.js` has none.
pub(super) fn nothing() -> worker::Result<Response> {
    Response::error("", 404)
}
