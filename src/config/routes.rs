//! The route policy, from its document.

mod claim_headers;
mod edge;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::binding::binding;
use crate::config::document::{OneOrMany, RequireDocument, RouteDocument, UpstreamDocument, WithoutFields};
use crate::config::realm::RESERVED;
use crate::config::step_up::step_up;
use crate::config::{Problems, Realm, RoleWords, TrustedIssuer};
use crate::id::RouteId;
use crate::policy::{
    Access, HeaderName, Host, PathPattern, Resource, Route, RouteFields, RouteTable, ScopeNeed, TokenPlace,
    Unseen, Upstream, Way,
};
use crate::redact::FieldPath;
use crate::scope::{ScopeCatalogue, ScopeToken};
use crate::time::Lifetime;
use crate::uri::{BaseUrl, Issuer, RequestPath};

pub(super) use claim_headers::{carried, filled};

/// What a route may refer to.
pub(super) struct Known<'a> {
    pub(super) scopes: &'a ScopeCatalogue,
    pub(super) realms: &'a [Realm],
    pub(super) issuers: &'a [Arc<TrustedIssuer>],
    pub(super) resources: &'a [Resource],
    pub(super) roles: &'a [RoleWords],
    /// The claims that routes ask for as headers, as they are written.
    pub(super) carried: &'a [String],
    /// The headers that they fill.
    pub(super) filled: Arc<[HeaderName]>,
}

impl Known<'_> {
    pub(super) fn routes(&self, documents: &[RouteDocument], problems: &mut Problems) -> Option<RouteTable> {
        let mut first_of: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, document) in documents.iter().enumerate() {
            if let Some(first) = first_of.get(document.id.as_str()).copied() {
                let id = &document.id;
                problems.add(
                    format_args!("routes[{at}].id"),
                    format_args!("`{id}` is taken by routes[{first}]; choose another"),
                );
            } else {
                first_of.insert(&document.id, at);
            }
        }
        let parsed: Vec<Option<Route>> = documents
            .iter()
            .enumerate()
            .map(|(at, document)| self.route(&format!("routes[{at}]"), document, problems))
            .collect();
        // Ambiguity is looked for once every route can be read: positions in the message are those of the document.
        let routes = parsed.into_iter().collect::<Option<Vec<Route>>>()?;
        let ids: Vec<String> = routes.iter().map(|route| route.id.to_string()).collect();
        match RouteTable::new(routes) {
            Ok(table) => Some(table),
            Err(clashes) => {
                for clash in clashes {
                    let first = ids.get(clash.first).map_or("", String::as_str);
                    let mend = "make their hosts, methods or paths differ";
                    problems.add(
                        format_args!("routes[{}]", clash.second),
                        format_args!(
                            "could match the same request as route `{first}` (routes[{}]); {mend}",
                            clash.first
                        ),
                    );
                }
                None
            }
        }
    }

    fn route(&self, path: &str, document: &RouteDocument, problems: &mut Problems) -> Option<Route> {
        if document.methods.is_empty() {
            problems.add(format_args!("{path}.methods"), "is empty; name at least one method");
        }
        for (at, method) in document.methods.iter().enumerate() {
            if document.methods.iter().take(at).any(|earlier| earlier == method) {
                problems.add(format_args!("{path}.methods[{at}]"), "is listed already; remove it");
            }
        }
        let id: Option<RouteId> = problems.take(format_args!("{path}.id"), document.id.parse());
        let host = document
            .host
            .as_ref()
            .map(|host| problems.take(format_args!("{path}.host"), host.parse::<Host>()));
        let pattern: Option<PathPattern> = problems.take(format_args!("{path}.path"), document.path.parse());
        if let Some(pattern) = &pattern {
            self.refuse_taken_paths(path, pattern, problems);
        }
        let access = self.access(path, document, problems);
        let to = upstream(&format!("{path}.to"), &document.to, problems);
        let way = pattern.as_ref().map(|pattern| way(&format!("{path}.to"), &document.to, pattern, problems));
        let fields = self.fields(path, document, problems);
        let headers = self.claim_headers(&format!("{path}.to.headers"), document, problems);
        let cors = document.cors.as_ref().map(|cors| edge::cors(&format!("{path}.cors"), cors, problems));
        let limit =
            document.limit.as_ref().map(|limit| edge::limit(path, (limit, document.anonymous), problems));
        let host = match host {
            Some(parsed) => Some(parsed?),
            None => None,
        };
        let mut route = Route {
            id: id?,
            host,
            methods: document.methods.clone(),
            path: pattern?,
            access: access?,
            to: to?,
            way: way?,
            headers,
            filled: Arc::clone(&self.filled),
            cors,
            limit,
            fields,
            tools: self.tools(path, document, problems),
            described: None,
        };
        let resource = self.resource(path, &route, problems);
        route.described = resource.map(|resource| resource.described(self.told_scopes(&route)));
        Some(route)
    }

    /// The resource that a route belongs to: of those that it lies in, the one with the longest path.
    fn resource(&self, path: &str, route: &Route, problems: &mut Problems) -> Option<&Resource> {
        let around = || self.resources.iter().filter(|resource| resource.has(route));
        let nearest = around().max_by_key(|resource| resource.reach())?;
        if let Some(other) = around().find(|other| other.reach() == nearest.reach() && other.id != nearest.id)
        {
            let mend = "give the route a `host`";
            problems
                .add(path, format_args!("lies in resource `{}` and in `{}`; {mend}", other.id, nearest.id));
        }
        Some(nearest)
    }

    fn refuse_taken_paths(&self, path: &str, pattern: &PathPattern, problems: &mut Problems) {
        let Some(first) = pattern.first_literal() else {
            return;
        };
        if self.realms.iter().any(|realm| realm.name.as_str() == first) {
            problems.add(
                format_args!("{path}.path"),
                format_args!("is below realm `{first}`; choose another first segment"),
            );
        }
        let metadata =
            self.realms.iter().map(|realm| format!("/.well-known/oauth-authorization-server/{}", realm.name));
        if metadata.into_iter().any(|path| path == pattern.to_string()) {
            problems.add(format_args!("{path}.path"), "is a realm's metadata; remove the route");
        }
        if pattern.to_string().starts_with("/.well-known/oauth-protected-resource") {
            problems
                .add(format_args!("{path}.path"), "is where resources describe themselves; remove the route");
        }
        if RESERVED.contains(&first) {
            problems.add(
                format_args!("{path}.path"),
                format_args!("`/{first}` is tollgate's own; choose another first segment"),
            );
        }
    }

    fn access(&self, path: &str, document: &RouteDocument, problems: &mut Problems) -> Option<Access> {
        match (&document.require, document.anonymous) {
            (None, true) => Some(Access::Anonymous),
            (Some(require), false) => {
                let path = format!("{path}.require");
                let scopes = self.required_scopes(&path, require, problems);
                let issuers = self.accepted_issuers(&path, require, problems);
                self.refuse_two_to_ask(&path, &issuers, problems);
                let places = token_places(&path, require, problems);
                let roles = self.required_roles(&path, require, problems);
                let is_realm = |issuer: &Issuer| self.realms.iter().any(|realm| realm.issuer == *issuer);
                let ours = !issuers.is_empty() && issuers.iter().all(is_realm);
                let step_up = step_up(&path, require, ours, problems);
                let binding = binding(&path, require, &places, ours, problems);
                Some(Access::Token { issuers, scopes, roles, places, step_up, binding })
            }
            (None, false) => {
                problems.add(path, "who may pass is not said; add `require`, or `\"anonymous\": true`");
                None
            }
            (Some(_), true) => {
                problems.add(path, "`anonymous` and `require` contradict each other; keep one");
                None
            }
        }
    }

    /// Which fields each role sees; `None`: the route does not say.
    fn fields(&self, path: &str, document: &RouteDocument, problems: &mut Problems) -> Option<RouteFields> {
        let unseen = match document.without_fields {
            WithoutFields::Refuse => Unseen::Refuse,
            WithoutFields::Empty => Unseen::Empty,
        };
        let Some(fields) = &document.fields else {
            if unseen == Unseen::Empty {
                problems.add(
                    format_args!("{path}.without_fields"),
                    "is about `fields`, which are not there; remove it, or add them",
                );
            }
            return None;
        };
        if fields.is_empty() {
            problems.add(format_args!("{path}.fields"), "is empty; name an ability, or leave it out");
        }
        if document.anonymous {
            problems.add(format_args!("{path}.fields"), "nobody has abilities where everybody may pass; remove it, or write `require` in place of `anonymous`");
        }
        let mut by_role: Vec<(String, Vec<FieldPath>)> = Vec::new();
        for (ability, texts) in fields {
            let path = format!("{path}.fields.{ability}");
            if texts.is_empty() {
                problems.add(&path, "is empty; name at least one field");
            }
            let parse =
                |(at, text): (usize, &String)| problems.take(format_args!("{path}[{at}]"), text.parse());
            let paths: Vec<FieldPath> = texts.iter().enumerate().filter_map(parse).collect();
            let able = self.roles.iter().filter(|role| role.abilities.contains(ability));
            let before = by_role.len();
            by_role.extend(able.map(|role| (role.role.to_string(), paths.clone())));
            if by_role.len() == before {
                problems.add(&path, format_args!("no role has the ability `{ability}`; add it to one under `roles`, or correct the name"));
            }
        }
        Some(RouteFields::new(by_role, unseen))
    }

    fn required_roles(&self, path: &str, require: &RequireDocument, problems: &mut Problems) -> Vec<String> {
        for (at, name) in require.roles.iter().enumerate() {
            if !self.roles.iter().any(|known| known.role.as_str() == name) {
                problems.add(
                    format_args!("{path}.roles[{at}]"),
                    format_args!("there is no role `{name}`; add it under `roles`, or correct the name"),
                );
            }
        }
        require.roles.clone()
    }

    /// An opaque token does not say whose it is, and showing it to the wrong issuer gives it away.
    fn refuse_two_to_ask(&self, path: &str, issuers: &[Issuer], problems: &mut Problems) {
        let asked: Vec<&str> = self
            .issuers
            .iter()
            .filter(|known| known.introspection.is_some() && issuers.contains(&known.trust.issuer))
            .map(|known| known.trust.issuer.as_str())
            .collect();
        if let [first, second, ..] = asked.as_slice() {
            let mend = "an opaque token does not say which: name one of them";
            problems.add(
                format_args!("{path}.issuers"),
                format_args!("both `{first}` and `{second}` have `introspection`; {mend}"),
            );
        }
    }

    fn required_scopes(
        &self,
        path: &str,
        require: &RequireDocument,
        problems: &mut Problems,
    ) -> Vec<ScopeNeed> {
        let mut needs = Vec::new();
        for (at, need) in require.scopes.iter().enumerate() {
            let is_list = matches!(need, OneOrMany::Many(_));
            let mut any = Vec::new();
            for (within, name) in need.as_slice().iter().enumerate() {
                let path = if is_list {
                    format!("{path}.scopes[{at}][{within}]")
                } else {
                    format!("{path}.scopes[{at}]")
                };
                any.extend(self.scope(&path, name, problems));
            }
            match ScopeNeed::of(any) {
                Some(need) => needs.push(need),
                None if need.as_slice().is_empty() => {
                    problems.add(
                        format_args!("{path}.scopes[{at}]"),
                        "is empty; nothing could ever pass: name a scope",
                    );
                }
                None => {}
            }
        }
        needs
    }

    /// A scope that the document has.
    pub(super) fn scope(&self, path: &str, name: &str, problems: &mut Problems) -> Option<ScopeToken> {
        let scope: ScopeToken = problems.take(path, name.parse())?;
        if !self.scopes.knows(&scope) {
            let mend = format_args!("there is no scope `{name}`; add it under `scopes`, or correct the name");
            problems.add(path, mend);
            return None;
        }
        Some(scope)
    }

    fn accepted_issuers(
        &self,
        path: &str,
        require: &RequireDocument,
        problems: &mut Problems,
    ) -> Vec<Issuer> {
        let path = format!("{path}.issuers");
        let Some(names) = &require.issuers else {
            if let [first, _, ..] = self.realms {
                // A test token must never pass on a production route because nobody thought of it.
                let name = &first.name;
                let mend = format_args!(
                    "there are several realms; name those whose tokens count here, for example [\"{name}\"]"
                );
                problems.add(&path, mend);
            }
            let issuers: Vec<_> = self.issuers.iter().map(|known| known.trust.issuer.clone()).collect();
            if issuers.is_empty() {
                problems.add(&path, "nobody's tokens are trusted; add a realm or an issuer");
            }
            return issuers;
        };
        if names.is_empty() {
            problems.add(&path, "is empty; nothing could ever pass: name a realm or an issuer");
        }
        let find = |name: &str| {
            let realm =
                self.realms.iter().find(|realm| realm.name.as_str() == name).map(|realm| &realm.issuer);
            let other = || self.issuers.iter().map(|known| &known.trust.issuer).find(|i| i.as_str() == name);
            realm.or_else(other).cloned()
        };
        let mut issuers = Vec::new();
        for (at, name) in names.iter().enumerate() {
            match find(name) {
                Some(issuer) => issuers.push(issuer),
                None => problems.add(
                    format_args!("{path}[{at}]"),
                    format_args!("`{name}` is neither a realm's name nor an issuer of `issuers`; correct it"),
                ),
            }
        }
        issuers
    }
}

fn token_places(path: &str, require: &RequireDocument, problems: &mut Problems) -> Vec<TokenPlace> {
    if require.token_in.is_empty() {
        problems.add(format_args!("{path}.token_in"), "is empty; leave it out, or name a place");
    }
    let mut places: Vec<TokenPlace> = Vec::new();
    for (at, text) in require.token_in.iter().enumerate() {
        let path = format!("{path}.token_in[{at}]");
        match problems.take(&path, text.parse()) {
            Some(place) if places.contains(&place) => problems.add(&path, "is listed already; remove it"),
            place => places.extend(place),
        }
    }
    places
}

/// How requests are sent on.
fn way(path: &str, document: &UpstreamDocument, pattern: &PathPattern, problems: &mut Problems) -> Way {
    let mut strips = 0;
    if let Some(prefix) = &document.strip_prefix {
        let parsed = prefix.parse::<RequestPath>().ok().filter(|parsed| parsed.as_str() == prefix);
        if parsed.is_some_and(|parsed| pattern.begins_with(&parsed)) {
            strips = prefix.len();
        } else {
            problems.add(
                format_args!("{path}.strip_prefix"),
                "is not what every path of the route begins with; write literal segments of `path`, such as `/api`",
            );
        }
    }
    let timeout = document.timeout_seconds.map(|seconds| {
        Lifetime::from_seconds(problems.range(format_args!("{path}.timeout_seconds"), seconds, 1, 300))
    });
    let retries = problems.range(format_args!("{path}.retries"), document.retries, 0, 3);
    Way { strips, timeout, retries }
}

fn upstream(path: &str, document: &UpstreamDocument, problems: &mut Problems) -> Option<Upstream> {
    match (&document.service, &document.url) {
        (Some(service), None) => {
            let fits = service.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !service.is_empty();
            if !fits {
                problems.add(format_args!("{path}.service"), "is no binding's name; use A-Z 0-9 _");
            }
            Some(Upstream::Service(service.clone()))
        }
        (None, Some(url)) => {
            let path = format!("{path}.url");
            let base = problems.take(&path, url.parse::<BaseUrl>())?;
            if !base.is_safe() {
                problems.add(&path, "is plain http; use https");
            }
            Some(Upstream::Url(base))
        }
        (None, None) => {
            problems.add(path, "has no target; give `service` or `url`");
            None
        }
        (Some(_), Some(_)) => {
            problems.add(path, "has two targets; give `service` or `url`, not both");
            None
        }
    }
}
