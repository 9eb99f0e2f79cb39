//! Mail by webhook, and the log for this machine.

use serde_json::json;
use worker::{Env, console_log};

use crate::config::MailBy;
use crate::edge::web::{EnvVault, PlatformWeb};
use crate::error::Fault;
use crate::port::{Letter, Mailer, Vault, Web, WebRequest};

/// The secret that the webhook knows the worker by.
const TOKEN: &str = "TOLLGATE_MAIL_TOKEN";

pub(super) struct PlatformMailer(EnvVault);

impl PlatformMailer {
    pub(super) const fn new(env: Env) -> Self {
        Self(EnvVault::new(env))
    }
}

impl Mailer for PlatformMailer {
    async fn send(&self, by: &MailBy, letter: &Letter<'_>) -> Result<(), Fault> {
        const OP: &str = "send mail";
        match by {
            MailBy::Log => {
                console_log!("mail to {}: {}\n\n{}", letter.to, letter.subject, letter.text);
                Ok(())
            }
            MailBy::Webhook { url, from } => {
                let token = self.0.secret(TOKEN);
                let token = token.and_then(|token| String::from_utf8(token.reveal().to_vec()).ok());
                let mail = json!({ "from": from, "to": letter.to.as_str(), "subject": letter.subject, "text": letter.text });
                let request = WebRequest {
                    authorization: token.map(|token| format!("Bearer {token}")),
                    json: Some(mail.to_string()),
                    ..WebRequest::get(url)
                };
                let reply = PlatformWeb.ask(&request).await?;
                match reply.status {
                    200..=299 => Ok(()),
                    status => Err(Fault::new(OP, format!("the webhook answered {status}"))),
                }
            }
        }
    }
}
