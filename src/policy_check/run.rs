//! One request through [`App`], as at an edge, and what came of it.

use url::Url;

use crate::app::{App, Outcome, Place};
use crate::config::Config;
use crate::encoding::Digest;
use crate::error::Fault;
use crate::gateway::{self, Came, Onward, Target};
use crate::http::{Answer, Head, Headers};
use crate::id::{RequestId, RouteId};
use crate::oauth::{Endpoint, Routed};
use crate::policy::{Host, Method, TokenPlace};
use crate::policy_check::offline::Offline;
use crate::port::{Body, poll_once};
use crate::time::Timestamp;
use crate::token::Peer;
use crate::uri::RequestPath;

/// In place of the id that is drawn for each request.
pub(super) const REQUEST_ID: &str = "drawn-for-each-request";

/// A request.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    /// As the platform reads an address: with dot segments resolved.
    pub(super) url: Url,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) form: Option<String>,
}

impl Asked {
    /// Puts a token where the request is to have it.
    pub(super) fn show(&mut self, token: &str, place: &TokenPlace) {
        match place {
            TokenPlace::Authorization => self.add("authorization", format!("Bearer {token}"), ", "),
            TokenPlace::Cookie(name) => self.add("cookie", format!("{name}={token}"), "; "),
            TokenPlace::Form => {
                self.add("content-type", "application/x-www-form-urlencoded".to_owned(), ", ");
                self.form = Some(format!("access_token={token}"));
            }
            TokenPlace::Header(name) => self.add(name, token.to_owned(), ", "),
            TokenPlace::Query => drop(self.url.query_pairs_mut().append_pair("access_token", token)),
        }
    }

    fn add(&mut self, name: &str, value: String, between: &str) {
        match self.headers.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => {
                known.push_str(between);
                known.push_str(&value);
            }
            None => self.headers.push((name.to_owned(), value)),
        }
    }

    /// Host and port.
    pub(super) fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

impl Asked {
    /// As far as it can be said without a connection; `None`: its path has no normal form.
    pub(super) fn target<'a>(&'a self, authorization: Option<&'a str>) -> Option<Target<'a>> {
        Some(Target {
            method: &self.method,
            host: Host::of_authority(&self.authority()),
            path: self.url.path().parse().ok()?,
            query: self.url.query(),
            authorization,
            has_body: self.form.is_some(),
            headers: Some(self),
            peer: None,
        })
    }
}

impl Headers for Asked {
    fn get(&self, name: &str) -> Option<String> {
        let named = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let values: Vec<_> = named.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

struct Form(Option<String>);

impl Body for Form {
    async fn read(&mut self, limit: usize) -> Result<Option<Vec<u8>>, Fault> {
        Ok(Some(self.0.take().unwrap_or_default().into_bytes()).filter(|body| body.len() <= limit))
    }
}

/// What became of a request.
pub(super) enum Ended {
    /// tollgate's own, and what it is.
    Own(String),
    /// It goes on.
    Pass(Box<Onward>),
    /// It is refused so.
    Refuse(Answer),
    /// Nobody can say.
    Unknown,
}

/// No connection, and so nobody's certificate.
#[derive(Debug)]
struct NoConnection;

impl Peer for NoConnection {
    fn certificate(&self) -> Option<Digest> {
        None
    }
}

/// Runs a request.
pub(super) fn run(config: &Config, ports: &Offline, asked: &Asked) -> Ended {
    let (authority, path) = (asked.authority(), asked.url.path());
    let head = Head {
        method: &asked.method,
        is_https: asked.url.scheme() == "https",
        authority: &authority,
        path,
        query: asked.url.query(),
        has_body: asked.form.is_some(),
        headers: asked,
        peer: &NoConnection,
    };
    let Ok(request_id) = REQUEST_ID.parse::<RequestId>() else { return Ended::Unknown };
    let app = App { config, ports, bootstrap: |_| None, now: ports.now, request_id: &request_id };
    if let Ok(path) = path.parse::<RequestPath>()
        && let Some(own) = own(&app.place(&path, &authority), &asked.method)
    {
        return Ended::Own(own);
    }
    let handled = poll_once(app.handle(&head, &mut Form(asked.form.clone())));
    if let Some(route) = preflighted(config, asked) {
        ports.hear(|heard| heard.route = Some(route.to_string()));
    }
    match handled {
        Some((Outcome::Forward(pass), _)) => {
            let origin = format!("{}://{authority}", asked.url.scheme());
            let connection = asked.get("connection").unwrap_or_default();
            let came = Came { origin: &origin, query: head.query, connection: &connection };
            let names = asked.headers.iter().map(|(name, _)| name.as_str());
            Ended::Pass(Box::new(pass.onward(came, names, &request_id)))
        }
        Some((Outcome::Answer(answer), _)) if answer.status < 300 => {
            Ended::Own("the answer to a browser's preflight, as the route's `cors` has it".to_owned())
        }
        Some((Outcome::Answer(answer), _)) if answer.status != 503 => Ended::Refuse(answer),
        _ => Ended::Unknown,
    }
}

/// The route that a preflight asks about, where that route answers it.
fn preflighted<'c>(config: &'c Config, asked: &Asked) -> Option<&'c RouteId> {
    if asked.method != "OPTIONS" {
        return None;
    }
    gateway::preflight(config, &asked.target(None)?).map(|(route, _)| &route.id)
}

/// What of tollgate's own a path is; `None`: it is for the routes.
fn own(place: &Place<'_, '_>, method: &str) -> Option<String> {
    Some(match place {
        Place::Gateway => return None,
        Place::Check => "the check endpoint of forward-auth".to_owned(),
        Place::Health => "the health check".to_owned(),
        Place::Metadata(resource) => format!("what resource `{}` says of itself", resource.id),
        Place::Nothing => "where resources describe themselves, and none is described here".to_owned(),
        Place::Realm(realm, below) => {
            let what = match Endpoint::route(method, below) {
                Routed::To(endpoint, _) => format!("the endpoint `{}`", endpoint.name()),
                Routed::MethodNotAllowed(_) => "an endpoint that has not this method".to_owned(),
                Routed::NotFound => "a path without an endpoint".to_owned(),
            };
            format!("{what} of realm `{}`", realm.name)
        }
    })
}

/// The route that a request for this host, method and path reaches.
///
/// # Errors
/// Why it reaches none.
pub(super) fn reached(
    config: &Config,
    host: Option<&Host>,
    method: Method,
    path: &str,
) -> Result<RouteId, String> {
    let path: RequestPath = path.parse().map_err(|_| "the path has no single normal form".to_owned())?;
    let ports = Offline::new(config, Timestamp::from_seconds(0));
    let Ok(request_id) = REQUEST_ID.parse::<RequestId>() else { return Err("it has no id".to_owned()) };
    let app = App { config, ports: &ports, bootstrap: |_| None, now: ports.now, request_id: &request_id };
    let authority = host.map_or_else(String::new, ToString::to_string);
    if let Some(own) = own(&app.place(&path, &authority), method.name()) {
        return Err(format!("it is tollgate's own: {own}"));
    }
    let target = Target {
        method: method.name(),
        host: host.cloned(),
        path,
        query: None,
        authorization: None,
        has_body: false,
        headers: None,
        peer: None,
    };
    gateway::route(config, &target)
        .map(|route| route.id.clone())
        .map_err(|denied| format!("it is refused: {denied}"))
}
