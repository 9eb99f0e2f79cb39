//! How a Durable Object is asked: one JSON question, one JSON answer, over its own `fetch`.
//!
//! The object is reachable through its binding only; no HTTP route of the worker leads to it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Method, ObjectId, Request, RequestInit, Response};

use crate::edge::platform::worker_fault;
use crate::error::Fault;

/// Objects have no address of their own; the platform only wants one that parses.
const ADDRESS: &str = "https://object.invalid/";

/// Asks an object and waits for its answer.
pub(super) async fn ask<A: DeserializeOwned>(
    op: &'static str,
    id: &ObjectId<'_>,
    question: &impl Serialize,
) -> Result<A, Fault> {
    let body = serde_json::to_string(question).map_err(|e| Fault::new(op, e.to_string()))?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(body.into()));
    let request = Request::new_with_init(ADDRESS, &init).map_err(worker_fault(op))?;
    let stub = id.get_stub().map_err(worker_fault(op))?;
    let mut response = stub.fetch_with_request(request).await.map_err(worker_fault(op))?;
    let text = response.text().await.map_err(worker_fault(op))?;
    if response.status_code() != 200 {
        return Err(Fault::new(op, format!("the object says: {text}")));
    }
    serde_json::from_str(&text).map_err(|e| Fault::new(op, e.to_string()))
}

/// The question that an object was asked.
pub(super) async fn question<Q: DeserializeOwned>(request: &mut Request) -> Result<Q, Fault> {
    let text = request.text().await.map_err(worker_fault("read question"))?;
    serde_json::from_str(&text).map_err(|e| Fault::new("read question", e.to_string()))
}

/// An object's answer, or what went wrong, for the caller's log.
pub(super) fn answer<A: Serialize>(answer: Result<A, Fault>) -> worker::Result<Response> {
    match answer {
        Ok(answer) => Response::from_json(&answer),
        Err(fault) => Response::error(fault.to_string(), 500),
    }
}
