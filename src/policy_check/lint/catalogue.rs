//! Roles, abilities, scopes and issuers that nothing goes by.

use std::collections::BTreeSet;

use crate::policy::Access;
use crate::policy_check::lint::Lints;
use crate::policy_check::report::Level;
use crate::scope::{ScopeSet, ScopeToken};

impl Lints<'_> {
    pub(super) fn catalogue(&mut self) {
        self.roles();
        self.kinds();
        self.circles();
        self.issuers();
    }

    fn roles(&mut self) {
        let document = self.document;
        let shown: BTreeSet<&String> = document
            .routes
            .iter()
            .filter_map(|route| route.fields.as_ref())
            .flat_map(|fields| fields.keys())
            .collect();
        let asked: BTreeSet<&String> = document
            .routes
            .iter()
            .filter_map(|route| route.require.as_ref())
            .flat_map(|require| &require.roles)
            .collect();
        for (name, role) in &document.roles {
            let (used, unused): (Vec<_>, Vec<_>) =
                role.abilities.iter().enumerate().partition(|(_, ability)| shown.contains(ability));
            for (at, ability) in unused {
                let text =
                    format!("no route shows anything by `{ability}`; use it in `fields`, or remove it");
                self.say(Level::Warning, "unused-ability", format!("roles.{name}.abilities[{at}]"), text);
            }
            if used.is_empty() && !asked.contains(name) {
                let text = "no route asks for it, and none of its abilities shows anything: it decides nothing here; remove it, or allow it, where upstreams go by it";
                self.say(Level::Warning, "unused-role", format!("roles.{name}"), text);
            }
        }
    }

    fn kinds(&mut self) {
        let document = self.document;
        for name in document.role_kinds.keys() {
            if !document.roles.values().any(|role| role.kind.as_ref() == Some(name)) {
                let text = "no role is of this kind; remove it, or name it in a role's `kind`";
                self.say(Level::Warning, "unused-kind", format!("role_kinds.{name}"), text);
            }
        }
    }

    /// Scopes that imply each other are one right by several names.
    fn circles(&mut self) {
        let catalogue = self.config.scopes();
        let covers = |held: &ScopeToken, need: &ScopeToken| {
            catalogue.covers(&[held.clone()].into_iter().collect::<ScopeSet>(), need)
        };
        let mut told: BTreeSet<&ScopeToken> = BTreeSet::new();
        let mut circles = Vec::new();
        for scope in catalogue.all().filter(|scope| self.document.scopes.contains_key(scope.as_str())) {
            let same: Vec<&ScopeToken> = catalogue
                .all()
                .filter(|other| *other != scope && covers(scope, other) && covers(other, scope))
                .collect();
            if !same.is_empty() && told.insert(scope) {
                told.extend(&same);
                let names: Vec<_> = same.iter().map(|scope| format!("`{scope}`")).collect();
                circles.push((format!("scopes.{scope}.implies"), names.join(", ")));
            }
        }
        for (path, names) in circles {
            let text = format!(
                "it and {names} imply each other, so they are one right by several names; break the circle, where they should differ"
            );
            self.say(Level::Warning, "scope-circle", path, text);
        }
    }

    fn issuers(&mut self) {
        let accepts = |issuer: &str| {
            self.config.routes().iter().any(|route| {
                matches!(&route.access, Access::Token { issuers, .. } if issuers.iter().any(|known| known.as_str() == issuer))
            })
        };
        let unused: Vec<usize> = self
            .document
            .issuers
            .iter()
            .enumerate()
            .filter(|(_, entry)| !accepts(&entry.issuer))
            .map(|(at, _)| at)
            .collect();
        for at in unused {
            let text = "no route accepts its tokens; name it in `require.issuers`, or remove it";
            self.say(Level::Warning, "unused-issuer", format!("issuers[{at}]"), text);
        }
    }
}
