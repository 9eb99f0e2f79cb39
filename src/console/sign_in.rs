//! In and out: the console as an OpenID Connect client of its own realm.
//!
//! 1. Whoever has no token is sent to the authorization endpoint, with `state`, `nonce` and a challenge of this browser's ([`super::trip`]).
//! 2. They come back: `iss` is the realm (RFC 9207), `state` is of this browser and ten minutes old at most. Else a page, 400.
//! 3. The code is redeemed as at the token endpoint, and the ID token has the nonce. Else a page, 400.
//! 4. The access token goes into a cookie, and the browser to the page that it had asked for.
//!
//! A token that the API refuses leads to 1. again; not one that was issued a moment ago, which a new one would only follow.

use serde_json::Value;

use crate::config::{Config, Realm};
use crate::console::client::{self, CONSOLE};
use crate::console::jar::Jar;
use crate::console::trip::{Bounds, Trip};
use crate::console::words::text;
use crate::console::{Asked, client::redirect_uri};
use crate::encoding::{Digest, base64url, from_base64url};
use crate::error::Fault;
use crate::http::{Answer, Form, Head};
use crate::oauth::{Stop, end, redeem};
use crate::people::page::{base, notice, see_other};
use crate::port::{Ports, Vault, random};
use crate::registered::GrantType;
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};

/// A token that is younger than this and refused is not replaced without a word.
const MOMENT: Lifetime = Lifetime::from_seconds(10);

/// Where a browser comes in.
pub(super) struct Door<'a, P> {
    pub(super) config: &'a Config,
    pub(super) realm: &'a Realm,
    pub(super) jar: Jar,
    ports: &'a P,
    key: Secret,
    head: &'a Head<'a>,
    /// The page that is asked for, below the console, with its query.
    page: String,
    now: Timestamp,
}

impl<'a, P: Ports> Door<'a, P> {
    pub(super) fn new(
        config: &'a Config,
        ports: &'a P,
        realm: &'a Realm,
        asked: &Asked<'a>,
    ) -> Result<Self, Fault> {
        let key = ports.vault().secret("TOLLGATE_KEK");
        let key = key.ok_or_else(|| Fault::new("read TOLLGATE_KEK", "the secret is not set"))?;
        let below = asked.below.strip_prefix("/console").unwrap_or_default();
        let query = asked.head.query.map(|query| format!("?{query}")).unwrap_or_default();
        let page = format!("{below}{query}");
        let (head, now) = (asked.head, asked.now);
        Ok(Self { config, realm, jar: Jar::of(head), ports, key, head, page, now })
    }

    /// A page that only says something.
    pub(super) fn says(&self, status: u16, heading: &str, text: &str) -> Result<Answer, Stop> {
        Ok(notice(self.realm, status, heading, text)?)
    }

    /// What only a page of this browser knows, while its token is this one.
    pub(super) fn proof(&self, token: &str) -> String {
        let message = format!("tollgate console page 1:{}:{token}", self.realm.name);
        base64url(&hmac_sha256::HMAC::mac(message, self.key.reveal()))
    }

    /// Whether a form comes from such a page.
    pub(super) fn is_proved(&self, token: &str, form: &Form) -> bool {
        let shown = form.get("proof").unwrap_or_default();
        // Digests compare in constant time.
        Digest::of(shown.as_bytes()) == Digest::of(self.proof(token).as_bytes())
    }

    /// Random, and as short as a name.
    pub(super) fn fresh(&self) -> Result<String, Fault> {
        Ok(base64url(&random::<16>(self.ports.entropy())?))
    }

    /// (1): somebody without a token, or with one that does not count.
    pub(super) async fn enter(&self, is_post: bool, refused: Option<&str>) -> Result<Answer, Stop> {
        if !self.realm.serves(GrantType::AuthorizationCode) {
            return self.says(404, "There is no console", "People do not sign in to this realm.");
        }
        let is_fresh = |token: &str| {
            let issued_at = claim(token, "iat").and_then(|at| at.as_u64()).map(Timestamp::from_seconds);
            issued_at.is_some_and(|at| self.now.since(at) < MOMENT)
        };
        if is_post || refused.is_some_and(is_fresh) {
            let text = "Open the console again to sign in. Nothing was changed.";
            let answer = self.says(403, "You are not signed in any more", text)?;
            return Ok(self.forgetting(answer));
        }
        let client = client::present(self.config, self.ports, self.realm, self.now).await?;
        let name = self.realm.name.as_str();
        let salt = self.jar.salt(name).map_or_else(|| self.fresh(), |salt| Ok(salt.to_owned()))?;
        let bounds = self.bounds(&salt);
        let trip = Trip::begin(&random(self.ports.entropy())?, &self.page, self.now);
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", CONSOLE),
                ("redirect_uri", &redirect_uri(self.realm)),
                ("scope", &client.scope.to_string()),
                ("state", &trip.state(&bounds)),
                ("nonce", &trip.nonce(&bounds)),
                ("code_challenge", &trip.verifier(&bounds).challenge()),
                ("code_challenge_method", "S256"),
            ])
            .finish();
        let answer = see_other(format!("{}/oauth/authorize?{query}", base(self.realm)));
        Ok(answer.and("Set-Cookie", Jar::begin(name, &salt)))
    }

    const fn bounds<'b>(&'b self, salt: &'b str) -> Bounds<'b> {
        Bounds { key: &self.key, realm: &self.realm.name, salt }
    }

    fn lost(&self, text: &str) -> Stop {
        match self.says(400, "You were not signed in", text) {
            Ok(answer) => Stop::Answer(Box::new(answer)),
            Err(stop) => stop,
        }
    }

    /// (2) to (4): somebody comes back.
    pub(super) async fn come_back(&self) -> Result<Answer, Stop> {
        let again = "This sign-in is too old, or began in another browser. Open the console again.";
        let form = Form::of_query(self.head.query.unwrap_or_default()).map_err(|_| self.lost(again))?;
        let name = self.realm.name.as_str();
        let salt = self.jar.salt(name).ok_or_else(|| self.lost(again))?;
        let bounds = self.bounds(salt);
        let trip = Trip::answered(form.get("state").unwrap_or_default(), &bounds, self.now);
        let trip = trip.filter(|_| form.get("iss") == Some(self.realm.issuer.as_str()));
        let trip = trip.ok_or_else(|| self.lost(again))?;
        let Some(code) = form.get("code") else {
            return Err(self.lost("The sign-in was not finished. Open the console to begin again."));
        };
        let granted = self.granted(code, &trip, &bounds).await?;
        let granted = granted.ok_or_else(|| self.lost(again))?;
        let cookies = self.jar.keep(name, text(&granted, "access_token"));
        let cookies =
            cookies.ok_or_else(|| Fault::new("write token", "it is longer than a browser keeps"))?;
        let answer = see_other(format!("{}/console{}", base(self.realm), trip.page));
        Ok(cookies.into_iter().fold(answer, |answer, cookie| answer.and("Set-Cookie", cookie)))
    }

    /// (3)
    async fn granted(&self, code: &str, trip: &Trip, bounds: &Bounds<'_>) -> Result<Option<Value>, Stop> {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("grant_type", "authorization_code"),
                ("client_id", CONSOLE),
                ("code", code),
                ("redirect_uri", &redirect_uri(self.realm)),
                ("code_verifier", trip.verifier(bounds).reveal()),
            ])
            .finish();
        let form = Form::of_query(&query)?;
        let redeemed = redeem(self.config, self.ports, self.realm, self.head, &form, self.now).await;
        let answer = match redeemed {
            Ok(answer) => answer,
            Err(Stop::Answer(answer)) => *answer,
            Err(Stop::Fault(fault)) => return Err(fault.into()),
        };
        let granted: Option<Value> = serde_json::from_str(&answer.body).ok();
        let nonce = |granted: &Value| claim(text(granted, "id_token"), "nonce");
        let is_its = |granted: &Value| nonce(granted) == Some(Value::String(trip.nonce(bounds)));
        Ok(granted.filter(|granted| answer.status == 200 && is_its(granted)))
    }

    /// The person leaves: the token's session ends, and a page asks whether this browser is to be forgotten as well.
    pub(super) async fn leave(&self, token: &str) -> Result<Answer, Stop> {
        let ended = end(self.config, self.ports, self.realm, client::id()?, token, self.now).await;
        Stop::settled(ended)?;
        let to = format!("{}/oauth/logout?client_id={CONSOLE}", base(self.realm));
        Ok(self.forgetting(see_other(to)))
    }

    fn forgetting(&self, answer: Answer) -> Answer {
        let cookies = self.jar.forget(self.realm.name.as_str());
        cookies.into_iter().fold(answer, |answer, cookie| answer.and("Set-Cookie", cookie))
    }
}

/// A claim of a token that was made here a moment ago, or that decides nothing.
fn claim(token: &str, name: &str) -> Option<Value> {
    let claims: Value = serde_json::from_slice(&from_base64url(token.split('.').nth(1)?).ok()?).ok()?;
    claims.get(name).cloned()
}
