//! The tools of an MCP server that a route lets be called, and the scopes that each of them needs.

use crate::policy::ScopeNeed;

/// Tools by name. What is not among them is called by nobody.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tools(Vec<(String, Vec<ScopeNeed>)>);

impl Tools {
    /// These tools, each with what a call of it needs besides what the route needs.
    #[must_use]
    pub const fn new(tools: Vec<(String, Vec<ScopeNeed>)>) -> Self {
        Self(tools)
    }

    /// What a call of the tool needs besides what the route needs; `None`: it may not be called.
    #[must_use]
    pub fn needs(&self, name: &str) -> Option<&[ScopeNeed]> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, needs)| needs.as_slice())
    }

    /// Every tool, and what it needs.
    #[must_use]
    pub fn all(&self) -> &[(String, Vec<ScopeNeed>)] {
        &self.0
    }
}
