//! Forward-auth: a proxy asks whether a request may pass and names that request in headers.
//!
//! nginx (`auth_request`) is told to send `X-Original-Method`, `X-Original-URI` and `X-Original-Host`; Traefik (`ForwardAuth`)
//! sends `X-Forwarded-Method`, `X-Forwarded-Uri` and `X-Forwarded-Host`. A proxy sends one spelling and passes
//! on what a caller sent in the other, so where both are there and differ, nobody knows which is true: refused.

use crate::error::Denied;
use crate::gateway::Target;
use crate::http::Headers;
use crate::policy::Host;

const NGINX: [&str; 3] = ["x-original-method", "x-original-uri", "x-original-host"];
const TRAEFIK: [&str; 3] = ["x-forwarded-method", "x-forwarded-uri", "x-forwarded-host"];

/// What the proxy named, as it was sent.
#[derive(Debug, Default)]
pub struct Named {
    method: String,
    uri: String,
}

/// The request that the proxy asks about. `authorization` is the caller's, passed on by the proxy. Where routes
/// differ by host, the proxy has to name it: a header that it does not set is the caller's to choose.
///
/// # Errors
/// [`Denied::MalformPath`] when it is not named, named in two ways, or has no normal form.
pub fn original<'a>(
    named: &'a mut Named,
    must_name_host: bool,
    authorization: Option<&'a str>,
    headers: &'a dyn Headers,
) -> Result<Target<'a>, Denied> {
    let differ =
        |nginx, traefik| matches!((headers.get(nginx), headers.get(traefik)), (Some(a), Some(b)) if a != b);
    if NGINX.iter().zip(TRAEFIK).any(|(nginx, traefik)| differ(nginx, traefik)) {
        return Err(Denied::MalformPath);
    }
    // All of it from the one spelling that names the path: the other one's host would be the caller's.
    let [method, uri, host] = if headers.get(NGINX[1]).is_some() { NGINX } else { TRAEFIK };
    let host =
        headers.get(host).map(|host| Host::of_authority(&host).ok_or(Denied::MalformPath)).transpose()?;
    if must_name_host && host.is_none() {
        return Err(Denied::MalformPath);
    }
    *named = Named {
        method: headers.get(method).ok_or(Denied::MalformPath)?,
        uri: headers.get(uri).ok_or(Denied::MalformPath)?,
    };
    let (path, query) =
        named.uri.split_once('?').map_or((named.uri.as_str(), None), |(path, query)| (path, Some(query)));
    Ok(Target {
        method: &named.method,
        host,
        path: path.parse().map_err(|_| Denied::MalformPath)?,
        query,
        authorization,
        // The proxy keeps the body; what it does with one is its own. A token in a form is not seen here.
        has_body: false,
        headers: Some(headers),
        // Its connection ends at the proxy, and what that says of it in a header anybody could say.
        peer: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(&'static [(&'static str, &'static str)]);

    impl Headers for Fixed {
        fn get(&self, name: &str) -> Option<String> {
            self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        }
    }

    fn read(headers: &'static [(&'static str, &'static str)]) -> Result<(String, String), Denied> {
        let mut named = Named::default();
        original(&mut named, false, None, &Fixed(headers)).map(|t| (t.method.to_owned(), t.path.to_string()))
    }

    #[test]
    fn nginx_and_traefik_spellings() {
        let want = Ok(("GET".to_owned(), "/orders".to_owned()));
        assert_eq!(read(&[("x-original-method", "GET"), ("x-original-uri", "/orders?a=1")]), want);
        assert_eq!(read(&[("x-forwarded-method", "GET"), ("x-forwarded-uri", "/orders")]), want);
        assert_eq!(
            read(&[
                ("x-original-method", "GET"),
                ("x-original-uri", "/orders"),
                ("x-forwarded-uri", "/orders"),
                ("x-forwarded-method", "GET")
            ]),
            want
        );
    }

    #[test]
    fn the_host_is_the_one_of_the_spelling_that_names_the_path() {
        let host = |headers: &'static [(&'static str, &'static str)]| {
            original(&mut Named::default(), false, None, &Fixed(headers))
                .unwrap()
                .host
                .map(|host| host.to_string())
        };
        let nginx = [("x-original-method", "GET"), ("x-original-uri", "/orders")];
        assert_eq!(
            host(Box::leak(Box::new([nginx[0], nginx[1], ("x-forwarded-host", "other.example")]))),
            None
        );
        assert_eq!(
            host(Box::leak(Box::new([nginx[0], nginx[1], ("x-original-host", "api.example")]))),
            Some("api.example".to_owned())
        );
    }

    #[test]
    fn attack_56_where_routes_differ_by_host_the_proxy_names_it() {
        let nginx = Fixed(&[("x-original-method", "GET"), ("x-original-uri", "/orders")]);
        assert_eq!(original(&mut Named::default(), true, None, &nginx).unwrap_err(), Denied::MalformPath);
        let unreadable =
            Fixed(&[("x-original-method", "GET"), ("x-original-uri", "/orders"), ("x-original-host", "a b")]);
        assert_eq!(
            original(&mut Named::default(), false, None, &unreadable).unwrap_err(),
            Denied::MalformPath
        );
    }

    #[test]
    fn attack_56_a_callers_second_spelling_is_refused() {
        for headers in [
            &[("x-original-method", "GET"), ("x-original-uri", "/admin"), ("x-forwarded-uri", "/health")]
                as &'static [_],
            &[("x-original-method", "GET"), ("x-forwarded-method", "POST"), ("x-original-uri", "/orders")],
            &[("x-original-uri", "/orders")],
            &[("x-original-method", "GET")],
            &[("x-original-method", "GET"), ("x-original-uri", "/public/../admin")],
            &[("x-original-method", "GET"), ("x-original-uri", "/health#/admin")],
            &[("x-original-method", "GET"), ("x-original-uri", "http://other/health")],
        ] {
            assert_eq!(read(headers), Err(Denied::MalformPath), "{headers:?}");
        }
    }
}
