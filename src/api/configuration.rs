//! The configuration, while the deployment runs: `/{realm}/api/v1/config`, in the realm that it names with `managed_from`.
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /config` | 200: the document that counts, as it was put or deployed |
//! | `PUT /config` | 200: what is known of the version that this document is now; 422 with every error where it is not good, and what counted goes on to count |
//! | `POST /config/validate` | 200 where `PUT` would take it; else as that |
//! | `GET /config/versions` | 200: what is known of those that were put, the newest first; at most [`principal::MOST_VERSIONS`] are kept |
//! | `GET /config/versions/{version}` | 200: the document of one |
//! | `POST /config/versions/{version}/restore` | as `PUT` of that document: a new version |
//!
//! A document is about every realm and route of the deployment, so whoever may put one may do everything here. It is read by the parser that
//! reads the deployed one, and has to keep `managed_from`. It counts at this edge at once, at others as [`crate::principal::Configured`] gets there, and until
//! another document is deployed.

use serde::Serialize;
use serde_json::json;

use crate::config::{Config, ConfigError};
use crate::directory::Actor;
use crate::encoding::Digest;
use crate::error::Fault;
use crate::http::Answer;
use crate::id::RealmName;
use crate::oauth::Stop;
use crate::port::{Configurations, Ports, Principals};
use crate::principal::{self, Configured, PutConfiguration, Question, Version};

use super::guard::{Caller, Context};
use super::operation::Operation;
use super::problem::{not_found, refused};
use super::request::{Request, tagged};
use super::shown::Page;

/// What is known of one version.
#[derive(Serialize)]
struct Shown<'a> {
    version: u64,
    at: u64,
    by: &'a Actor,
    /// Whether it counts.
    current: bool,
}

impl<'a> Shown<'a> {
    fn of(version: &'a Version, current: bool) -> Self {
        Self { version: version.number, at: version.at.as_seconds(), by: &version.by, current }
    }
}

/// The version that counts where the deployed document has this digest; `None`: that document does.
fn counting<'v>(versions: &'v [Version], base: &Digest) -> Option<&'v Version> {
    versions.first().filter(|last| last.base == *base)
}

impl<P: Ports> Context<'_, P> {
    /// Does what is asked for.
    ///
    /// # Errors
    /// An answer that is none of what was asked for, or trouble of ours.
    pub(super) async fn configuration(&self, caller: &Caller, request: &Request<'_>) -> Result<Answer, Stop> {
        let realm = self.managed_here()?;
        if request.operation == Operation::ValidateConfiguration {
            read(realm, &request.body).map_err(|errors| unfit(&errors))?;
            return Ok(Answer::json(200, &json!({ "errors": [] }))?);
        }
        let deployed = self.ports.configurations().deployed()?;
        let base = Digest::of(deployed.as_bytes());
        match request.operation {
            Operation::PutConfiguration => {
                let document = read(realm, &request.body).map_err(|errors| unfit(&errors))?;
                self.put(caller, request, (realm, base), document).await
            }
            Operation::ListVersions => {
                let versions = self.versions(realm).await?;
                let current = counting(&versions, &base).map(|version| version.number);
                let shown = |version| Shown::of(version, Some(version.number) == current);
                let items: Vec<_> = versions.iter().map(shown).collect();
                Ok(Answer::json(200, &Page { items, next: None })?)
            }
            Operation::ReadVersion => {
                let (_, document) = self.version(realm, request.id).await?;
                Ok(shown(document))
            }
            Operation::RestoreVersion => {
                let (_, document) = self.version(realm, request.id).await?;
                // The parser, and what is demanded, may have changed since.
                let document = read(realm, document.as_bytes()).map_err(|errors| unfit(&errors))?;
                self.put(caller, request, (realm, base), document).await
            }
            _ => match counting(&self.versions(realm).await?, &base) {
                Some(version) => Ok(shown(self.version(realm, &version.number.to_string()).await?.1)),
                None => Ok(shown(deployed)),
            },
        }
    }

    /// The realm, where the configuration is managed from it.
    pub(super) fn managed_here(&self) -> Result<&RealmName, Stop> {
        self.config.managed_from().filter(|realm| **realm == self.realm.name).ok_or_else(|| {
            let detail = "The configuration is not managed from this realm: managed_from in tollgate.json names the one that it is.";
            Answer::problem(404, "Not Found", detail).into()
        })
    }

    async fn versions(&self, realm: &RealmName) -> Result<Vec<Version>, Fault> {
        match self.ask_configuration(realm, Question::ListVersions).await? {
            principal::Answer::Versions(versions) => Ok(versions),
            _ => Err(principal::Answer::unexpected("read configuration")),
        }
    }

    async fn version(&self, realm: &RealmName, id: &str) -> Result<(Version, String), Stop> {
        // One spelling for each: no sign, no zero before it.
        let number = id.parse().ok().filter(|number: &u64| number.to_string() == id).ok_or_else(not_found)?;
        match self.ask_configuration(realm, Question::ReadVersion(number)).await? {
            principal::Answer::Version(version, document) => Ok((*version, document)),
            principal::Answer::Refused(why) => Err(refused(why)),
            _ => Err(principal::Answer::unexpected("read configuration").into()),
        }
    }

    async fn put(
        &self,
        caller: &Caller,
        request: &Request<'_>,
        (realm, base): (&RealmName, Digest),
        document: String,
    ) -> Result<Answer, Stop> {
        let by = self.actor(caller);
        let put = PutConfiguration { realm: realm.clone(), base, document, by: by.clone() };
        let question = Question::PutConfiguration(Box::new(put));
        let question = match request.tag()? {
            Some(tag) => Question::IfMatches(tag, Box::new(question)),
            None => question,
        };
        match self.ask_configuration(realm, Question::By(Box::new(by), Box::new(question))).await? {
            principal::Answer::Version(version, document) => {
                let answer = Answer::json(200, &Shown::of(&version, true))?;
                let configured = Configured { number: version.number, base, document };
                self.ports.configurations().take_up(&configured);
                Ok(tagged(answer, &version.digest))
            }
            principal::Answer::Refused(why) => Err(refused(why)),
            _ => Err(principal::Answer::unexpected("put configuration").into()),
        }
    }

    async fn ask_configuration(
        &self,
        realm: &RealmName,
        question: Question,
    ) -> Result<principal::Answer, Fault> {
        let place = self.ports.principals().place_of_configuration(realm)?;
        self.ports.principals().ask(place, &question).await
    }
}

/// The document that somebody sends, where it is good.
fn read(realm: &RealmName, body: &[u8]) -> Result<String, Vec<ConfigError>> {
    let one = |path: &str, problem: String| vec![ConfigError { path: path.to_owned(), problem }];
    let text = str::from_utf8(body)
        .map_err(|_| one("(document)", "is not UTF-8; save it in that encoding".to_owned()))?;
    if !principal::fits(text) {
        return Err(one(
            "(document)",
            "is too large; it has at most 512 KiB, and fewer quotation marks".to_owned(),
        ));
    }
    let config = Config::parse(text)?;
    if config.managed_from() != Some(realm) {
        // Else whoever mistypes it could not take it back.
        let problem =
            format!("has to stay `{realm}` while the deployment runs; deploy a document that says otherwise");
        return Err(one("managed_from", problem));
    }
    Ok(text.to_owned())
}

/// A document that cannot count: what did goes on to.
fn unfit(errors: &[ConfigError]) -> Stop {
    let detail = "The document is not good, and nothing was changed. errors has each thing that is wrong, and how to mend it.";
    let body = json!({
        "type": "about:blank", "title": "Unprocessable Content", "status": 422, "detail": detail, "errors": errors,
    });
    let answer = Answer { body: body.to_string(), ..Answer::empty(422) };
    answer.with("Content-Type", "application/problem+json").into()
}

/// A document as it is.
fn shown(document: String) -> Answer {
    let tag = Digest::of(document.as_bytes());
    let answer = Answer { body: document, ..Answer::empty(200) }.with("Content-Type", "application/json");
    tagged(answer, &tag)
}
