//! One request's way, from its head to an [`Outcome`]. The platform's part begins and ends here.
//!
//! A path belongs to exactly one of: tollgate's own root paths, a realm's endpoints, the gateway.

#[cfg(feature = "harness")]
mod harness;

use serde_json::json;

use crate::api;
use crate::config::{Config, Realm};
use crate::console;
use crate::encoding::Digest;
use crate::error::{Denied, Error, Fault};
use crate::gateway::{self, Named, Pass, Target};
use crate::http::{
    Answer, Head, challenge, challenge_proof, forward_auth, forward_auth_proof, is_proof, unavailable,
};
use crate::id::RequestId;
use crate::oauth::{self, Endpoint, Routed, Stop};
use crate::people;
use crate::policy::{Described, Host, Resource, Route};
use crate::port::{Body, Entry, Journal, Never, Ports, Timer, poll_once};
use crate::time::Timestamp;
use crate::uri::RequestPath;
use crate::validator::{Chore, run_chore};

/// Whose a path is.
enum Place<'c, 'a> {
    Check,
    Gateway,
    Health,
    /// Where a protected resource describes itself.
    Metadata(&'c Resource),
    /// Where one would, if there was one.
    Nothing,
    /// A realm's, and the path below it.
    Realm(&'c Realm, &'a str),
}

/// What happens with a request.
#[derive(Debug)]
pub enum Outcome<'c> {
    /// tollgate answers itself.
    Answer(Answer),
    /// It goes to an upstream.
    Forward(Box<Pass<'c>>),
}

/// One request and what it is judged by. `now` is read once, at the door.
#[derive(Debug)]
pub struct App<'c, 'p, P> {
    /// The configuration.
    pub config: &'c Config,
    /// The platform.
    pub ports: &'p P,
    /// The digest of the deployment's first secret; asked for where it is used only ([`crate::api`]).
    pub bootstrap: fn(&P) -> Option<Digest>,
    /// When the request came.
    pub now: Timestamp,
    /// What it is called in the log.
    pub request_id: &'p RequestId,
}

impl<'c, P: Ports> App<'c, '_, P> {
    /// Handles one request. Never fails: what goes wrong is an answer, and a line in the log.
    /// The second part is work to do after the answer.
    pub async fn handle(&self, head: &Head<'_>, body: &mut impl Body) -> (Outcome<'c>, Option<Chore>) {
        let Ok(path) = head.path.parse::<RequestPath>() else {
            return self.deny(&Denied::MalformPath, None, challenge);
        };
        match self.place(&path, head.authority) {
            Place::Check => self.check(head, body).await,
            Place::Gateway => self.gateway(path, head, body).await,
            Place::Metadata(resource) => self.metadata(resource, head),
            Place::Nothing => self.deny(&Denied::NoRoute, None, challenge),
            Place::Health => self.answer(
                "healthz",
                Answer::json(200, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })),
            ),
            Place::Realm(realm, below) => self.realm(realm, below, head, body).await,
        }
    }

    /// Handles one request of the gateway without waiting, where memory is enough. `None`: nothing has happened, and
    /// [`Self::handle`] has to be asked. To be called with ports that never wait ([`crate::port::AtOnce`]).
    #[must_use]
    pub fn at_once(&self, head: &Head<'_>) -> Option<Outcome<'c>> {
        let path: RequestPath = head.path.parse().ok()?;
        if !matches!(self.place(&path, head.authority), Place::Gateway) {
            return None;
        }
        // A chore is work for later: who leaves one had to pass `may_wait`.
        poll_once(self.gateway(path, head, &mut Never)).map(|(outcome, _)| outcome)
    }

    /// Does what a request left behind, and answers with what is owed after that.
    pub async fn finish(&self, chore: Chore) -> Option<Chore> {
        match run_chore(chore, self.ports).await {
            Ok(rest) => rest,
            Err(fault) => {
                self.log_fault(&fault, Some("touch"));
                None
            }
        }
    }

    /// Whose a path is. RFC 8414 section 3.1 and RFC 9728 section 3.1 put their well-known part before what it is about.
    fn place<'a>(&self, path: &'a RequestPath, authority: &str) -> Place<'c, 'a> {
        let path = path.as_str();
        match path {
            "/healthz" => return Place::Health,
            "/_tollgate/check" => return Place::Check,
            _ => {}
        }
        if let Some(name) = path.strip_prefix("/.well-known/oauth-authorization-server/") {
            return self
                .config
                .realm(name)
                .map_or(Place::Gateway, |realm| Place::Realm(realm, Endpoint::Metadata.path()));
        }
        if path.starts_with("/.well-known/oauth-protected-resource") {
            let host = Host::of_authority(authority);
            let mut resources = self.config.resources().iter();
            let described = resources.find(|known| known.is_described_at(host.as_ref(), path));
            return described.map_or(Place::Nothing, Place::Metadata);
        }
        let rest = path.strip_prefix('/').unwrap_or(path);
        let name = rest.split('/').next().unwrap_or_default();
        match (self.config.realm(name), rest.get(name.len()..)) {
            (Some(realm), Some(below)) => Place::Realm(realm, below),
            _ => Place::Gateway,
        }
    }

    async fn realm(
        &self,
        realm: &Realm,
        below: &str,
        head: &Head<'_>,
        body: &mut impl Body,
    ) -> (Outcome<'c>, Option<Chore>) {
        if !(head.is_https || realm.allow_http && is_local(head)) {
            return self.deny(&Denied::RefuseHttp, None, challenge);
        }
        #[cfg(feature = "harness")]
        if (head.method, below) == ("POST", harness::CODE) {
            let bootstrap = (self.bootstrap)(self.ports);
            let answer = harness::code(self.ports, realm, bootstrap, head, body, self.now).await;
            return self.answer("harness", answer);
        }
        let (endpoint, id) = match Endpoint::route(head.method, below) {
            Routed::NotFound => return self.deny(&Denied::NoRoute, None, challenge),
            Routed::MethodNotAllowed(allow) => {
                if let Some(answer) = oauth::preflight(head, below) {
                    return self.answer("preflight", Ok(answer));
                }
                return self.answer("method", Ok(not_allowed(allow)));
            }
            Routed::To(endpoint, id) => (endpoint, id),
        };
        let (config, ports, now) = (self.config, self.ports, self.now);
        let answer = match endpoint {
            Endpoint::Api(operation) => {
                let (request_id, source) = (self.request_id, oauth::source(head));
                let context = api::Context { config, ports, realm, now, request_id, source };
                let bootstrap = (self.bootstrap)(ports).filter(|_| operation == api::Operation::Bootstrap);
                api::answer(&context, (operation, id), bootstrap, head, body).await
            }
            Endpoint::Account => people::account(config, ports, realm, head, body, now).await,
            Endpoint::AcceptInvitation => {
                people::accept_invitation(config, ports, realm, head, body, now).await
            }
            Endpoint::ChoosePassword => people::choose_password(config, ports, realm, head, body, now).await,
            Endpoint::RegisterPerson => people::register_person(config, ports, realm, head, body, now).await,
            Endpoint::Reset => people::reset(config, ports, realm, head, body, now).await,
            Endpoint::Verify => people::verify(config, ports, realm, head, body, now).await,
            Endpoint::Asset(which) => Ok(people::asset(which)),
            Endpoint::Authorize => people::authorize(config, ports, realm, head, body, now).await,
            Endpoint::Leave => people::leave(config, ports, realm, id, head, now).await,
            Endpoint::ComeBack => people::come_back(config, ports, realm, id, head, now).await,
            Endpoint::Console(page) => {
                let asked = console::Asked { page, id, below, head, now };
                let source = oauth::source(head);
                let api = console::InProcess::new((config, ports), now, self.request_id, source);
                console::serve(config, ports, realm, asked, body, &api).await
            }
            Endpoint::Consent => people::consent(config, ports, realm, head, body, now).await,
            Endpoint::Logout => people::logout(config, ports, realm, head, body, now).await,
            Endpoint::SignOut => people::sign_out(config, ports, realm, head, body, now).await,
            Endpoint::Push => people::push(config, ports, realm, head, body, now).await,
            Endpoint::SignIn => people::sign_in(config, ports, realm, head, body, now).await,
            Endpoint::SignInWithPasskey => {
                people::sign_in_with_passkey(config, ports, realm, head, body, now).await
            }
            Endpoint::Introspect => oauth::introspect(config, ports, realm, head, body, now).await,
            Endpoint::Jwks => oauth::jwks(config, ports, realm, now).await.map_err(Stop::from),
            Endpoint::Manage(what) => oauth::manage(config, ports, realm, what, id, head, body).await,
            Endpoint::Metadata => oauth::metadata(config, realm).map_err(Stop::from),
            Endpoint::Register => oauth::register(config, ports, realm, head, body).await,
            Endpoint::Revoke => oauth::revoke(config, ports, realm, head, body, now).await,
            Endpoint::Token => oauth::token(config, ports, realm, head, body, now).await,
            Endpoint::UserInfo => oauth::userinfo(config, ports, realm, head, body, now).await,
        };
        self.answer(endpoint.name(), Stop::settled(answer))
    }

    /// What a protected resource says about itself (RFC 9728 section 3.2).
    fn metadata(&self, resource: &Resource, head: &Head<'_>) -> (Outcome<'c>, Option<Chore>) {
        if !(head.is_https || self.config.allows_http() && is_local(head)) {
            return self.deny(&Denied::RefuseHttp, None, challenge);
        }
        if !matches!(head.method, "GET" | "HEAD") {
            return self.answer("method", Ok(not_allowed("GET, HEAD")));
        }
        self.answer("resource-metadata", gateway::resource_metadata(self.config, resource))
    }

    async fn gateway(
        &self,
        path: RequestPath,
        head: &Head<'_>,
        body: &mut impl Body,
    ) -> (Outcome<'c>, Option<Chore>) {
        if !(head.is_https || self.config.allows_http() && is_local(head)) {
            return self.deny(&Denied::RefuseHttp, None, challenge);
        }
        let authorization = head.headers.get("authorization");
        let mut target = Target {
            method: head.method,
            host: if self.config.routes().tells_hosts_apart() {
                Host::of_authority(head.authority)
            } else {
                None
            },
            path,
            query: head.query,
            authorization: authorization.as_deref(),
            has_body: head.has_body,
            headers: Some(head.headers),
            form: None,
        };
        let route = match gateway::route(self.config, &target) {
            Ok(route) => route,
            Err(denied) => return self.deny(&denied, None, challenge),
        };
        match gateway::form(self.ports, route, head, body).await {
            Ok(form) => target.form = form,
            Err(error) => return self.refuse(&error, Some(route), challenge),
        }
        // A caller may take its time with a body: it is judged by the time when it was there.
        let now = if target.form.is_some() { self.ports.timer().now().await } else { self.now };
        match gateway::decide(self.config, self.ports, route, target, body, now).await {
            Ok(pass) => {
                self.log_pass(&pass);
                let chore = pass.chore();
                (Outcome::Forward(Box::new(pass)), chore)
            }
            Err(error) => {
                let answer = if is_proof(authorization.as_deref()) { challenge_proof } else { challenge };
                self.refuse(&error, Some(route), answer)
            }
        }
    }

    /// `body` is that of the question, which is not looked at.
    async fn check(&self, head: &Head<'_>, body: &mut impl Body) -> (Outcome<'c>, Option<Chore>) {
        if !(head.is_https || self.config.allows_http() && is_local(head)) {
            return self.deny(&Denied::RefuseHttp, None, forward_auth);
        }
        let (mut named, authorization) = (Named::default(), head.headers.get("authorization"));
        let must_name_host = self.config.routes().tells_hosts_apart();
        let target =
            match gateway::original(&mut named, must_name_host, authorization.as_deref(), head.headers) {
                Ok(target) => target,
                Err(denied) => return self.deny(&denied, None, forward_auth),
            };
        // What the gateway would never see, no upstream may be asked for.
        let host = target.host.as_ref().map_or_else(String::new, ToString::to_string);
        if !matches!(self.place(&target.path, &host), Place::Gateway) {
            return self.deny(&Denied::NoRoute, None, forward_auth);
        }
        let route = match gateway::route(self.config, &target) {
            Ok(route) => route,
            Err(denied) => return self.deny(&denied, None, forward_auth),
        };
        if route.fields.is_some() || route.tools.is_some() {
            // Neither the answer nor a message comes by here.
            return self.deny(&Denied::NotRedacted, Some(route), forward_auth);
        }
        match gateway::decide(self.config, self.ports, route, target, body, self.now).await {
            Ok(pass) => {
                self.log_pass(&pass);
                let answer = pass
                    .identity()
                    .into_iter()
                    .fold(Answer::empty(200), |answer, (name, value)| answer.with(name, value));
                (Outcome::Answer(answer), pass.chore())
            }
            Err(error) => {
                let is_proof = is_proof(authorization.as_deref());
                self.refuse(&error, Some(route), if is_proof { forward_auth_proof } else { forward_auth })
            }
        }
    }

    fn refuse(&self, error: &Error, route: Option<&Route>, answer: Refusal) -> (Outcome<'c>, Option<Chore>) {
        match error {
            Error::Denied(denied) => self.deny(denied, route, answer),
            Error::Fault(fault) => {
                self.log_fault(fault, route.map(|route| route.id.as_str()));
                (Outcome::Answer(unavailable()), None)
            }
        }
    }

    fn deny(&self, denied: &Denied, route: Option<&Route>, answer: Refusal) -> (Outcome<'c>, Option<Chore>) {
        let answer = answer(denied, route.and_then(|route| route.described.as_ref()));
        self.ports.journal().record(&Entry {
            request_id: Some(self.request_id),
            target: route.map(|route| route.id.as_str()),
            decision: "deny",
            reason: Some(denied.code()),
            claim: denied.claim(),
            status: Some(answer.status),
            ..Entry::default()
        });
        (Outcome::Answer(answer), None)
    }

    fn answer(&self, target: &'static str, answer: Result<Answer, Fault>) -> (Outcome<'c>, Option<Chore>) {
        let answer = match answer {
            Ok(answer) => {
                let (status, reason) = (Some(answer.status), answer.reason);
                let entry = Entry {
                    request_id: Some(self.request_id),
                    target: Some(target),
                    decision: "answer",
                    reason,
                    status,
                    ..Entry::default()
                };
                self.ports.journal().record(&entry);
                answer
            }
            Err(fault) => {
                self.log_fault(&fault, Some(target));
                unavailable()
            }
        };
        (Outcome::Answer(answer), None)
    }

    fn log_pass(&self, pass: &Pass<'_>) {
        self.ports.journal().record(&Entry {
            request_id: Some(self.request_id),
            target: Some(pass.route().as_str()),
            decision: "allow",
            client: pass.authorized().and_then(|authorized| authorized.token().client()),
            ..Entry::default()
        });
    }

    fn log_fault(&self, fault: &Fault, target: Option<&str>) {
        self.ports.journal().record(&Entry {
            request_id: Some(self.request_id),
            target,
            decision: "fault",
            op: Some(fault.op()),
            detail: Some(fault.detail()),
            ..Entry::default()
        });
    }
}

/// What a refusal is answered with; the second part is what is said about the resource.
type Refusal = fn(&Denied, Option<&Described>) -> Answer;

fn not_allowed(allow: impl Into<String>) -> Answer {
    Answer::problem(405, "Method Not Allowed", "Use a method that Allow lists.").with("Allow", allow)
}

/// Whether a request was sent to this machine: plain HTTP is allowed nowhere else.
fn is_local(head: &Head<'_>) -> bool {
    Host::of_authority(head.authority).is_some_and(|host| host.is_loopback())
}
