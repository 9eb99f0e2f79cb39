//! Which fields a route shows to whom.

use crate::config::document::WithoutFields;
use crate::policy_check::lint::{At, Lints};
use crate::policy_check::report::Level;
use crate::redact::FieldPath;

impl Lints<'_> {
    pub(super) fn fields(&mut self, at: &At<'_>) {
        let (Some(fields), Some(by_role)) = (&at.document.fields, &at.route.fields) else { return };
        for (ability, texts) in fields {
            let paths: Vec<FieldPath> = texts.iter().filter_map(|text| text.parse().ok()).collect();
            for (nth, path) in paths.iter().enumerate() {
                // Of two that are the same the later one is too many.
                let covers = |(other, theirs): &(usize, &FieldPath)| {
                    *other != nth && theirs.covers(path) && (*other < nth || !path.covers(theirs))
                };
                if let Some((_, theirs)) = paths.iter().enumerate().find(covers) {
                    let text = format!("`{theirs}` shows it already; remove it");
                    let within = format!(".fields.{ability}[{nth}]");
                    self.of_route(Level::Warning, "covered-field", at, &within, text);
                }
            }
        }
        let refuses = at.document.without_fields == WithoutFields::Refuse;
        let roles = at.asks().map(|asks| asks.roles).unwrap_or_default();
        let sees =
            |role: &String| by_role.seen_by(std::slice::from_ref(role)).is_some_and(|seen| !seen.is_empty());
        let blind: Vec<&String> = roles.iter().filter(|role| !sees(role)).collect();
        for role in &blind {
            if refuses {
                let text = format!(
                    "`{role}` is enough for `require.roles`, and has no ability of `fields`: whoever has no other role is refused; give it one, or leave it out"
                );
                self.of_route(Level::Warning, "sees-nothing", at, ".require.roles", text);
            }
        }
        if !refuses && !roles.is_empty() && blind.is_empty() {
            let text =
                "everybody whom `require.roles` lets pass sees something, so it never counts; remove it";
            self.of_route(Level::Warning, "no-effect", at, ".without_fields", text);
        } else if !refuses {
            let text = "whoever has no ability of `fields` passes, and gets an answer with nothing in it; leave `without_fields` out to refuse them";
            self.of_route(Level::Note, "empty-answers", at, ".without_fields", text);
        }
    }
}
