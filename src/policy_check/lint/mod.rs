//! What is questionable about a configuration that can be read.
//!
//! Whatever the parser refuses needs no lint. A lint that has to know what becomes of a request asks the functions that decide it. `docs/policy.md` has the table.

mod access;
mod catalogue;
mod fields;

use crate::config::document::{Document, IssuerDocument, RouteDocument};
use crate::config::{Config, PolicyTests};
use crate::policy::{Access, Method, Route, ScopeNeed, StepUp, TokenPlace};
use crate::policy_check::report::{Finding, Level, Report};
use crate::policy_check::run::reached;
use crate::uri::Issuer;

/// Looks through a document.
pub(super) fn lint(text: &str, config: &Config, tests: &PolicyTests, report: &mut Report) {
    // It was read a moment ago.
    let Ok(document) = crate::config::read(text) else { return };
    let mut lints = Lints { config, document: &document, tests, report };
    for (nth, (route, document)) in config.routes().iter().zip(&document.routes).enumerate() {
        lints.route(&At { nth, route, document });
    }
    lints.catalogue();
}

/// One route, and where it stands.
struct At<'l> {
    nth: usize,
    route: &'l Route,
    document: &'l RouteDocument,
}

/// What a route asks of tokens; nothing where it asks for none.
struct Asks<'l> {
    issuers: &'l [Issuer],
    scopes: &'l [ScopeNeed],
    roles: &'l [String],
    places: &'l [TokenPlace],
    step_up: &'l StepUp,
}

impl<'l> At<'l> {
    fn asks(&self) -> Option<Asks<'l>> {
        match &self.route.access {
            Access::Anonymous => None,
            Access::Token { issuers, scopes, roles, places, step_up, .. } => {
                Some(Asks { issuers, scopes, roles, places, step_up })
            }
        }
    }
}

struct Lints<'l> {
    config: &'l Config,
    document: &'l Document,
    tests: &'l PolicyTests,
    report: &'l mut Report,
}

impl Lints<'_> {
    fn say(&mut self, level: Level, code: &'static str, path: impl Into<String>, text: impl Into<String>) {
        self.report.add(Finding { level, code, path: path.into(), route: None, text: text.into() });
    }

    /// About a route; `within` it, where that is a member.
    fn of_route(
        &mut self,
        level: Level,
        code: &'static str,
        at: &At<'_>,
        within: &str,
        text: impl Into<String>,
    ) {
        let path = format!("routes[{}]{within}", at.nth);
        let route = Some(at.route.id.to_string());
        self.report.add(Finding { level, code, path, route, text: text.into() });
    }

    fn route(&mut self, at: &At<'_>) {
        self.reach(at);
        self.ways(at);
        self.access(at);
        self.fields(at);
        self.untested(at);
    }

    /// A request that is made for the route has to reach it.
    fn reach(&mut self, at: &At<'_>) {
        let is_free = |name: &String| self.config.realm(name).is_none();
        let Some(name) = (1..=33).map(|length| "x".repeat(length)).find(is_free) else { return };
        let pattern = at.route.path.to_string();
        let segments: Vec<&str> = pattern
            .split('/')
            .map(|segment| if segment.starts_with('{') || segment == "*" { &name } else { segment })
            .collect();
        let (path, host) = (segments.join("/"), at.route.host.as_ref());
        for method in &at.route.methods {
            let found = reached(self.config, host, *method, &path);
            if found.as_ref().ok() != Some(&at.route.id) {
                let instead = match found {
                    Ok(other) => format!("it reaches route `{other}`"),
                    Err(why) => why,
                };
                let text = format!(
                    "no request reaches it: of {} {path}, {instead}; remove the route, or choose another path",
                    method.name()
                );
                return self.of_route(Level::Error, "unreachable", at, ".path", text);
            }
        }
    }

    fn ways(&mut self, at: &At<'_>) {
        let has = |methods: &[Method]| at.route.methods.iter().any(|method| methods.contains(method));
        if at.route.way.retries > 0 && !has(&[Method::Get, Method::Head, Method::Options]) {
            let text =
                "only `GET`, `HEAD` and `OPTIONS` are sent again, and the route has none of them; remove it";
            self.of_route(Level::Warning, "no-effect", at, ".to.retries", text);
        }
    }

    fn untested(&mut self, at: &At<'_>) {
        use crate::config::document::TestDecision::Refuse;
        let id = at.route.id.as_str();
        let beside = self.tests.beside.get(at.nth).into_iter().flatten();
        let others = self.tests.others.iter().filter(|test| test.expect.route.as_deref() == Some(id));
        let tests: Vec<_> = beside.chain(others).collect();
        if tests.is_empty() {
            let text = "no test says what it lets pass and what not; add `tests`";
            self.of_route(Level::Warning, "untested", at, "", text);
        } else if at.asks().is_some() && !tests.iter().any(|test| test.expect.decision == Refuse) {
            let text = "no test of it is a refusal; add one of a token that is not enough";
            self.of_route(Level::Warning, "untested", at, ".tests", text);
        }
    }

    /// The entry of an issuer that is no realm.
    fn entry(&self, issuer: &Issuer) -> Option<&IssuerDocument> {
        self.document.issuers.iter().find(|entry| entry.issuer == issuer.as_str())
    }
}
