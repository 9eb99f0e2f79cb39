//! One request through [`tollgate::app::App`], and what came of it.

use std::collections::BTreeMap;

use tollgate::app::{App, Outcome};
use tollgate::console::{self, Api, Asked};
use tollgate::encoding::Digest;
use tollgate::error::Fault;
use tollgate::gateway::{Came, Onward};
use tollgate::http::{Answer, Head, Headers};
use tollgate::oauth::{Endpoint, Routed, Stop};
use tollgate::port::{AtOnce, Body, Ports};
use tollgate::time::Lifetime;
use tollgate::token::Peer;
use tollgate::validator::Chore;

use super::{Edge, World, description, operation_of, run};

/// The deployment's first secret in these tests.
pub(crate) const BOOTSTRAP: &str = "tgb_bootstrap-token-of-these-tests";

/// In place of a token of somebody who manages everything: one is made for each request that bears this.
pub(crate) const OPERATOR: &str = "operator";

/// A request to be made.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    method: &'static str,
    url: String,
    headers: BTreeMap<String, String>,
    body: String,
    /// How long the body takes.
    takes: Lifetime,
    /// The certificate of the connection.
    certificate: Connection,
}

/// The connection of whoever calls.
#[derive(Clone, Debug, Default)]
struct Connection(Option<Digest>);

impl Peer for Connection {
    fn certificate(&self) -> Option<Digest> {
        self.0
    }
}

impl Call {
    pub(crate) fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET",
            url: url.into(),
            headers: BTreeMap::new(),
            body: String::new(),
            takes: Lifetime::ZERO,
            certificate: Connection::default(),
        }
    }

    pub(crate) fn form(url: impl Into<String>, body: impl Into<String>) -> Self {
        Self { method: "POST", body: body.into(), ..Self::get(url) }
            .header("content-type", "application/x-www-form-urlencoded")
    }

    pub(crate) fn json(url: impl Into<String>, body: impl Into<String>) -> Self {
        Self { method: "POST", body: body.into(), ..Self::get(url) }
            .header("content-type", "application/json")
    }

    pub(crate) fn patch(url: impl Into<String>, body: impl Into<String>) -> Self {
        Self { method: "PATCH", ..Self::json(url, body) }
    }

    pub(crate) fn put(url: impl Into<String>, body: impl Into<String>) -> Self {
        Self { method: "PUT", ..Self::json(url, body) }
    }

    pub(crate) fn delete(url: impl Into<String>) -> Self {
        Self { method: "DELETE", ..Self::get(url) }
    }

    pub(crate) fn options(url: impl Into<String>) -> Self {
        Self { method: "OPTIONS", ..Self::get(url) }
    }

    pub(crate) fn with_body(self, body: impl Into<String>) -> Self {
        Self { body: body.into(), ..self }
    }

    pub(crate) fn with_query(self, query: &str) -> Self {
        Self { url: format!("{}?{query}", self.url), ..self }
    }

    pub(crate) fn over_http(self) -> Self {
        Self { url: self.url.replacen("https:", "http:", 1), ..self }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn slow(self, takes: Lifetime) -> Self {
        Self { takes, ..self }
    }

    /// The realm whose operator it is to be from.
    pub(crate) fn operator(&self) -> Option<&str> {
        let is_operators =
            self.headers.get("authorization").is_some_and(|sent| *sent == format!("Bearer {OPERATOR}"));
        split(&self.url).1.split('/').nth(1).filter(|_| is_operators)
    }

    /// Over a connection with this certificate.
    pub(crate) fn with_certificate(self, thumbprint: Digest) -> Self {
        Self { certificate: Connection(Some(thumbprint)), ..self }
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }
}

struct Fields<'a>(&'a BTreeMap<String, String>);

impl Headers for Fields<'_> {
    fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    }
}

struct Bytes<'a>(&'a str, &'a World, Lifetime);

impl Body for Bytes<'_> {
    async fn read(&mut self, limit: usize) -> Result<Option<Vec<u8>>, Fault> {
        self.1.pass(self.2);
        Ok((self.0.len() <= limit).then(|| self.0.as_bytes().to_vec()))
    }
}

/// What came of a request.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
pub(crate) enum Reply {
    Answered(Answer),
    Forwarded { route: String, path: String, identity: BTreeMap<String, String>, onward: Onward },
}

impl Reply {
    /// The status; 200 for what was forwarded.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Answered(answer) => answer.status,
            Self::Forwarded { .. } => 200,
        }
    }

    pub(crate) fn answer(&self) -> &Answer {
        match self {
            Self::Answered(answer) => answer,
            Self::Forwarded { route, .. } => panic!("forwarded by {route}"),
        }
    }

    pub(crate) fn member(&self, name: &str) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.answer().body).unwrap();
        body[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}")).to_owned()
    }
}

fn split(url: &str) -> (&str, &str, Option<&str>) {
    let rest = url.split_once("://").unwrap().1;
    let (authority, target) = rest.split_at(rest.find('/').unwrap());
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    (authority, path, query)
}

fn head<'a>(call: &'a Call, headers: &'a Fields<'a>) -> Head<'a> {
    let (authority, path, query) = split(&call.url);
    Head {
        method: call.method,
        is_https: call.url.starts_with("https"),
        authority,
        path,
        query,
        has_body: !call.body.is_empty(),
        headers,
        peer: &call.certificate,
    }
}

fn reply(outcome: Outcome<'_>, call: &Call) -> Reply {
    let (authority, _, query) = split(&call.url);
    let origin = format!("https://{authority}");
    let came = Came { origin: &origin, query, connection: "" };
    match outcome {
        Outcome::Answer(answer) => Reply::Answered(answer),
        Outcome::Forward(pass) => Reply::Forwarded {
            route: pass.route().to_string(),
            path: pass.path().to_string(),
            identity: pass.identity().into_iter().map(|(name, value)| (name.into_owned(), value)).collect(),
            onward: pass.onward(came, call.headers.keys().map(String::as_str), &ID),
        },
    }
}

/// Makes a request of whatever ports there are. What it leaves behind is handed back undone.
pub(crate) async fn send<P: Ports>(app: &App<'_, '_, P>, call: &Call) -> (Reply, Option<Chore>) {
    let fields = Fields(&call.headers);
    let (outcome, chore) = app.handle(&head(call, &fields), &mut Text(&call.body)).await;
    (reply(outcome, call), chore)
}

/// A body that is there at once.
struct Text<'a>(&'a str);

impl Body for Text<'_> {
    async fn read(&mut self, limit: usize) -> Result<Option<Vec<u8>>, Fault> {
        Ok((self.0.len() <= limit).then(|| self.0.as_bytes().to_vec()))
    }
}

/// Makes a request at an edge. What it leaves behind is handed back undone. An answer of the management API is as it is described.
pub(crate) fn call(edge: &Edge<'_>, call: &Call) -> (Reply, Option<Chore>) {
    let token = call.operator().and_then(|realm| edge.world.operators_token(realm));
    let call = &token.map_or_else(|| call.clone(), |token| call.clone().bearer(&token));
    let (outcome, chore) =
        run(app(edge)
            .handle(&head(call, &Fields(&call.headers)), &mut Bytes(&call.body, edge.world, call.takes)));
    let reply = reply(outcome, call);
    if let (Some(operation), Reply::Answered(answer)) =
        (operation_of(call.method, split(&call.url).1), &reply)
    {
        description().find(operation.name()).check(&call.body, answer);
    }
    (reply, chore)
}

/// Makes a request of the console at an edge, with a management API of the test's own. Anything else goes to [`call`].
pub(crate) fn call_console(edge: &Edge<'_>, request: &Call, api: &impl Api) -> Reply {
    let fields = Fields(&request.headers);
    let head = head(request, &fields);
    let (realm, below) = head.path[1..].split_at(head.path[1..].find('/').unwrap());
    let Routed::To(Endpoint::Console(page), id) = Endpoint::route(head.method, below) else {
        return call(edge, request).0;
    };
    let (config, now) = (&edge.world.config, edge.world.now());
    let asked = Asked { page, id, below, head: &head, now };
    let realm = config.realm(realm).unwrap();
    let told = run(console::serve(config, edge, realm, asked, &mut Text(&request.body), api));
    Reply::Answered(Stop::settled(told).unwrap())
}

/// Asks an edge for a decision that waits for nobody.
pub(crate) fn at_once(edge: &Edge<'_>, call: &Call) -> Option<Reply> {
    let ports = AtOnce { entropy: edge.world, isolate: edge.isolate(), journal: edge.world };
    let app = App {
        config: &edge.world.config,
        ports: &ports,
        bootstrap: |_| None,
        now: edge.world.now(),
        request_id: &ID,
    };
    app.at_once(&head(call, &Fields(&call.headers))).map(|outcome| reply(outcome, call))
}

/// Does what a request left behind for now; what has to wait is left out, because the fakes' time stands still.
pub(crate) fn finish(edge: &Edge<'_>, chore: Chore) {
    if matches!(chore, Chore::Touch { .. }) {
        run(app(edge).finish(chore));
    }
}

/// Waits for what a request left behind for later: time passes.
pub(crate) fn wait_for(edge: &Edge<'_>, chore: Chore) {
    run(app(edge).finish(chore));
}

static ID: std::sync::LazyLock<tollgate::id::RequestId> =
    std::sync::LazyLock::new(|| "request-1".parse().unwrap());

/// What every request of these tests is called in the log.
pub(crate) fn request_id() -> &'static tollgate::id::RequestId {
    &ID
}

fn app<'e>(edge: &'e Edge<'_>) -> App<'e, 'e, Edge<'e>> {
    // An edge borrowed for one call lives as long as the call.
    App {
        config: &edge.world.config,
        ports: edge,
        bootstrap: |edge| Some(Digest::of(edge.world.bootstrap.get().as_bytes())),
        now: edge.world.now(),
        request_id: &ID,
    }
}

/// Makes a request that is given up while it waits: polled once, and then neither finished nor dropped.
pub(crate) fn give_up(edge: &Edge<'_>, call: &Call) {
    let fields = Fields(&call.headers);
    let head = head(call, &fields);
    let app = app(edge);
    let mut body = Bytes("", edge.world, Lifetime::ZERO);
    let mut future = Box::pin(app.handle(&head, &mut body));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending(), "nothing was waited for");
    std::mem::forget(future);
}
