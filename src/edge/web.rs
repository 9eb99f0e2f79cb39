//! Other people's servers, and what isolates of one place remember together.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use worker::js_sys::futures::JsFuture;
use worker::js_sys::{self, Promise};
use worker::wasm_bindgen::JsCast;
use worker::{Cache, Env, Fetch, Headers, Response, web_sys};

use crate::edge::platform::{now, worker_fault};
use crate::edge::request::read_stream;
use crate::error::Fault;
use crate::port::{
    CACHE_TIMEOUT, MAX_WEB_BODY, SharedCache, Timer, Vault, WEB_TIMEOUT, Web, WebReply, WebRequest,
};
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};
use crate::webcrypto::fault;

/// `fetch`.
#[derive(Debug)]
pub(super) struct PlatformWeb;

impl Web for PlatformWeb {
    async fn ask(&self, request: &WebRequest<'_>) -> Result<WebReply, Fault> {
        const OP: &str = "ask the web";
        let headers = web_sys::Headers::new().map_err(fault(OP))?;
        headers.set("accept", "application/json").map_err(fault(OP))?;
        // Some APIs, GitHub's among them, answer nobody who does not say what they are.
        headers.set("user-agent", "tollgate").map_err(fault(OP))?;
        if let Some(authorization) = &request.authorization {
            headers.set("authorization", authorization).map_err(fault(OP))?;
        }
        let init = web_sys::RequestInit::new();
        init.set_redirect(web_sys::RequestRedirect::Manual);
        // The source itself, and not what the platform remembers of its address: freshness is ours to keep.
        init.set_cache(web_sys::RequestCache::NoStore);
        let timeout = u32::try_from(WEB_TIMEOUT.as_millis()).unwrap_or(u32::MAX);
        init.set_signal(Some(&web_sys::AbortSignal::timeout_with_u32(timeout)));
        let form = request.form.as_deref().map(|form| ("application/x-www-form-urlencoded", form));
        let body = form.or_else(|| request.json.as_deref().map(|json| ("application/json", json)));
        if let Some((kind, body)) = body {
            headers.set("content-type", kind).map_err(fault(OP))?;
            init.set_method("POST");
            init.set_body(&body.into());
        }
        init.set_headers(&headers.into());
        let onward =
            web_sys::Request::new_with_str_and_init(request.url.as_str(), &init).map_err(fault(OP))?;
        let response = Fetch::Request(onward.into()).send().await.map_err(worker_fault(OP))?;
        let response: web_sys::Response = response.into();
        let header = |name: &str| response.headers().get(name).ok().flatten();
        let body = match response.body() {
            None => Some(Vec::new()),
            Some(stream) => read_stream(&stream, MAX_WEB_BODY).await?,
        };
        Ok(WebReply {
            status: response.status(),
            cache_control: header("cache-control"),
            age: header("age"),
            body: body.ok_or_else(|| Fault::new(OP, "the answer is too long, or was cut off"))?,
        })
    }
}

/// The Cache API, in a cache of its own.
#[derive(Debug)]
pub(super) struct PlatformCache;

/// What `work` comes to, unless it takes too long.
async fn soon<T>(work: impl Future<Output = Option<T>>) -> Option<T> {
    let (mut work, mut end) = (pin!(work), pin!(PlatformTimer.pause(CACHE_TIMEOUT)));
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Pending => end.as_mut().poll(context).map(|()| None),
        ready @ Poll::Ready(_) => ready,
    })
    .await
}

/// Where names become addresses: no such host exists, and nobody is asked.
const BASE: &str = "https://cache.tollgate.invalid/";

impl SharedCache for PlatformCache {
    async fn read(&self, name: &str) -> Option<String> {
        soon(async {
            let cache = Cache::open("tollgate".to_owned()).await;
            cache.get(format!("{BASE}{name}"), false).await.ok()??.text().await.ok()
        })
        .await
    }

    async fn write(&self, name: &str, text: &str, keep_for: Lifetime) {
        let write = async {
            let headers = Headers::new();
            headers.set("Cache-Control", &format!("max-age={}", keep_for.as_seconds())).ok()?;
            let response = Response::ok(text).ok()?.with_headers(headers);
            Cache::open("tollgate".to_owned()).await.put(format!("{BASE}{name}"), response).await.ok()
        };
        // Where there is no cache, the next isolate asks the source.
        soon(write).await;
    }
}

/// `setTimeout`, and the clock.
#[derive(Debug)]
pub(super) struct PlatformTimer;

impl Timer for PlatformTimer {
    async fn now(&self) -> Timestamp {
        now()
    }

    async fn pause(&self, span: Lifetime) {
        // Not `worker::Delay`: that one wakes whoever polled it first, and that is not the platform's executor
        // where `turns` has begun.
        let millis = i32::try_from(span.as_millis()).unwrap_or(i32::MAX);
        let global: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
        let timer = Promise::new(&mut |resolve, _| {
            // Without a timer nobody wakes this request, and the platform ends it.
            drop(global.set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, millis));
        });
        drop(JsFuture::from(timer).await);
    }
}

/// The worker's secrets.
#[derive(Debug)]
pub(super) struct EnvVault(Env);

impl EnvVault {
    pub(super) const fn new(env: Env) -> Self {
        Self(env)
    }
}

impl Vault for EnvVault {
    fn secret(&self, name: &str) -> Option<Secret> {
        self.0.secret(name).ok().map(|secret| Secret::new(secret.to_string().into_bytes()))
    }
}
