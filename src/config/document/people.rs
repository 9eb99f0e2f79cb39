//! People at a realm.

use serde::Deserialize;

/// Who sends a realm's mail: `"log"`, or a webhook.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MailDocument {
    /// Writes it to the log, links included. For issuers on this machine only.
    Log,
    /// Asks somebody's server to send it.
    Webhook(WebhookDocument),
}

/// A server that sends mail. It gets `POST` with JSON: `from`, `to`, `subject`, `text`; and the worker's secret `TOLLGATE_MAIL_TOKEN`, where
/// there is one, as a bearer token.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct WebhookDocument {
    /// Where: an https address, or one on this machine.
    pub url: String,
    /// Who the mail is from: `NAME <ADDRESS>`, or an address.
    pub from: String,
}

/// How people take themselves in.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SignUpDocument {
    /// The roles that they have then.
    #[serde(default)]
    pub roles: Vec<String>,
}
