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
    /// Has it sent, after the answer: whoever asked must not see by the time of it whether there was a mail. Trouble is in the log.
    ///
    /// # Errors
    /// Nobody takes it.
    fn send(&self, by: &MailBy, letter: &Letter<'_>) -> Result<(), Fault>;
}
