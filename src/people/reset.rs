//! `/{realm}/reset` and `/{realm}/verify`: what a person does through their mailbox. Only where the realm has `mail`.
//!
//! 1. `/reset` asks for the login. A mail goes to the person's address; or, where there is nobody, to the one that was typed, and says so. The page
//!    says the same either way.
//! 2. The link leads to `/reset/confirm`, which asks for a password, and ends every session and browser of the person when it gets one. It signs nobody in.
//! 3. `/verify` is where the link leads that a person has sent to themselves from their account: one press says that the address is theirs.
//!
//! Looking at a link does nothing: scanners of mail do.

use crate::config::{Config, Realm};
use crate::email::EmailAddress;
use crate::encoding::Digest;
use crate::grant::may_be_password;
use crate::http::{Answer, Form, Head};
use crate::oauth::{Stop, source};
use crate::people::letters;
use crate::people::mailbox::{Sent, plain};
use crate::people::page::{Asks, StepPage};
use crate::people::visit::{Visit, asked};
use crate::port::{Body, Ports, random};
use crate::principal::{self, Addressee, Follow, Password, Purpose, Question};
use crate::secret::Credential;
use crate::time::Timestamp;

fn asks_for_login<'a>(typed: &'a str, wrong: Option<&'a str>) -> StepPage<'a> {
    let text = "Type what you sign in with. A mail with a link goes to your address.";
    let asks = Asks::Login(typed);
    StepPage {
        action: "/reset",
        asks,
        wrong,
        submit: "Send the link",
        ..plain("Choose another password", text)
    }
}

/// Answers a request for the page that asks for a login, or what it sends.
///
/// # Errors
/// A page that says what is wrong, or trouble of ours.
pub async fn reset<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    has_mail(&visit)?;
    let (is_post, form) = asked(head, body).await?;
    if !is_post && form.get("transaction").is_none() {
        return visit.step(200, None, &asks_for_login("", None));
    }
    let resumed = visit.resume(form.get("transaction").unwrap_or_default()).await?;
    let own = Some((&resumed.transaction, resumed.bond.as_str()));
    let typed = form.get("login").unwrap_or_default();
    if !is_post {
        return visit.step(200, own, &asks_for_login(typed, None));
    }
    if let Some(wrong) = visit.may_mail(&source(head)).await? {
        return visit.step(429, own, &asks_for_login(typed, Some(wrong)));
    }
    let locator = visit.place_of(typed)?;
    let sent = visit.mail(locator, Purpose::Reset, |addressee, link| match addressee {
        Addressee::Somebody(known) => {
            let link = format!("{}/reset/confirm?link={link}", realm.issuer);
            Some((known.parse().ok()?, letters::reset(realm, &link)))
        }
        Addressee::Nobody => Some((EmailAddress::typed(typed).ok()?, letters::have_none(realm))),
        Addressee::Unreachable => None,
    });
    let text = "If there is an address to write to, a mail is on its way. Follow its link within an hour.";
    let says = (text, "Go on to sign in");
    let sent = sent.await?;
    visit.after_mail(sent, (&resumed, &form), says, &asks_for_login(typed, None))
}

fn has_mail<P: Ports>(visit: &Visit<'_, P>) -> Result<(), Stop> {
    let text = "Ask whoever runs this service.";
    visit.realm.mail.as_ref().map(drop).ok_or_else(|| visit.lost(404, "There is no mail here", text))
}

/// Answers a request for the page that a link of [`reset`] leads to, or what it sends.
///
/// # Errors
/// A page that says what is wrong, or trouble of ours.
pub async fn choose_password<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    let page = |link, wrong| StepPage {
        action: "/reset/confirm",
        hidden: Some(("link", link)),
        asks: Asks::Password,
        wrong,
        submit: "Change the password",
        ..plain("Choose another password", "It signs you out of every application and browser.")
    };
    let followed = Followed::read(&visit, head, body).await?;
    let Followed::Sent(form) = followed else { return followed.show(&visit, page) };
    let (link, password) = (form.get("link").unwrap_or_default(), form.get("password").unwrap_or_default());
    if !may_be_password(password) {
        let resumed = visit.resume(form.get("transaction").unwrap_or_default()).await?;
        let own = Some((&resumed.transaction, resumed.bond.as_str()));
        return visit.step(400, own, &page(link, Some("A password has 8 to 128 characters.")));
    }
    let salt = Digest::of(&random::<32>(ports.entropy())?);
    follow(&visit, &form, head, Some((Password(password.to_owned()), salt))).await?;
    let onward = Some(("Go to your account", "/account"));
    let done = plain(
        "Your password is changed",
        "Every session has ended. Sign in with the new password. Passkeys, if you have any, still sign in: look at them in your account.",
    );
    Ok(visit.step(200, None, &StepPage { onward, ..done })?.and("Set-Cookie", visit.cookies.forget()))
}

/// Answers a request for the page that says whose an address is, or what it sends.
///
/// # Errors
/// A page that says what is wrong, or trouble of ours.
pub async fn verify<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    let page = |link, wrong| StepPage {
        action: "/verify",
        hidden: Some(("link", link)),
        wrong,
        submit: "It is mine",
        ..plain("Is this address yours?", "You have read the mail that was sent to it.")
    };
    let followed = Followed::read(&visit, head, body).await?;
    let Followed::Sent(form) = followed else { return followed.show(&visit, page) };
    follow(&visit, &form, head, None).await?;
    let onward = Some(("Go to your account", "/account"));
    visit.step(
        200,
        None,
        &StepPage { onward, ..plain("Your address is verified", "You can close this page.") },
    )
}

/// Somebody who has followed a link.
enum Followed {
    /// They look at it.
    Looks(Form),
    /// They have sent what it asks for.
    Sent(Form),
}

impl Followed {
    async fn read<P: Ports>(
        visit: &Visit<'_, P>,
        head: &Head<'_>,
        body: &mut impl Body,
    ) -> Result<Self, Stop> {
        has_mail(visit)?;
        let (is_post, form) = asked(head, body).await?;
        Ok(if is_post { Self::Sent(form) } else { Self::Looks(form) })
    }

    fn show<'f, P: Ports>(
        &'f self,
        visit: &Visit<'_, P>,
        page: impl FnOnce(&'f str, Option<&'f str>) -> StepPage<'f>,
    ) -> Result<Answer, Stop> {
        let (Self::Looks(form) | Self::Sent(form)) = self;
        visit.link(form)?;
        visit.step(200, None, &page(form.get("link").unwrap_or_default(), None))
    }
}

/// Does what the link is for, in a browser that has seen its page.
async fn follow<P: Ports>(
    visit: &Visit<'_, P>,
    form: &Form,
    head: &Head<'_>,
    password: Option<(Password, Digest)>,
) -> Result<(), Stop> {
    visit.resume(form.get("transaction").unwrap_or_default()).await?;
    let (link, locator): (Credential, _) = visit.link(form)?;
    if let Some(text) = visit.may_mail(&source(head)).await? {
        return Err(visit.lost(429, "Not now", text));
    }
    let question = Question::Follow(Box::new(Follow { link: link.digest(), password }));
    match visit.ask_principal(locator, question).await? {
        principal::Answer::Done => Ok(()),
        principal::Answer::Refused(_) => Err(visit.link_is_over()),
        _ => Err(principal::Answer::unexpected("follow link").into()),
    }
}

/// Sends the person in this browser a link to say that their address is theirs.
pub(super) async fn send_verification<P: Ports>(
    visit: &Visit<'_, P>,
    browser: Digest,
    locator: crate::id::Locator,
) -> Result<Sent, Stop> {
    has_mail(visit)?;
    let sent = visit.mail(locator, Purpose::Verify(browser), |addressee, link| match addressee {
        Addressee::Somebody(known) => {
            let link = format!("{}/verify?link={link}", visit.realm.issuer);
            Some((known.parse().ok()?, letters::verify(visit.realm, &link)))
        }
        Addressee::Nobody | Addressee::Unreachable => None,
    });
    Ok(sent.await?)
}
