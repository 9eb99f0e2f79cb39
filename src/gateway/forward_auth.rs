//! Forward-auth: a proxy asks whether a request may pass and names that request in headers.
//!
//! nginx (`auth_request`) is told to send `X-Original-Method` and `X-Original-URI`; Traefik (`ForwardAuth`)
//! sends `X-Forwarded-Method`, `X-Forwarded-Uri` and `X-Forwarded-Host`. A proxy sends one spelling and passes
//! on what a caller sent in the other, so where both are there and differ, nobody knows which is true: refused.

use crate::error::Denied;
use crate::gateway::Target;
use crate::http::Headers;
use crate::policy::Host;

/// The request that the proxy asks about. `authorization` is the caller's, passed on by the proxy.
///
/// # Errors
/// [`Denied::MalformPath`] when it is not named, named in two ways, or has no normal form.
pub fn original<'a>(
    method: &'a mut Option<String>,
    authorization: Option<&'a str>,
    headers: &dyn Headers,
) -> Result<Target<'a>, Denied> {
    let one = |nginx, traefik| match (headers.get(nginx), headers.get(traefik)) {
        (Some(a), Some(b)) if a != b => Err(Denied::MalformPath),
        (a, b) => Ok(a.or(b)),
    };
    *method = one("x-original-method", "x-forwarded-method")?;
    let uri = one("x-original-uri", "x-forwarded-uri")?.ok_or(Denied::MalformPath)?;
    let host = one("x-original-host", "x-forwarded-host")?;
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
