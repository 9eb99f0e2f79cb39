//! The checks of a request in their order, and how each ended.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::check::Check;
use crate::config::{Config, KeySource, TrustedIssuer};
use crate::policy::{Access, LimitBy, Route, ScopeNeed, TokenPlace};
use crate::policy_check::explain::token::{Seen, moment};
use crate::policy_check::offline::{Assumed, Heard};
use crate::policy_check::shown;
use crate::time::Timestamp;
use crate::token::Wanted;
use crate::uri::Issuer;

/// How a check ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Taken to have passed: nobody was asked.
    Assumed,
    /// It failed.
    Failed,
    /// It was not made, because one before it failed.
    NotReached,
    /// It passed.
    Ok,
    /// Nobody can say.
    Unknown,
}

/// One check.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    pub(super) check: &'static str,
    pub(super) state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
}

/// What the words beside a check are made of.
pub(super) struct About<'a> {
    pub(super) config: &'a Config,
    pub(super) route: Option<&'a Route>,
    pub(super) seen: &'a Seen<'a>,
    pub(super) heard: &'a Heard,
    pub(super) now: Timestamp,
}

/// What may end without an answer: whoever is asked says nothing.
const ASKS: [Check; 7] =
    [Check::Form, Check::Proof, Check::Key, Check::Signature, Check::Inquiry, Check::Nonce, Check::Session];

/// Every check that was begun, and those that would have been.
pub(super) fn steps(about: &About<'_>, is_refused: bool) -> Vec<Step> {
    let heard = about.heard;
    let (begun, is_unknown) = (&heard.checks, heard.fault.is_some());
    let reason = heard.reason.as_deref().unwrap_or_default();
    let ends_here = |check: &Check| {
        is_refused && check.fails_as(reason, heard.claim.as_deref()) || is_unknown && ASKS.contains(check)
    };
    let end = begun.iter().rposition(ends_here);
    let mut steps: Vec<Step> = Vec::new();
    for (at, check) in begun.iter().enumerate() {
        let state = match end {
            Some(end) if at == end => {
                if is_refused {
                    State::Failed
                } else {
                    State::Unknown
                }
            }
            Some(end) if at > end => State::NotReached,
            _ => about.passed(*check),
        };
        steps.push(about.step(*check, state));
    }
    if end.is_some() {
        let would = Check::ALL.into_iter().filter(|check| begun.iter().max().is_none_or(|last| check > last));
        let would = would.filter(|check| about.would_be_made(*check));
        steps.extend(would.map(|check| about.step(check, State::NotReached)));
    }
    steps
}

impl About<'_> {
    fn passed(&self, check: Check) -> State {
        let assumed = match check {
            Check::Key | Check::Signature => Assumed::Signature,
            Check::Inquiry => Assumed::Active,
            Check::Session => Assumed::Session,
            Check::Rate => Assumed::Rate,
            _ => return State::Ok,
        };
        if self.heard.assumed.contains(&assumed) { State::Assumed } else { State::Ok }
    }

    fn step(&self, check: Check, state: State) -> Step {
        let detail = match state {
            State::NotReached => None,
            _ => self.detail(check, state == State::Failed),
        };
        Step { check: check.name(), state, detail: detail.map(|detail| shown(&detail)) }
    }

    /// Whether a request of this kind to this route meets a check, as far as that can be said without making those before it.
    fn would_be_made(&self, check: Check) -> bool {
        let Some(Access::Token { issuers, scopes, roles, step_up, binding, .. }) =
            self.route.map(|route| &route.access)
        else {
            return false;
        };
        let trusted = |issuer: &Issuer| self.config.trusted(issuer.as_str()).map(AsRef::as_ref);
        let one = issuers.first().and_then(trusted).filter(|_| issuers.len() == 1);
        let issuer: Option<&TrustedIssuer> = self.seen.issuer.or(one);
        let has = |what: fn(&TrustedIssuer) -> bool, by_default: bool| issuer.map_or(by_default, what);
        let is_checked_here = has(|issuer| !matches!(issuer.keys, KeySource::Nowhere), true);
        match check {
            Check::Form | Check::Proof | Check::Nonce | Check::Tool => false,
            Check::Bound => binding.is_some(),
            Check::SignIn => step_up.asks(),
            Check::Rate => self
                .route
                .is_some_and(|route| route.limit.as_ref().is_some_and(|limit| limit.by != LimitBy::Address)),
            Check::Path
            | Check::Owner
            | Check::Https
            | Check::Route
            | Check::Body
            | Check::Credential
            | Check::Size
            | Check::Shape
            | Check::Issuer
            | Check::Binding => true,
            Check::Type
            | Check::Algorithm
            | Check::Claims
            | Check::Audience
            | Check::Time
            | Check::Complete
            | Check::Key
            | Check::Signature => is_checked_here,
            Check::Required => is_checked_here && has(|issuer| !issuer.trust.required.is_empty(), false),
            Check::SessionName | Check::Resource | Check::Session => {
                has(|issuer| matches!(issuer.keys, KeySource::Realm(..)), false)
            }
            Check::Inquiry | Check::Answer => has(|issuer| issuer.introspection.is_some(), false),
            Check::Scopes => !scopes.is_empty(),
            Check::Roles => !roles.is_empty(),
            Check::Headers => self.route.is_some_and(|route| !route.headers.is_empty()),
            Check::Abilities => self.route.is_some_and(|route| route.fields.is_some()),
        }
    }

    fn detail(&self, check: Check, is_failed: bool) -> Option<String> {
        let claim = self.heard.claim.as_deref().filter(|_| is_failed);
        let of_claim = || claim.map(|claim| format!("`{claim}`"));
        match check {
            Check::Https if is_failed => Some(
                "plain HTTP counts only where the request is for this machine, and a realm has `allow_http`"
                    .to_owned(),
            ),
            Check::Path if is_failed => Some("two servers could read it differently".to_owned()),
            Check::Route if is_failed => Some("no route matches".to_owned()),
            Check::Route => self.route.map(|route| format!("`{}`", route.id)),
            Check::Body if is_failed => Some("a GET or HEAD request has no body".to_owned()),
            Check::Credential if is_failed => self.credential(),
            Check::Proof | Check::Complete | Check::SessionName | Check::Claims => of_claim(),
            Check::Binding if is_failed => Some(
                "the token is bound to a key or a certificate, and came without its proof; or the other way round".to_owned(),
            ),
            Check::Bound if is_failed => {
                Some("the route takes bound tokens only, and this one is not bound so".to_owned())
            }
            Check::Headers if is_failed => Some("a claim is longer than 4 KiB as a header".to_owned()),
            Check::SignIn if is_failed => {
                Some("`acr` or `auth_time` is not what the route asks for".to_owned())
            }
            Check::Issuer => self.issuer(is_failed),
            Check::Type | Check::Algorithm => self.header(check),
            Check::Audience => self.audience(),
            Check::Time => self.time(),
            Check::Required => self.required(claim),
            Check::Key => self.key(),
            Check::Resource if is_failed => self.resource(),
            Check::Scopes => self.scopes(is_failed),
            Check::Roles => self.roles(),
            Check::Abilities => self.abilities(is_failed),
            _ => None,
        }
    }

    fn credential(&self) -> Option<String> {
        let Some(Access::Token { places, .. }) = self.route.map(|route| &route.access) else { return None };
        let places: Vec<_> = places.iter().map(TokenPlace::to_string).collect();
        let what = match self.heard.reason.as_deref() {
            Some("miss_token") => "there is no token where the route looks for one",
            _ => "there is not exactly one token, or it is none",
        };
        Some(format!("{what}: {}", places.join(", ")))
    }

    fn issuer(&self, is_failed: bool) -> Option<String> {
        let known = self.seen.issuer.map(|issuer| format!("`{}`", issuer.trust.issuer));
        if !is_failed {
            return known;
        }
        let Some(Access::Token { issuers, .. }) = self.route.map(|route| &route.access) else { return None };
        let accepted: Vec<_> = issuers.iter().map(|issuer| format!("`{issuer}`")).collect();
        let what = known.map_or_else(
            || "the token's `iss` is nobody's that the configuration names".to_owned(),
            |known| format!("{known} is trusted, and not here"),
        );
        Some(format!("{what}; the route accepts {}", accepted.join(", ")))
    }

    fn header(&self, check: Check) -> Option<String> {
        let (header, trust) = (self.seen.header.as_ref()?, &self.seen.issuer?.trust);
        Some(if check == Check::Type {
            let mut wanted: Vec<_> = trust.types.iter().map(|typ| format!("`{typ}`")).collect();
            wanted.extend(trust.untyped.then(|| "none".to_owned()));
            let said = header.typ.as_ref().map_or_else(|| "none".to_owned(), |typ| format!("`{typ}`"));
            format!("{said}; wanted: {}", wanted.join(" or "))
        } else {
            let wanted: Vec<_> = trust.algorithms.iter().map(|algorithm| algorithm.name()).collect();
            let said = header.algorithm.map_or("none that is known", |algorithm| algorithm.name());
            format!("{said}; wanted: {}", wanted.join(" or "))
        })
    }

    fn audience(&self) -> Option<String> {
        let (claims, trust) = (self.seen.claims.as_ref()?, &self.seen.issuer?.trust);
        let listed = |names: &[String]| {
            let names: BTreeSet<_> = names.iter().map(|name| format!("`{name}`")).collect();
            let names: Vec<_> = names.into_iter().collect();
            if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
        };
        Some(format!("for {}; wanted: {}", listed(&claims.audiences), listed(&trust.audiences)))
    }

    fn time(&self) -> Option<String> {
        let (claims, trust) = (self.seen.claims.as_ref()?, &self.seen.issuer?.trust);
        let told =
            |what: &str, at: Option<Timestamp>| at.map(|at| format!("{what} {}", moment(at, self.now)));
        let times = [
            told("expires", claims.expires_at),
            told("not before", claims.not_before),
            told("issued", claims.issued_at),
        ];
        let mut said: Vec<_> = times.into_iter().flatten().collect();
        said.push(format!("leeway {} s", trust.leeway.as_seconds()));
        said.extend(trust.max_lifetime.map(|longest| format!("may live {} s", longest.as_seconds())));
        Some(said.join("; "))
    }

    fn required(&self, claim: Option<&str>) -> Option<String> {
        let required = &self.seen.issuer?.trust.required;
        let wanted =
            required.iter().filter(|required| claim.is_none_or(|claim| required.path.to_string() == claim));
        let wanted = wanted.map(|required| match &required.wanted {
            Wanted::Anything => format!("`{}` is there", required.path),
            Wanted::Flag(flag) => format!("`{}` is {flag}", required.path),
            Wanted::OneOf(texts) => format!("`{}` is `{}`", required.path, texts.join("` or `")),
        });
        Some(format!("wanted: {}", wanted.collect::<Vec<_>>().join("; ")))
    }

    fn key(&self) -> Option<String> {
        let header = self.seen.header.as_ref()?;
        let id = header.key.as_ref().map_or_else(|| "no `kid`".to_owned(), |id| format!("`{id}`"));
        Some(format!("{id}, for {}", header.algorithm?.name()))
    }

    fn resource(&self) -> Option<String> {
        let here = self.route?.described.as_ref();
        let here = here.map_or_else(|| "none".to_owned(), |here| format!("`{}`", here.resource));
        Some(format!("the token counts at some resources only, and the route belongs to {here}"))
    }

    fn scopes(&self, is_failed: bool) -> Option<String> {
        let Some(Access::Token { scopes, .. }) = self.route.map(|route| &route.access) else { return None };
        let (held, catalogue) =
            (self.seen.claims.as_ref().map(|claims| &claims.scopes), self.config.scopes());
        let is_met = |need: &&ScopeNeed| held.is_some_and(|held| need.is_met(held, catalogue));
        let listed = |needs: &[&ScopeNeed]| {
            let any = |need: &&ScopeNeed| {
                need.any().map(|scope| format!("`{scope}`")).collect::<Vec<_>>().join(" or ")
            };
            needs.iter().map(any).collect::<Vec<_>>().join(", and ")
        };
        let (met, lacking): (Vec<_>, Vec<_>) = scopes.iter().partition(is_met);
        // Of an opaque token nothing is known here.
        let held = held?;
        let held = if held.is_empty() { "none".to_owned() } else { format!("`{held}`") };
        Some(if is_failed {
            format!("lacks {}; has {held}", listed(&lacking))
        } else {
            format!("{}; has {held}", listed(&met))
        })
    }

    fn roles(&self) -> Option<String> {
        let Some(Access::Token { roles, .. }) = self.route.map(|route| &route.access) else { return None };
        Some(format!("wanted: `{}`; has {}", roles.join("` or `"), self.their_roles()?))
    }

    fn abilities(&self, is_failed: bool) -> Option<String> {
        let theirs = self.their_roles()?;
        Some(if is_failed {
            format!("has {theirs}, which have no ability of the route's `fields`")
        } else {
            format!("has {theirs}")
        })
    }

    fn their_roles(&self) -> Option<String> {
        let roles = &self.seen.claims.as_ref()?.roles;
        Some(if roles.is_empty() { "no role".to_owned() } else { format!("`{}`", roles.join("`, `")) })
    }
}
