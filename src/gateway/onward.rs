//! How a request that may pass goes on: its address, and what is changed about its headers.

use std::borrow::Cow;

use crate::dpop::PROOF_HEADER;
use crate::gateway::Pass;
use crate::gateway::credential::without_token;
use crate::id::RequestId;
use crate::policy::{Method, TokenPlace, Upstream, Way, forwards};

/// What the platform does with the request; everything else goes on as it came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Onward {
    /// The service binding to ask; `None`: whoever answers at `url`.
    pub binding: Option<String>,
    /// The address, with the path in the normal form that was matched.
    pub url: String,
    /// How it is sent.
    pub way: Way,
    /// Whether a shared cache may keep the answer. A cache leaves answers to requests with `Authorization` alone
    /// (RFC 9111 section 3.5); this request no longer has it, so the platform's cache, which goes by address, has
    /// to be told.
    pub may_be_cached: bool,
    /// Headers to take away, as they are named.
    pub remove: Vec<String>,
    /// Headers to set.
    pub set: Vec<(Cow<'static, str>, String)>,
    /// The body, where it is another than came.
    pub body: Option<String>,
    /// The fields of the answer that come back, as paths ([`crate::redact::FieldPath`]); `None`: the whole answer does.
    pub seen: Option<Vec<String>>,
    /// Headers of the answer that are ours to say.
    pub told: Vec<(&'static str, String)>,
}

/// What is needed of the request as it came.
#[derive(Clone, Copy, Debug)]
pub struct Came<'a> {
    /// Scheme, host and port.
    pub origin: &'a str,
    /// The query, without its `?`.
    pub query: Option<&'a str>,
    /// The value of `Connection`.
    pub connection: &'a str,
}

/// Headers of a request for a part of an answer, or for one that has changed (RFC 9110 sections 13.1 and 14.2).
const PARTIAL: [&str; 4] = ["if-modified-since", "if-none-match", "if-range", "range"];

/// Headers by which a request that only reads would find out when the whole was changed, or what it is (RFC 9110 section 13.1). Of one that writes they are what keeps
/// it from undoing somebody else's.
const GUESSES: [&str; 2] = ["if-match", "if-unmodified-since"];

impl Pass<'_> {
    /// The request as it goes on. The token stays here, where it was used up; identity headers of the caller's stay
    /// here as well, and ours go.
    #[must_use]
    pub fn onward<'n>(self, came: Came<'_>, names: impl Iterator<Item = &'n str>, id: &RequestId) -> Onward {
        let has_token = self.authorized().is_some();
        let query = match (self.spent, came.query) {
            (Some(TokenPlace::Query), Some(query)) => {
                Some(Cow::<str>::Owned(without_token(query))).filter(|left| !left.is_empty())
            }
            (_, query) => query.map(Cow::Borrowed),
        };
        let way = self.route.way;
        let path = self.path().below(way.strips);
        let (binding, url) = match self.to() {
            Upstream::Service(binding) => {
                let origin = came.origin;
                let query = query.map(|query| format!("?{query}")).unwrap_or_default();
                (Some(binding.clone()), format!("{origin}{path}{query}"))
            }
            Upstream::Url(base) => (None, base.join(&path, query.as_deref())),
        };
        let mut set = self.identity();
        set.push((Cow::Borrowed("x-tollgate-request-id"), id.to_string()));
        if has_token && binding.is_none() {
            // For caches of others on the way, in place of what the caller would let them keep (RFC 9111 section 5.2.1.5).
            set.push((Cow::Borrowed("cache-control"), "no-store".to_owned()));
        }
        if self.seen.is_some() {
            // What can be read here.
            set.push((Cow::Borrowed("accept-encoding"), "gzip, br".to_owned()));
        }
        let spent_header = match self.spent {
            Some(TokenPlace::Header(name)) => name.as_str(),
            Some(TokenPlace::Cookie(_)) => {
                if let Some(cookies) = self.cookies.as_ref().filter(|left| !left.is_empty()) {
                    set.push((Cow::Borrowed("cookie"), cookies.clone()));
                }
                "cookie"
            }
            _ => "authorization",
        };
        // The platform counts anew what it sends.
        let is_counted = |name: &str| self.body.is_some() && name.eq_ignore_ascii_case("content-length");
        // `Authorization` never goes beside our identity: it would be a second one. Nor does a proof that was used up here.
        let is_used_up = |name: &str| {
            has_token
                && ["authorization", PROOF_HEADER, spent_header]
                    .iter()
                    .any(|used| name.eq_ignore_ascii_case(used))
        };
        // A part of a document is none, and whoever has another's document has not this one.
        let only_reads = self.route.methods.iter().all(|method| matches!(method, Method::Get | Method::Head));
        let is_about_parts = |name: &str| {
            let is_in = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
            self.seen.is_some() && (is_in(&PARTIAL) || only_reads && is_in(&GUESSES))
        };
        let is_taken_away = |name: &&str| {
            !forwards(name, came.connection)
                || self.route.filled.iter().any(|filled| filled.is_like(name))
                || is_used_up(name)
                || is_counted(name)
                || is_about_parts(name)
        };
        let remove = names.filter(is_taken_away).map(str::to_owned).collect();
        Onward {
            binding,
            url,
            way,
            may_be_cached: !has_token,
            remove,
            set,
            body: self.body,
            told: self.told,
            seen: self.seen.as_ref().map(|paths| paths.iter().map(ToString::to_string).collect()),
        }
    }
}
