//! Routes and the table that finds the one that a request is for.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;

use litemap::LiteMap;
use serde::{Deserialize, Serialize};

use crate::id::{Malformed, RouteId};
use crate::policy::overlap::Overlaps;
use crate::policy::{
    Binding, ClaimHeader, Cors, Described, HeaderName, PathPattern, RateLimit, RouteFields, StepUp,
    TokenPlace, Tools,
};
use crate::scope::{ScopeCatalogue, ScopeSet, ScopeToken};
use crate::time::Lifetime;
use crate::uri::{BaseUrl, Issuer, RequestPath};

/// A request method that a route may name. Others (`TRACE`, `CONNECT`) match nothing.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// RFC 9110 section 9.3.5.
    Delete,
    /// RFC 9110 section 9.3.1.
    Get,
    /// RFC 9110 section 9.3.2.
    Head,
    /// RFC 9110 section 9.3.7.
    Options,
    /// RFC 5789.
    Patch,
    /// RFC 9110 section 9.3.3.
    Post,
    /// RFC 9110 section 9.3.4.
    Put,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 7] =
        [Self::Delete, Self::Get, Self::Head, Self::Options, Self::Patch, Self::Post, Self::Put];

    /// As requests spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

impl FromStr for Method {
    type Err = Malformed;

    /// Methods are case-sensitive (RFC 9110 section 9.1).
    fn from_str(text: &str) -> Result<Self, Malformed> {
        const RULE: Malformed = Malformed::new("method", "DELETE, GET, HEAD, OPTIONS, PATCH, POST or PUT");
        Self::ALL.into_iter().find(|method| method.name() == text).ok_or(RULE)
    }
}

/// A host name without a port, in lower case.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Host(String);

impl Host {
    /// The host of a `Host` value, without its port. What is no port would make another host of it to whoever reads it as an address
    /// (`localhost:1@other.example`).
    #[must_use]
    pub fn of_authority(authority: &str) -> Option<Self> {
        let is_bare = authority.ends_with(']');
        let split = authority.rsplit_once(':').filter(|_| !is_bare);
        let (host, port) = split.unwrap_or((authority, ""));
        let is_port = port.bytes().all(|byte| byte.is_ascii_digit())
            && (port.is_empty() || port.parse::<u16>().is_ok());
        is_port.then(|| host.parse().ok())?
    }

    /// Whether a `Host` value holds nothing but what names of hosts, addresses and ports are made of (RFC 9110 section 7.2): no user, no path, no
    /// second host. Does **not** check that it is one of these.
    #[must_use]
    pub fn is_plain(authority: &str) -> bool {
        let is_part = |byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b':' | b'[' | b']');
        !authority.is_empty() && authority.bytes().all(is_part)
    }

    /// Whether it is this machine: `localhost`, 127.0.0.0/8 or `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let v6 = self.0.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        v6.map_or(self.0 == "localhost", |v6| {
            v6.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
        }) || self.0.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for Host {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const RULE: Malformed = Malformed::new("host", "a host name in ASCII without scheme, port or path");
        let host = url::Host::parse(text).map_err(|_| RULE)?.to_string();
        // What URL parsing would change beyond its case, or an empty label, is nothing that a request can ask for.
        let fits = host.eq_ignore_ascii_case(text)
            && (host.starts_with('[') || host.split('.').all(|label| !label.is_empty()));
        fits.then_some(Self(host)).ok_or(RULE)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who may pass.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Access {
    /// Everybody, with or without a token; spelled out in the configuration.
    Anonymous,
    /// Whoever presents a token of one of `issuers` that grants every scope of `scopes`.
    Token {
        /// The issuers whose tokens count here.
        issuers: Vec<Issuer>,
        /// All of these are needed.
        scopes: Vec<ScopeNeed>,
        /// One of these is needed, where there are any.
        roles: Vec<String>,
        /// Where the token may stand.
        places: Vec<TokenPlace>,
        /// How the person has to have signed in.
        step_up: StepUp,
        /// What the token has to be bound to; `None`: it need not be.
        binding: Option<Binding>,
    },
}

impl Access {
    /// What the token has to be bound to.
    #[must_use]
    pub const fn binding(&self) -> Option<Binding> {
        match self {
            Self::Anonymous => None,
            Self::Token { binding, .. } => *binding,
        }
    }
}

/// How a request is sent on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Way {
    /// How many bytes of the path stay here.
    pub strips: usize,
    /// How long it may take until the answer begins; `None`: as long as the platform waits.
    pub timeout: Option<Lifetime>,
    /// How often a request that may come twice (RFC 9110 section 9.2.1) is sent again, where it got no answer.
    pub retries: u64,
}

/// Scopes any of which is needed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScopeNeed {
    first: ScopeToken,
    others: Vec<ScopeToken>,
}

impl ScopeNeed {
    /// Any of these; `None`: there are none.
    #[must_use]
    pub fn of(any: Vec<ScopeToken>) -> Option<Self> {
        let mut any = any.into_iter();
        Some(Self { first: any.next()?, others: any.collect() })
    }

    /// The one that callers are told to ask for.
    #[must_use]
    pub const fn first(&self) -> &ScopeToken {
        &self.first
    }

    /// Every one that will do.
    pub fn any(&self) -> impl Iterator<Item = &ScopeToken> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Whether what is held is enough, directly or by implication.
    #[must_use]
    pub fn is_met(&self, held: &ScopeSet, catalogue: &ScopeCatalogue) -> bool {
        self.any().any(|scope| catalogue.covers(held, scope))
    }
}

/// Where a request goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Upstream {
    /// A service binding of the worker.
    Service(String),
    /// An address.
    Url(BaseUrl),
}

/// One route of the policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Route {
    /// Its name in logs and errors.
    pub id: RouteId,
    /// Only requests for this host, where given.
    pub host: Option<Host>,
    /// Any of these.
    pub methods: Vec<Method>,
    /// The paths.
    pub path: PathPattern,
    /// Who may pass.
    pub access: Access,
    /// Where to.
    pub to: Upstream,
    /// And how.
    pub way: Way,
    /// Claims that the upstream gets as headers.
    pub headers: Vec<ClaimHeader>,
    /// The headers that any route fills with claims: whoever stands behind two of them believes what they say, so no caller's own passes on either.
    pub filled: Arc<[HeaderName]>,
    /// Which scripts of other origins may call it; `None`: that is the upstream's business.
    pub cors: Option<Cors>,
    /// How often one caller may call it; `None`: as often as it likes.
    pub limit: Option<RateLimit>,
    /// Which fields of its answers come back; `None`: all of them.
    pub fields: Option<RouteFields>,
    /// The tools of an MCP server that may be called; `None`: messages are not looked into.
    pub tools: Option<Tools>,
    /// The resource that it belongs to.
    pub described: Option<Described>,
}

impl Route {
    /// Whether both could match one request.
    fn meets(&self, other: &Self) -> bool {
        let hosts = match (&self.host, &other.host) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => true,
        };
        hosts
            && self.methods.iter().any(|method| other.methods.contains(method))
            && self.path.overlaps(&other.path)
    }
}

/// Two routes that could both match.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ambiguity {
    /// The position of the earlier one.
    pub first: usize,
    /// The position of the later one.
    pub second: usize,
}

/// All routes, built once. Finding is one radix tree walk per host spelling, however many routes there are.
#[derive(Debug, Default)]
pub struct RouteTable {
    routes: Vec<Route>,
    tells_hosts_apart: bool,
    trees: LiteMap<(Option<Host>, Method), matchit::Router<usize>>,
}

impl RouteTable {
    /// Builds the table.
    ///
    /// # Errors
    /// Every pair of routes that could both match one request.
    pub fn new(routes: Vec<Route>) -> Result<Self, Vec<Ambiguity>> {
        let mut clashes = Vec::new();
        let mut paths = Overlaps::default();
        for (second, route) in routes.iter().enumerate() {
            let mut earlier = Vec::new();
            let beginning = route.path.beginning();
            paths.of(&beginning, &mut earlier);
            earlier.sort_unstable();
            let meets = |first: &usize| routes.get(*first).is_some_and(|other| other.meets(route));
            clashes.extend(earlier.into_iter().filter(meets).map(|first| Ambiguity { first, second }));
            paths.add(&beginning, second);
        }
        if !clashes.is_empty() {
            return Err(clashes);
        }
        let mut trees: LiteMap<_, matchit::Router<usize>> = LiteMap::new();
        for (at, route) in routes.iter().enumerate() {
            for method in &route.methods {
                let tree = trees.entry((route.host.clone(), *method)).or_default();
                // Without overlap the matcher has nothing to object to; if it does, treat it as a clash with itself.
                if tree.insert(route.path.as_matchit(), at).is_err() {
                    return Err(vec![Ambiguity { first: at, second: at }]);
                }
            }
        }
        let tells_hosts_apart = routes.iter().any(|route| route.host.is_some());
        Ok(Self { routes, tells_hosts_apart, trees })
    }

    /// The route of a request, if any.
    #[must_use]
    pub fn find(&self, host: Option<&Host>, method: Method, path: &RequestPath) -> Option<&Route> {
        let look = |host: Option<Host>| {
            let found = self.trees.get(&(host, method))?.at(path.as_str()).ok()?;
            self.routes.get(*found.value)
        };
        host.and_then(|host| look(Some(host.clone()))).or_else(|| look(None))
    }

    /// Whether some route is for one host only.
    #[must_use]
    pub const fn tells_hosts_apart(&self) -> bool {
        self.tells_hosts_apart
    }

    /// Every route, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(id: &str, host: Option<&str>, methods: &[Method], path: &str) -> Route {
        Route {
            id: id.parse().unwrap(),
            host: host.map(|host| host.parse().unwrap()),
            methods: methods.to_vec(),
            path: path.parse().unwrap(),
            access: Access::Anonymous,
            to: Upstream::Service("ORIGIN".to_owned()),
            way: Way::default(),
            headers: Vec::new(),
            filled: Arc::new([]),
            cors: None,
            limit: None,
            fields: None,
            tools: None,
            described: None,
        }
    }

    fn found<'a>(table: &'a RouteTable, host: Option<&str>, method: Method, path: &str) -> Option<&'a str> {
        let host = host.map(|host| Host::of_authority(host).unwrap());
        table.find(host.as_ref(), method, &path.parse().unwrap()).map(|route| route.id.as_str())
    }

    #[test]
    fn nothing_matches_by_default() {
        let table = RouteTable::new(vec![]).unwrap();
        assert_eq!(found(&table, None, Method::Get, "/"), None);
    }

    #[test]
    fn a_request_finds_its_one_route() {
        let table = RouteTable::new(vec![
            route("list", None, &[Method::Get], "/orders"),
            route("create", None, &[Method::Post], "/orders"),
            route("read", None, &[Method::Get, Method::Head], "/orders/{id}"),
            route("lines", None, &[Method::Get], "/orders/{order}/lines"),
            route("static", None, &[Method::Get], "/static/*"),
            route("hosted", Some("API.example.com"), &[Method::Get], "/hosted"),
        ])
        .unwrap();
        for (host, method, path, want) in [
            (None, Method::Get, "/orders", Some("list")),
            (None, Method::Post, "/orders", Some("create")),
            (None, Method::Put, "/orders", None),
            (None, Method::Head, "/orders/7", Some("read")),
            (None, Method::Get, "/orders/7/lines", Some("lines")),
            (None, Method::Get, "/orders/", None),
            (None, Method::Get, "/Orders", None),
            (None, Method::Get, "/static/a/b", Some("static")),
            (None, Method::Get, "/static/", None),
            (None, Method::Get, "/static", None),
            (Some("api.example.com:8787"), Method::Get, "/hosted", Some("hosted")),
            (Some("other.example.com"), Method::Get, "/hosted", None),
            (None, Method::Get, "/hosted", None),
            (Some("api.example.com"), Method::Get, "/orders", Some("list")),
        ] {
            assert_eq!(found(&table, host, method, path), want, "{method:?} {path}");
        }
    }

    #[test]
    fn a_host_that_no_request_can_ask_for_is_refused() {
        for bad in ["", ".", "api..example", "[::1", "a]", "[::1]x", "a b", "a/b", "exämple.com", "a:1"] {
            assert!(bad.parse::<Host>().is_err(), "{bad}");
        }
        for (authority, host) in
            [("API.example:8787", "api.example"), ("[::1]:8787", "[::1]"), ("127.0.0.1", "127.0.0.1")]
        {
            assert_eq!(Host::of_authority(authority).unwrap().to_string(), host);
        }
    }

    #[test]
    fn attack_57_a_host_that_is_read_in_two_ways_is_none() {
        for bad in [
            "127.0.0.1:80@evil.example",
            "localhost:80\\@evil.example",
            "localhost:80, evil.example",
            "localhost:80 evil.example",
            "localhost:80/locations?",
            "localhost:80#",
            "user@localhost",
            "",
        ] {
            assert!(Host::of_authority(bad).is_none() && !Host::is_plain(bad), "{bad}");
        }
        for bad in ["localhost:x", "localhost:80:80", "localhost:65536", "localhost:+80", "[::1"] {
            assert!(Host::of_authority(bad).is_none(), "{bad}");
        }
        for good in ["localhost", "localhost:", "LOCALHOST:80", "[::1]", "[::1]:80", "a_b.example:8443"] {
            assert!(Host::of_authority(good).is_some() && Host::is_plain(good), "{good}");
        }
    }

    #[test]
    fn two_routes_that_could_both_match_are_refused() {
        let clash = RouteTable::new(vec![
            route("a", None, &[Method::Get], "/orders/{id}"),
            route("b", Some("api.example.com"), &[Method::Post, Method::Get], "/orders/new"),
            route("c", Some("other.example.com"), &[Method::Delete], "/orders/new"),
        ])
        .unwrap_err();
        assert_eq!(clash, [Ambiguity { first: 0, second: 1 }]);
    }
}
