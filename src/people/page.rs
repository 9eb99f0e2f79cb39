//! The pages, as templates ([askama](https://docs.rs/askama) escapes what it fills in), and the headers that every page has.

use std::time::{Duration, UNIX_EPOCH};

use askama::Template;

use crate::config::Realm;
use crate::error::Fault;
use crate::grant::{Destination, ResponseMode};
use crate::http::{Answer, Form};
use crate::time::Timestamp;

/// A scope, as a person is asked for it.
#[derive(Clone, Debug)]
pub(super) struct ScopeLine {
    pub(super) name: String,
    /// The configuration's words.
    pub(super) words: String,
    /// Whether it cannot be left out.
    pub(super) is_fixed: bool,
    pub(super) is_ticked: bool,
}

#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub(super) struct SignInPage<'a> {
    pub(super) base: &'a str,
    pub(super) realm: &'a str,
    /// Who asks, and where the person goes on to; `None`: to their own account.
    pub(super) client: Option<(&'a str, &'a str)>,
    pub(super) transaction: &'a str,
    pub(super) login: &'a str,
    pub(super) wrong: Option<&'a str>,
    /// How a passkey is used, where people may have some.
    pub(super) passkey: Option<UsePasskey<'a>>,
    /// Outside providers: what each is called, and where its button leads.
    pub(super) ways: &'a [(&'a str, String)],
    /// Whether people may take themselves in.
    pub(super) registers: bool,
    /// Whether a forgotten password has a way back.
    pub(super) mails: bool,
}

/// What a browser needs to know to have a passkey used.
#[derive(Debug)]
pub(super) struct UsePasskey<'a> {
    pub(super) challenge: &'a str,
    /// The RP ID.
    pub(super) party: &'a str,
    /// Which passkeys will do; empty: any.
    pub(super) known: &'a str,
    /// Whose password was right.
    pub(super) after: Option<&'a str>,
}

/// What a browser needs to know to have a passkey made.
#[derive(Debug)]
pub(super) struct MakePasskey<'a> {
    pub(super) challenge: &'a str,
    /// The RP ID.
    pub(super) party: &'a str,
    /// The person's place, in base64url.
    pub(super) user: &'a str,
    /// The passkeys that they have.
    pub(super) known: &'a str,
    pub(super) algorithms: &'a str,
    /// For how long the person may still do so.
    pub(super) seconds: u64,
}

#[derive(Debug, Template)]
#[template(path = "passkey.html")]
pub(super) struct PasskeyPage<'a> {
    pub(super) base: &'a str,
    pub(super) transaction: &'a str,
    pub(super) passkey: UsePasskey<'a>,
}

/// A passkey, as its person sees it.
#[derive(Clone, Debug)]
pub(super) struct PasskeyLine {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) since: String,
    pub(super) used: Option<String>,
    pub(super) is_synced: bool,
}

/// A person's passkeys.
#[derive(Debug)]
pub(super) struct PasskeyLines<'a> {
    pub(super) lines: &'a [PasskeyLine],
    /// Whether the password is not enough.
    pub(super) needed: bool,
    pub(super) has_password: bool,
    /// How another one is made; `None`: the person has signed in too long ago to change any of this.
    pub(super) make: Option<MakePasskey<'a>>,
}

/// What a step on the way asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asks<'a> {
    /// A name and a password, for a new account with this address.
    Account(&'a str, &'a str),
    /// An e-mail address.
    Address(&'a str),
    /// A login.
    Login(&'a str),
    /// Nothing: a press.
    Nothing,
    /// A new password.
    Password,
}

/// A step on the way through a mailbox.
#[derive(Clone, Debug, Template)]
#[template(path = "step.html")]
pub(super) struct StepPage<'a> {
    pub(super) base: &'a str,
    pub(super) heading: &'a str,
    pub(super) text: &'a str,
    /// Where the form goes, below the base.
    pub(super) action: &'a str,
    pub(super) transaction: &'a str,
    /// What else the form hands back.
    pub(super) hidden: Option<(&'a str, &'a str)>,
    pub(super) asks: Asks<'a>,
    pub(super) wrong: Option<&'a str>,
    /// What the button says; empty: there is no form.
    pub(super) submit: &'a str,
    /// A link: what it says, and where it leads below the base.
    pub(super) onward: Option<(&'a str, &'a str)>,
}

#[derive(Debug, Template)]
#[template(path = "consent.html")]
pub(super) struct ConsentPage<'a> {
    pub(super) base: &'a str,
    pub(super) client: &'a str,
    pub(super) owner: &'a str,
    pub(super) place: &'a str,
    pub(super) login: &'a str,
    pub(super) transaction: &'a str,
    pub(super) scopes: &'a [ScopeLine],
}

#[derive(Debug, Template)]
#[template(path = "sign_out.html")]
pub(super) struct SignOutPage<'a> {
    pub(super) base: &'a str,
    pub(super) realm: &'a str,
    pub(super) client: Option<&'a str>,
    pub(super) proof: &'a str,
    pub(super) said: &'a [(&'static str, &'a str)],
}

/// An application, as a person sees what they allow it.
#[derive(Clone, Debug)]
pub(super) struct ApplicationLine {
    pub(super) client_id: String,
    pub(super) name: String,
    /// The configuration's words for each scope.
    pub(super) words: Vec<String>,
    pub(super) since: String,
    pub(super) sessions: usize,
}

/// A browser, as its person sees it.
#[derive(Clone, Debug)]
pub(super) struct BrowserLine {
    pub(super) is_this: bool,
    pub(super) since: String,
}

#[derive(Debug, Template)]
#[template(path = "account.html")]
pub(super) struct AccountPage<'a> {
    pub(super) base: &'a str,
    pub(super) realm: &'a str,
    pub(super) login: &'a str,
    /// The address, where it is known, and whether it is verified.
    pub(super) email: Option<(&'a str, bool)>,
    pub(super) mails: bool,
    pub(super) done: Option<&'a str>,
    pub(super) proof: &'a str,
    /// Their passkeys, where people may have some.
    pub(super) passkeys: Option<PasskeyLines<'a>>,
    pub(super) applications: &'a [ApplicationLine],
    pub(super) browsers: &'a [BrowserLine],
}

#[derive(Debug, Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    base: &'a str,
    heading: &'a str,
    text: &'a str,
}

#[derive(Debug, Template)]
#[template(path = "form_post.html")]
struct FormPost<'a> {
    base: &'a str,
    place: &'a str,
    action: &'a str,
    said: &'a [(&'static str, &'a str)],
}

#[derive(Debug, Template)]
#[template(path = "way_back.html")]
pub(super) struct WayBack<'a> {
    pub(super) base: &'a str,
    pub(super) heading: &'a str,
    pub(super) client: &'a str,
    pub(super) what: &'a str,
    pub(super) place: &'a str,
    pub(super) address: &'a str,
}

/// Where a realm's pages begin: the path of its issuer, so that they work whatever name the host has.
pub(crate) fn base(realm: &Realm) -> String {
    format!("/{}", realm.name)
}

/// A day in UTC, for people: `26 Nov 2026`.
pub(crate) fn day(at: Timestamp) -> String {
    let time = UNIX_EPOCH.checked_add(Duration::from_millis(at.as_millis()));
    // `Thu, 26 Nov 2026 22:00:00 GMT` (RFC 9110 section 5.6.7).
    let date = time.map(httpdate::fmt_http_date).unwrap_or_default();
    date.get(5..16).unwrap_or_default().to_owned()
}

/// The path of a person's own page.
pub(super) fn account(realm: &Realm) -> String {
    format!("{}/account", base(realm))
}

/// A page as an answer. `forms` is where its forms may lead besides here: browsers hold redirects against it as well.
pub(crate) fn answer(status: u16, page: &impl Template, forms: Option<&str>) -> Result<Answer, Fault> {
    let body = page.render().map_err(|e| Fault::new("write page", e.to_string()))?;
    let forms = forms.map(|forms| format!(" {forms}")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'{forms}; frame-ancestors 'none'; base-uri 'none'"
    );
    Ok(Answer { body, ..Answer::empty(status) }
        .with("Content-Type", "text/html; charset=utf-8")
        .with("Content-Security-Policy", policy)
        .with("Referrer-Policy", "no-referrer")
        .with("X-Content-Type-Options", "nosniff")
        .with("X-Frame-Options", "DENY"))
}

/// A page that only says something.
pub(crate) fn notice(realm: &Realm, status: u16, heading: &str, text: &str) -> Result<Answer, Fault> {
    answer(status, &Notice { base: &base(realm), heading, text }, None)
}

/// What goes back to the client: a redirect that turns every method into GET (RFC 9700 section 4.12), or a form.
pub(super) fn back(
    realm: &Realm,
    destination: &Destination,
    said: &[(&'static str, &str)],
) -> Result<Answer, Fault> {
    match destination.response_mode {
        ResponseMode::Query => Ok(see_other(destination.location(said))),
        ResponseMode::FormPost => {
            let (place, action) = (destination.place(), destination.redirect_uri.as_str());
            let page = FormPost { base: &base(realm), place: &place, action, said };
            answer(200, &page, Some(&destination.source()))
        }
    }
}

/// The same parameters, as a query.
pub(super) fn query_of(form: &Form) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(form.names().filter_map(|name| Some((name, form.get(name)?))));
    query.extend_pairs(form.resources().map(|resource| ("resource", resource)));
    query.finish()
}

/// 303: go there with GET.
pub(crate) fn see_other(location: impl Into<String>) -> Answer {
    Answer::empty(303).with("Location", location).with("Referrer-Policy", "no-referrer")
}
