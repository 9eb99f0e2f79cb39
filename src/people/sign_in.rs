//! `/{realm}/login`: the person says who they are.
//!
//! 1. The page is of a transaction of this browser: else a page, 400.
//! 2. The address does not ask too often: else 429.
//! 3. The password is right: else the page again. An unknown login takes as long, and looks the same.
//! 4. Where the person wants a passkey after it, a page that asks for that ([`super::sign_in_with_passkey`]).
//! 5. Else the browser is known from now on, by a new credential, and goes on to `/consent`.

use crate::config::{Config, Realm};
use crate::encoding::Digest;
use crate::http::{Answer, Head};
use crate::id::Login;
use crate::oauth::{Stop, admit, form, source, take_as_long};
use crate::people::page;
use crate::people::visit::Visit;
use crate::port::{Body, Limit, Ports, Principals, Timer, random};
use crate::principal::{self, Enter, Password, Question, Refused};
use crate::secret::Credential;
use crate::time::Timestamp;

/// Answers a sign-in form.
///
/// # Errors
/// A page that says what is wrong, or trouble of ours.
pub async fn sign_in<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    let form = form(head, body).await?;
    let resumed = visit.resume(form.get("transaction").unwrap_or_default()).await?;
    let source = source(head);
    let typed = form.get("login").unwrap_or_default();
    let again =
        |status, text: &str| visit.sign_in(status, resumed.flow(), resumed.own(), (typed, Some(text)));
    match admit(ports, Limit::Password, &source).await {
        Ok(()) => {}
        Err(Stop::Answer(_)) => return again(429, "Too many attempts. Try again in a minute."),
        Err(fault) => return Err(fault),
    }
    let password = form.get("password").unwrap_or_default();
    // What nobody can have is looked for all the same: a login of the shape takes the same time.
    let login = Login::typed(typed).unwrap_or_else(|_| Login::nobodys());
    let locator = ports.principals().place_of(&realm.name, &login)?;
    let browser = Credential::browser(locator, &random(ports.entropy())?);
    let enter = Enter {
        password: Password(password.to_owned()),
        source: Digest::of(format!("{}/{source}", realm.name).as_bytes()),
        salt: Digest::of(&random::<32>(ports.entropy())?),
        browser: browser.digest(),
        before: visit.known_before(locator),
    };
    let started = ports.timer().now().await;
    let asked = ports.principals().ask(locator, &Question::Enter(Box::new(enter))).await?;
    match asked {
        principal::Answer::User(_) => {
            let sealed = form.get("transaction").unwrap_or_default();
            let next = format!("{}/consent?transaction={sealed}", page::base(realm));
            Ok(page::see_other(next).and("Set-Cookie", visit.cookies.remember(browser.reveal())))
        }
        principal::Answer::NeedsPasskey(known) => visit.ask_passkey(&resumed, locator, &known),
        principal::Answer::Refused(Refused::Wait(wait)) => {
            let seconds = wait.as_seconds().saturating_add(1);
            let text = format!("Too many wrong attempts. Try again in {seconds} seconds.");
            Ok(again(429, &text)?.with("Retry-After", seconds.to_string()))
        }
        principal::Answer::Refused(refused) => {
            take_as_long(ports, started).await;
            Ok(again(400, "The login or the password is wrong.")?.because(refused.code()))
        }
        _ => Err(principal::Answer::unexpected("enter").into()),
    }
}
