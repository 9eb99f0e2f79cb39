//! Mail by webhook, and the log for this machine.

use std::cell::RefCell;

use serde_json::json;
use worker::{Env, console_log};

use crate::config::MailBy;
use crate::edge::journal::ConsoleJournal;
use crate::edge::web::{EnvVault, PlatformWeb};
use crate::error::Fault;
use crate::port::{Entry, Journal, Letter, Mailer, Vault, Web, WebRequest};
use crate::uri::WebUrl;

/// The secret that the webhook knows the worker by.
const TOKEN: &str = "TOLLGATE_MAIL_TOKEN";

/// What a request leaves to be sent.
pub(super) struct PlatformMailer {
    vault: EnvVault,
    owed: RefCell<Vec<(WebUrl, String)>>,
}

impl PlatformMailer {
    pub(super) const fn new(env: Env) -> Self {
        Self { vault: EnvVault::new(env), owed: RefCell::new(Vec::new()) }
    }

    /// Whether there is anything to send.
    pub(super) fn owes(&self) -> bool {
        !self.owed.borrow().is_empty()
    }

    /// Sends it. What fails is in the log, and not tried again: whoever waits for it asks again.
    pub(super) async fn deliver(&self) {
        let owed = self.owed.take();
        for (url, mail) in owed {
            if let Err(fault) = self.post(&url, mail).await {
                let (op, detail) = (Some(fault.op()), Some(fault.detail()));
                ConsoleJournal.record(&Entry {
                    target: Some("mail"),
                    decision: "fault",
                    op,
                    detail,
                    ..Entry::default()
                });
            }
        }
    }

    async fn post(&self, url: &WebUrl, mail: String) -> Result<(), Fault> {
        let token = self.vault.secret(TOKEN);
        let token = token.and_then(|token| String::from_utf8(token.reveal().to_vec()).ok());
        let request = WebRequest {
            authorization: token.map(|token| format!("Bearer {token}")),
            json: Some(mail),
            ..WebRequest::get(url)
        };
        let reply = PlatformWeb.ask(&request).await?;
        match reply.status {
            200..=299 => Ok(()),
            status => Err(Fault::new("send mail", format!("the webhook answered {status}"))),
        }
    }
}

impl Mailer for PlatformMailer {
    fn send(&self, by: &MailBy, letter: &Letter<'_>) -> Result<(), Fault> {
        match by {
            MailBy::Log => console_log!("mail to {}: {}\n\n{}", letter.to, letter.subject, letter.text),
            MailBy::Webhook { url, from } => {
                let mail = json!({ "from": from, "to": letter.to.as_str(), "subject": letter.subject, "text": letter.text });
                self.owed.borrow_mut().push((url.clone(), mail.to_string()));
            }
        }
        Ok(())
    }
}
