//! What a client says of itself when it is registered (RFC 7591 section 2). What it is told: [`super::client_information`].
//!
//! One reader serves every door: clients that register themselves ([`super::register`]) and clients that are registered for
//! them ([`crate::api`]). Doors differ in what may be asked for ([`super::rights`]).
//!
//! Never followed: `jwks_uri`, `sector_identifier_uri`, `logo_uri` and the like (CVE-2021-26715). `jwks_uri` is refused, because
//! a client that sends it expects its keys to be fetched; what is only decoration is ignored (section 2).

use serde::Deserialize;
use url::Url;

use crate::config::{Config, Realm, Revocation};
use crate::http::{ErrorCode, OauthError};
use crate::id::{Locator, RealmName, Role};
use crate::label::is_label;
use crate::oauth::redirect_uri::is_redirect_uri;
use crate::oauth::rights::Rights;
use crate::principal::{AuthMethod, Client, GrantType, Limits};
use crate::scope::ScopeSet;
use crate::time::{Lifetime, Timestamp};
use crate::token::{Algorithm, JwkSet};
use crate::uri::WebUrl;

/// Names are for people: long enough for any, short enough for a line.
const MAX_NAME: usize = 100;

/// Redirect URIs and their lengths: what a registration of 32 KiB can hold.
const MAX_REDIRECT_URIS: usize = 20;
const MAX_REDIRECT_URI: usize = 2000;

/// The document, as far as it is read. Members that are not here are ignored (RFC 7591 section 2).
#[derive(Deserialize)]
pub(crate) struct Metadata {
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    client_name: Option<String>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    grant_types: Option<Vec<String>>,
    #[serde(default)]
    response_types: Option<Vec<String>>,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<String>,
    #[serde(default)]
    id_token_signed_response_alg: Option<String>,
    #[serde(default)]
    backchannel_logout_uri: Option<String>,
    // A session is always named.
    #[serde(default)]
    #[expect(dead_code, reason = "its type is checked, and nothing depends on it")]
    backchannel_logout_session_required: Option<bool>,
    #[serde(default)]
    require_pushed_authorization_requests: Option<bool>,
    #[serde(default)]
    dpop_bound_access_tokens: Option<bool>,
    #[serde(default)]
    token_endpoint_auth_method: Option<String>,
    #[serde(default)]
    jwks: Option<serde_json::Value>,
    #[serde(default)]
    jwks_uri: Option<serde_json::Value>,
    #[serde(default)]
    software_id: Option<String>,
    // What only whoever manages all clients may set.
    #[serde(default)]
    roles: Option<Vec<String>>,
    #[serde(default)]
    expires_at: Option<u64>,
    #[serde(default)]
    access_token_seconds: Option<u64>,
    #[serde(default)]
    refresh_token_seconds: Option<u64>,
    #[serde(default)]
    idle_seconds: Option<u64>,
    #[serde(default)]
    session_seconds: Option<u64>,
    #[serde(default)]
    introspect: Option<bool>,
}

/// The members that are read.
const KNOWN: [&str; 24] = [
    "client_id",
    "client_secret",
    "client_name",
    "scope",
    "grant_types",
    "response_types",
    "redirect_uris",
    "post_logout_redirect_uris",
    "id_token_signed_response_alg",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
    "require_pushed_authorization_requests",
    "dpop_bound_access_tokens",
    "token_endpoint_auth_method",
    "jwks",
    "jwks_uri",
    "software_id",
    "roles",
    "expires_at",
    "access_token_seconds",
    "refresh_token_seconds",
    "idle_seconds",
    "session_seconds",
    "introspect",
];

/// A registration that cannot be accepted: what, and how to mend it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unfit(ErrorCode, &'static str);

impl From<Unfit> for OauthError {
    fn from(unfit: Unfit) -> Self {
        Self::new(unfit.0, unfit.1)
    }
}

const fn metadata(description: &'static str) -> Unfit {
    Unfit(ErrorCode::InvalidClientMetadata, description)
}

impl Metadata {
    /// Reads a document.
    ///
    /// # Errors
    /// It is no JSON object of this shape. A member that is repeated is refused as well, whether it is read or not.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Unfit> {
        const SHAPE: Unfit = metadata("send a JSON object in the shape of RFC 7591 section 2");
        crate::json::object(bytes).map_err(|_| SHAPE)?;
        str::from_utf8(bytes).ok().and_then(|text| crate::json::read(text).ok()).ok_or(SHAPE)
    }

    /// The same, where a member that is not read is a mistake.
    ///
    /// # Errors
    /// As [`Self::read`], and for a member that is not known.
    pub(crate) fn read_exactly(bytes: &[u8]) -> Result<Self, Unfit> {
        let document = crate::json::object(bytes);
        if document.is_ok_and(|members| members.iter().any(|(name, _)| !KNOWN.contains(&name))) {
            return Err(metadata("a member is not known here; correct its spelling, or remove it"));
        }
        Self::read(bytes)
    }

    /// Whether it names another client (RFC 7592 section 2.2: the client's own id must be sent, and its secret may).
    pub(crate) fn is_about(&self, client: &Client) -> bool {
        self.client_id.as_deref() == Some(client.client_id.as_str())
    }

    /// Whether it names any client.
    pub(crate) const fn is_named(&self) -> bool {
        self.client_id.is_some()
    }

    /// Whether it tries to choose its own secret: nobody may.
    pub(crate) const fn chooses_secret(&self) -> bool {
        self.client_secret.is_some()
    }

    /// The client that it describes, in this place. Its id, realm and locator are given.
    ///
    /// # Errors
    /// What cannot be accepted.
    pub(crate) fn client(
        &self,
        place: (crate::id::ClientId, RealmName, Locator),
        config: &Config,
        rights: Rights<'_>,
    ) -> Result<Client, Unfit> {
        let (client_id, realm, locator) = place;
        if self.jwks_uri.is_some() {
            return Err(metadata("send the keys in jwks: jwks_uri is not followed"));
        }
        let method = self.method()?;
        let serves = |grant| config.realm(realm.as_str()).is_some_and(|realm| realm.serves(grant));
        let grant_types = self.grant_types(rights, method)?;
        if !grant_types.iter().all(|grant| serves(*grant)) {
            return Err(metadata("grant_types holds a grant that this realm does not serve"));
        }
        let (roles, limits, expires_at, may_introspect) = self.privileges(config, rights)?;
        let asks = config.realm(realm.as_str()).is_none_or(|realm| realm.revocation == Revocation::Ask);
        if limits.idle.is_some() && !asks {
            return Err(metadata("nothing falls idle in this realm: its edges do not tell of uses"));
        }
        let backchannel_logout_uri = self.backchannel_logout_uri(config.realm(realm.as_str()), rights)?;
        let rs256_id_tokens = self.rs256_id_tokens(config.realm(realm.as_str()))?;
        Ok(Client {
            client_id,
            client_name: self.name()?,
            realm,
            scope: self.scopes(config, rights, &grant_types)?,
            locator,
            token_endpoint_auth_method: method,
            redirect_uris: self.redirect_uris(&grant_types)?,
            post_logout_redirect_uris: self.post_logout_redirect_uris()?,
            jwks: self.keys(method)?,
            grant_types,
            roles,
            expires_at,
            limits,
            rs256_id_tokens,
            backchannel_logout_uri,
            must_push: self.require_pushed_authorization_requests.unwrap_or_default(),
            must_prove: self.dpop_bound_access_tokens.unwrap_or_default(),
            self_registered: !matches!(rights, Rights::All),
            first_party: false,
            may_introspect,
            is_credential: false,
            software_id: self.software_id()?,
        })
    }

    fn name(&self) -> Result<String, Unfit> {
        let text = self.client_name.as_deref().unwrap_or_default();
        let name = text.trim();
        if !is_label(name, MAX_NAME) {
            return Err(metadata("client_name is 1 to 100 characters, none of which is hidden"));
        }
        Ok(name.to_owned())
    }

    fn software_id(&self) -> Result<Option<String>, Unfit> {
        let is_bad =
            |id: &String| id.is_empty() || id.len() > 100 || !id.bytes().all(|b| b.is_ascii_graphic());
        match self.software_id.as_ref().filter(|id| is_bad(id)) {
            Some(_) => Err(metadata("software_id is 1 to 100 visible ASCII characters")),
            None => Ok(self.software_id.clone()),
        }
    }

    /// What its ID tokens are signed with. Where that is what the realm signs with, they go with the realm.
    fn rs256_id_tokens(&self, realm: Option<&Realm>) -> Result<bool, Unfit> {
        let (Some(name), Some(realm)) = (&self.id_token_signed_response_alg, realm) else { return Ok(false) };
        if *name == realm.keys.signing.name() {
            return Ok(false);
        }
        (*name == Algorithm::Rs256.name() && realm.terms(true).is_some())
            .then_some(true)
            .ok_or(metadata("id_token_signed_response_alg is one of id_token_signing_alg_values_supported"))
    }

    /// Where it is told of sign-outs. What only this machine reaches is for realms of this machine; and who does not manage all clients names a
    /// host that they are sent people to: else this server would ask whatever address a stranger chooses.
    fn backchannel_logout_uri(
        &self,
        realm: Option<&Realm>,
        rights: Rights<'_>,
    ) -> Result<Option<String>, Unfit> {
        const RULE: Unfit =
            metadata("backchannel_logout_uri is an https address without fragment, of at most 2000 bytes");
        let Some(uri) = &self.backchannel_logout_uri else { return Ok(None) };
        let host = |text: &str| Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
        let is_local = realm.is_some_and(|realm| realm.issuer.is_loopback());
        let is_good = uri.len() <= MAX_REDIRECT_URI
            && !uri.contains('#')
            && uri.parse::<WebUrl>().is_ok()
            && (is_local || uri.starts_with("https://"));
        if !is_good {
            return Err(RULE);
        }
        let is_its = |redirect: &String| host(redirect) == host(uri);
        if !matches!(rights, Rights::All) && !self.redirect_uris.iter().any(is_its) {
            return Err(metadata("backchannel_logout_uri has the host of one of redirect_uris"));
        }
        Ok(Some(uri.clone()))
    }

    fn method(&self) -> Result<AuthMethod, Unfit> {
        let Some(name) = &self.token_endpoint_auth_method else { return Ok(AuthMethod::default()) };
        AuthMethod::ALL.into_iter().find(|method| method.name() == name).ok_or(metadata(
            "token_endpoint_auth_method is client_secret_basic, client_secret_post, private_key_jwt or none",
        ))
    }

    fn grant_types(&self, rights: Rights<'_>, method: AuthMethod) -> Result<Vec<GrantType>, Unfit> {
        let default = match rights {
            Rights::All | Rights::Own => GrantType::ClientCredentials,
            // RFC 7591 section 2.
            Rights::These { .. } => GrantType::AuthorizationCode,
        };
        let named = |name: &String| GrantType::ALL.into_iter().find(|grant| grant.name() == name);
        let mut grants = match &self.grant_types {
            None => vec![default],
            Some(asked) => asked.iter().map(named).collect::<Option<Vec<_>>>().ok_or(metadata(
                "grant_types holds authorization_code, client_credentials, password or refresh_token",
            ))?,
        };
        grants.sort_unstable();
        grants.dedup();
        if let Rights::These { grant_types, .. } = rights
            && !grants.iter().all(|grant| grant_types.contains(grant))
        {
            return Err(metadata("grant_types holds a grant that clients may not register for here"));
        }
        if grants.iter().all(|grant| *grant == GrantType::RefreshToken) {
            return Err(metadata("grant_types must hold a grant that starts a session"));
        }
        if method == AuthMethod::None && grants.contains(&GrantType::ClientCredentials) {
            return Err(metadata("a client that does not authenticate has no client_credentials"));
        }
        let wants_code = grants.contains(&GrantType::AuthorizationCode);
        let is_code = |types: &Vec<String>| if wants_code { types == &["code"] } else { types.is_empty() };
        if self.response_types.as_ref().is_some_and(|types| !is_code(types)) {
            return Err(metadata("response_types holds code with authorization_code, and nothing without"));
        }
        Ok(grants)
    }

    /// A client that registers itself, and does nothing without a person who is asked, gets every public scope that it could have asked for (RFC 7591 sections 2
    /// and 3.2.1): it says with each authorization request what it wants, and more with a later one, when a resource wants more.
    fn scopes(&self, config: &Config, rights: Rights<'_>, grants: &[GrantType]) -> Result<ScopeSet, Unfit> {
        const APART: Unfit = metadata("separate scopes by one space");
        let text = self.scope.as_deref().unwrap_or_default();
        let scopes: ScopeSet = text.parse().map_err(|_| APART)?;
        if !scopes.iter().all(|scope| config.scopes().knows(scope)) {
            return Err(metadata("scope holds a name that the configuration does not have"));
        }
        if let Rights::These { scopes: allowed, .. } = rights
            && !scopes.iter().all(|scope| config.scopes().covers(allowed, scope))
        {
            return Err(metadata("scope holds a name that clients may not register for here"));
        }
        let asks_people =
            |grant: &GrantType| matches!(grant, GrantType::AuthorizationCode | GrantType::RefreshToken);
        if let Rights::These { scopes: allowed, .. } = rights
            && grants.iter().all(asks_people)
        {
            let mut all = text.to_owned();
            for scope in allowed.iter().filter(|scope| config.scopes().offers(scope)) {
                all.push_str(if all.is_empty() { "" } else { " " });
                all.push_str(scope.as_str());
            }
            return all.parse().map_err(|_| APART);
        }
        Ok(scopes)
    }

    fn keys(&self, method: AuthMethod) -> Result<Option<JwkSet>, Unfit> {
        match (&self.jwks, method == AuthMethod::PrivateKeyJwt) {
            (None, false) => Ok(None),
            (None, true) => Err(metadata("private_key_jwt needs the client's public keys in jwks")),
            (Some(jwks), _) => match JwkSet::parse(jwks.to_string().as_bytes()) {
                // A key that is left out would be missed later on, by a client that cannot know why.
                Ok((keys, unfit)) if unfit.is_empty() && !keys.is_empty() => Ok(Some(keys)),
                _ => Err(metadata(
                    "jwks holds public keys for signatures, each with its own kid, and nothing else",
                )),
            },
        }
    }

    fn redirect_uris(&self, grants: &[GrantType]) -> Result<Vec<String>, Unfit> {
        const BAD: Unfit = Unfit(
            ErrorCode::InvalidRedirectUri,
            "redirect_uris are absolute, without fragment or userinfo: https, http on a loopback address, or a private scheme with a dot",
        );
        let needed = grants.contains(&GrantType::AuthorizationCode);
        if needed && self.redirect_uris.is_empty() {
            return Err(Unfit(ErrorCode::InvalidRedirectUri, "authorization_code needs redirect_uris"));
        }
        let fits = |uri: &String| uri.len() <= MAX_REDIRECT_URI && is_redirect_uri(uri);
        if self.redirect_uris.len() > MAX_REDIRECT_URIS || !self.redirect_uris.iter().all(fits) {
            return Err(BAD);
        }
        Ok(self.redirect_uris.clone())
    }

    fn post_logout_redirect_uris(&self) -> Result<Vec<String>, Unfit> {
        let uris = &self.post_logout_redirect_uris;
        let fits = |uri: &String| uri.len() <= MAX_REDIRECT_URI && is_redirect_uri(uri);
        if uris.len() > MAX_REDIRECT_URIS || !uris.iter().all(fits) {
            return Err(metadata(
                "post_logout_redirect_uris are addresses of the kind that redirect_uris are",
            ));
        }
        Ok(uris.clone())
    }

    fn privileges(
        &self,
        config: &Config,
        rights: Rights<'_>,
    ) -> Result<(Vec<Role>, Limits, Option<Timestamp>, bool), Unfit> {
        let seconds = |seconds: Option<u64>| seconds.map(Lifetime::from_seconds);
        let limits = Limits {
            access_token: seconds(self.access_token_seconds),
            refresh_token: seconds(self.refresh_token_seconds),
            idle: seconds(self.idle_seconds),
            session: seconds(self.session_seconds),
        };
        if [limits.access_token, limits.refresh_token, limits.idle, limits.session]
            .contains(&Some(Lifetime::ZERO))
        {
            return Err(metadata("lifetimes are at least one second"));
        }
        let asks = self.roles.is_some()
            || self.expires_at.is_some()
            || self.introspect.is_some()
            || limits != Limits::default();
        if matches!(rights, Rights::These { .. }) {
            return if asks {
                Err(metadata("roles, lifetimes, expires_at and introspect are not for clients to choose"))
            } else {
                Ok((Vec::new(), limits, None, false))
            };
        }
        let roles = self.roles.as_deref().unwrap_or_default();
        let roles = known_roles(roles, config)
            .ok_or(metadata("roles holds a name that the configuration does not have"))?;
        let expires_at = self.expires_at.map(Timestamp::from_seconds);
        Ok((roles, limits, expires_at, self.introspect.unwrap_or(false)))
    }
}

/// Roles that the configuration has, in one order.
pub(crate) fn known_roles(names: &[String], config: &Config) -> Option<Vec<Role>> {
    let mut roles = names
        .iter()
        .map(|name| config.roles().iter().find(|role| role.as_str() == name).cloned())
        .collect::<Option<Vec<_>>>()?;
    roles.sort();
    roles.dedup();
    Some(roles)
}
