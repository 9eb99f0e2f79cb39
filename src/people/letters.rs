//! What mail says. A link is the last line of its own, and the only thing that differs but for names.

use crate::config::Realm;

/// A subject and a text.
pub(super) struct Text {
    pub(super) subject: String,
    pub(super) text: String,
}

const NOT_YOU: &str = "If it was not you who asked for this, do nothing: nothing happens without the link.";

fn text(subject: String, lines: &[&str]) -> Text {
    Text { subject, text: lines.join("\n\n") }
}

/// For somebody who wants an account.
pub(super) fn invitation(realm: &Realm, link: &str) -> Text {
    let subject = format!("Your account at {}", realm.name);
    text(subject, &["Follow this link within an hour to make your account:", link, NOT_YOU])
}

/// For somebody who wants an account, and has one.
pub(super) fn have_one(realm: &Realm) -> Text {
    let subject = format!("Your account at {}", realm.name);
    let reset = format!("{}/reset", realm.issuer);
    let what = "Somebody has asked for an account with this address. You have one already: sign in with it.";
    text(subject, &[what, "If you have forgotten the password:", &reset, NOT_YOU])
}

/// For somebody who has forgotten the password.
pub(super) fn reset(realm: &Realm, link: &str) -> Text {
    let subject = format!("Your password at {}", realm.name);
    let what = "Follow this link within an hour to choose another password. It signs you out everywhere.";
    text(subject, &[what, link, NOT_YOU])
}

/// For somebody who was taken in by whoever manages people, and has no password yet.
pub(super) fn welcome(realm: &Realm, link: &str) -> Text {
    let subject = format!("Your account at {}", realm.name);
    let what = "An account was made for you. Follow this link within an hour to choose your password:";
    let later = format!("After that, ask for another link here: {}/reset", realm.issuer);
    text(subject, &[what, link, &later])
}

/// For somebody who has forgotten a password, and has no account.
pub(super) fn have_none(realm: &Realm) -> Text {
    let subject = format!("Your password at {}", realm.name);
    let what = "Somebody has asked for another password for this address, but there is no account with it. Perhaps you signed in with another address.";
    text(subject, &[what, "If it was not you, do nothing."])
}

/// For somebody whose account is signed in to in another way from now on.
pub(super) fn sign_in_changed(realm: &Realm, what: &str) -> Text {
    let subject = format!("How you sign in to {}", realm.name);
    let account = format!("{}/account", realm.issuer);
    let not_you =
        "If it was not you, look at your account, sign out everywhere, and ask whoever runs the service:";
    text(subject, &[what, not_you, &account])
}

/// For somebody whose address is to be known as theirs.
pub(super) fn verify(realm: &Realm, link: &str) -> Text {
    let subject = format!("Your address at {}", realm.name);
    text(subject, &["Follow this link within an hour to say that this address is yours:", link, NOT_YOU])
}
