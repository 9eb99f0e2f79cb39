//! Where an answer to an authorization request goes: a redirect URI that the client has registered, and how the answer travels there.
//!
//! Until it is known to be right, whoever sent the request is told on a page, and nobody is sent anywhere (RFC 6749 section 4.1.2.1).

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::grant::AuthorizationError;
use crate::grant::authorization::MAX_TEXT;
use crate::http::Form;
use crate::principal::Client;
use crate::uri::Issuer;

/// How the answer travels.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// A form that the browser posts (OAuth 2.0 Form Post Response Mode).
    FormPost,
    /// In the query of the redirect URI.
    #[default]
    Query,
}

/// Where an answer goes, which is the client's own registration.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Destination {
    /// `redirect_uri`, as it was sent: the code is bound to it.
    pub redirect_uri: String,
    /// `response_mode`.
    pub response_mode: ResponseMode,
    /// `state`.
    pub state: Option<String>,
}

/// What is wrong with where an answer should go. Nobody is sent anywhere.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Astray {
    /// There is no `redirect_uri`.
    Missing,
    /// It is not one that the client has registered.
    Unregistered,
}

impl Destination {
    /// Where the answer to these parameters of `client` goes.
    ///
    /// # Errors
    /// Nowhere: [`Astray`].
    pub fn of(form: &Form, client: &Client) -> Result<Self, Astray> {
        let redirect_uri = form.get("redirect_uri").ok_or(Astray::Missing)?;
        if !client.redirect_uris.iter().any(|registered| is_same(registered, redirect_uri)) {
            return Err(Astray::Unregistered);
        }
        // What does not hold for an answer is told in the usual mode.
        let response_mode = if form.get("response_mode") == Some("form_post") {
            ResponseMode::FormPost
        } else {
            ResponseMode::Query
        };
        let state = form.get("state").filter(|state| state.len() <= MAX_TEXT).map(str::to_owned);
        Ok(Self { redirect_uri: redirect_uri.to_owned(), response_mode, state })
    }

    /// What a good answer says.
    #[must_use]
    pub fn answer<'a>(&'a self, code: &'a str, issuer: &'a Issuer) -> Vec<(&'static str, &'a str)> {
        self.with(vec![("code", code)], issuer)
    }

    /// What an error says.
    #[must_use]
    pub fn error<'a>(
        &'a self,
        error: AuthorizationError,
        issuer: &'a Issuer,
    ) -> Vec<(&'static str, &'a str)> {
        self.with(vec![("error", error.code()), ("error_description", error.description())], issuer)
    }

    fn with<'a>(
        &'a self,
        mut said: Vec<(&'static str, &'a str)>,
        issuer: &'a Issuer,
    ) -> Vec<(&'static str, &'a str)> {
        said.extend(self.state.as_deref().map(|state| ("state", state)));
        said.push(("iss", issuer.as_str()));
        said
    }

    /// The address that says it, where it travels in the query.
    #[must_use]
    pub fn location(&self, said: &[(&'static str, &str)]) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(said).finish();
        // RFC 6749 section 3.1.2: a query that is there already stays.
        let join = match self.redirect_uri.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        format!("{}{join}{query}", self.redirect_uri)
    }

    /// What a content security policy calls the place (CSP level 3, section 2.3.1): an origin, or a scheme of an application's own.
    #[must_use]
    pub fn source(&self) -> String {
        Url::parse(&self.redirect_uri).map_or_else(
            |_| String::new(),
            |url| match url.origin() {
                // The grammar of a policy has no place for an address in brackets.
                url::Origin::Tuple(scheme, Host::Ipv6(_), _) => format!("{scheme}:"),
                origin @ url::Origin::Tuple(..) => origin.ascii_serialization(),
                url::Origin::Opaque(_) => format!("{}:", url.scheme()),
            },
        )
    }

    /// What a person calls the place: its host, or its scheme.
    #[must_use]
    pub fn place(&self) -> String {
        let url = Url::parse(&self.redirect_uri).ok();
        let named = url.as_ref().and_then(|url| match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => Some(format!("{host}:{port}")),
            (Some(host), None) => Some(host.to_owned()),
            (None, _) => None,
        });
        named.unwrap_or_else(|| url.map_or_else(String::new, |url| url.scheme().to_owned()))
    }
}

/// RFC 6749 section 3.1.2.3 with RFC 9700 section 2.1: byte for byte; but a loopback address may have any port (RFC 8252 section 7.3),
/// because the application gets it from its system.
fn is_same(registered: &str, sent: &str) -> bool {
    registered == sent
        || without_port(registered).zip(without_port(sent)).is_some_and(|(known, sent)| known == sent)
}

/// A loopback address without its port, in the one spelling that it has.
fn without_port(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok().filter(|url| url.as_str() == text && url.scheme() == "http")?;
    let is_loopback = match url.host()? {
        Host::Ipv4(address) => address.octets() == [127, 0, 0, 1],
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(_) => false,
    };
    url.set_port(None).ok()?;
    is_loopback.then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::GrantType;

    const CALLBACK: &str = "https://app.example/cb?a=1";

    fn client(redirect_uris: &[&str]) -> Client {
        Client {
            grant_types: vec![GrantType::AuthorizationCode],
            redirect_uris: redirect_uris.iter().map(|&uri| uri.to_owned()).collect(),
            ..Client::sample()
        }
    }

    fn form(parameters: &[(&str, &str)]) -> Form {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        Form::of_query(&query).unwrap()
    }

    fn goes(registered: &str, sent: &str) -> bool {
        Destination::of(&form(&[("redirect_uri", sent)]), &client(&[registered])).is_ok()
    }

    #[test]
    fn attack_59_a_redirect_uri_is_registered_byte_for_byte() {
        assert!(goes(CALLBACK, CALLBACK));
        for other in [
            "https://app.example/cb",
            "https://app.example/cb?a=1&b=2",
            "https://app.example/cb?a=1#x",
            "https://app.example/cb/?a=1",
            "https://app.example/CB?a=1",
            "https://APP.example/cb?a=1",
            "https://app.example:443/cb?a=1",
            "https://app.example:8443/cb?a=1",
            "https://app.example/x/../cb?a=1",
            "https://app.example/%63b?a=1",
            "https://app.example%2fcb?a=1",
            "https://app.example\\cb?a=1",
            "https://me@app.example/cb?a=1",
            "https://app.example@evil.example/cb?a=1",
            "https://app.example.evil.example/cb?a=1",
            "http://app.example/cb?a=1",
            "javascript:alert(1)",
            "data:text/html,x",
            " https://app.example/cb?a=1",
        ] {
            assert!(!goes(CALLBACK, other), "{other}");
        }
        assert_eq!(Destination::of(&form(&[]), &client(&[CALLBACK])), Err(Astray::Missing));
    }

    #[test]
    fn rfc8252_section_7_3_only_a_loopback_address_may_have_another_port() {
        for (registered, sent, fits) in [
            ("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb", true),
            ("http://127.0.0.1/cb", "http://127.0.0.1:50001/cb", true),
            ("http://[::1]/cb", "http://[::1]:50001/cb", true),
            ("http://127.0.0.1/cb", "http://127.0.0.1:50001/other", false),
            ("http://127.0.0.1/cb", "http://127.0.0.2:50001/cb", false),
            ("http://127.0.0.1/cb", "http://[::1]/cb", false),
            ("http://127.0.0.1/cb", "https://127.0.0.1:2/cb", false),
            ("http://127.0.0.1/cb", "http://127.0.0.1:2/x/../cb", false),
            ("http://127.0.0.1/cb", "http://127.1:2/cb", false),
            ("http://localhost:1/cb", "http://localhost:2/cb", false),
            ("https://app.example:1/cb", "https://app.example:2/cb", false),
        ] {
            assert_eq!(goes(registered, sent), fits, "{registered} {sent}");
        }
    }

    #[test]
    fn rfc9207_section_2_every_answer_names_the_issuer_and_repeats_the_state() {
        let issuer: Issuer = "https://edge.example/test".parse().unwrap();
        let state = "s &=?#".repeat(64);
        let destination =
            Destination::of(&form(&[("redirect_uri", CALLBACK), ("state", &state)]), &client(&[CALLBACK]))
                .unwrap();
        for said in
            [destination.answer("c", &issuer), destination.error(AuthorizationError::AccessDenied, &issuer)]
        {
            let location = Url::parse(&destination.location(&said)).unwrap();
            let named = |name: &str| {
                location.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
            };
            assert_eq!(named("state").as_deref(), Some(state.as_str()));
            assert_eq!(
                (named("iss").as_deref(), named("a").as_deref()),
                (Some("https://edge.example/test"), Some("1"))
            );
        }
    }

    #[test]
    fn where_an_answer_goes_has_a_name_for_browsers_and_one_for_people() {
        for (uri, source, place) in [
            ("https://app.example/cb", "https://app.example", "app.example"),
            ("http://127.0.0.1:5173/cb", "http://127.0.0.1:5173", "127.0.0.1:5173"),
            ("http://[::1]:5173/cb", "http:", "[::1]:5173"),
            ("com.example.app:/oauth", "com.example.app:", "com.example.app"),
        ] {
            let destination =
                Destination { redirect_uri: uri.to_owned(), response_mode: ResponseMode::Query, state: None };
            assert_eq!((destination.source().as_str(), destination.place().as_str()), (source, place));
        }
    }
}
