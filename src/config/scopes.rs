//! The scopes of a deployment: those of its document, those of people, and tollgate's own.

use crate::config::document::Document;
use crate::config::{Problems, management};
use crate::scope::{ScopeCatalogue, ScopeToken};

/// The scope that asks for an ID token (OpenID Connect Core section 3.1.2.1): every deployment has it.
pub const OPENID: &str = "openid";

/// The scopes of people that every deployment has (OpenID Connect Core section 5.4), in words of ours where the configuration has none.
const STANDARD: [(&str, &str); 3] = [
    (OPENID, "Know that it is you, by a number that stands for you here"),
    (PROFILE, "See your name and your login"),
    (EMAIL, "See your e-mail address"),
];

/// The scope that asks for name and login.
pub const PROFILE: &str = "profile";

/// The scope that asks for the e-mail address.
pub const EMAIL: &str = "email";

/// How many scopes a document may have, and how long the name of one may be: each is known with all that it implies.
const MOST_SCOPES: usize = 1000;
const LONGEST_SCOPE: usize = 128;

pub(super) fn catalogue(document: &Document, problems: &mut Problems) -> ScopeCatalogue {
    let mut known: Vec<(ScopeToken, Vec<ScopeToken>, bool)> = Vec::new();
    let mut words: Vec<(ScopeToken, &str)> = Vec::new();
    if document.scopes.len() > MOST_SCOPES {
        problems.add("scopes", format_args!("has more than {MOST_SCOPES}; make fewer, or imply them less"));
        return ScopeCatalogue::default();
    }
    for (name, scope) in &document.scopes {
        if name.len() > LONGEST_SCOPE {
            problems.add(
                "scopes",
                format_args!("has a name of more than {LONGEST_SCOPE} characters; shorten it"),
            );
            continue;
        }
        let path = format!("scopes.{name}");
        if scope.description.trim().is_empty() {
            problems.add(
                format_args!("{path}.description"),
                "is empty; say in plain words what the scope allows",
            );
        }
        let mut implies = Vec::new();
        for (at, implied) in scope.implies.iter().enumerate() {
            let path = format!("{path}.implies[{at}]");
            if management::is_management(implied) {
                problems
                    .add(&path, "is a scope of tollgate's own, which only its own scopes imply; remove it");
            } else if document.scopes.contains_key(implied) {
                implies.extend(problems.take(&path, implied.parse()));
            } else {
                problems.add(
                    &path,
                    format_args!("there is no scope `{implied}`; add it under `scopes`, or correct the name"),
                );
            }
        }
        if let Some(name) = problems.take(&path, name.parse::<ScopeToken>()) {
            // Of a scope of tollgate's own the document may say more, and take nothing back.
            let own = management::of(name.as_str());
            implies.extend(own.into_iter().flat_map(|_| management::implied(name.as_str())));
            let is_internal = own.map_or(scope.internal, |(_, is_internal)| is_internal);
            words.push((name.clone(), &scope.description));
            known.push((name, implies, !is_internal));
        }
    }
    for (standard, what) in STANDARD {
        if let Some(name) =
            standard.parse::<ScopeToken>().ok().filter(|_| !document.scopes.contains_key(standard))
        {
            words.push((name.clone(), what));
            known.push((name, Vec::new(), true));
        }
    }
    for (own, what, internal) in management::MANAGEMENT {
        if let Some(name) = own.parse::<ScopeToken>().ok().filter(|_| !document.scopes.contains_key(own)) {
            words.push((name.clone(), what));
            known.push((name, management::implied(own), !internal));
        }
    }
    let catalogue = ScopeCatalogue::new(known);
    words.into_iter().fold(catalogue, |catalogue, (scope, words)| catalogue.with_words(&scope, words))
}
