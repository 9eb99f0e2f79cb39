//! Roles, and the kinds that there are of them.

use crate::config::Problems;
use crate::config::document::Document;
use crate::id::Role;
use crate::scope::ScopeToken;

/// A role.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoleWords {
    /// Its name.
    pub role: Role,
    /// What it is, in plain words.
    pub description: Option<String>,
    /// Its kind: the name of a [`RoleKind`].
    pub kind: Option<String>,
    /// What whoever has it may see.
    pub abilities: Vec<String>,
}

/// A kind of role.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoleKind {
    /// Its name.
    pub name: String,
    /// What it is, in plain words.
    pub description: Option<String>,
    /// How many roles of this kind an application credential has at most.
    pub at_most: Option<usize>,
}

pub(super) fn roles(document: &Document, problems: &mut Problems) -> (Vec<RoleWords>, Vec<RoleKind>) {
    let mut roles = Vec::new();
    for (name, role) in &document.roles {
        let kind = role.kind.clone();
        if let Some(kind) = kind.as_ref().filter(|kind| !document.role_kinds.contains_key(*kind)) {
            let mend =
                format_args!("there is no kind `{kind}`; add it under `role_kinds`, or correct the name");
            problems.add(format_args!("roles.{name}.kind"), mend);
        }
        for (at, ability) in role.abilities.iter().enumerate() {
            // Named as scopes are.
            problems.take(format_args!("roles.{name}.abilities[{at}]"), ability.parse::<ScopeToken>());
        }
        if let Some(role_name) = problems.take(format_args!("roles.{name}"), name.parse()) {
            let (description, abilities) = (role.description.clone(), role.abilities.clone());
            roles.push(RoleWords { role: role_name, description, kind, abilities });
        }
    }
    let kinds = document.role_kinds.iter().map(|(name, kind)| {
        if kind.at_most == Some(0) {
            let mend = "is 0; leave it out, or let a credential have one role of this kind";
            problems.add(format_args!("role_kinds.{name}.at_most"), mend);
        }
        RoleKind { name: name.clone(), description: kind.description.clone(), at_most: kind.at_most }
    });
    let kinds = kinds.collect();
    (roles, kinds)
}
