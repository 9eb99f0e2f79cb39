//! Mail to people.

use crate::config::MailBy;
use crate::email::EmailAddress;
use crate::error::Fault;

/// One mail, in plain text.
#[derive(Clone)]
pub struct Letter<'a> {
    /// To whom: an address that stands for nobody else.
    pub to: &'a EmailAddress,
    /// What it is about: a line of ours.
    pub subject: &'a str,
    /// What it says. May hold a link that lets its reader in.
    pub text: &'a str,
}

impl std::fmt::Debug for Letter<'_> {
    /// Not what it says: it may hold a link.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Who sends mail.
pub trait Mailer {
    /// Has it sent. Waits as long as for any server of somebody else's ([`super::WEB_TIMEOUT`]).
    ///
    /// # Errors
    /// It was not taken, as far as is known.
    async fn send(&self, by: &MailBy, letter: &Letter<'_>) -> Result<(), Fault>;
}
