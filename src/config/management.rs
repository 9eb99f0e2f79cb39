//! Scopes of tollgate's own: what a token may do at the management API ([`crate::api`]). Every deployment has them.

use crate::scope::ScopeToken;

/// Everything that the others allow, for everybody's.
pub const PLATFORM_ADMIN: &str = "platform:admin";
/// Application credentials.
pub const CREDENTIALS: &str = "credentials:manage";
/// Applications.
pub const CLIENTS: &str = "clients:manage";
/// People.
pub const USERS: &str = "users:manage";
/// Sessions.
pub const SESSIONS: &str = "sessions:manage";
/// Signing keys.
pub const KEYS: &str = "keys:manage";
/// The configuration.
pub const CONFIG: &str = "config:manage";
/// What was done.
pub const AUDIT: &str = "audit:read";

/// Each scope, what it allows in plain words, and whether it is internal: those that are not are about what is a person's own.
pub(super) const MANAGEMENT: [(&str, &str, bool); 8] = [
    (CREDENTIALS, "Make, change and delete your application credentials, which act for you", false),
    (CLIENTS, "Register applications, and change and delete those that you have registered", false),
    (SESSIONS, "See where you are signed in, and sign you out there", false),
    (AUDIT, "See what was done with your account", false),
    (USERS, "Manage people and their roles", true),
    (KEYS, "See and rotate the keys that tokens are signed with", true),
    (CONFIG, "Change the configuration", true),
    (
        PLATFORM_ADMIN,
        "Manage everything here: people, applications, credentials, keys and the configuration",
        true,
    ),
];

/// What a scope of tollgate's own implies of the others.
pub(super) fn implied(name: &str) -> Vec<ScopeToken> {
    let others = MANAGEMENT.iter().filter(|(other, ..)| name == PLATFORM_ADMIN && *other != name);
    others.filter_map(|(other, ..)| other.parse().ok()).collect()
}

/// What a scope of tollgate's own allows, and whether it is internal; `None`: it is none.
pub(super) fn of(name: &str) -> Option<(&'static str, bool)> {
    MANAGEMENT.iter().find(|(own, ..)| *own == name).map(|(_, words, is_internal)| (*words, *is_internal))
}

/// Whether a scope is one of tollgate's own.
#[must_use]
pub fn is_management(name: &str) -> bool {
    MANAGEMENT.iter().any(|(own, ..)| *own == name)
}
