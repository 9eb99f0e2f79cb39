//! What pages have in common that lead through a mailbox.
//!
//! What the page says, and how long it takes, is the same whether somebody is there or not; only whoever reads the mail learns it.

use crate::config::Realm;
use crate::directory::Actor;
use crate::email::EmailAddress;
use crate::error::Fault;
use crate::grant::Transaction;
use crate::http::{Answer, Form};
use crate::id::{Locator, Login, UserId};
use crate::oauth::{Stop, take_as_long};
use crate::people::letters::{self, Text};
use crate::people::page::{self, Asks, StepPage};
use crate::people::visit::{Resumed, Sealed, Visit};
use crate::port::{Entry, Journal, Letter, Limit, Limiter, Mailer, Ports, Principals, Timer, random};
use crate::principal::{self, Addressee, Mail, Purpose, Question, Refused, UserView};
use crate::secret::{Credential, Kind};
use crate::time::Timestamp;

/// What a page is told that came from a link which is over, or from none.
const OVER: (&str, &str) = (
    "This link does not count any more",
    "It was used, is more than an hour old, or was not copied whole. Ask for another one.",
);

impl<P: Ports> Visit<'_, P> {
    /// A page that says that a link does not count.
    pub(super) fn link_is_over(&self) -> Stop {
        self.lost(400, OVER.0, OVER.1)
    }

    /// A step on the way: for a transaction that the browser came with, or for one that begins.
    pub(super) fn step(
        &self,
        status: u16,
        transaction: Option<(&Transaction, &str)>,
        step: &StepPage<'_>,
    ) -> Result<Answer, Stop> {
        let Sealed { text: sealed, cookies, .. } = if let Some((transaction, bond)) = transaction {
            self.seal(transaction, Some(bond))?
        } else {
            let fresh = Transaction::begin(&random(self.ports.entropy())?, None, self.now);
            self.seal(&fresh, None)?
        };
        let base = page::base(self.realm);
        let page = StepPage { base: &base, transaction: &sealed, ..step.clone() };
        let answer = page::answer(status, &page, None)?;
        Ok(cookies.into_iter().fold(answer, |answer, cookie| answer.and("Set-Cookie", cookie)))
    }

    /// Whether this address may have mail sent now; else how the page says so.
    pub(super) async fn may_mail(&self, source: &str) -> Result<Option<&'static str>, Fault> {
        let admits = self.ports.limiter().admits(Limit::Password, source).await?;
        Ok((!admits).then_some("Too many attempts. Try again in a minute."))
    }

    /// Asks the principal at the place whether mail may go there, and sends what `letter` makes of it. `None`: too much was sent there.
    pub(super) async fn mail(
        &self,
        locator: Locator,
        purpose: Purpose,
        letter: impl FnOnce(Addressee, &str) -> Option<(EmailAddress, Text)>,
    ) -> Result<Sent, Fault> {
        let by =
            self.realm.mail.as_ref().ok_or_else(|| Fault::new("send mail", "the realm has no `mail`"))?;
        let started = self.ports.timer().now().await;
        let link = Credential::link(locator, &random(self.ports.entropy())?);
        let question = Question::Mail(Mail { purpose, link: link.digest() });
        let answer = match purpose {
            // At the place of what was typed there may be nobody yet.
            Purpose::Register | Purpose::Reset => self.ports.principals().ask(locator, &question).await?,
            Purpose::Verify(_) => self.ask_principal(locator, question).await?,
        };
        let addressee = match answer {
            principal::Answer::Addressee(addressee) => addressee,
            principal::Answer::Refused(Refused::Wait(wait)) => {
                return Ok(Sent::Wait(wait.as_seconds().saturating_add(1)));
            }
            principal::Answer::Refused(_) => return Ok(Sent::Unknown),
            _ => return Err(principal::Answer::unexpected("mail")),
        };
        if let Some((to, Text { subject, text })) = letter(addressee, link.reveal()) {
            self.ports.mailer().send(by, &Letter { to: &to, subject: &subject, text: &text })?;
        }
        take_as_long(self.ports, started).await;
        Ok(Sent::Perhaps)
    }

    /// Tells a person what was done to their account, where there is a way to.
    pub(super) fn tell(&self, user: &UserView, letter: &Text) {
        let (Some(by), Some(to)) = (self.realm.mail.as_ref(), user.address()) else { return };
        let letter = Letter { to: &to, subject: &letter.subject, text: &letter.text };
        // It is done all the same.
        if let Err(fault) = self.ports.mailer().send(by, &letter) {
            let (op, detail) = (Some(fault.op()), Some(fault.detail()));
            self.ports.journal().record(&Entry { decision: "fault", op, detail, ..Entry::default() });
        }
    }

    /// The page that follows on a mail: where it is, and the way on for whoever came with an application's request; or `again`, where too much was sent.
    /// It is the same whether there was a mail.
    pub(super) fn after_mail(
        &self,
        sent: Sent,
        (resumed, form): (&Resumed, &Form),
        (text, onward): (&str, &str),
        again: &StepPage<'_>,
    ) -> Result<Answer, Stop> {
        let own = Some((&resumed.transaction, resumed.bond.as_str()));
        if let Sent::Wait(seconds) = sent {
            let wrong = format!("Enough mail was sent there. Try again in {seconds} seconds.");
            let answer = self.step(429, own, &StepPage { wrong: Some(&wrong), ..again.clone() })?;
            return Ok(answer.with("Retry-After", seconds.to_string()));
        }
        let next = format!("/consent?transaction={}", form.get("transaction").unwrap_or_default());
        let onward = resumed.flow().map(|_| (onward, next.as_str()));
        self.step(200, own, &StepPage { onward, ..plain("Look into your mailbox", text) })
    }

    /// The link that a form, or an address, names.
    pub(super) fn link(&self, form: &Form) -> Result<(Credential, Locator), Stop> {
        let link = form.get("link").and_then(|text| Credential::parse(Kind::Link, text).ok());
        link.and_then(|link| link.locator().map(|locator| (link, locator))).ok_or_else(|| self.link_is_over())
    }

    /// The place of what somebody typed; nobody's, where it can be nobody's login.
    pub(super) fn place_of(&self, typed: &str) -> Result<Locator, Fault> {
        let login = Login::typed(typed).unwrap_or_else(|_| Login::nobodys());
        self.ports.principals().place_of(&self.realm.name, &login)
    }

    /// When it was asked.
    pub(super) const fn asked_at(&self) -> Timestamp {
        self.now
    }
}

/// Sends a person the link to their first password, on behalf of whoever manages people. `Ok(false)`: there is nowhere to send it, or enough was sent.
///
/// # Errors
/// The realm sends no mail, or trouble of ours.
pub(crate) async fn invite<P: Ports>(
    ports: &P,
    realm: &Realm,
    (locator, user): (Locator, &UserId),
    by: Actor,
) -> Result<bool, Fault> {
    let sender = realm.mail.as_ref().ok_or_else(|| Fault::new("send mail", "the realm has no `mail`"))?;
    let link = Credential::link(locator, &random(ports.entropy())?);
    let mail = Question::Mail(Mail { purpose: Purpose::Reset, link: link.digest() });
    let question = Question::By(Box::new(by), Box::new(Question::OfUser(user.clone(), Box::new(mail))));
    let principal::Answer::Addressee(Addressee::Somebody(to)) =
        ports.principals().ask(locator, &question).await?
    else {
        return Ok(false);
    };
    let Ok(to) = to.parse::<EmailAddress>() else { return Ok(false) };
    let link = format!("{}/reset/confirm?link={}", realm.issuer, link.reveal());
    let Text { subject, text } = letters::welcome(realm, &link);
    ports.mailer().send(sender, &Letter { to: &to, subject: &subject, text: &text })?;
    Ok(true)
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sent {
    /// It is on its way, if it has somewhere to go.
    Perhaps,
    /// There is no such browser.
    Unknown,
    /// Too much was sent: try again in so many seconds.
    Wait(u64),
}

/// A page that asks for nothing.
pub(super) const fn plain<'a>(heading: &'a str, text: &'a str) -> StepPage<'a> {
    StepPage {
        base: "",
        heading,
        text,
        action: "",
        transaction: "",
        hidden: None,
        asks: Asks::Nothing,
        wrong: None,
        submit: "",
        onward: None,
    }
}
