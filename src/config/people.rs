//! People at a realm: how they are written to, and whether they take themselves in.

use crate::config::Problems;
use crate::config::document::{MailDocument, SignUpDocument};
use crate::id::Role;
use crate::label::is_label;
use crate::uri::WebUrl;

/// Who sends a realm's mail.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum MailBy {
    /// The log: on this machine, for whoever tries the realm out.
    Log,
    /// Somebody's server, asked with `POST`.
    Webhook {
        /// Where.
        url: WebUrl,
        /// Who the mail is from.
        from: String,
    },
}

/// How people take themselves in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignUp {
    /// The roles that they have then.
    pub roles: Vec<Role>,
}

/// The longest `from`: a name and an address.
const MAX_FROM: usize = 320;

pub(super) fn mail(
    path: &str,
    document: &MailDocument,
    is_local: bool,
    problems: &mut Problems,
) -> Option<MailBy> {
    let path = format!("{path}.mail");
    match document {
        MailDocument::Log if is_local => Some(MailBy::Log),
        MailDocument::Log => {
            problems.add(
                &path,
                "`log` is for issuers on this machine only: its links let people in; name a `webhook`",
            );
            None
        }
        MailDocument::Webhook(hook) => {
            if !is_label(&hook.from, MAX_FROM) {
                problems.add(
                    format_args!("{path}.webhook.from"),
                    "is empty, too long or holds hidden characters; write `NAME <ADDRESS>`, or an address",
                );
            }
            let url = problems.take(format_args!("{path}.webhook.url"), hook.url.parse());
            url.map(|url| MailBy::Webhook { url, from: hook.from.clone() })
        }
    }
}

pub(super) fn sign_up(
    path: &str,
    document: &SignUpDocument,
    (has_mail, known): (bool, &[Role]),
    problems: &mut Problems,
) -> SignUp {
    let path = format!("{path}.sign_up");
    if !has_mail {
        problems.add(&path, "needs `mail`: people prove by it that an address is theirs");
    }
    let mut roles = Vec::new();
    for (at, name) in document.roles.iter().enumerate() {
        match known.iter().find(|role| role.as_str() == name) {
            Some(role) => roles.push(role.clone()),
            None => problems.add(
                format_args!("{path}.roles[{at}]"),
                format_args!("there is no role `{name}`; add it under `roles`, or correct the name"),
            ),
        }
    }
    SignUp { roles }
}
