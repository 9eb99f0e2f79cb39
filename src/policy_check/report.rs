//! What was found, in lines for people and as JSON.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// It cannot be meant so.
    Error,
    /// It is hardly meant so.
    Warning,
    /// It may well be meant so, and should be known.
    Note,
}

/// One thing that was found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Its kind, by a stable name.
    pub code: &'static str,
    /// Where, as a path into the document.
    pub path: String,
    /// The route that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// What, and what to do.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        write!(f, "{level}: {}", self.path)?;
        if let Some(route) = &self.route {
            write!(f, " ({route})")?;
        }
        write!(f, ": {} [{}]", self.text, self.code)
    }
}

/// Everything that was found in a document.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// What, in the order of the document.
    pub findings: Vec<Finding>,
    /// How many tests there are.
    pub tests: usize,
    /// How many of them failed.
    pub failed: usize,
}

impl Report {
    pub(super) fn add(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// How many findings are so bad.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// Whether nothing is wrong; `strict`: whether nothing is questionable either.
    #[must_use]
    pub fn is_good(&self, strict: bool) -> bool {
        self.count(Level::Error) == 0 && !(strict && self.count(Level::Warning) > 0)
    }

    /// Leaves out what is known and allowed: kinds of findings, but no error.
    #[must_use]
    pub fn without(mut self, allowed: &[String]) -> Self {
        self.findings.retain(|finding| {
            finding.level == Level::Error || !allowed.iter().any(|code| code == finding.code)
        });
        self
    }
}

impl fmt::Display for Report {
    /// Lines, the last of which says how many there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let several = |count: usize, what: &str| {
            if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
        };
        let (errors, warnings) = (self.count(Level::Error), self.count(Level::Warning));
        let failed = if self.failed == 0 { String::new() } else { format!(", {} failed", self.failed) };
        let (tests, errors) = (several(self.tests, "test"), several(errors, "error"));
        writeln!(f, "{tests}{failed}; {errors}, {}", several(warnings, "warning"))
    }
}
