//! Who can pass a route, and who cannot.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::document::{Preset, RegistrationAccess};
use crate::policy::{Method, ScopeNeed, TokenPlace};
use crate::policy_check::lint::{Asks, At, Lints};
use crate::policy_check::report::Level;
use crate::registered::GrantType;
use crate::scope::{ScopeSet, ScopeToken};
use crate::uri::Issuer;

impl Lints<'_> {
    pub(super) fn access(&mut self, at: &At<'_>) {
        let Some(asks) = at.asks() else { return };
        self.form_without_body(at, &asks);
        self.says_nothing(at, &asks);
        self.anybody(at, &asks);
        self.redundant(at, &asks);
        self.audiences(at, &asks);
        if asks.scopes.is_empty() && asks.roles.is_empty() {
            let text = "any valid token of the issuers that it accepts passes; name a scope or a role, where that is not meant";
            self.of_route(Level::Note, "any-token", at, ".require", text);
        }
    }

    fn form_without_body(&mut self, at: &At<'_>, asks: &Asks<'_>) {
        let has_body = at.route.methods.iter().any(|method| !matches!(method, Method::Get | Method::Head));
        if has_body || !asks.places.contains(&TokenPlace::Form) {
            return;
        }
        let (level, code) = match asks.places {
            [_] => (Level::Error, "nobody-passes"),
            _ => (Level::Warning, "no-effect"),
        };
        let text = "a token in a `form` stands in the body, and neither `GET` nor `HEAD` has one; name another place";
        self.of_route(level, code, at, ".require.token_in", text);
    }

    /// Issuers whose tokens have no scopes, or no roles.
    fn says_nothing(&mut self, at: &At<'_>, asks: &Asks<'_>) {
        for (what, is_asked) in [("scopes", !asks.scopes.is_empty()), ("roles", !asks.roles.is_empty())] {
            let silent: Vec<&Issuer> =
                asks.issuers.iter().filter(|issuer| is_asked && self.is_silent(issuer, what)).collect();
            let Some(first) = silent.first() else { continue };
            let claim = if what == "scopes" { "scope" } else { what };
            let mend = format!("say in `claims.{claim}` where it puts them, or leave it out of `issuers`");
            let text = format!(
                "tokens of `{first}` have no {what} by its preset, and the route asks for some; {mend}"
            );
            let (level, code) = if silent.len() == asks.issuers.len() {
                (Level::Error, "nobody-passes")
            } else {
                (Level::Warning, "never-passes")
            };
            self.of_route(level, code, at, ".require.issuers", text);
        }
    }

    fn is_silent(&self, issuer: &Issuer, what: &str) -> bool {
        self.entry(issuer).is_some_and(|entry| {
            let said = if what == "scopes" { &entry.claims.scope } else { &entry.claims.roles };
            said.is_none() && matches!(entry.preset, Some(Preset::Google | Preset::CloudflareAccess))
        })
    }

    /// Whoever may register at will, and have what the route asks for.
    fn anybody(&mut self, at: &At<'_>, asks: &Asks<'_>) {
        // Whoever registers so has no role, and has not signed in.
        if !asks.roles.is_empty() || asks.step_up.asks() {
            return;
        }
        let realms = self.config.realms().iter().filter(|realm| asks.issuers.contains(&realm.issuer));
        let open = realms.filter_map(|realm| {
            let registration = realm.registration.as_ref()?;
            let is_open = registration.access == RegistrationAccess::Open
                && registration.grant_types.contains(&GrantType::ClientCredentials);
            let catalogue = self.config.scopes();
            let has = |need: &ScopeNeed| need.is_met(&registration.scopes, catalogue);
            (is_open && asks.scopes.iter().all(has)).then(|| realm.name.to_string())
        });
        for name in open.collect::<Vec<_>>() {
            let text = format!(
                "everybody passes who registers a client with realm `{name}`: its `registration` is `open`, with `client_credentials` and these scopes; make the route `anonymous`, or take away one of them"
            );
            self.of_route(Level::Warning, "open-to-everybody", at, ".require", text);
        }
    }

    fn redundant(&mut self, at: &At<'_>, asks: &Asks<'_>) {
        let catalogue = self.config.scopes();
        let only = |scope: &ScopeToken| [scope.clone()].into_iter().collect::<ScopeSet>();
        let mut found = Vec::new();
        for (nth, need) in asks.scopes.iter().enumerate() {
            // Of two that are the same the later one is too many.
            let implies = |(other, theirs): &(usize, &ScopeNeed)| {
                let covers =
                    |a: &ScopeNeed, b: &ScopeNeed| a.any().all(|scope| b.is_met(&only(scope), catalogue));
                *other != nth && covers(theirs, need) && (*other < nth || !covers(need, theirs))
            };
            if let Some((_, theirs)) = asks.scopes.iter().enumerate().find(implies) {
                found.push((
                    nth,
                    format!(
                        "whoever has `{}`, which the route asks for as well, has this; remove it",
                        theirs.first()
                    ),
                ));
            }
            let alternatives: Vec<&ScopeToken> = need.any().collect();
            for (at, scope) in alternatives.iter().enumerate() {
                let enough = alternatives.iter().enumerate().find(|(other, enough)| {
                    let covers = |a: &ScopeToken, b: &ScopeToken| catalogue.covers(&only(a), b);
                    *other != at && covers(scope, enough) && (*other < at || !covers(enough, scope))
                });
                if let Some((_, enough)) = enough {
                    found.push((nth, format!("`{scope}` implies `{enough}`, which is enough; remove it")));
                }
            }
        }
        for (nth, text) in found {
            self.of_route(Level::Warning, "redundant-scope", at, &format!(".require.scopes[{nth}]"), text);
        }
    }

    /// Issuers whose tokens are for nobody in common. Told once for each set of issuers.
    fn audiences(&mut self, at: &At<'_>, asks: &Asks<'_>) {
        let earlier = self.config.routes().iter().take(at.nth);
        let is_known = |route: &crate::policy::Route| matches!(&route.access, crate::policy::Access::Token { issuers, .. } if issuers == asks.issuers);
        if earlier.into_iter().any(is_known) {
            return;
        }
        let trusted = asks.issuers.iter().filter_map(|issuer| self.config.trusted(issuer.as_str()));
        // Whoever is asked about every token may say nothing of audiences.
        let sets: Vec<_> = trusted.filter(|issuer| !issuer.trust.audiences.is_empty()).collect();
        let Some((first, others)) = sets.split_first() else { return };
        let is_everywhere =
            |audience: &&String| others.iter().all(|other| other.trust.audiences.contains(audience));
        if first.trust.audiences.iter().any(|audience| is_everywhere(&audience)) {
            return;
        }
        let mut said: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for issuer in &sets {
            let audiences = issuer.trust.audiences.iter().collect::<BTreeSet<_>>();
            let audiences: Vec<_> = audiences.into_iter().map(|audience| format!("`{audience}`")).collect();
            said.entry(audiences.join(", ")).or_default().push(format!("`{}`", issuer.trust.issuer));
        }
        let said: Vec<_> = said
            .iter()
            .map(|(audiences, issuers)| match issuers.as_slice() {
                [first, _, more @ ..] => {
                    format!("{audiences} of {first} and {} more", more.len().saturating_add(1))
                }
                some => format!("{audiences} of {}", some.join(", ")),
            })
            .collect();
        let text = format!(
            "the tokens that it accepts are for nobody in common: {}; give the issuers one audience of this API, where a client should not need to know which",
            said.join("; ")
        );
        self.of_route(Level::Warning, "audiences-differ", at, ".require", text);
    }
}
