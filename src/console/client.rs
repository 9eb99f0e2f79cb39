//! The console as a client of its realm: a public one, at a place that the realm's name says, which nobody else registers or changes.
//!
//! It is taken in by the first visit, and kept as the configuration wants it by every later one. The principal is asked before KV: where nobody
//! has looked for the record before it was there, nobody has remembered that it is not.

use crate::config::management::is_management;
use crate::config::{Config, OPENID, PROFILE, Realm};
use crate::error::Fault;
use crate::id::ClientId;
use crate::oauth::{Stop, change, known_client, remember, remembered};
use crate::port::{Ports, Principals};
use crate::principal::{
    self, AuthMethod, ChangeClient, Client, GrantType, Limits, Owner, Question, Refused, RegisterClient,
};
use crate::scope::ScopeToken;
use crate::time::Timestamp;

/// What it is called among clients.
pub(super) const CONSOLE: &str = "console";

/// Who the person is.
const PERSON: [&str; 2] = [OPENID, PROFILE];

/// Its name, as an identifier.
pub(super) fn id() -> Result<ClientId, Fault> {
    CONSOLE.parse().map_err(|_| Fault::new("name client", "`console` is no client_id"))
}

/// Where people come back to it.
pub(super) fn redirect_uri(realm: &Realm) -> String {
    format!("{}/console/callback", realm.issuer)
}

/// The client, which is there after this as the configuration wants it.
pub(super) async fn present<P: Ports>(
    config: &Config,
    ports: &P,
    realm: &Realm,
    now: Timestamp,
) -> Result<Client, Stop> {
    let wanted = wanted(config, ports, realm)?;
    let id = &wanted.client_id;
    if remembered(ports, &realm.name, id, now).as_ref() == Some(&wanted) {
        return Ok(wanted);
    }
    let place = wanted.locator;
    let register = RegisterClient::of(wanted.clone(), None);
    match ports.principals().ask(place, &Question::RegisterClient(Box::new(register))).await? {
        principal::Answer::Registered(..) => {}
        principal::Answer::Refused(Refused::Taken) => {
            if known_client(ports, &realm.name, id, now).await?.as_ref() != Some(&wanted) {
                let owner = Owner { client_id: id.clone(), registration: None };
                change(ports, place, ChangeClient::of(owner, wanted.clone())).await?;
            }
        }
        principal::Answer::Refused(refused) => return Err(refused.into()),
        _ => return Err(principal::Answer::unexpected("register client").into()),
    }
    remember(ports, &wanted, now);
    Ok(wanted)
}

fn wanted<P: Ports>(config: &Config, ports: &P, realm: &Realm) -> Result<Client, Fault> {
    let client_id = id()?;
    let locator = ports.principals().place_of_client(&realm.name, &client_id)?;
    // Everything that the management API has: each person gets what they may have.
    let is_its = |scope: &&ScopeToken| PERSON.contains(&scope.as_str()) || is_management(scope.as_str());
    Ok(Client {
        client_id,
        client_name: "Console".to_owned(),
        realm: realm.name.clone(),
        grant_types: vec![GrantType::AuthorizationCode],
        scope: config.scopes().all().filter(is_its).cloned().collect(),
        locator,
        token_endpoint_auth_method: AuthMethod::None,
        redirect_uris: vec![redirect_uri(realm)],
        post_logout_redirect_uris: vec![format!("{}/console", realm.issuer)],
        jwks: None,
        roles: Vec::new(),
        expires_at: None,
        limits: Limits::default(),
        rs256_id_tokens: false,
        backchannel_logout_uri: None,
        must_push: false,
        must_prove: false,
        self_registered: false,
        first_party: true,
        may_introspect: false,
        is_credential: false,
        software_id: None,
    })
}
