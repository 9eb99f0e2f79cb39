//! `docs/openapi.json` against the code: operations, scopes, references, examples. What is answered is checked where it is asked for
//! ([`crate::fakes::description`]).

use std::collections::BTreeSet;

use serde_json::Value;
use tollgate::api::Operation;
use tollgate::config::{Config, management};
use tollgate::oauth::Endpoint;
use tollgate::scope::ScopeToken;

use crate::fakes::{API, description};

/// How an operation is guarded, in the words of the document.
fn guard(operation: Operation) -> Vec<(String, Vec<String>)> {
    match operation {
        Operation::Describe => Vec::new(),
        Operation::Bootstrap => vec![("bootstrap".to_owned(), Vec::new())],
        _ => vec![("token".to_owned(), operation.scope().into_iter().map(str::to_owned).collect())],
    }
}

#[test]
fn every_operation_of_the_management_api_is_described_and_no_other() {
    let served: BTreeSet<_> = Endpoint::ALL
        .iter()
        .filter_map(|(endpoint, method, path)| match endpoint {
            Endpoint::Api(operation) => {
                let path = path.strip_prefix(API).unwrap_or_else(|| panic!("{path} is elsewhere"));
                Some(((*method).to_owned(), path.to_owned(), operation.name().to_owned(), guard(*operation)))
            }
            _ => None,
        })
        .collect();
    let described: BTreeSet<_> = description()
        .operations
        .iter()
        .map(|said| (said.method.clone(), said.path.clone(), said.name.clone(), said.security.clone()))
        .collect();
    let (missing, others) = (served.difference(&described), described.difference(&served));
    let (missing, others): (Vec<_>, Vec<_>) = (missing.collect(), others.collect());
    assert!(missing.is_empty() && others.is_empty(), "not described: {missing:#?}; not served: {others:#?}");
}

#[test]
fn the_scopes_that_are_described_are_those_of_the_code_in_its_words() {
    let own = [
        management::AUDIT,
        management::CLIENTS,
        management::CONFIG,
        management::CREDENTIALS,
        management::KEYS,
        management::PLATFORM_ADMIN,
        management::SESSIONS,
        management::USERS,
    ];
    let config =
        Config::parse(r#"{ "realms": { "test": { "issuer": "https://edge.example/test" } } }"#).unwrap();
    let words = |name: &str| {
        let scope: ScopeToken = name.parse().unwrap();
        (name.to_owned(), Value::from(config.scopes().words(&scope)))
    };
    let known: BTreeSet<_> = own.map(|name| words(name).0).into();
    let flows = &description().document["components"]["securitySchemes"]["token"]["flows"];
    for (name, flow) in flows.as_object().unwrap() {
        let said = flow["scopes"].as_object().unwrap();
        assert_eq!(said.keys().cloned().collect::<BTreeSet<_>>(), known, "{name}");
        for (scope, said) in said {
            assert!(management::is_management(scope), "{scope}");
            assert_eq!(*said, words(scope).1, "{name}: {scope}");
        }
    }
}

/// Every reference in a value.
fn references<'d>(value: &'d Value, into: &mut BTreeSet<&'d str>) {
    match value {
        Value::Object(members) => {
            into.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, into)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_everything_is_referred_to() {
    let document = &description().document;
    let mut named = BTreeSet::new();
    references(document, &mut named);
    assert!(named.len() > 50, "{named:?}");
    for to in &named {
        assert!(document.pointer(to.strip_prefix('#').unwrap()).is_some(), "{to}");
    }
    for (kind, components) in document["components"].as_object().unwrap() {
        for name in components.as_object().unwrap().keys().filter(|_| kind != "securitySchemes") {
            assert!(
                named.contains(format!("#/components/{kind}/{name}").as_str()),
                "nothing uses {kind}/{name}"
            );
        }
    }
}

#[test]
fn every_example_is_what_its_schema_says_and_every_link_leads_to_an_operation() {
    let mut examples = 0;
    for said in &description().operations {
        if let Some(example) = &said.example {
            examples += 1;
            assert!(said.takes(example), "{}: {example}", said.name);
        }
        let answers = &description().document["paths"][&said.path][said.method.to_lowercase()]["responses"];
        for answer in answers.as_object().unwrap().values() {
            let media = &answer["content"]["application/json"];
            if let Some(example) = media.get("example") {
                examples += 1;
                assert!(description().shape(&media["schema"]).is_valid(example), "{}: {example}", said.name);
            }
            for link in answer["links"].as_object().into_iter().flatten() {
                description().find(link.1["operationId"].as_str().unwrap());
            }
        }
        assert!(said.body.is_none() || said.example.is_some(), "{} has a body, and no example", said.name);
    }
    assert!(examples > 10, "{examples}");
}
