//! What a protected resource says about itself (RFC 9728 section 2).
//!
//! Everything comes from the configuration: the issuers whose tokens its routes accept, the scopes that they need,
//! the places where they look for tokens. Internal scopes are not shown.

use serde_json::json;

use crate::config::Config;
use crate::error::Fault;
use crate::http::Answer;
use crate::policy::{Access, Binding, Resource, TokenPlace, Tools};
use crate::token::Algorithm;

/// The metadata document of a resource.
///
/// # Errors
/// None that the document can cause.
pub fn resource_metadata(config: &Config, resource: &Resource) -> Result<Answer, Fault> {
    let url = resource.metadata_url();
    let (mut servers, mut scopes, mut methods, mut bindings) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for route in config
        .routes()
        .iter()
        .filter(|route| route.described.as_ref().is_some_and(|about| about.metadata == url))
    {
        if let Access::Token { issuers, scopes: needed, places, binding, .. } = &route.access {
            servers.extend(issuers);
            bindings.push(*binding);
            let tools = route.tools.as_ref().map_or(&[][..], Tools::all);
            for needed in std::iter::once(needed).chain(tools.iter().map(|(_, needed)| needed)) {
                for need in needed {
                    scopes.extend(need.any().filter(|scope| config.scopes().offers(scope)));
                }
            }
            methods.extend(places.iter().filter_map(|place| match place {
                TokenPlace::Authorization => Some("header"),
                TokenPlace::Form => Some("body"),
                TokenPlace::Query => Some("query"),
                // No registered name, so nothing that a client could be told.
                TokenPlace::Cookie(_) | TokenPlace::Header(_) => None,
            }));
        }
    }
    once_each(&mut servers);
    once_each(&mut scopes);
    once_each(&mut methods);
    let with_proof = if methods.contains(&"header") { Algorithm::OF_CALLERS.as_slice() } else { &[] };
    // Said where it is so of every route, as clients would otherwise bind what need not be.
    let all = |binding: Binding| {
        let is_so = !bindings.is_empty() && bindings.iter().all(|one| *one == Some(binding));
        json!(is_so.then_some(true))
    };
    let mut document = serde_json::Map::new();
    // RFC 9728 section 3.2: what has no value is left out.
    for (name, value) in [
        ("resource", json!(resource.id)),
        ("authorization_servers", json!(servers)),
        ("scopes_supported", json!(scopes)),
        ("bearer_methods_supported", json!(methods)),
        ("dpop_signing_alg_values_supported", json!(with_proof)),
        ("dpop_bound_access_tokens_required", all(Binding::Key)),
        ("tls_client_certificate_bound_access_tokens", all(Binding::Certificate)),
        ("resource_name", json!(resource.name)),
        ("resource_documentation", json!(resource.documentation)),
    ] {
        if !value.is_null() && value.as_array().is_none_or(|values| !values.is_empty()) {
            document.insert(name.to_owned(), value);
        }
    }
    Ok(Answer::json(200, &document)?
        .with("Cache-Control", "public, max-age=300")
        .with("Access-Control-Allow-Origin", "*"))
}

fn once_each<T: Ord>(list: &mut Vec<T>) {
    list.sort_unstable();
    list.dedup();
}
