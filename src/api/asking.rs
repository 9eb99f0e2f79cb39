//! How the API asks principals: in its realm, on its caller's behalf, about what its caller has seen.

use crate::encoding::Digest;
use crate::error::Fault;
use crate::id::Locator;
use crate::oauth::Stop;
use crate::port::{Ports, Principals};
use crate::principal::{self, Question, Refused};

use super::guard::{Caller, Context};
use super::problem::{conflict, refused};
use super::request::Request;

impl<P: Ports> Context<'_, P> {
    /// Asks a principal of this realm.
    pub(super) async fn ask_here(
        &self,
        locator: Locator,
        question: Question,
    ) -> Result<principal::Answer, Fault> {
        let question = Question::OfRealm(self.realm.name.clone(), Box::new(question));
        self.ports.principals().ask(locator, &question).await
    }

    /// Asks a principal on the caller's behalf, who is told to have done it.
    pub(super) async fn ask_as(
        &self,
        caller: &Caller,
        locator: Locator,
        question: Question,
    ) -> Result<principal::Answer, Fault> {
        let question = Question::By(Box::new(self.actor(caller)), Box::new(question));
        self.ports.principals().ask(locator, &question).await
    }

    /// The same, where what is asked about is still what it was when the caller was held against it.
    pub(super) async fn ask_if(
        &self,
        caller: &Caller,
        request: &Request<'_>,
        (locator, tag): (Locator, Digest),
        question: Question,
    ) -> Result<principal::Answer, Stop> {
        match self.ask_as(caller, locator, Question::IfMatches(tag, Box::new(question))).await? {
            principal::Answer::Refused(Refused::Changed) if request.if_match.is_none() => {
                Err(conflict("It was changed at the same moment. Try again."))
            }
            principal::Answer::Refused(why) => Err(refused(why)),
            answer => Ok(answer),
        }
    }
}
