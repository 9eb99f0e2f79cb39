//! `/{realm}/account`: what a person sees of their own account, and what they can take back.
//!
//! `GET` shows what they allow which application, since when, and where they are signed in; whoever is not signed in does so first. `POST` is what
//! the page sends: `action` `withdraw` with a `client_id` ends the sessions of that client and forgets what it was allowed; `everywhere` ends every
//! session of every application and browser; `verify` sends a link to the person's address; the others change how they sign in ([`super::passkeys`]).

use crate::config::{Config, Realm};
use crate::grant::Transaction;
use crate::http::{Answer, Form, Head};
use crate::id::Locator;
use crate::oauth::{Stop, form, source};
use crate::people::mailbox::Sent;
use crate::people::page::{self, AccountPage, ApplicationLine, BrowserLine};
use crate::people::passkeys::{self, Passkeys};
use crate::people::register::WELCOME;
use crate::people::reset::send_verification;
use crate::people::visit::Visit;
use crate::port::{Body, Ports, random};
use crate::principal::{self, AccountView, Question};
use crate::scope::ScopeToken;
use crate::secret::{Credential, Kind};
use crate::time::Timestamp;

/// What the page is told after a withdrawal.
const TAKEN_BACK: &str = "done=withdraw";

/// What it is told after a mail, and instead of one.
const MAILED: &str = "done=mail";
const TOO_OFTEN: &str = "done=wait";

/// Answers a request for the page, or what it sends.
///
/// # Errors
/// A page that says what is wrong, or trouble of ours.
pub async fn account<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    if head.method == "POST" {
        let form = form(head, body).await?;
        return act(&visit, &form, &source(head)).await;
    }
    let known = visit.cookies.browser().and_then(|text| Credential::parse(Kind::Browser, text).ok());
    if let Some((browser, locator)) = known.and_then(|known| Some((known.digest(), known.locator()?))) {
        match visit.ask_principal(locator, Question::ReadAccount(browser)).await? {
            principal::Answer::Account(view) => return show(&visit, locator, &view, head.query),
            principal::Answer::Refused(_) => {}
            _ => return Err(principal::Answer::unexpected("read account").into()),
        }
    }
    let transaction = Transaction::begin(&random(ports.entropy())?, None, now);
    visit.sign_in(200, None, (&transaction, None), ("", None))
}

fn show<P: Ports>(
    visit: &Visit<'_, P>,
    locator: Locator,
    view: &AccountView,
    query: Option<&str>,
) -> Result<Answer, Stop> {
    let words = |scope: &ScopeToken| match visit.config.scopes().words(scope) {
        "" => scope.as_str().to_owned(),
        words => words.to_owned(),
    };
    let applications: Vec<_> = view
        .applications
        .iter()
        .map(|one| ApplicationLine {
            client_id: one.client_id.as_str().to_owned(),
            name: one.name.clone(),
            words: one.scope.iter().map(words).collect(),
            since: page::day(one.at),
            sessions: one.sessions,
        })
        .collect();
    let lines = view.browsers.iter();
    let browsers: Vec<_> =
        lines.map(|(since, is_this)| BrowserLine { is_this: *is_this, since: page::day(*since) }).collect();
    let done = match query {
        Some(TAKEN_BACK) => Some("It was taken back."),
        Some(WELCOME) => Some(
            "Your account is ready. If an application sent you here, go back to its tab and go on there.",
        ),
        Some(MAILED) => Some("A mail is on its way. Follow its link within an hour."),
        Some(TOO_OFTEN) => Some("Enough mail was sent there. Try again in a quarter of an hour."),
        Some(passkeys::CHANGED) => Some("How you sign in is changed."),
        _ => None,
    };
    let keys = Passkeys::of(visit, locator, view)?;
    let page = AccountPage {
        base: &page::base(visit.realm),
        realm: visit.realm.name.as_str(),
        login: view.user.shown(),
        email: view.user.profile.email.as_deref().map(|email| (email, view.user.profile.email_verified)),
        mails: visit.realm.mail.is_some(),
        done,
        proof: &visit.proof(visit.cookies.browser().unwrap_or_default()),
        passkeys: keys.as_ref().map(Passkeys::lines),
        applications: &applications,
        browsers: &browsers,
    };
    Ok(page::answer(200, &page, None)?)
}

/// What comes from no page in this browser.
pub(super) fn unchanged<P: Ports>(visit: &Visit<'_, P>) -> Stop {
    let text = "This page was opened in another browser, or too long ago. Open it again.";
    visit.lost(400, "Nothing was changed", text)
}

async fn act<P: Ports>(visit: &Visit<'_, P>, form: &Form, source: &str) -> Result<Answer, Stop> {
    let bad = || unchanged(visit);
    let proved = visit.proved(form).and_then(|text| Credential::parse(Kind::Browser, text).ok());
    let known = proved.and_then(|known| Some((known.digest(), known.locator()?)));
    let (browser, locator) = known.ok_or_else(bad)?;
    let (question, next) = match (form.get("action"), form.get("client_id").map(str::parse)) {
        (Some("withdraw"), Some(Ok(client_id))) => {
            let next = page::see_other(format!("{}?{TAKEN_BACK}", page::account(visit.realm)));
            (Question::Withdraw { browser, client_id }, next)
        }
        (Some("verify"), _) => {
            let next = match send_verification(visit, browser, locator).await? {
                Sent::Perhaps => MAILED,
                Sent::Wait(_) => TOO_OFTEN,
                Sent::Unknown => return Err(bad()),
            };
            return Ok(page::see_other(format!("{}?{next}", page::account(visit.realm))));
        }
        (Some("everywhere"), _) => {
            let text = "Every session of every application and browser has ended.";
            let next = page::notice(visit.realm, 200, "You are signed out everywhere", text)?;
            (Question::LeaveEverywhere(browser), next.and("Set-Cookie", visit.cookies.forget()))
        }
        (Some(action), _) => {
            return passkeys::change(visit, form, (browser, locator), (action, source)).await;
        }
        (None, _) => return Err(bad()),
    };
    match visit.ask_principal(locator, question).await? {
        principal::Answer::Done => Ok(next),
        principal::Answer::Refused(_) => Err(bad()),
        _ => Err(principal::Answer::unexpected("change account").into()),
    }
}
