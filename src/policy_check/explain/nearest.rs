//! Routes that a request almost matches, and what keeps it from them. Each is asked by the matcher that finds routes.

use serde::Serialize;

use crate::config::Config;
use crate::policy::{Host, Method, Route, RouteTable};
use crate::policy_check::run::Asked;
use crate::policy_check::shown;
use crate::uri::RequestPath;

/// How many of them are told.
const MOST: usize = 5;

/// A route, and why a request does not match it.
#[derive(Debug, Serialize)]
pub(super) struct Near {
    pub(super) id: String,
    pub(super) methods: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) host: Option<String>,
    pub(super) path: String,
    /// Nothing, where it matches.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) differs: Vec<String>,
}

impl Near {
    pub(super) fn of(route: &Route) -> Self {
        Self {
            id: route.id.to_string(),
            methods: route.methods.iter().map(|method| method.name()).collect(),
            host: route.host.as_ref().map(ToString::to_string),
            path: route.path.to_string(),
            differs: Vec::new(),
        }
    }
}

/// The nearest routes, of all those where something fits.
pub(super) fn nearest(config: &Config, asked: &Asked) -> Vec<Near> {
    let Ok(path) = asked.url.path().parse::<RequestPath>() else { return Vec::new() };
    let host = Host::of_authority(&asked.authority());
    let method: Option<Method> = asked.method.parse().ok();
    let mut ranked: Vec<((usize, usize), Near)> = Vec::new();
    for route in config.routes().iter() {
        let is_path = matches(
            Route { host: None, methods: Method::ALL.to_vec(), ..route.clone() },
            None,
            Method::Get,
            &path,
        );
        let is_host = route.host.is_none() || route.host == host;
        let is_method = method.is_some_and(|method| route.methods.contains(&method));
        let mut near = Near::of(route);
        if !is_path {
            near.differs.push(format!(
                "the path is `{}`, and not like `{}`",
                shown(path.as_str()),
                route.path
            ));
        }
        if !is_method {
            near.differs.push(format!(
                "the method is {}, and not {}",
                shown(&asked.method),
                near.methods.join(" or ")
            ));
        }
        if !is_host {
            let theirs = near.host.clone().unwrap_or_default();
            let ours =
                host.as_ref().map_or_else(|| "none that can be read".to_owned(), |host| format!("`{host}`"));
            near.differs.push(format!("the host is {ours}, and not `{theirs}`"));
        }
        let alike = if is_path { usize::MAX } else { alike(path.as_str(), &near.path) };
        if alike > 0 {
            ranked.push(((usize::MAX.saturating_sub(alike), near.differs.len()), near));
        }
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().take(MOST).map(|(_, near)| near).collect()
}

fn matches(route: Route, host: Option<&Host>, method: Method, path: &RequestPath) -> bool {
    RouteTable::new(vec![route]).is_ok_and(|table| table.find(host, method, path).is_some())
}

/// How much of both is alike from the left, in segments: the same counts for more than what a typing error may have made. Case, and a slash at the end, do not count.
fn alike(path: &str, pattern: &str) -> usize {
    let segments = |text: &str| -> Vec<String> {
        text.trim_matches('/').split('/').map(str::to_ascii_lowercase).collect()
    };
    let mut sum: usize = 0;
    let (ours, theirs) = (segments(path), segments(pattern));
    let is_as_deep = ours.len() == theirs.len();
    for (ours, theirs) in ours.iter().zip(&theirs) {
        // What any text fits says nothing, but is not in the way.
        let weight = if theirs.starts_with('{') || theirs == "*" {
            0
        } else if ours == theirs {
            4
        } else if distance(ours, theirs) <= ours.len().min(theirs.len()) / 3 {
            3
        } else {
            break;
        };
        sum = sum.saturating_add(weight);
    }
    if sum > 0 { sum.saturating_add(usize::from(is_as_deep)) } else { 0 }
}

/// How many characters are to be added, removed or replaced to make one of the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (above, of_a) in a.chars().enumerate() {
        let mut diagonal = above;
        let mut left = above.saturating_add(1);
        let mut next = vec![left];
        for (of_b, up) in b.chars().zip(row.iter().skip(1)) {
            let replaced = diagonal.saturating_add(usize::from(of_a != of_b));
            left = replaced.min(up.saturating_add(1)).min(left.saturating_add(1));
            diagonal = *up;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_near() {
        for (a, b, want) in [
            ("", "", 0),
            ("customer", "customers", 1),
            ("orders", "odrers", 2),
            ("a", "", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!((distance(a, b), distance(b, a)), (want, want), "{a} {b}");
        }
        assert!(alike("/customer/7", "/customers/{id}") > 0);
        assert!(alike("/orders/7", "/orders/{id}") > alike("/order/7", "/orders/{id}"));
        assert_eq!((alike("/a", "/b"), alike("/x/orders", "/{any}/orders"), alike("/x", "/*")), (0, 5, 0));
    }
}
