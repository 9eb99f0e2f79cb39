//! `/{realm}/login/passkey`: the person says who they are with a passkey (Web Authentication section 7.2). And how they come to have passkeys, on the
//! account page (section 7.1). Only where the realm has `passkeys`.
//!
//! To sign in:
//!
//! 1. The page is of a transaction of this browser: else a page, 400.
//! 2. The address does not ask too often: else 429.
//! 3. What the browser says is in order ([`crate::webauthn`]), and answers a challenge that this browser was given: where the password came
//!    first, one for the person whose password it was.
//! 4. The passkey is the person's, the signature good, the challenge not answered before: else the page again. A passkey of nobody takes as long,
//!    and looks the same.
//! 5. The browser is known from now on, and goes on to `/consent`.
//!
//! On the account page `POST` has an `action`: `add-passkey` with what the browser says of it, and a `name`; `remove-passkey` with its `id`; `need-passkey`, and
//! `password-alone` for the opposite; `forget-password`. Each only a moment after signing in ([`crate::principal::FRESH`]); `again` leads there.

use crate::config::{Config, Realm};
use crate::encoding::from_base64url;
use crate::error::Fault;
use crate::grant::Transaction;
use crate::http::{Answer, Form, Head};
use crate::id::Locator;
use crate::label::is_label;
use crate::oauth::{Stop, admit, form, source, take_as_long};
use crate::people::account::unchanged;
use crate::people::letters;
use crate::people::page::{self, MakePasskey, PasskeyLine, PasskeyLines, PasskeyPage, UsePasskey};
use crate::people::visit::{Resumed, Sealed, Visit};
use crate::port::{Body, Limit, Ports, Timer, random};
use crate::principal::{
    self, AccountView, AddPasskey, Answered, EnterPasskey, MAX_PASSKEY_NAME, PasskeyChange, Question, Refused,
};
use crate::secret::Credential;
use crate::time::{Lifetime, Timestamp};
use crate::webauthn::{
    ALGORITHMS, Bounds, Ceremony, Challenge, Flaw, PasskeyId, RelyingParty, Said, Used, made, used,
};

/// What the account page is told afterwards.
pub(super) const CHANGED: &str = "done=passkeys";

/// How long somebody may be busy with their device.
const CEREMONY: Lifetime = Lifetime::from_seconds(60);

/// What goes to the log where a challenge does not count.
const CHALLENGE: &str = "challenge";

impl<'a, P: Ports> Visit<'a, P> {
    /// For whom passkeys are here, where people may have some.
    fn relying_party(&self) -> Option<RelyingParty<'a>> {
        let id = self.realm.passkeys.as_deref()?;
        Some(RelyingParty { origin: self.realm.issuer.origin(), id })
    }

    fn bounds<'b>(&'b self, bond: &'b str) -> Bounds<'b> {
        Bounds { key: self.key(), realm: &self.realm.name, bond }
    }

    /// A challenge for whoever has this in a cookie; `None`: there are no passkeys here.
    pub(super) fn challenge(
        &self,
        ceremony: Ceremony,
        bond: &str,
    ) -> Result<Option<(RelyingParty<'a>, Challenge)>, Fault> {
        let Some(party) = self.relying_party() else { return Ok(None) };
        let random = random(self.ports.entropy())?;
        Ok(Some((party, Challenge::begin(ceremony, self.bounds(bond), &random, self.now))))
    }

    /// The page that asks for a passkey after the password of the person at this place.
    pub(super) fn ask_passkey(
        &self,
        resumed: &Resumed,
        locator: Locator,
        known: &[PasskeyId],
    ) -> Result<Answer, Stop> {
        let Sealed { text: transaction, bond, .. } = self.seal(&resumed.transaction, Some(&resumed.bond))?;
        let Some((party, challenge)) = self.challenge(Ceremony::SignInAfterPassword(locator), &bond)? else {
            let text = "Your account wants a passkey with the password, and passkeys do not count here any more. Ask whoever runs this service.";
            return Err(self.lost(403, "You cannot sign in", text));
        };
        let (known, after) = (names(known.iter()), locator.to_string());
        let passkey =
            UsePasskey { challenge: challenge.as_str(), party: party.id, known: &known, after: Some(&after) };
        let page = PasskeyPage { base: &page::base(self.realm), transaction: &transaction, passkey };
        let forms = resumed.flow().map(|flow| flow.request.destination.source());
        Ok(page::answer(200, &page, forms.as_deref())?)
    }
}

fn names<'i>(ids: impl Iterator<Item = &'i PasskeyId>) -> String {
    ids.map(PasskeyId::as_str).collect::<Vec<_>>().join(" ")
}

/// Answers what a browser says of a passkey that was used.
///
/// # Errors
/// A page that says what is wrong, or trouble of ours.
pub async fn sign_in_with_passkey<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    head: &Head<'_>,
    body: &mut impl Body,
    now: Timestamp,
) -> Result<Answer, Stop> {
    let visit = Visit::new(config, ports, realm, head, now)?;
    let Some(party) = visit.relying_party() else {
        return Err(visit.lost(404, "There are no passkeys here", "Sign in another way."));
    };
    let form = form(head, body).await?;
    let sealed = form.get("transaction").unwrap_or_default();
    let resumed = visit.resume(sealed).await?;
    let again = |status, text: &str| visit.sign_in(status, resumed.flow(), resumed.own(), ("", Some(text)));
    match admit(ports, Limit::Token, &source(head)).await {
        Ok(()) => {}
        Err(Stop::Answer(_)) => return again(429, "Too many attempts. Try again in a minute."),
        Err(fault) => return Err(fault),
    }
    let started = ports.timer().now().await;
    let refused = match Attempt::read(&visit, &form, party, &resumed.bond) {
        Err(reason) => reason,
        Ok(Attempt { locator, id, used, signature, answered, after_password }) => {
            let browser = Credential::browser(locator, &random(ports.entropy())?);
            let known = (browser.digest(), visit.known_before(locator));
            let enter = EnterPasskey::new((id, used, signature), (answered, after_password), known);
            match visit.ask_principal(locator, Question::EnterPasskey(Box::new(enter))).await? {
                principal::Answer::User(_) => {
                    let next = format!("{}/consent?transaction={sealed}", page::base(realm));
                    return Ok(
                        page::see_other(next).and("Set-Cookie", visit.cookies.remember(browser.reveal()))
                    );
                }
                principal::Answer::Refused(refused) => refused.code(),
                _ => return Err(principal::Answer::unexpected("enter").into()),
            }
        }
    };
    take_as_long(ports, started).await;
    Ok(again(400, "That passkey does not count here. Try again, or sign in another way.")?.because(refused))
}

/// A passkey that was used, as far as it can be read.
struct Attempt {
    locator: Locator,
    id: PasskeyId,
    used: Used,
    signature: String,
    answered: Answered,
    after_password: bool,
}

impl Attempt {
    /// What is wrong with it is for the log.
    fn read<P: Ports>(
        visit: &Visit<'_, P>,
        form: &Form,
        party: RelyingParty<'_>,
        bond: &str,
    ) -> Result<Self, &'static str> {
        const WHO: &str = "user_handle";
        let place = |name| form.get(name).map(|text| Locator::try_from(text.to_owned())).transpose();
        let (after, handle) = (place("after").map_err(|_| WHO)?, place("user").map_err(|_| WHO)?);
        // Section 7.2 step 6: where both say whose it is, they say the same.
        let locator = match (after, handle) {
            (Some(after), Some(handle)) if after != handle => return Err(WHO),
            (Some(place), _) | (None, Some(place)) => place,
            (None, None) => return Err(WHO),
        };
        let ceremony = after.map_or(Ceremony::SignIn, Ceremony::SignInAfterPassword);
        let id = form.get("id").and_then(|id| id.parse().ok()).ok_or(Flaw::Key.code())?;
        let (used, challenge) = said(form, |said| used(said, party))?;
        let challenge = Challenge::open(&challenge, ceremony, visit.bounds(bond), visit.now);
        let answered = Answered::from(&challenge.ok_or(CHALLENGE)?);
        let signature = form.get("signature").ok_or(Flaw::Signature.code())?.to_owned();
        Ok(Self { locator, id, used, signature, answered, after_password: after.is_some() })
    }
}

/// What a form says of a passkey, read.
fn said<T>(form: &Form, read: impl FnOnce(&Said<'_>) -> Result<T, Flaw>) -> Result<T, &'static str> {
    let bytes = |name| form.get(name).and_then(|text| from_base64url(text).ok());
    let client_data = bytes("client_data").ok_or(Flaw::ClientData.code())?;
    let authenticator_data = bytes("authenticator_data").ok_or(Flaw::AuthenticatorData.code())?;
    let said = Said { client_data: &client_data, authenticator_data: &authenticator_data };
    read(&said).map_err(Flaw::code)
}

/// What the account page shows of a person's passkeys.
pub(super) struct Passkeys<'a> {
    lines: Vec<PasskeyLine>,
    needed: bool,
    has_password: bool,
    make: Option<(RelyingParty<'a>, Challenge)>,
    /// For how long that counts.
    seconds: u64,
    user: String,
    known: String,
    algorithms: String,
}

impl<'a> Passkeys<'a> {
    /// `None`: people have none here, or this one has an outside provider.
    pub(super) fn of<P: Ports>(
        visit: &Visit<'a, P>,
        locator: Locator,
        view: &AccountView,
    ) -> Result<Option<Self>, Fault> {
        let bond = visit.cookies.browser().unwrap_or_default();
        if visit.relying_party().is_none() || view.user.federated.is_some() {
            return Ok(None);
        }
        let is_fresh = view.fresh_for > Lifetime::ZERO;
        let make = if is_fresh { visit.challenge(Ceremony::Create(locator), bond)? } else { None };
        let line = |one: &principal::PasskeyView| PasskeyLine {
            id: one.id.as_str().to_owned(),
            name: one.name.clone(),
            since: page::day(one.created_at),
            used: one.used_at.map(page::day),
            is_synced: one.is_synced,
        };
        Ok(Some(Self {
            lines: view.passkeys.iter().map(line).collect(),
            needed: view.user.needs_passkey,
            has_password: view.user.has_password,
            make,
            // The device takes its time.
            seconds: view.fresh_for.minus(CEREMONY).as_seconds(),
            user: locator.to_string(),
            known: names(view.passkeys.iter().map(|one| &one.id)),
            algorithms: ALGORITHMS.map(|number| number.to_string()).join(" "),
        }))
    }

    pub(super) fn lines(&self) -> PasskeyLines<'_> {
        let make = self.make.as_ref().map(|(party, challenge)| MakePasskey {
            challenge: challenge.as_str(),
            party: party.id,
            user: &self.user,
            known: &self.known,
            algorithms: &self.algorithms,
            seconds: self.seconds,
        });
        let (needed, has_password) = (self.needed, self.has_password);
        PasskeyLines { lines: &self.lines, needed, has_password, make }
    }
}

/// Changes how the person signs in, in a browser that has shown that the form is from its page.
pub(super) async fn change<P: Ports>(
    visit: &Visit<'_, P>,
    form: &Form,
    (browser, locator): (crate::encoding::Digest, Locator),
    (action, source): (&str, &str),
) -> Result<Answer, Stop> {
    let party = visit.relying_party().ok_or_else(|| {
        visit.lost(404, "Nothing was changed", "There are no passkeys here. Ask whoever runs this service.")
    })?;
    if let Some(text) = visit.may_mail(source).await? {
        return Err(visit.lost(429, "Nothing was changed", text));
    }
    let (question, what) = match action {
        "add-passkey" => {
            let nameless = format!("Passkey of {}", page::day(visit.now));
            let name = form.get("name").map(str::trim).filter(|name| !name.is_empty()).unwrap_or(&nameless);
            if !is_label(name, MAX_PASSKEY_NAME) {
                let text = "A name has at most 64 characters, all of which are seen.";
                return Err(visit.lost(400, "Nothing was changed", text));
            }
            let made = said(form, |said| made(said, party)).and_then(|(made, challenge)| {
                let bond = visit.cookies.browser().unwrap_or_default();
                let bounds = visit.bounds(bond);
                let challenge = Challenge::open(&challenge, Ceremony::Create(locator), bounds, visit.now);
                challenge.map(|_| made).ok_or(CHALLENGE)
            });
            let made = match made {
                Ok(made) => made,
                Err(reason) => {
                    let text = "What your browser says of the passkey does not count here. Try again.";
                    let answer = page::notice(visit.realm, 400, "Nothing was changed", text)?;
                    return Ok(answer.because(reason));
                }
            };
            let name = name.to_owned();
            (Question::AddPasskey(Box::new(AddPasskey { browser, made, name })), "A passkey was added.")
        }
        "again" => return again(visit, None),
        "forget-password" => {
            (Question::ChangePasskeys(browser, PasskeyChange::ForgetPassword), "The password was removed.")
        }
        "need-passkey" => {
            (Question::ChangePasskeys(browser, PasskeyChange::Need(true)), "A password needs a passkey now.")
        }
        "password-alone" => {
            (Question::ChangePasskeys(browser, PasskeyChange::Need(false)), "A password counts alone now.")
        }
        "remove-passkey" => {
            let id = form.get("id").and_then(|id| id.parse().ok()).ok_or_else(|| unchanged(visit))?;
            (
                Question::ChangePasskeys(browser, PasskeyChange::Remove(id)),
                "A passkey was removed. Without any, a password counts alone.",
            )
        }
        _ => return Err(unchanged(visit)),
    };
    let sorry = |text| visit.lost(409, "Nothing was changed", text);
    let done = Ok(page::see_other(format!("{}?{CHANGED}", page::account(visit.realm))));
    match visit.ask_principal(locator, question).await? {
        principal::Answer::User(user) => {
            visit.tell(&user, &letters::sign_in_changed(visit.realm, what));
            done
        }
        // It is so already.
        principal::Answer::Done => done,
        principal::Answer::Refused(Refused::Stale) => {
            let why = match action {
                "forget-password" | "need-passkey" => {
                    "Sign in with a passkey first: it has to work before a password counts for less."
                }
                _ => "Sign in again first: this changes how you sign in.",
            };
            again(visit, Some(why))
        }
        principal::Answer::Refused(Refused::Last) => Err(sorry(if action == "remove-passkey" {
            "It is the last way into your account. Add another passkey first."
        } else {
            "There is no passkey yet. Add one first."
        })),
        principal::Answer::Refused(Refused::Full) => {
            Err(sorry("You have as many passkeys as anybody may have. Remove one first."))
        }
        principal::Answer::Refused(Refused::Taken) => Err(sorry("You have this passkey already.")),
        principal::Answer::Refused(_) => Err(unchanged(visit)),
        _ => Err(principal::Answer::unexpected("change passkeys").into()),
    }
}

/// Signing in again, and back to the account.
fn again<P: Ports>(visit: &Visit<'_, P>, why: Option<&str>) -> Result<Answer, Stop> {
    let transaction = Transaction::begin(&random(visit.ports.entropy())?, None, visit.now);
    visit.sign_in(200, None, (&transaction, None), ("", why))
}
