//! Moves a request that may pass to its upstream, and the answer back. Bodies stream both ways.

use worker::wasm_bindgen::JsCast;
use worker::{Env, Fetch, Request, js_sys, web_sys};

use crate::edge::platform::{fault, worker_fault};
use crate::edge::request::Incoming;
use crate::error::Fault;
use crate::gateway::Pass;
use crate::id::RequestId;
use crate::policy::{Upstream, forwards};

const OP: &str = "forward";

/// Sends the request on. The normalised path is what was matched; the token stays here, where it was used up.
///
/// # Errors
/// The upstream cannot be reached.
pub(super) async fn forward(
    request: &web_sys::Request,
    incoming: &Incoming,
    pass: &Pass<'_>,
    id: &RequestId,
    env: &Env,
) -> Result<web_sys::Response, Fault> {
    let query = incoming.head().query.map(str::to_owned);
    let url = match pass.to() {
        Upstream::Service(_) => {
            let query = query.map(|query| format!("?{query}")).unwrap_or_default();
            format!("{}{}{query}", incoming.origin(), pass.path())
        }
        Upstream::Url(base) => base.join(pass.path(), query.as_deref()),
    };
    let init = web_sys::RequestInit::new();
    init.set_method(&request.method());
    init.set_headers(&headers(incoming, pass, id)?.into());
    init.set_redirect(web_sys::RequestRedirect::Manual);
    if pass.authorized().is_some() {
        // A shared cache leaves answers to requests with `Authorization` alone (RFC 9111 section 3.5); this one no
        // longer has it, so the platform's cache, which goes by URL, has to be told.
        init.set_cache(web_sys::RequestCache::NoStore);
    }
    if let Some(body) = request.body() {
        init.set_body(&body);
    }
    let onward: Request = web_sys::Request::new_with_str_and_init(&url, &init).map_err(fault(OP))?.into();
    let response = match pass.to() {
        Upstream::Service(binding) => env
            .service(binding)
            .map_err(worker_fault(OP))?
            .fetch_request(onward)
            .await
            .map_err(worker_fault(OP))?,
        Upstream::Url(_) => Fetch::Request(onward).send().await.map_err(worker_fault(OP))?,
    };
    Ok(response.into())
}

fn headers(incoming: &Incoming, pass: &Pass<'_>, id: &RequestId) -> Result<web_sys::Headers, Fault> {
    let headers = web_sys::Headers::new().map_err(fault(OP))?;
    let connection = incoming.headers().get("connection").ok().flatten().unwrap_or_default();
    for entry in incoming.headers().entries() {
        let entry: js_sys::Array = entry.map_err(fault(OP))?.unchecked_into();
        let (name, value) =
            (entry.get(0).as_string().unwrap_or_default(), entry.get(1).as_string().unwrap_or_default());
        let spent = pass.authorized().is_some() && name.eq_ignore_ascii_case("authorization");
        if forwards(&name, &connection) && !spent {
            headers.append(&name, &value).map_err(fault(OP))?;
        }
    }
    for (name, value) in pass.identity() {
        headers.set(name, &value).map_err(fault(OP))?;
    }
    headers.set("x-tollgate-request-id", id.as_str()).map_err(fault(OP))?;
    Ok(headers)
}
