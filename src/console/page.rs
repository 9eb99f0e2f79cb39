//! Which pages there are, and who makes them.

use crate::config::management as scope;
use crate::console::desk::{Desk, Halt};
use crate::console::{
    Api, applications, approvals, audit, configuration, credentials, keys, people, sessions,
};
use crate::http::{Answer, Form};

/// A page: of what, and what is done there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Page {
    /// Of what.
    pub section: Section,
    /// What is done.
    pub act: Act,
}

/// What pages are about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Section {
    /// Applications: clients that people sign in to, or that act for themselves.
    Applications,
    /// Scopes that applications wait for.
    Approvals,
    /// What was done.
    Audit,
    /// Where a person comes back from their sign-in.
    Callback,
    /// The configuration.
    Configuration,
    /// Application credentials.
    Credentials,
    /// Where it begins.
    Home,
    /// Signing keys.
    Keys,
    /// People.
    People,
    /// Sessions.
    Sessions,
    /// The end.
    SignOut,
}

/// What is done on a page.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    /// Ends it.
    Delete,
    /// Hands all of it out as a file.
    Export,
    /// Sends a mail with a link to choose a password.
    Invite,
    /// Shows all of them, and makes one.
    List,
    /// Asks for what one is made of.
    New,
    /// Shows one, and changes it.
    One,
    /// Lets the next key sign.
    Promote,
    /// Makes the next key.
    Rotate,
    /// Makes another secret.
    Secret,
    /// Ends every session of a person.
    SignOut,
}

/// What the way through the console leads to: what, where, and a scope that lets a person see it.
pub(super) const WAYS: [(Section, &str, &str, &str); 8] = [
    (Section::Credentials, "Credentials", "/credentials", scope::CREDENTIALS),
    (Section::Applications, "Applications", "/applications", scope::CLIENTS),
    (Section::Approvals, "Approvals", "/approvals", scope::PLATFORM_ADMIN),
    (Section::People, "People", "/people", scope::USERS),
    (Section::Sessions, "Sessions", "/sessions", scope::SESSIONS),
    (Section::Audit, "Audit", "/audit", scope::AUDIT),
    (Section::Keys, "Keys", "/keys", scope::KEYS),
    (Section::Configuration, "Configuration", "/configuration", scope::CONFIG),
];

/// Makes a page, or does what one sends.
pub(super) async fn show<A: Api>(
    desk: &Desk<'_, A>,
    page: Page,
    id: &str,
    form: Option<&Form>,
) -> Result<Answer, Halt> {
    let Page { section, act } = page;
    match section {
        Section::Home | Section::Callback | Section::SignOut => home(desk),
        Section::Credentials => credentials::show(desk, act, id, form).await,
        Section::Applications => applications::show(desk, act, id, form).await,
        Section::Approvals => approvals::show(desk, id, form).await,
        Section::People => people::show(desk, act, id, form).await,
        Section::Sessions => sessions::show(desk, act, id, form).await,
        Section::Audit => audit::show(desk, act).await,
        Section::Configuration => configuration::show(desk, id, form).await,
        Section::Keys => keys::show(desk, act, form).await,
    }
}

/// The first page that the person may see.
fn home<A: Api>(desk: &Desk<'_, A>) -> Result<Answer, Halt> {
    let first = WAYS.iter().find(|(_, _, _, scope)| desk.may(scope));
    first.map_or_else(
        || desk.says(403, "Nothing here is for you. Ask whoever runs this service."),
        |(_, _, path, _)| Ok(desk.go(path)),
    )
}
