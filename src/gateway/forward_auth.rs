//! Forward-auth: a proxy asks whether a request may pass and names that request in headers.
//!
//! nginx (`auth_request`) is told to send `X-Original-Method` and `X-Original-URI`; Traefik (`ForwardAuth`)
//! sends `X-Forwarded-Method`, `X-Forwarded-Uri` and `X-Forwarded-Host`. A proxy sends one spelling and passes
//! on what a caller sent in the other, so where both are there and differ, nobody knows which is true: refused.

use crate::error::Denied;
use crate::gateway::Target;
use crate::http::Headers;
use crate::policy::Host;

const NGINX: [&str; 3] = ["x-original-method", "x-original-uri", "x-original-host"];
const TRAEFIK: [&str; 3] = ["x-forwarded-method", "x-forwarded-uri", "x-forwarded-host"];

/// The request that the proxy asks about. `authorization` is the caller's, passed on by the proxy.
///
/// # Errors
/// [`Denied::MalformPath`] when it is not named, named in two ways, or has no normal form.
pub fn original<'a>(
    method: &'a mut Option<String>,
    authorization: Option<&'a str>,
    headers: &dyn Headers,
) -> Result<Target<'a>, Denied> {
    let differ =
        |nginx, traefik| matches!((headers.get(nginx), headers.get(traefik)), (Some(a), Some(b)) if a != b);
    if NGINX.iter().zip(TRAEFIK).any(|(nginx, traefik)| differ(nginx, traefik)) {
        return Err(Denied::MalformPath);
    }
    // All of it from the one spelling that names the path: the other one's host would be the caller's.
    let [method_name, uri_name, host_name] = if headers.get(NGINX[1]).is_some() { NGINX } else { TRAEFIK };
    *method = headers.get(method_name);
    let uri = headers.get(uri_name).ok_or(Denied::MalformPath)?;
    let host = headers.get(host_name);
    let path = uri.split_once('?').map_or(uri.as_str(), |(path, _)| path);
    Ok(Target {
        method: method.as_deref().ok_or(Denied::MalformPath)?,
        host: host.as_deref().and_then(Host::of_authority),
        path: path.parse().map_err(|_| Denied::MalformPath)?,
        authorization,
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
        let mut method = None;
        original(&mut method, None, &Fixed(headers)).map(|t| (t.method.to_owned(), t.path.to_string()))
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
            original(&mut None, None, &Fixed(headers)).unwrap().host.map(|host| host.to_string())
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
