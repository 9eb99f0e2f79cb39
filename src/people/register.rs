//! `/{realm}/register`: somebody takes themselves in, with an address that they prove to be theirs. Only where the realm has `sign_up`.
//!
//! 1. The page asks for the address. A mail goes there: an invitation, or that there is an account already. The page says the same either way.
//! 2. The link leads to `/{realm}/register/confirm`, which asks for a password. Looking at it does nothing: scanners of mail do.
//! 3. The person is taken in, with the address verified, and their browser is known. The tab that waits goes on with its transaction.

use crate::config::{Config, Realm, SignUp};
use crate::email::EmailAddress;
use crate::encoding::Digest;
use crate::grant::{Invitation, may_be_password};
use crate::http::{Answer, Head};
use crate::id::Login;
use crate::label::is_label;
use crate::oauth::{Stop, source};
use crate::people::letters;
use crate::people::mailbox::plain;
use crate::people::newcomer::new_user_id;
use crate::people::page::{self, Asks, StepPage};
use crate::people::visit::{Visit, asked};
use crate::port::{Body, Ports, Principals, random};
use crate::principal::{self, Addressee, NewUser, Password, Profile, Purpose, Question};
use crate::secret::Credential;
use crate::time::Timestamp;

/// What the account page is told afterwards.
pub(super) const WELCOME: &str = "done=registered";

/// The longest name (as the management API's).
const MAX_NAME: usize = 254;

const RULE: &str = "A password has 8 to 128 characters.";

fn allowed<'r, P: Ports>(visit: &Visit<'_, P>, realm: &'r Realm) -> Result<&'r SignUp, Stop> {
    let text = "Whoever runs this service takes people in.";
    realm.sign_up.as_ref().ok_or_else(|| visit.lost(404, "Nobody can make an account here", text))
}

fn asks_for_address<'a>(typed: &'a str, wrong: Option<&'a str>) -> StepPage<'a> {
    let text = "Type your e-mail address. You will get a mail with a link.";
    let asks = Asks::Address(typed);
    StepPage { action: "/register", asks, wrong, submit: "Send the link", ..plain("Make an account", text) }
}

/// Answers a request for the page, or what it sends.
///
/// # Errors
/// A page that says what is wrong, or trouble of ours.
pub async fn register_person<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    allowed(&visit, realm)?;
    let (is_post, form) = asked(head, body).await?;
    if !is_post && form.get("transaction").is_none() {
        return visit.step(200, None, &asks_for_address("", None));
    }
    let resumed = visit.resume(form.get("transaction").unwrap_or_default()).await?;
    let own = Some((&resumed.transaction, resumed.bond.as_str()));
    let typed = form.get("login").unwrap_or_default();
    if !is_post {
        return visit.step(200, own, &asks_for_address(typed, None));
    }
    let Ok(address) = EmailAddress::typed(typed) else {
        return visit.step(400, own, &asks_for_address(typed, Some("This is no e-mail address.")));
    };
    if let Some(wrong) = visit.may_mail(&source(head)).await? {
        return visit.step(429, own, &asks_for_address(typed, Some(wrong)));
    }
    let locator = visit.place_of(address.as_str())?;
    let sent = visit.mail(locator, Purpose::Register, |addressee, _| match addressee {
        Addressee::Nobody => {
            let sealed = Invitation { address: address.clone(), at: now }.seal(visit.key(), &realm.name);
            let link = format!("{}/register/confirm?invitation={sealed}", realm.issuer);
            Some((address.clone(), letters::invitation(realm, &link)))
        }
        Addressee::Somebody(known) => Some((known.parse().ok()?, letters::have_one(realm))),
        Addressee::Unreachable => None,
    });
    let text = format!("A mail is on its way to {address}. Follow its link within an hour.");
    let says = (text.as_str(), "I have followed the link: go on");
    let sent = sent.await?;
    visit.after_mail(sent, (&resumed, &form), says, &asks_for_address(typed, None))
}

/// Answers a request for the page that an invitation leads to, or what it sends.
///
/// # Errors
/// A page that says what is wrong, or trouble of ours.
pub async fn accept_invitation<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    let sign_up = allowed(&visit, realm)?;
    let (is_post, form) = asked(head, body).await?;
    let sealed = form.get("invitation").unwrap_or_default();
    let invitation = Invitation::open(sealed, visit.key(), &realm.name, visit.asked_at());
    let address = invitation.ok_or_else(|| visit.link_is_over())?.address;
    let name = form.get("name").unwrap_or_default().trim();
    let page = |wrong| StepPage {
        action: "/register/confirm",
        hidden: Some(("invitation", sealed)),
        asks: Asks::Account(address.as_str(), name),
        wrong,
        submit: "Make the account",
        ..plain("Make your account", "The address is yours. Choose a password.")
    };
    if !is_post {
        return visit.step(200, None, &page(None));
    }
    // Nobody is taken in, and signed in, in a browser that has not seen the page.
    let resumed = visit.resume(form.get("transaction").unwrap_or_default()).await?;
    let own = Some((&resumed.transaction, resumed.bond.as_str()));
    let password = form.get("password").unwrap_or_default();
    if !may_be_password(password) {
        return visit.step(400, own, &page(Some(RULE)));
    }
    if !name.is_empty() && !is_label(name, MAX_NAME) {
        return visit.step(
            400,
            own,
            &page(Some("A name has at most 254 characters, all of which are seen.")),
        );
    }
    if let Some(wrong) = visit.may_mail(&source(head)).await? {
        return visit.step(429, own, &page(Some(wrong)));
    }
    let login = Login::typed(address.as_str()).map_err(|_| visit.link_is_over())?;
    let locator = visit.place_of(address.as_str())?;
    let browser = Credential::browser(locator, &random(ports.entropy())?);
    let new = NewUser {
        id: new_user_id(ports.entropy())?,
        login: Some(login),
        federated: None,
        realm: realm.name.clone(),
        roles: sign_up.roles.clone(),
        password: Some(Password(password.to_owned())),
        browser: Some(browser.digest()),
        internal_scopes: crate::scope::ScopeSet::default(),
        profile: Profile {
            name: (!name.is_empty()).then(|| name.to_owned()),
            email: Some(address.as_str().to_owned()),
            email_verified: true,
        },
        salt: Digest::of(&random::<32>(ports.entropy())?),
    };
    match ports.principals().ask(locator, &visit.told(Question::CreateUser(Box::new(new)))).await? {
        principal::Answer::User(_) => {}
        principal::Answer::Refused(_) => {
            let text = "Somebody has made an account with this address already: sign in with it.";
            return Err(visit.lost(409, "You have an account", text));
        }
        _ => return Err(principal::Answer::unexpected("create user").into()),
    }
    Ok(page::see_other(format!("{}?{WELCOME}", page::account(realm)))
        .and("Set-Cookie", visit.cookies.remember(browser.reveal()))
        .and("Set-Cookie", visit.cookies.end(&resumed.transaction.id)))
}
