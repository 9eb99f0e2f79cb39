//! Clients: `/{realm}/api/v1/clients`. Credentials are clients as well, and have resources of their own ([`super::credentials`]).
//!
//! | request | answer |
//! | --- | --- |
//! | `GET /clients` | 200: the caller's own with everything; or, for whoever manages all of them, what the directory lists. `search`, `owner`, `waiting=true`, `software_id`, `limit`, `cursor` |
//! | `POST /clients` | 201: a client in the shape of RFC 7591 section 3.2.1, with its secret, which nothing can show again. A person's own is kept with the person: it acts for them, and internal scopes wait for approval |
//! | `GET /clients/{id}` | 200: the client, the dates of its secrets, its live sessions, which routes it called how often |
//! | `PUT /clients/{id}` | 200: everything that is sent replaces what was; other roles end its sessions |
//! | `DELETE /clients/{id}` | 204: its sessions end in the same step |
//! | `POST /clients/{id}/secret` | 200: another secret, once. `overlap_seconds`, 0 to 30 days: how long the old one still counts; 0 ends its sessions |
//! | `POST /clients/{id}/approval` | 200: those of the scopes that it waits for in `scope` are its own now; the others it waits for no more |
//!
//! A person's own that may act without anybody at it (`client_credentials`) is held to what credentials are: its roles by kind, and an end. Where
//! none is said, that is the one it has, or as far away as this realm allows.
//!
//! Nobody changes, deletes or gets the secret of what has more of tollgate's own scopes than their token: 403. A service account with
//! `clients:manage` gives every role and every other scope: it manages what the deployment's applications may do.
//!
//! A client that is not there, or not the caller's, is 404. What cannot be accepted is 400, with the code of RFC 7591 section 3.2.2 in `error`.

use hmac_sha256::HMAC;
use serde::Deserialize;

use crate::config::management;
use crate::directory::{self, Find, List, ListedClient};
use crate::encoding::Digest;
use crate::error::Fault;
use crate::http::{Answer, ErrorCode, NO_CACHE, OauthError};
use crate::id::{ClientId, Locator, UserId};
use crate::oauth::{Metadata, Rights, Stop, forget, new_id};
use crate::port::{Clients, Directory, Ports, Principals, Users, random};
use crate::principal::{
    self, Approve, Attempt, ChangeClient, Client, ClientView, GrantType, NewSecret, Owner, Question, Refused,
    RegisterClient,
};
use crate::scope::ScopeSet;
use crate::secret::Credential;
use crate::time::Lifetime;

use super::guard::{Caller, Context};
use super::operation::Operation;
use super::problem::{bad, conflict, forbidden, not_found, refused, unfit};
use super::request::{Request, Wanted, named_by, tagged};
use super::shown::{Application, Page};

/// A month: longer is no overlap any more, but two secrets.
const MAX_OVERLAP: u64 = 30 * 86_400;

/// How long a request that makes something may come again: longer than anybody tries.
const ATTEMPT: Lifetime = Lifetime::from_seconds(86_400);

/// A client of this realm that the caller may manage.
pub(super) struct Known {
    pub(super) client: Client,
    pub(super) owner: Owner,
}

/// One that is about to be changed, as it is by now.
pub(super) struct Seen {
    pub(super) view: ClientView,
    owner: Owner,
    tag: Digest,
}

impl<P: Ports> Context<'_, P> {
    /// Does what is asked for.
    ///
    /// # Errors
    /// An answer that is none of what was asked for, or trouble of ours.
    pub(super) async fn clients(&self, caller: &Caller, request: &Request<'_>) -> Result<Answer, Stop> {
        match request.operation {
            Operation::ListClients => return self.list_clients(caller, request).await,
            Operation::CreateClient => return self.create_client(caller, request).await,
            _ => {}
        }
        // A credential is approved of here as well, by whoever manages all of them.
        let approves = matches!(request.operation, Operation::ApproveClient | Operation::ReadClient);
        let known = match self.known(caller, request.id, false).await {
            Err(Stop::Answer(_)) if approves && caller.is_for_all => {
                self.known(caller, request.id, true).await?
            }
            known => known?,
        };
        if request.operation == Operation::ReadClient {
            return shown(200, &self.view(&known).await?, None);
        }
        let seen = self.about_to_change(caller, request, known).await?;
        match request.operation {
            Operation::ChangeClient => self.change_client(caller, request, seen).await,
            Operation::DeleteClient => self.delete_seen(caller, request, seen).await,
            Operation::RenewClient => {
                let overlap = overlap(request, |seconds| seconds <= MAX_OVERLAP)?;
                let (view, secret) = self.renew(caller, request, seen, overlap).await?;
                shown(200, &view, Some(&secret))
            }
            _ => self.approve(caller, request, seen).await,
        }
    }

    /// A client as it is by now, for whoever is about to change it: on the condition of the request, and held against what their token may do.
    pub(super) async fn about_to_change(
        &self,
        caller: &Caller,
        request: &Request<'_>,
        known: Known,
    ) -> Result<Seen, Stop> {
        let view = self.view(&known).await?;
        let tag = view.tag()?;
        if request.tag()?.is_some_and(|wanted| wanted != tag) {
            return Err(refused(Refused::Changed));
        }
        if !self.covers(caller, &view.client.scope) {
            let detail = "This client has scopes of tollgate's own that your token does not have.";
            return Err(forbidden(detail));
        }
        Ok(Seen { view, owner: known.owner, tag })
    }

    /// What the caller may make of clients. One that has registered itself was given nothing, and gives nothing.
    fn rights(caller: &Caller) -> Result<Rights<'static>, Stop> {
        match &caller.user {
            _ if caller.is_for_all => Ok(Rights::All),
            Some(_) => Ok(Rights::Own),
            None => Err(forbidden(
                "A client that has registered itself registers no others; its registration access token changes it.",
            )),
        }
    }

    /// What is wanted of a list of clients or credentials: whose; `None`: everybody's.
    pub(super) async fn owner(&self, caller: &Caller, wanted: &Wanted) -> Result<Option<Locator>, Stop> {
        match wanted.get("owner") {
            Some("me") => Ok(Some(caller.locator)),
            None if !caller.is_for_all => Ok(Some(caller.locator)),
            None => Ok(None),
            Some(id) => {
                let id: UserId = id.parse().map_err(|_| not_found())?;
                let place = self.ports.users().find(&self.realm.name, &id).await?.ok_or_else(not_found)?;
                if caller.reaches(place.locator) { Ok(Some(place.locator)) } else { Err(not_found()) }
            }
        }
    }

    /// One person's own, with everything that is known of them.
    pub(super) async fn own(&self, owner: Locator, are_credentials: bool) -> Result<Vec<ClientView>, Stop> {
        let question = Question::ListClients { are_credentials };
        match self.ask_here(owner, question).await? {
            principal::Answer::Clients(mut views) => {
                views.sort_by_cached_key(|view| view.client.client_name.to_lowercase());
                Ok(views)
            }
            principal::Answer::Refused(_) => Ok(Vec::new()),
            _ => Err(principal::Answer::unexpected("list clients").into()),
        }
    }

    /// A page of the directory.
    pub(super) async fn find(&self, find: Find) -> Result<(Vec<String>, Option<String>), Stop> {
        match self.ports.directory().ask(&self.realm.name, &directory::Question::Find(Box::new(find))).await?
        {
            directory::Answer::Page { items, next } => Ok((items, next.map(|next| next.written()))),
            _ => Err(Fault::new("ask directory", "it answered another question").into()),
        }
    }

    async fn list_clients(&self, caller: &Caller, request: &Request<'_>) -> Result<Answer, Stop> {
        let wanted = request.wanted()?;
        let owner = self.owner(caller, &wanted).await?;
        let (search, software) = (wanted.search()?, wanted.get("software_id").map(str::to_owned));
        let waits = wanted.parsed::<bool>("waiting")?.unwrap_or_default();
        if let Some(owner) = owner {
            let fits = |view: &ClientView| {
                fits(view, search.as_deref())
                    && software.as_ref().is_none_or(|id| view.client.software_id.as_ref() == Some(id))
                    && (!waits || !view.waiting.is_empty())
            };
            let views: Vec<_> = self.own(owner, false).await?.into_iter().filter(fits).collect();
            let items = views.iter().map(|view| Application::seen(view, None)).collect();
            return Ok(Answer::json(200, &Page { items, next: None })?);
        }
        let (limit, after) = (wanted.limit, wanted.after);
        let find = Find { search, waits, software, after, ..Find::all(List::Clients, limit) };
        let (mut items, next) = self.find(find).await?;
        if waits && next.is_none() {
            // Credentials that wait come last: there are few, and none is left when they are decided.
            let credentials = Find { waits, ..Find::all(List::Credentials, limit) };
            items.extend(self.find(credentials).await?.0);
        }
        let listed = items.iter().map(|text| read_listed(text)).collect::<Result<Vec<_>, _>>()?;
        let items = listed.iter().map(Application::listed).collect();
        Ok(Answer::json(200, &Page { items, next })?)
    }

    /// Whose a new client is: the person's who asks, or nobody's. Whoever manages everything registers clients that nobody owns, which act for
    /// themselves and stay when their maker goes; credentials are always a person's.
    pub(super) fn place(&self, caller: &Caller, request: &Request<'_>) -> Result<(ClientId, Locator), Stop> {
        let is_nobodys = caller.is_for_all && request.operation == Operation::CreateClient;
        let id = match request.attempt()? {
            None => new_id(self.ports)?,
            // What is made elsewhere, or is something else, is another.
            Some(key) => {
                let (realm, operation) = (&self.realm.name, request.operation.name());
                named_by(&format!("{realm}\n{}\n{operation}\n{is_nobodys}\n{key}", caller.locator))?
            }
        };
        let locator = match &caller.user {
            Some(_) if !is_nobodys => caller.locator,
            _ if request.idempotency_key.is_some() => {
                self.ports.principals().place_of_client(&self.realm.name, &id)?
            }
            _ => self.ports.principals().create()?,
        };
        Ok((id, locator))
    }

    async fn create_client(&self, caller: &Caller, request: &Request<'_>) -> Result<Answer, Stop> {
        let metadata = read(request, None)?;
        let (id, locator) = self.place(caller, request)?;
        let place = (id, self.realm.name.clone(), locator);
        let rights = Self::rights(caller)?;
        let client = metadata.client(place, self.config, rights).map_err(|e| unfit(e.into()))?;
        let (client, waiting) = self.within(caller, client, None)?;
        let made = self.register(caller, request, client, waiting).await?;
        let location = format!("{}/api/v1/clients/{}", self.realm.issuer, made.0.client.client_id);
        Ok(shown(201, &made.0, made.1.as_ref())?.with("Location", location))
    }

    /// What a person may make of a client of their own, and what of it waits for somebody to approve. Whoever manages all of them may do so
    /// with whatever they hold; and nobody gives away more of tollgate's own scopes than their token has.
    pub(super) fn within(
        &self,
        caller: &Caller,
        client: Client,
        was: Option<&Client>,
    ) -> Result<(Client, ScopeSet), Stop> {
        let is_beyond = |scope: &&crate::scope::ScopeToken| {
            management::is_management(scope.as_str()) && !caller.may(self.config, scope.as_str())
        };
        if client.scope.iter().any(|scope| is_beyond(&scope)) {
            return Err(bad("scope holds one of tollgate's own that your token does not have."));
        }
        if caller.is_for_all {
            return Ok((client, ScopeSet::default()));
        }
        if client.may_introspect {
            return Err(bad("introspect is for whoever manages all clients to give."));
        }
        let client =
            if client.may(GrantType::ClientCredentials) { self.lasting(client, was)? } else { client };
        let (offered, waiting): (Vec<_>, Vec<_>) =
            client.scope.iter().cloned().partition(|scope| self.config.scopes().offers(scope));
        Ok((Client { scope: offered.into_iter().collect(), ..client }, waiting.into_iter().collect()))
    }

    /// A person's own that acts for them, held to what credentials are.
    fn lasting(&self, client: Client, was: Option<&Client>) -> Result<Client, Stop> {
        self.check_kinds(&client.roles)?;
        let known = was.and_then(|was| was.expires_at);
        let expires_at = match client.expires_at {
            Some(end) if Some(end) != known => self.ends(end.as_seconds())?,
            Some(end) => end,
            None => known.unwrap_or_else(|| self.now.after(self.realm.credentials_last)),
        };
        Ok(Client { expires_at: Some(expires_at), ..client })
    }

    /// Has a client taken in. A request that has come before is answered as it was then.
    pub(super) async fn register(
        &self,
        caller: &Caller,
        request: &Request<'_>,
        client: Client,
        waiting: ScopeSet,
    ) -> Result<(ClientView, Option<Credential>), Stop> {
        let nonce = Digest::of(&random::<32>(self.ports.entropy())?);
        let key = request.attempt()?;
        let secret_of = |nonce: &Digest| -> Credential {
            let random = match key {
                Some(key) => HMAC::mac(nonce.bytes(), key.as_bytes()),
                None => *nonce.bytes(),
            };
            Credential::client_secret(&random)
        };
        let has_secret = client.token_endpoint_auth_method.has_secret();
        let said = Digest::of(&request.body);
        let until = self.now.after(ATTEMPT);
        let is_theirs = caller.user.is_some() && client.locator == caller.locator;
        let locator = client.locator;
        let question = RegisterClient {
            waiting,
            is_theirs,
            attempt: key.map(|_| Attempt { said, nonce, until }),
            ..RegisterClient::of(client, has_secret.then(|| secret_of(&nonce).digest()))
        };
        let question = Question::RegisterClient(Box::new(question));
        match self.ask_as(caller, locator, question).await? {
            principal::Answer::Registered(view, before) => {
                Ok((*view, has_secret.then(|| secret_of(&before.unwrap_or(nonce)))))
            }
            principal::Answer::Refused(Refused::Changed) => {
                let detail = "Another request had this Idempotency-Key. Use a new one.";
                Err(Answer::problem(422, "Unprocessable Content", detail).into())
            }
            principal::Answer::Refused(why) => Err(refused(why)),
            _ => Err(principal::Answer::unexpected("register client").into()),
        }
    }

    /// A client, or a credential, that the caller may manage.
    pub(super) async fn known(&self, caller: &Caller, id: &str, is_credential: bool) -> Result<Known, Stop> {
        let client_id: ClientId = id.parse().map_err(|_| not_found())?;
        let found = self.ports.clients().find(&self.realm.name, &client_id).await?;
        let client = match found {
            Some(client) => client,
            // One that was made a moment ago may not be known here yet; whoever made it finds it where it is.
            None => self.own_record(caller, &client_id).await?.ok_or_else(not_found)?,
        };
        if client.is_credential != is_credential || !caller.reaches(client.locator) {
            return Err(not_found());
        }
        Ok(Known { client, owner: Owner { client_id, registration: None } })
    }

    async fn own_record(&self, caller: &Caller, id: &ClientId) -> Result<Option<Client>, Stop> {
        let owner = Owner { client_id: id.clone(), registration: None };
        match self.ask_here(caller.locator, Question::OwnClient(owner)).await? {
            principal::Answer::Client(client) => Ok(Some(*client)),
            _ => Ok(None),
        }
    }

    pub(super) async fn view(&self, known: &Known) -> Result<ClientView, Stop> {
        self.view_of(known.client.locator, &known.owner).await
    }

    pub(super) async fn view_of(&self, locator: Locator, owner: &Owner) -> Result<ClientView, Stop> {
        match self.ask_here(locator, Question::ReadClient(owner.clone())).await? {
            principal::Answer::ClientView(view) => Ok(*view),
            principal::Answer::Refused(_) => Err(not_found()),
            _ => Err(principal::Answer::unexpected("read client").into()),
        }
    }

    async fn change_client(
        &self,
        caller: &Caller,
        request: &Request<'_>,
        seen: Seen,
    ) -> Result<Answer, Stop> {
        let was = &seen.view.client;
        let rights = Self::rights(caller)?;
        let metadata = read(request, Some(was))?;
        let place = (was.client_id.clone(), self.realm.name.clone(), was.locator);
        let next = metadata.client(place, self.config, rights).map_err(|e| unfit(e.into()))?;
        let next = self.kept(caller, next, &seen.view)?;
        shown(200, &self.changed(caller, request, &seen, next).await?, None)
    }

    /// As [`Self::within`], but that what somebody has approved of stays.
    fn kept(&self, caller: &Caller, next: Client, was: &ClientView) -> Result<(Client, ScopeSet), Stop> {
        let wanted = next.scope.clone();
        let (client, waiting) = self.within(caller, next, Some(&was.client))?;
        let has =
            |scope: &&crate::scope::ScopeToken| was.client.scope.contains(scope) && wanted.contains(scope);
        let stays: Vec<_> = waiting.iter().filter(has).cloned().collect();
        let waits = waiting.iter().filter(|scope| !stays.contains(scope)).cloned().collect();
        let scope = client.scope.iter().chain(&stays).cloned().collect();
        Ok((Client { scope, ..client }, waits))
    }

    /// Has a client changed, as it was seen, and says what it is now.
    pub(super) async fn changed(
        &self,
        caller: &Caller,
        request: &Request<'_>,
        seen: &Seen,
        (client, waiting): (Client, ScopeSet),
    ) -> Result<ClientView, Stop> {
        let is_theirs = caller.user.is_some() && !caller.is_for_all;
        let change = ChangeClient { waiting, is_theirs, ..ChangeClient::of(seen.owner.clone(), client) };
        match self.ask_seen(caller, request, seen, Question::ChangeClient(Box::new(change))).await? {
            principal::Answer::Client(client) => {
                forget(self.ports, &client);
                self.view_of(client.locator, &seen.owner).await
            }
            _ => Err(principal::Answer::unexpected("change client").into()),
        }
    }

    pub(super) async fn delete_seen(
        &self,
        caller: &Caller,
        request: &Request<'_>,
        seen: Seen,
    ) -> Result<Answer, Stop> {
        match self.ask_seen(caller, request, &seen, Question::DeleteClient(seen.owner.clone())).await? {
            principal::Answer::Done => {
                forget(self.ports, &seen.view.client);
                Ok(Answer::empty(204))
            }
            _ => Err(principal::Answer::unexpected("delete client").into()),
        }
    }

    pub(super) async fn renew(
        &self,
        caller: &Caller,
        request: &Request<'_>,
        seen: Seen,
        overlap: Lifetime,
    ) -> Result<(ClientView, Credential), Stop> {
        if !seen.view.client.token_endpoint_auth_method.has_secret() {
            return Err(conflict("This client has no secret: it proves itself otherwise, or not at all."));
        }
        let secret = Credential::client_secret(&random(self.ports.entropy())?);
        let new = NewSecret { owner: seen.owner.clone(), secret: secret.digest(), overlap };
        match self.ask_seen(caller, request, &seen, Question::NewSecret(new)).await? {
            principal::Answer::Client(client) => forget(self.ports, &client),
            _ => return Err(principal::Answer::unexpected("new secret").into()),
        }
        Ok((self.view_of(seen.view.client.locator, &seen.owner).await?, secret))
    }

    async fn approve(&self, caller: &Caller, request: &Request<'_>, seen: Seen) -> Result<Answer, Stop> {
        const SHAPE: &str = "Send a JSON object with scope: those of waiting_scope that the client may have, separated by one space.";
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Approval {
            scope: ScopeSet,
        }
        let Approval { scope } = request.json(SHAPE)?;
        let approve = Approve { client_id: seen.owner.client_id.clone(), scope };
        match self.ask_seen(caller, request, &seen, Question::Approve(approve)).await? {
            principal::Answer::ClientView(view) => {
                forget(self.ports, &view.client);
                shown(200, &view, None)
            }
            _ => Err(principal::Answer::unexpected("approve client").into()),
        }
    }

    async fn ask_seen(
        &self,
        caller: &Caller,
        request: &Request<'_>,
        seen: &Seen,
        question: Question,
    ) -> Result<principal::Answer, Stop> {
        self.ask_if(caller, request, (seen.view.client.locator, seen.tag), question).await
    }
}

pub(super) fn read_listed(text: &str) -> Result<ListedClient, Fault> {
    const OP: &str = "read directory";
    match crate::json::read(text).map_err(|e| Fault::new(OP, e.to_string()))? {
        directory::Listed::Client(client) => Ok(*client),
        directory::Listed::User(_) => Err(Fault::new(OP, "a person stands in a list of clients")),
    }
}

/// Whether a client says these words somewhere, as the directory would find them.
pub(super) fn fits(view: &ClientView, search: Option<&str>) -> bool {
    let Some(search) = search else { return true };
    let words = [view.client.client_name.to_lowercase(), view.client.client_id.as_str().to_lowercase()];
    words.iter().any(|word| word.contains(search))
}

/// A document about `known`, or about a client to be.
fn read(request: &Request<'_>, known: Option<&Client>) -> Result<Metadata, Stop> {
    let metadata = Metadata::read_exactly(&request.body).map_err(|e| unfit(e.into()))?;
    let is_other = metadata.is_named() && !known.is_some_and(|known| metadata.is_about(known));
    if is_other || metadata.chooses_secret() {
        let description = "client_id and client_secret are given, not chosen; remove them";
        return Err(unfit(OauthError::new(ErrorCode::InvalidClientMetadata, description)));
    }
    Ok(metadata)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretWanted {
    #[serde(default)]
    overlap_seconds: u64,
}

/// How long the old secret still counts.
pub(super) fn overlap(request: &Request<'_>, may_be: fn(u64) -> bool) -> Result<Lifetime, Stop> {
    const BAD: &str = "Send a JSON object with overlap_seconds: for a credential 0, 3600 or 86400, for any other client from 0 to 2592000; or nothing.";
    let wanted: SecretWanted = request.json_or_nothing(BAD)?;
    if !may_be(wanted.overlap_seconds) {
        return Err(bad(BAD));
    }
    Ok(Lifetime::from_seconds(wanted.overlap_seconds))
}

fn shown(status: u16, view: &ClientView, secret: Option<&Credential>) -> Result<Answer, Stop> {
    let answer = Answer::json(status, &Application::seen(view, secret.map(Credential::reveal)))?;
    Ok(tagged(answer, &view.tag()?).with(NO_CACHE.0, NO_CACHE.1))
}
