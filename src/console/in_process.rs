//! The management API, asked in the same worker.

use std::cell::RefCell;

use serde_json::Value;

use crate::api::{self, Caller, Context};
use crate::config::Config;
use crate::console::{Api, ApiAnswer, ApiCall};
use crate::error::{Denied, Error, Fault};
use crate::http::{Answer, challenge};
use crate::id::{RealmName, RequestId};
use crate::oauth::{Endpoint, Routed, Stop};
use crate::port::Ports;
use crate::time::Timestamp;

/// The API of this worker, for one request of a browser. Who asks is found out once for each realm.
#[derive(Debug)]
pub struct InProcess<'a, P> {
    config: &'a Config,
    ports: &'a P,
    now: Timestamp,
    request_id: &'a RequestId,
    source: String,
    callers: RefCell<Vec<(RealmName, String, Caller)>>,
}

impl<'a, P> InProcess<'a, P> {
    /// `source`: the address that the request came from.
    #[must_use]
    pub const fn new(
        (config, ports): (&'a Config, &'a P),
        now: Timestamp,
        request_id: &'a RequestId,
        source: String,
    ) -> Self {
        Self { config, ports, now, request_id, source, callers: RefCell::new(Vec::new()) }
    }
}

impl<P: Ports> Api for InProcess<'_, P> {
    async fn ask(&self, call: &ApiCall<'_>) -> Result<ApiAnswer, Fault> {
        let answer = Stop::settled(self.route(call).await)?;
        let body = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        let etag = answer.header("etag").map(str::to_owned);
        Ok(ApiAnswer { status: answer.status, etag, body, text: answer.body })
    }
}

impl<P: Ports> InProcess<'_, P> {
    /// Routes a call into [`crate::api`]: the one place where the console meets it.
    async fn route(&self, call: &ApiCall<'_>) -> Result<Answer, Stop> {
        let context = Context {
            config: self.config,
            ports: self.ports,
            realm: call.realm,
            now: self.now,
            request_id: self.request_id,
            source: self.source.clone(),
        };
        let caller = match self.caller(&context, call.token).await {
            Ok(caller) => caller,
            Err(Error::Denied(denied)) => return Ok(refused(&denied)),
            Err(Error::Fault(fault)) => return Err(fault.into()),
        };
        let path = format!("/api/v1{}", call.path);
        let Routed::To(Endpoint::Api(operation), id) = Endpoint::route(call.method, &path) else {
            return Ok(Answer::problem(404, "Not Found", "There is no such thing here."));
        };
        let request = api::Request {
            operation,
            id,
            query: Some(call.query.as_str()).filter(|query| !query.is_empty()),
            if_match: call.if_match.clone(),
            idempotency_key: call.idempotency_key.clone(),
            accept: None,
            body: call.body.clone().unwrap_or_default().into_bytes(),
        };
        api::serve(&context, &caller, &request).await
    }

    async fn caller(&self, context: &Context<'_, P>, token: &str) -> Result<Caller, Error> {
        let realm = &context.realm.name;
        let of = |(name, known, caller): &(RealmName, String, Caller)| {
            (name == realm && known == token).then(|| caller.clone())
        };
        let known = self.callers.borrow().iter().find_map(of);
        if let Some(caller) = known {
            return Ok(caller);
        }
        let caller = context.caller_of(token).await?;
        self.callers.borrow_mut().push((realm.clone(), token.to_owned(), caller.clone()));
        Ok(caller)
    }
}

/// Whoever has no token that counts.
fn refused(denied: &Denied) -> Answer {
    challenge(denied, None).because(denied.code())
}
