//! How a request that may pass goes on: its address, and what is changed about its headers.

use crate::gateway::Pass;
use crate::id::RequestId;
use crate::policy::{Upstream, forwards};

/// What the platform does with the request; everything else goes on as it came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Onward {
    /// The service binding to ask; `None`: whoever answers at `url`.
    pub binding: Option<String>,
    /// The address, with the path in the normal form that was matched.
    pub url: String,
    /// Whether a shared cache may keep the answer. A cache leaves answers to requests with `Authorization` alone
    /// (RFC 9111 section 3.5); this request no longer has it, so the platform's cache, which goes by address, has
    /// to be told.
    pub may_be_cached: bool,
    /// Headers to take away, as they are named.
    pub remove: Vec<String>,
    /// Headers to set.
    pub set: Vec<(&'static str, String)>,
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

impl Pass<'_> {
    /// The request as it goes on. The token stays here, where it was used up; identity headers of the caller's stay
    /// here as well, and ours go.
    #[must_use]
    pub fn onward<'n>(&self, came: Came<'_>, names: impl Iterator<Item = &'n str>, id: &RequestId) -> Onward {
        let has_token = self.authorized().is_some();
        let (binding, url) = match self.to() {
            Upstream::Service(binding) => {
                let (origin, path) = (came.origin, self.path());
                let query = came.query.map(|query| format!("?{query}")).unwrap_or_default();
                (Some(binding.clone()), format!("{origin}{path}{query}"))
            }
            Upstream::Url(base) => (None, base.join(self.path(), came.query)),
        };
        let stays = |name: &&str| {
            !forwards(name, came.connection) || (has_token && name.eq_ignore_ascii_case("authorization"))
        };
        let mut set = self.identity();
        set.push(("x-tollgate-request-id", id.to_string()));
        Onward {
            binding,
            url,
            may_be_cached: !has_token,
            remove: names.filter(stays).map(str::to_owned).collect(),
            set,
        }
    }
}
