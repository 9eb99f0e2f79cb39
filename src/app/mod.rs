//! One request's way, from its head to an [`Outcome`]. The platform's part begins and ends here.
//!
//! A path belongs to exactly one of: tollgate's own root paths, a realm's endpoints, the gateway.

#[cfg(feature = "harness")]
mod harness;
mod health;
mod https;

pub use health::{KeyAges, down};
use https::{is_local, on_to_https};

use crate::api;
use crate::check::Check;
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
use crate::policy::{Binding, Described, Host, Resource, Route};
use crate::port::{Body, Entry, Journal, Never, Ports, poll_once};
use crate::time::{Lifetime, Timestamp};
use crate::uri::RequestPath;
use crate::validator::{AccessToken, Authorized, Chore, run_chore};

/// Whose a path is.
pub(crate) enum Place<'c, 'a> {
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
        self.ports.begin(&[Check::Path]);
        if !Host::is_plain(head.authority) {
            return self.deny(&Denied::MalformHost, None, challenge);
        }
        let Ok(path) = head.path.parse::<RequestPath>() else {
            let (outcome, chore) = self.deny(&Denied::MalformPath, None, challenge);
            return (https::strict(self.config, head, outcome), chore);
        };
        self.ports.begin(&[Check::Owner]);
        let (outcome, chore) = match self.place(&path, head.authority) {
            // The answer is a proxy's, and what it is asked about is not our host.
            Place::Check => return self.check(head, body).await,
            Place::Gateway => self.gateway(path, head, body).await,
            Place::Metadata(resource) => self.metadata(resource, head),
            Place::Nothing => self.deny(&Denied::NoRoute, None, challenge),
            Place::Health => self.answer("healthz", health::health(self.config, self.ports, self.now).await),
            Place::Realm(realm, below) => self.realm(realm, below, head, body).await,
        };
        (https::strict(self.config, head, outcome), chore)
    }

    /// Handles one request of the gateway without waiting, where memory is enough. `None`: nothing has happened, and
    /// [`Self::handle`] has to be asked. To be called with ports that never wait ([`crate::port::AtOnce`]).
    #[must_use]
    pub fn at_once(&self, head: &Head<'_>) -> Option<Outcome<'c>> {
        let path: RequestPath = head.path.parse().ok().filter(|_| Host::is_plain(head.authority))?;
        if !matches!(self.place(&path, head.authority), Place::Gateway) {
            return None;
        }
        // A chore is work for later: who leaves one had to pass `may_wait`.
        poll_once(self.gateway(path, head, &mut Never))
            .map(|(outcome, _)| https::strict(self.config, head, outcome))
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
    pub(crate) fn place<'a>(&self, path: &'a RequestPath, authority: &str) -> Place<'c, 'a> {
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
            return match on_to_https(realm, below, head) {
                Some((endpoint, answer)) => self.answer(endpoint.name(), Ok(answer)),
                None => self.deny(&Denied::RefuseHttp, None, challenge),
            };
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
        self.answer_of(Some(realm), endpoint.name(), Stop::settled(answer))
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
        self.ports.begin(&[Check::Https]);
        if !(head.is_https || self.config.allows_http() && is_local(head)) {
            return self.deny(&Denied::RefuseHttp, None, challenge);
        }
        let authorization = head.headers.get("authorization");
        let target = Target {
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
            peer: Some(head.peer),
        };
        if head.method == "OPTIONS" {
            // Whether it is a preflight is said by other headers.
            self.ports.may_wait().await;
            if let Some((_, answer)) = gateway::preflight(self.config, &target) {
                return self.answer("preflight", Ok(answer));
            }
        }
        self.ports.begin(&[Check::Route, Check::Body]);
        let route = match gateway::route(self.config, &target) {
            Ok(route) => route,
            Err(denied) => return self.deny(&denied, None, challenge),
        };
        let told = gateway::told(route, &target);
        match gateway::decide(self.config, self.ports, route, target, body, self.now).await {
            Ok(pass) => {
                self.log_pass(&pass);
                let chore = pass.chore();
                (Outcome::Forward(Box::new(pass.telling(told))), chore)
            }
            Err(error) => {
                let is_proof = speaks_proof(route, authorization.as_deref(), &error);
                let answer = if is_proof { challenge_proof } else { challenge };
                with(self.refuse(&error, Some(route), answer), told)
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
                    .fold(Answer::empty(200), |answer, (name, value)| answer.named(name, value));
                (Outcome::Answer(answer), pass.chore())
            }
            Err(error) => {
                let is_proof = speaks_proof(route, authorization.as_deref(), &error);
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
            target: route.map(|route| route.id.as_str()),
            reason: Some(denied.code()),
            claim: denied.claim(),
            status: Some(answer.status),
            ..self.entry("deny")
        });
        (Outcome::Answer(answer), None)
    }

    fn answer(&self, target: &'static str, answer: Result<Answer, Fault>) -> (Outcome<'c>, Option<Chore>) {
        self.answer_of(None, target, answer)
    }

    fn answer_of(
        &self,
        realm: Option<&Realm>,
        target: &'static str,
        answer: Result<Answer, Fault>,
    ) -> (Outcome<'c>, Option<Chore>) {
        let answer = match answer {
            Ok(answer) => {
                self.ports.journal().record(&Entry {
                    target: Some(target),
                    reason: answer.reason,
                    issuer: realm.map(|realm| realm.name.as_str()),
                    status: Some(answer.status),
                    ..self.entry("answer")
                });
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
        let token = pass.authorized().map(Authorized::token);
        self.ports.journal().record(&Entry {
            target: Some(pass.route().as_str()),
            issuer: token.map(AccessToken::issued_by),
            client: token.and_then(AccessToken::client),
            principal: pass.authorized().and_then(Authorized::principal),
            ..self.entry("allow")
        });
    }

    fn log_fault(&self, fault: &Fault, target: Option<&str>) {
        self.ports.journal().record(&Entry {
            target,
            op: Some(fault.op()),
            detail: Some(fault.detail()),
            ..self.entry("fault")
        });
    }

    /// What every line about this request has.
    fn entry(&self, decision: &'static str) -> Entry<'_> {
        let waited = self.ports.waited(self.now).filter(|waited| *waited > Lifetime::ZERO);
        let ms = waited.map(Lifetime::as_millis);
        Entry { request_id: Some(self.request_id), decision, ms, ..Entry::default() }
    }
}

/// What a refusal is answered with; the second part is what is said about the resource.
type Refusal = fn(&Denied, Option<&Described>) -> Answer;

/// An answer that says more.
fn with<'c>(
    (outcome, chore): (Outcome<'c>, Option<Chore>),
    more: Vec<(&'static str, String)>,
) -> (Outcome<'c>, Option<Chore>) {
    let outcome = match outcome {
        Outcome::Answer(answer) => {
            Outcome::Answer(more.into_iter().fold(answer, |answer, (name, value)| answer.with(name, value)))
        }
        Outcome::Forward(pass) => Outcome::Forward(pass),
    };
    (outcome, chore)
}

/// Whether a refusal is told with the scheme `DPoP`: where the route wants its tokens bound so, else where the caller has presented one so.
fn speaks_proof(route: &Route, authorization: Option<&str>, error: &Error) -> bool {
    match route.access.binding() {
        Some(Binding::Key) => true,
        Some(Binding::Certificate) => false,
        // There is no scheme that asks for a certificate.
        Some(Binding::Any) if *error == Error::Denied(Denied::LackBinding) => true,
        Some(Binding::Any) | None => is_proof(authorization),
    }
}

fn not_allowed(allow: impl Into<String>) -> Answer {
    Answer::problem(405, "Method Not Allowed", "Use a method that Allow lists.").with("Allow", allow)
}
