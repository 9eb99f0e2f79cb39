//! Answers that tollgate gives itself.

use std::borrow::Cow;

use serde::Serialize;

use crate::error::Fault;

/// `Cache-Control` for everything that is about one caller (RFC 6749 section 5.1).
pub const NO_STORE: (&str, &str) = ("Cache-Control", "no-store");

/// `Pragma` on answers that carry tokens or credentials (RFC 6749 section 5.1).
pub const NO_CACHE: (&str, &str) = ("Pragma", "no-cache");

/// A complete response.
#[derive(Clone, Eq, PartialEq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub body: String,
    /// Why, for the log; never sent.
    pub reason: Option<&'static str>,
}

impl Answer {
    /// An empty answer that nobody may store.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new(), reason: None }.with(NO_STORE.0, NO_STORE.1)
    }

    /// A JSON answer that nobody may store.
    ///
    /// # Errors
    /// The value does not serialise.
    pub fn json(status: u16, value: &impl Serialize) -> Result<Self, Fault> {
        let body = serde_json::to_string(value).map_err(|e| Fault::new("write json", e.to_string()))?;
        Ok(Self { body, ..Self::empty(status) }.with("Content-Type", "application/json"))
    }

    /// Problem details (RFC 9457) with a constant text. Nobody may store it.
    #[must_use]
    pub fn problem(status: u16, title: &'static str, detail: &'static str) -> Self {
        let body =
            serde_json::json!({ "type": "about:blank", "title": title, "status": status, "detail": detail });
        Self { body: body.to_string(), ..Self::empty(status) }
            .with("Content-Type", "application/problem+json")
    }

    /// With a header more; one of that name is replaced.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((Cow::Borrowed(name), value.into()));
        self
    }

    /// With a header of a name that the configuration has chosen.
    #[must_use]
    pub fn named(mut self, name: Cow<'static, str>, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With one more header of a name that may come more than once, as `Set-Cookie` does.
    #[must_use]
    pub fn and(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((Cow::Borrowed(name), value.into()));
        self
    }

    /// With the reason for the log.
    #[must_use]
    pub const fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Debug for Answer {
    /// Not the body: it may be a token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}
