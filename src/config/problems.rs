//! What is wrong with a document, where, and how to mend it.

use std::fmt;

use serde::Serialize;

/// Where something is wrong that is nowhere in particular.
pub(super) const WHOLE: &str = "(document)";

/// One thing that is wrong with a document.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ConfigError {
    /// Where, as a path into the JSON: `routes[3].require.scopes[0]`.
    pub path: String,
    /// What, and how to mend it.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

impl std::error::Error for ConfigError {}

/// Collects what is wrong, so that one run tells everything.
#[derive(Debug, Default)]
pub(crate) struct Problems(pub(super) Vec<ConfigError>);

/// How many problems are told at once.
const MOST_PROBLEMS: usize = 100;

impl Problems {
    /// Takes note of a problem; of so many that nobody reads them, no more.
    pub(crate) fn add(&mut self, path: impl fmt::Display, problem: impl fmt::Display) {
        if self.0.len() < MOST_PROBLEMS {
            self.0.push(ConfigError { path: path.to_string(), problem: problem.to_string() });
        }
    }

    pub(crate) fn take<T, E: fmt::Display>(
        &mut self,
        path: impl fmt::Display,
        parsed: Result<T, E>,
    ) -> Option<T> {
        parsed.map_err(|problem| self.add(path, problem)).ok()
    }

    pub(crate) fn range(&mut self, path: impl fmt::Display, value: u64, from: u64, to: u64) -> u64 {
        if !(from..=to).contains(&value) {
            self.add(path, format_args!("{value} is out of range; use {from} to {to}"));
        }
        value
    }

    /// A secret of the deployment that is sent to somebody else.
    pub(crate) fn secret_name(&mut self, path: impl fmt::Display, name: &str) {
        if name.is_empty() {
            self.add(path, "is empty; tollgate has to say who asks");
        } else if name.to_ascii_uppercase().starts_with("TOLLGATE_") {
            self.add(path, "is a secret of tollgate's own, and would be sent away; name one for this issuer");
        }
    }
}

/// Where a document has another shape than it should.
pub(super) fn mistake(path: &str, problem: &serde_json::Error) -> ConfigError {
    let (path, problem) = (if path.is_empty() { WHOLE } else { path }, problem.to_string());
    ConfigError { path: path.to_owned(), problem: format!("{problem}; {}", mend_of(&problem)) }
}

/// What to do about serde's complaint.
fn mend_of(problem: &str) -> &'static str {
    if problem.starts_with("unknown field") {
        "remove it, or correct its spelling"
    } else if problem.starts_with("missing field") {
        "add it"
    } else if problem.starts_with("unknown variant") {
        "use one of those listed"
    } else {
        "see docs/tollgate.schema.json for what may stand here"
    }
}
