//! The claims that upstreams get as headers.

use std::sync::Arc;

use crate::config::Problems;
use crate::config::document::RouteDocument;
use crate::config::routes::Known;
use crate::policy::{ClaimHeader, HeaderName};
use crate::token::ClaimPath;

/// The headers that routes fill with claims, each once. Those that are none are told of where they stand.
pub(in crate::config) fn filled(documents: &[RouteDocument]) -> Arc<[HeaderName]> {
    let names = documents.iter().flat_map(|document| document.to.headers.keys());
    let mut filled: Vec<HeaderName> = names.filter_map(|name| name.parse().ok()).collect();
    filled.sort_unstable();
    filled.dedup();
    filled.into()
}

/// The claims that routes ask for as headers, each once.
pub(in crate::config) fn carried(documents: &[RouteDocument]) -> Vec<String> {
    let mut carried: Vec<String> =
        documents.iter().flat_map(|document| document.to.headers.values()).cloned().collect();
    carried.sort_unstable();
    carried.dedup();
    // Positions have to be those of what is read of a token.
    carried.retain(|text| text.parse::<ClaimPath>().is_ok());
    carried
}

impl Known<'_> {
    pub(super) fn claim_headers(
        &self,
        path: &str,
        document: &RouteDocument,
        problems: &mut Problems,
    ) -> Vec<ClaimHeader> {
        if document.anonymous && !document.to.headers.is_empty() {
            problems.add(path, "nobody has claims where everybody may pass; remove it, or write `require` in place of `anonymous`");
        }
        let mut headers: Vec<ClaimHeader> = Vec::new();
        for (name, claim) in &document.to.headers {
            let path = format!("{path}.{name}");
            let name: Option<HeaderName> = problems.take(&path, name.parse());
            problems.take(&path, claim.parse::<ClaimPath>());
            let Some((name, claim)) = name.zip(self.carried.iter().position(|known| known == claim)) else {
                continue;
            };
            if headers.iter().any(|other| other.name == name) {
                problems.add(&path, "is written twice, in different cases; keep one");
            }
            headers.push(ClaimHeader { name, claim });
        }
        headers
    }
}
