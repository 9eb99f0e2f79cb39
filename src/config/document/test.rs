//! Tests that stand beside the rules: a request, whose it is, and what must become of it. They decide nothing: [`crate::config::Config::parse`] passes
//! over them, and [`crate::config::PolicyTests::read`] reads them.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// What is not read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unread;

impl<'de> Deserialize<'de> for Unread {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// One test.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TestDocument {
    /// What it is called where it fails.
    #[serde(default)]
    pub name: Option<String>,
    /// What is asked for.
    pub request: TestRequestDocument,
    /// The token that comes with it. By default none.
    #[serde(default)]
    pub token: Option<TestTokenDocument>,
    /// What becomes of it.
    pub expect: TestExpectDocument,
}

/// What is asked for, over TLS.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TestRequestDocument {
    /// By default the first of the route's, and `GET` where the test stands beside no route.
    #[serde(default)]
    pub method: Option<String>,
    /// The host, and a port where it matters. By default the route's, or `policy.test`.
    #[serde(default)]
    pub host: Option<String>,
    /// The path.
    pub path: String,
    /// The query, without its `?`.
    #[serde(default)]
    pub query: Option<String>,
    /// Headers by name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
}

/// A token that is made for one test, and signed by a key that is made for its issuer.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TestTokenDocument {
    /// Whose it is: a realm's name, or the identifier of another issuer. By default the first that the route accepts.
    #[serde(default)]
    pub issuer: Option<String>,
    /// What it grants: names with single spaces between them.
    #[serde(default)]
    pub scope: String,
    /// The roles of whoever it speaks for.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Claims in the place of those that it would have, or beside them. The clock of tests stands at 1800000000.
    #[serde(default)]
    pub claims: BTreeMap<String, Value>,
    /// Claims that it lacks.
    #[serde(default)]
    pub without: Vec<String>,
    /// In how many seconds it expires; below 0: since when it has. By default 300, or as long as its issuer's tokens may live.
    #[serde(default)]
    pub expires_in: Option<i64>,
    /// Where it stands in the request, as in `token_in`. By default the first place of the route.
    #[serde(default, rename = "in")]
    pub place: Option<String>,
}

/// What becomes of a request. What is not said may be anything.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TestExpectDocument {
    /// Whether it passes.
    pub decision: TestDecision,
    /// The status of the refusal.
    #[serde(default)]
    pub status: Option<u16>,
    /// Why it is refused: a reason of `docs/operations.md`, such as `lack_scope`.
    #[serde(default)]
    pub reason: Option<String>,
    /// The `id` of the route that it matches. By default the one that the test stands beside; beside none: no route.
    #[serde(default)]
    pub route: Option<String>,
    /// The fields that come back, in any order, as `fields` spells them.
    #[serde(default)]
    pub sees: Option<Vec<String>>,
    /// The path that the upstream is asked for, with its query.
    #[serde(default)]
    pub upstream_path: Option<String>,
    /// Headers that the upstream gets, by name; `null`: one that it does not get.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TestDecision {
    /// The path is tollgate's own: no route is asked.
    Own,
    /// It goes on to an upstream.
    Pass,
    /// It does not.
    Refuse,
}
