//! Which fields of an answer come back, by role.
//!
//! A role has abilities, and a route names the fields that each ability shows ([`crate::redact`]). Whoever has several roles sees what any of them does. The roles are
//! those that the token says, of any issuer that the route accepts.

use crate::redact::FieldPath;

/// What becomes of a request of somebody who would see nothing of its answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unseen {
    /// It is refused.
    Refuse,
    /// It passes, and everything leaves its answer.
    Empty,
}

/// The fields of a route's answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RouteFields {
    by_role: Vec<(String, Vec<FieldPath>)>,
    unseen: Unseen,
}

impl RouteFields {
    /// What each role sees; one that is not there sees nothing.
    #[must_use]
    pub const fn new(by_role: Vec<(String, Vec<FieldPath>)>, unseen: Unseen) -> Self {
        Self { by_role, unseen }
    }

    /// What somebody with these roles sees, each path once; `None`: their request is refused.
    #[must_use]
    pub fn seen_by(&self, roles: &[String]) -> Option<Vec<&FieldPath>> {
        let theirs = self.by_role.iter().filter(|(role, _)| roles.contains(role));
        let mut paths: Vec<_> = theirs.flat_map(|(_, paths)| paths).collect();
        paths.sort();
        paths.dedup();
        (!paths.is_empty() || self.unseen == Unseen::Empty).then_some(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_see_together_what_each_of_them_does() {
        let paths =
            |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<FieldPath>>();
        let by_role = vec![
            ("owner".to_owned(), paths(&["id", "email"])),
            ("reporting".to_owned(), paths(&["id", "name"])),
        ];
        let seen = |fields: &RouteFields, roles: &[&str]| {
            let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
            fields
                .seen_by(&roles)
                .map(|paths| paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        };
        let fields = RouteFields::new(by_role.clone(), Unseen::Refuse);
        assert_eq!(seen(&fields, &["owner"]).unwrap(), "email id");
        assert_eq!(seen(&fields, &["reporting", "other", "owner"]).unwrap(), "email id name");
        assert_eq!((seen(&fields, &["other"]), seen(&fields, &[])), (None, None));
        let fields = RouteFields::new(by_role, Unseen::Empty);
        assert_eq!(seen(&fields, &["Owner"]).unwrap(), "");
    }
}
