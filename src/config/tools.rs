//! What a route says about an MCP server behind it, from its document.

use crate::config::Problems;
use crate::config::document::RouteDocument;
use crate::config::routes::Known;
use crate::policy::{Access, Method, Route, ScopeNeed, Tools};

impl Known<'_> {
    /// Of the scopes that a route needs those that strangers are told of, with a space between: internal ones are not.
    pub(super) fn told_scopes(&self, route: &Route) -> String {
        let mut told = String::new();
        if let Access::Token { scopes, .. } = &route.access {
            for need in scopes {
                if let Some(scope) = need.any().find(|scope| self.scopes.offers(scope)) {
                    told.push_str(if told.is_empty() { "" } else { " " });
                    told.push_str(scope.as_str());
                }
            }
        }
        told
    }

    /// Which tools may be called; `None`: the route does not say.
    pub(super) fn tools(
        &self,
        path: &str,
        document: &RouteDocument,
        problems: &mut Problems,
    ) -> Option<Tools> {
        let require = document.require.as_ref()?;
        let documents = require.tools.as_ref()?;
        let path = format!("{path}.require.tools");
        if documents.is_empty() {
            problems.add(&path, "is empty; name a tool, or leave it out");
        }
        if !document.methods.contains(&Method::Post) {
            problems.add(&path, "tools are called by POST; name it in `methods`, or remove this");
        }
        if require.token_in.iter().any(|place| place == "form") {
            problems.add(&path, "a message is no form; remove `form` from `token_in`");
        }
        let mut tools = Vec::new();
        for (name, scopes) in documents {
            let mut needs = Vec::new();
            for (at, scope) in scopes.iter().enumerate() {
                let scope = self.scope(&format!("{path}.{name}[{at}]"), scope, problems);
                needs.extend(scope.and_then(|scope| ScopeNeed::of(vec![scope])));
            }
            tools.push((name.clone(), needs));
        }
        Some(Tools::new(tools))
    }
}
