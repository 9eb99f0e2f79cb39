//! Who may use the API: whoever bears a good access token of this realm, whose session lives, with a scope of tollgate's own.
//!
//! 1. The token is the realm's own ([`crate::oauth::own_token`]): else 401.
//! 2. Its session lives, and its principal says for whom it speaks, now: else 401. The request is a use of the session.
//! 3. It has the scope of the operation: else 403.
//!
//! No grain is waited out here: what was taken away a moment ago is gone.

use crate::config::management::{PLATFORM_ADMIN, is_management};
use crate::config::{Config, Realm};
use crate::directory::{Actor, ActorKind};
use crate::error::{Denied, Error};
use crate::grant::kept_scopes;
use crate::http::Head;
use crate::id::{ClientId, Locator, RequestId, Role};
use crate::oauth::{OwnToken, Stop, checked, own_token, refusal};
use crate::port::{Clients, Ports};
use crate::principal::{self, CallerView, Question, Refused, UserView};
use crate::scope::{ScopeSet, ScopeToken};
use crate::time::Timestamp;
use crate::token::Holder;
use crate::validator::ask_once;

use super::Operation;

/// Where a request is answered.
#[derive(Debug)]
pub struct Context<'a, P> {
    /// The configuration.
    pub config: &'a Config,
    /// The platform.
    pub ports: &'a P,
    /// The realm.
    pub realm: &'a Realm,
    /// When the request came.
    pub now: Timestamp,
    /// What it is called in the log.
    pub request_id: &'a RequestId,
    /// The address that it came from, or the network of one.
    pub source: String,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The principal that the token speaks for.
    pub locator: Locator,
    /// The client whose token it is.
    pub client_id: ClientId,
    /// The person; `None`: the client speaks for itself.
    pub user: Option<UserView>,
    /// The roles that it has.
    pub roles: Vec<Role>,
    /// What the token may do.
    pub scope: ScopeSet,
    /// Whether what is everybody's is the caller's to manage.
    pub is_for_all: bool,
}

impl Caller {
    /// Whether what this principal keeps is the caller's to manage.
    #[must_use]
    pub fn reaches(&self, owner: Locator) -> bool {
        self.is_for_all || self.locator == owner
    }

    /// Whether the token has a scope, or one that implies it.
    #[must_use]
    pub fn may(&self, config: &Config, scope: &str) -> bool {
        scope.parse::<ScopeToken>().is_ok_and(|scope| config.scopes().covers(&self.scope, &scope))
    }
}

impl<P: Ports> Context<'_, P> {
    /// (1) and (2): who bears the token of a request.
    ///
    /// # Errors
    /// The answer for whoever bears none, or trouble of ours.
    pub(super) async fn caller(&self, head: &Head<'_>) -> Result<Caller, Stop> {
        let authorization = head.headers.get("authorization");
        let deny = refusal(authorization.as_deref());
        let own = own_token(self.config, self.ports, self.realm, (head, None), self.now).await?;
        self.bearer(own).await?.map_err(|denied| deny(&denied))
    }

    /// (1) and (2), for a token that was had otherwise.
    ///
    /// # Errors
    /// [`Error::Denied`] where it is not good, or not any more; trouble of ours.
    pub async fn caller_of(&self, token: &str) -> Result<Caller, Error> {
        let own = checked(self.config, self.ports, self.realm, (token, Holder::Bearer), self.now).await?;
        Ok(self.bearer(own).await??)
    }

    async fn bearer(&self, own: OwnToken) -> Result<Result<Caller, Denied>, crate::error::Fault> {
        let OwnToken { token, session, mark } = own;
        let question = Question::ReadCaller { local: session.local(), used_at: self.now };
        let said = match ask_once(self.ports, session.locator(), mark, question).await? {
            principal::Answer::Caller(said) => *said,
            principal::Answer::Refused(Refused::Replayed) => return Ok(Err(Denied::RejectProof("jti"))),
            principal::Answer::Refused(_) => return Ok(Err(Denied::EndSession)),
            _ => return Err(principal::Answer::unexpected("read caller")),
        };
        let CallerView { client_id, mut scope, user, roles, client } = said;
        let is_self_registered = match client {
            Some(is_self_registered) => is_self_registered,
            // A client that is kept elsewhere: what it has lost, or that it is gone, its copy says.
            None => match self.ports.clients().find(&self.realm.name, &client_id).await? {
                Some(client) => {
                    scope = kept_scopes(&scope, &client.scope, self.config.scopes());
                    client.self_registered
                }
                None => return Ok(Err(Denied::EndSession)),
            },
        };
        // A token may be for less than its session.
        let scope: ScopeSet = scope.iter().filter(|scope| token.scopes().contains(scope)).cloned().collect();
        let is_admin = PLATFORM_ADMIN.parse().is_ok_and(|admin| scope.contains(&admin));
        // A service account has what somebody has registered it for; one that has registered itself was given nothing.
        let is_for_all = if user.is_some() { is_admin } else { !is_self_registered };
        Ok(Ok(Caller { locator: session.locator(), client_id, user, roles, scope, is_for_all }))
    }

    /// (3)
    ///
    /// # Errors
    /// What the token lacks.
    pub(super) fn admit(&self, caller: &Caller, operation: Operation) -> Result<(), Denied> {
        let Some(need) = operation.scope() else {
            let has_any = caller.scope.iter().any(|scope| is_management(scope.as_str()));
            let need = crate::config::management::CREDENTIALS.parse().into_iter().collect();
            return if has_any { Ok(()) } else { Err(Denied::LackScope { need }) };
        };
        if caller.may(self.config, need) {
            return Ok(());
        }
        Err(Denied::LackScope { need: need.parse().into_iter().collect() })
    }

    /// Who is told to have done something.
    pub(super) fn actor(&self, caller: &Caller) -> Actor {
        let user = caller.user.as_ref();
        Actor {
            kind: if user.is_some() { ActorKind::User } else { ActorKind::Client },
            user: user.map(|user| user.id.clone()),
            login: user.and_then(|user| user.login.clone()),
            client_id: Some(caller.client_id.clone()),
            ..self.nobody()
        }
    }

    /// Who has done something with the deployment's first secret.
    pub(super) fn nobody(&self) -> Actor {
        Actor {
            kind: ActorKind::Bootstrap,
            user: None,
            login: None,
            client_id: None,
            source: Some(self.source.clone()),
            request_id: Some(self.request_id.to_string()),
        }
    }
}
