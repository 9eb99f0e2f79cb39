//! Which scripts of other origins may call a route, and read what it answers (Fetch section 3.2, "CORS protocol").
//!
//! Answered here, for the upstream as well: an upstream's own `Access-Control-` headers do not pass. Whoever is not named gets an answer that its browser
//! does not show it; that decides nothing about who may call, which tokens do.

use crate::http::Answer;
use crate::policy::Method;
use crate::time::Lifetime;

/// Headers that every client of a guarded route sends.
const SENT: &str = "Authorization, DPoP";

/// What scripts have to be able to read: what was wrong, the nonce of a proof, and the request's name in the log.
const READ: &str = "WWW-Authenticate, DPoP-Nonce, Retry-After, X-Request-Id";

/// Who may call a route from a browser.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cors {
    /// Origins (RFC 6454), as browsers write them; none: every one.
    pub origins: Vec<String>,
    /// Request headers that may be sent, besides those that carry tokens.
    pub headers: Vec<String>,
    /// Headers of answers that may be read, besides those of tollgate's own.
    pub expose: Vec<String>,
    /// Whether cookies may be sent.
    pub credentials: bool,
    /// For how long a browser may keep the answer to a preflight.
    pub max_age: Lifetime,
}

impl Cors {
    /// Whether scripts of this origin may.
    #[must_use]
    pub fn admits(&self, origin: &str) -> bool {
        self.origins.is_empty() || self.origins.iter().any(|known| known == origin)
    }

    /// The answer to a preflight (Fetch section 3.2.2) from `origin` for a route with these methods.
    #[must_use]
    pub fn preflight(&self, origin: &str, methods: &[Method]) -> Answer {
        if !self.admits(origin) {
            let detail = "Scripts of this origin may not call this resource.";
            return Answer::problem(403, "Forbidden", detail).with("Vary", "Origin");
        }
        let methods = methods.iter().map(|method| method.name()).collect::<Vec<_>>().join(", ");
        self.on(origin)
            .into_iter()
            .filter(|(name, _)| *name != "Access-Control-Expose-Headers")
            .fold(Answer::empty(204), |answer, (name, value)| answer.with(name, value))
            .with("Access-Control-Allow-Methods", methods)
            .with("Access-Control-Allow-Headers", joined(SENT, &self.headers))
            .with("Access-Control-Max-Age", (self.max_age.as_millis() / 1000).to_string())
    }

    /// What an answer says to a request from `origin`; `None`: it did not come from a script of another origin.
    #[must_use]
    pub fn on_answer(&self, origin: Option<&str>) -> Vec<(&'static str, String)> {
        match origin.filter(|origin| self.admits(origin)) {
            Some(origin) => self.on(origin),
            None => vec![("Vary", "Origin".to_owned())],
        }
    }

    fn on(&self, origin: &str) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("Access-Control-Allow-Origin", origin.to_owned()),
            ("Access-Control-Expose-Headers", joined(READ, &self.expose)),
            ("Vary", "Origin".to_owned()),
        ];
        if self.credentials {
            headers.push(("Access-Control-Allow-Credentials", "true".to_owned()));
        }
        headers
    }
}

fn joined(first: &str, more: &[String]) -> String {
    more.iter().fold(first.to_owned(), |all, name| format!("{all}, {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: &[&str]) -> Cors {
        Cors {
            origins: origins.iter().map(|&origin| origin.to_owned()).collect(),
            headers: vec!["Content-Type".to_owned()],
            expose: vec!["ETag".to_owned()],
            credentials: false,
            max_age: Lifetime::from_seconds(600),
        }
    }

    #[test]
    fn fetch_section_3_2_2_a_preflight_is_answered_for_origins_that_are_named() {
        let cors = cors(&["https://app.example"]);
        let answer = cors.preflight("https://app.example", &[Method::Get, Method::Post]);
        let header = |name| answer.header(name);
        assert_eq!(answer.status, 204);
        assert_eq!(header("Access-Control-Allow-Origin"), Some("https://app.example"));
        assert_eq!(header("Access-Control-Allow-Methods"), Some("GET, POST"));
        assert_eq!(header("Access-Control-Allow-Headers"), Some("Authorization, DPoP, Content-Type"));
        assert_eq!(header("Access-Control-Max-Age"), Some("600"));
        assert_eq!(header("Access-Control-Allow-Credentials"), None);
        assert_eq!(header("Vary"), Some("Origin"));
        for other in ["https://app.example.evil", "https://APP.example", "http://app.example", "null"] {
            let answer = cors.preflight(other, &[Method::Get]);
            assert_eq!((answer.status, answer.header("Access-Control-Allow-Origin")), (403, None), "{other}");
        }
    }

    #[test]
    fn fetch_section_3_2_3_an_answer_names_the_origin_and_what_may_be_read() {
        let named = cors(&["https://app.example"]).on_answer(Some("https://app.example"));
        let exposed = "WWW-Authenticate, DPoP-Nonce, Retry-After, X-Request-Id, ETag".to_owned();
        assert!(named.contains(&("Access-Control-Expose-Headers", exposed)));
        let nobody = vec![("Vary", "Origin".to_owned())];
        assert_eq!(cors(&["https://app.example"]).on_answer(Some("https://other.example")), nobody);
        assert_eq!(cors(&["https://app.example"]).on_answer(None), nobody);
        let with_cookies = Cors { credentials: true, ..cors(&["https://app.example"]) };
        let allowed = ("Access-Control-Allow-Credentials", "true".to_owned());
        assert!(with_cookies.on_answer(Some("https://app.example")).contains(&allowed));
    }
}
