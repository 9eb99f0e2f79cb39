//! Runs the tests that stand beside the rules: each is a request with a real token, and the decision is the edge's own.

use url::Url;

use crate::config::document::{TestDecision, TestDocument};
use crate::config::{Config, PolicyTests, TrustedIssuer};
use crate::gateway::Onward;
use crate::policy::{Access, Route, TokenPlace};
use crate::policy_check::offline::{Heard, Offline};
use crate::policy_check::report::{Finding, Level, Report};
use crate::policy_check::run::{Asked, Ended, run};
use crate::policy_check::shown;
use crate::policy_check::tokens::{Keys, NOW};
use crate::uri::Issuer;

/// Where a request goes that names no host, on a route that names none.
const HOST: &str = "policy.test";

/// Reasons that come before a route is found.
const BEFORE_ROUTES: [&str; 5] =
    ["malform_host", "malform_path", "no_route", "refuse_http", "unexpected_body"];

/// Runs every test.
pub(super) fn run_all(config: Config, tests: &PolicyTests, report: &mut Report) {
    if tests.beside.iter().all(Vec::is_empty) && tests.others.is_empty() {
        return;
    }
    let keys = Keys::default();
    let config = match keys.take_over(config) {
        Ok(config) => config,
        Err(fault) => return report.add(failure("issuers", None, fault.to_string())),
    };
    let routes = config.routes().iter().map(Some);
    let beside = tests.beside.iter().zip(routes).enumerate();
    let beside = beside.flat_map(|(at, (tests, route))| {
        tests.iter().enumerate().map(move |(nth, test)| (format!("routes[{at}].tests[{nth}]"), route, test))
    });
    let others = tests.others.iter().enumerate().map(|(nth, test)| (format!("tests[{nth}]"), None, test));
    for (path, route, test) in beside.chain(others) {
        report.tests = report.tests.saturating_add(1);
        let trial = Trial { config: &config, keys: &keys, route, test };
        let problems = trial.run().unwrap_or_else(|problem| vec![problem]);
        if problems.is_empty() {
            continue;
        }
        report.failed = report.failed.saturating_add(1);
        let name = test.name.as_ref().map_or_else(String::new, |name| format!("`{}`: ", shown(name)));
        for problem in problems {
            report.add(failure(&path, route, format!("{name}{problem}")));
        }
    }
}

fn failure(path: &str, route: Option<&Route>, text: String) -> Finding {
    let route = route.map(|route| route.id.to_string());
    Finding { level: Level::Error, code: "test", path: path.to_owned(), route, text }
}

struct Trial<'t> {
    config: &'t Config,
    keys: &'t Keys,
    /// The route that it stands beside.
    route: Option<&'t Route>,
    test: &'t TestDocument,
}

impl Trial<'_> {
    /// What is not as it should be.
    ///
    /// # Errors
    /// It is no test.
    fn run(&self) -> Result<Vec<String>, String> {
        self.check_expectation()?;
        let mut asked = self.asked()?;
        let mut ports = Offline::new(self.config, NOW);
        if let Some(wanted) = &self.test.token {
            let issuer = self.issuer(wanted.issuer.as_deref())?;
            let token = self.keys.issue((self.config, issuer), wanted, &mut ports);
            let token = token.map_err(|fault| format!("the token was not made: {fault}"))?;
            asked.show(&token, &self.place(wanted.place.as_deref())?);
        }
        let ended = run(self.config, &ports, &asked);
        Ok(self.compare(&asked, ended, &ports.into_heard()))
    }

    /// What contradicts itself would be a test that says nothing, or never passes.
    fn check_expectation(&self) -> Result<(), String> {
        let expect = &self.test.expect;
        let is_refusal = expect.status.is_some() || expect.reason.is_some();
        let is_pass = expect.sees.is_some() || expect.upstream_path.is_some() || !expect.headers.is_empty();
        let wrong = match expect.decision {
            TestDecision::Pass if is_refusal => {
                "`status` and `reason` are of a refusal, and `decision` is `pass`; remove them"
            }
            TestDecision::Refuse if is_pass => {
                "`sees`, `upstream_path` and `headers` are of what passes, and `decision` is `refuse`; remove them"
            }
            TestDecision::Own if is_refusal || is_pass || expect.route.is_some() => {
                "what tollgate answers itself is not decided by a route; leave `decision` alone in `expect`"
            }
            _ => return Ok(()),
        };
        Err(wrong.to_owned())
    }

    fn asked(&self) -> Result<Asked, String> {
        let request = &self.test.request;
        if !request.path.starts_with('/') || request.path.contains(['?', '#']) {
            return Err(
                "`request.path` has to begin with `/`, and a query stands in `request.query`".to_owned()
            );
        }
        let host = self.route.and_then(|route| route.host.as_ref()).map(ToString::to_string);
        let host = request.host.clone().or(host).unwrap_or_else(|| HOST.to_owned());
        let query = request.query.as_ref().map_or_else(String::new, |query| format!("?{query}"));
        let url: Url = format!("https://{host}{}{query}", request.path)
            .parse()
            .map_err(|e| format!("no request can ask for that: {e}"))?;
        let method = self.route.and_then(|route| route.methods.first()).map_or("GET", |method| method.name());
        let headers = request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        Ok(Asked {
            method: request.method.clone().unwrap_or_else(|| method.to_owned()),
            url,
            headers: headers.collect(),
            form: None,
        })
    }

    /// Whose token it is.
    fn issuer(&self, named: Option<&str>) -> Result<&TrustedIssuer, String> {
        let identifier = |issuer: &Issuer| issuer.as_str().to_owned();
        let name = if let Some(name) = named {
            self.config.realm(name).map_or_else(|| name.to_owned(), |realm| identifier(&realm.issuer))
        } else {
            let accepted = self.route.and_then(|route| match &route.access {
                Access::Token { issuers, .. } => issuers.first(),
                Access::Anonymous => None,
            });
            let first = || self.config.issuers().first().map(|known| &known.trust.issuer);
            let issuer = accepted.or_else(first).map(identifier);
            issuer.ok_or("there is no issuer that a token could be of; add a realm or an issuer")?
        };
        self.config.trusted(&name).map(AsRef::as_ref).ok_or_else(|| {
            format!(
                "`token.issuer`: `{}` is neither a realm's name nor an issuer of `issuers`; correct it",
                shown(&name)
            )
        })
    }

    /// Where the token stands.
    fn place(&self, said: Option<&str>) -> Result<TokenPlace, String> {
        if let Some(said) = said {
            return said.parse().map_err(|e| format!("`token.in`: {e}"));
        }
        let first = self.route.and_then(|route| match &route.access {
            Access::Token { places, .. } => places.first().cloned(),
            Access::Anonymous => None,
        });
        Ok(first.unwrap_or(TokenPlace::Authorization))
    }

    fn compare(&self, asked: &Asked, ended: Ended, heard: &Heard) -> Vec<String> {
        let expect = &self.test.expect;
        let mut problems = Vec::new();
        match (ended, expect.decision) {
            // Beside a route: the answer to a preflight about it.
            (Ended::Own(_), TestDecision::Own) if self.route.is_some() => {
                problems.extend(self.wrong_route(heard));
            }
            (Ended::Own(_), TestDecision::Own) => {}
            (Ended::Own(own), _) => problems.push(format!(
                "the path is tollgate's own ({own}), and no route is asked; expect `own`, or correct the path"
            )),
            (Ended::Unknown, _) => {
                let (op, detail) = heard.fault.clone().unwrap_or_default();
                problems.push(format!("nobody can say what becomes of it: {op}: {detail}"));
            }
            (Ended::Pass(onward), TestDecision::Pass) => {
                problems.extend(self.wrong_route(heard));
                self.compare_onward(asked, &onward, &mut problems);
            }
            (Ended::Refuse(answer), TestDecision::Refuse) => {
                let reason = heard.reason.as_deref().unwrap_or_default();
                if let Some(wanted) = expect.reason.as_ref().filter(|wanted| *wanted != reason) {
                    problems.push(format!("is refused as `{reason}`, and should be as `{}`", shown(wanted)));
                }
                if let Some(wanted) = expect.status.filter(|wanted| *wanted != answer.status) {
                    problems
                        .push(format!("is answered {} (`{reason}`), and should be {wanted}", answer.status));
                }
                problems.extend(self.wrong_route(heard));
            }
            (Ended::Pass(_), _) => {
                let route = heard.route.as_deref().unwrap_or_default();
                problems.push(format!("passes on route `{route}`, and should not"));
            }
            (Ended::Refuse(answer), _) => {
                let (reason, claim) = (heard.reason.as_deref().unwrap_or_default(), heard.claim.as_deref());
                let claim = claim.map_or_else(String::new, |claim| format!(" `{}`", shown(claim)));
                problems.push(format!("is refused ({} {reason}{claim}), and should not be", answer.status));
            }
        }
        problems
    }

    /// A test beside a route is about this route: a path with a typing error would be refused as well.
    fn wrong_route(&self, heard: &Heard) -> Option<String> {
        let wanted = self.test.expect.route.as_deref().or(self.route.map(|route| route.id.as_str()));
        let reason = heard.reason.as_deref().unwrap_or_default();
        let is_said = self.test.expect.route.is_none() && self.test.expect.reason.as_deref() == Some(reason);
        match (wanted, heard.route.as_deref()) {
            (Some(wanted), Some(found)) if wanted != found => {
                Some(format!("matches route `{found}`, and should match `{}`", shown(wanted)))
            }
            // It is refused before any route is found, as the test says itself.
            (Some(_), None) if is_said && BEFORE_ROUTES.contains(&reason) => None,
            (Some(wanted), None) => {
                Some(format!("matches no route (`{reason}`), and should match `{}`", shown(wanted)))
            }
            (None, Some(found)) => Some(format!(
                "matches route `{found}`, and should match none; name it in `expect.route`, or move the test there"
            )),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    fn compare_onward(&self, asked: &Asked, onward: &Onward, problems: &mut Vec<String>) {
        let expect = &self.test.expect;
        match (&expect.sees, &onward.seen) {
            (None, _) => {}
            (Some(_), None) => {
                problems.push("the whole answer comes back: the route has no `fields`".to_owned());
            }
            (Some(wanted), Some(seen)) => {
                let listed = |paths: &[String]| {
                    let mut paths: Vec<_> = paths.iter().map(|path| format!("`{}`", shown(path))).collect();
                    paths.sort();
                    if paths.is_empty() { "nothing".to_owned() } else { paths.join(", ") }
                };
                let (wanted, seen) = (listed(wanted), listed(seen));
                if wanted != seen {
                    problems.push(format!("sees {seen}; and should see {wanted}"));
                }
            }
        }
        if let Some(wanted) = &expect.upstream_path {
            let query = |url: &Url| url.query().map_or_else(String::new, |query| format!("?{query}"));
            let url = onward.url.parse::<Url>();
            let found =
                url.map_or_else(|_| onward.url.clone(), |url| format!("{}{}", url.path(), query(&url)));
            if found != *wanted {
                problems.push(format!(
                    "the upstream is asked for `{}`, and should be for `{}`",
                    shown(&found),
                    shown(wanted)
                ));
            }
        }
        for (name, wanted) in &expect.headers {
            let name = name.to_ascii_lowercase();
            let found = upstream_header(asked, onward, &name);
            if found == *wanted {
                continue;
            }
            let said = |value: Option<&String>| {
                value.map_or("nothing".to_owned(), |value| format!("`{}`", shown(value)))
            };
            let (found, wanted) = (said(found.as_ref()), said(wanted.as_ref()));
            problems.push(format!(
                "the upstream gets {found} in header `{}`, and should get {wanted}",
                shown(&name)
            ));
        }
    }
}

/// What the upstream gets in a header.
fn upstream_header(asked: &Asked, onward: &Onward, name: &str) -> Option<String> {
    let set = onward.set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let is_removed = onward.remove.iter().any(|known| known == name);
    set.or_else(|| crate::http::Headers::get(asked, name).filter(|_| !is_removed))
}
