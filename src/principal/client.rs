//! Clients: the public record, of which every edge reads a copy in KV, and what only the principal keeps beside it.

use serde::{Deserialize, Serialize};

use crate::directory::OwnerName;
use crate::encoding::Digest;
use crate::id::{ClientId, Locator, RealmName, Role};
use crate::json::Members;
use crate::principal::Ended;
use crate::registered::{AuthMethod, GrantType};
use crate::scope::ScopeSet;
use crate::time::{Lifetime, Timestamp};
use crate::token::JwkSet;

/// A registered client. Stored as JSON in KV under [`super::client_key`], with nothing secret in it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "members of a registration, each on its own")]
pub struct Client {
    /// Its identifier.
    pub client_id: ClientId,
    /// Its name, for people.
    pub client_name: String,
    /// The realm that it belongs to.
    pub realm: RealmName,
    /// The grants that it may use.
    pub grant_types: Vec<GrantType>,
    /// The scopes that it may ask for.
    pub scope: ScopeSet,
    /// Where its secrets are, and its own sessions.
    pub locator: Locator,
    /// How it authenticates.
    #[serde(default)]
    pub token_endpoint_auth_method: AuthMethod,
    /// Where its users are sent back to, compared byte for byte.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redirect_uris: Vec<String>,
    /// Where its users may be sent after they have signed out here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// The keys that it signs its assertions with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JwkSet>,
    /// The roles that it has: its own, or the part of its owner's that it may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// After this it gets no token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Where it is tighter than its realm.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    pub limits: Limits,
    /// Whether its ID tokens are signed in RS256, where its realm signs otherwise (`id_token_signed_response_alg`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rs256_id_tokens: bool,
    /// Where it hears that a person is not signed in any more (OpenID Connect Back-Channel Logout 1.0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether its authorization requests have to be pushed (RFC 9126 section 6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_push: bool,
    /// Whether it gets no token without a proof of possession (`dpop_bound_access_tokens`, RFC 9449 section 5.2).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_prove: bool,
    /// Whether it has registered itself, or is a person's own, and nobody who manages all clients has looked at it since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub self_registered: bool,
    /// Whether it is the realm's own console: people are not asked what it may do for them. Nobody registers such a client.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first_party: bool,
    /// Whether it may ask about tokens that were given to others (RFC 7662): a resource server.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_introspect: bool,
    /// Whether it is an application credential: it acts for the person who made it, with a part of their roles.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_credential: bool,
    /// Which software it is a registration of (`software_id`, RFC 7591 section 2): the same in every realm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
}

/// Lifetimes of one client's tokens and sessions; each counts where it is shorter than its realm's.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Limits {
    /// Of an access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<Lifetime>,
    /// Of a refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Lifetime>,
    /// Without use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Lifetime>,
    /// Of a session, however much it is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<Lifetime>,
}

impl Limits {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Client {
    /// Whether it may use `grant`. What anybody can say to be has no credentials (RFC 6749 section 4.4).
    #[must_use]
    pub fn may(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant) && !(self.is_public() && grant == GrantType::ClientCredentials)
    }

    /// Whether anybody can say that they are this client.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == AuthMethod::None
    }
}

/// How many secrets a client has at most: the one in use, and the one before it.
pub(super) const MAX_SECRETS: usize = 2;

/// A client's secret, as its principal keeps it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct StoredSecret {
    pub(super) digest: Digest,
    pub(super) created_at: Timestamp,
    /// `None`: until it is replaced.
    pub(super) expires_at: Option<Timestamp>,
    pub(super) last_used: Option<Timestamp>,
}

/// What the principal keeps of a client: its record, which this is the authority for, and what nobody else may see.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct StoredClient {
    pub(super) client: Client,
    pub(super) secrets: Vec<StoredSecret>,
    /// The digest of its registration access token (RFC 7592).
    pub(super) registration: Option<Digest>,
    pub(super) created_at: Timestamp,
    /// Which of its sessions are over.
    pub(super) ended: Option<Ended>,
    /// The internal scopes that it asks for, and nobody has approved of yet.
    #[serde(default, skip_serializing_if = "ScopeSet::is_empty")]
    pub(super) waiting: ScopeSet,
    /// The request that made it, should it come again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) attempt: Option<Attempt>,
}

/// A request that made a client, and had a name (`Idempotency-Key`).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Attempt {
    /// The digest of what it said.
    pub said: Digest,
    /// What the client's first secret follows from, together with the request's name, which is kept nowhere.
    pub nonce: Digest,
    /// Until when it may come again.
    pub until: Timestamp,
}

impl StoredClient {
    /// The secrets that count.
    pub(super) fn secrets_at(&self, now: Timestamp) -> impl Iterator<Item = &StoredSecret> {
        self.secrets.iter().filter(move |secret| secret.expires_at.is_none_or(|end| now < end))
    }
}

/// One secret, as its owner may see it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SecretDates {
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops to count, where it was replaced.
    pub expires_at: Option<Timestamp>,
    /// When it was last right, to the minute.
    pub last_used: Option<Timestamp>,
}

/// A client, as its owner may see it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ClientView {
    /// Its record.
    pub client: Client,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Its secrets.
    pub secrets: Vec<SecretDates>,
    /// How often it called which route, by route.
    pub usage: Members<String, Usage>,
    /// How many of its sessions are open.
    pub live_sessions: usize,
    /// The internal scopes that it asks for, and nobody has approved of yet.
    #[serde(default)]
    pub waiting: ScopeSet,
    /// The person whose it is; `None`: nobody's.
    #[serde(default)]
    pub owner: Option<OwnerName>,
}

/// How often a client called one route. Counts travel with the touches of its sessions: an isolate that is taken down takes those
/// of a grain with it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Usage {
    /// How often.
    pub count: u64,
    /// The first time.
    pub first: Timestamp,
    /// The last time that was told.
    pub last: Timestamp,
}

#[cfg(test)]
impl Client {
    /// A client of tests, which say what they care about with `..Client::sample()`.
    pub(crate) fn sample() -> Self {
        Self {
            client_id: "c1".parse().unwrap(),
            client_name: "Demo".to_owned(),
            realm: "test".parse().unwrap(),
            grant_types: vec![GrantType::ClientCredentials, GrantType::RefreshToken],
            scope: "b a".parse().unwrap(),
            locator: Locator::from([0; 32]),
            token_endpoint_auth_method: AuthMethod::default(),
            redirect_uris: vec![],
            post_logout_redirect_uris: vec![],
            jwks: None,
            roles: vec![],
            expires_at: None,
            limits: Limits::default(),
            rs256_id_tokens: false,
            backchannel_logout_uri: None,
            must_push: false,
            must_prove: false,
            self_registered: false,
            first_party: false,
            may_introspect: false,
            is_credential: false,
            software_id: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_section_4_4_a_public_client_has_no_client_credentials() {
        let client = Client { token_endpoint_auth_method: AuthMethod::None, ..Client::sample() };
        assert!(!client.may(GrantType::ClientCredentials) && client.may(GrantType::RefreshToken));
        assert!(Client::sample().may(GrantType::ClientCredentials));
    }

    const SMALL: &str = concat!(
        r#"{"client_id":"c1","client_name":"Demo","realm":"test","#,
        r#""grant_types":["client_credentials","refresh_token"],"scope":"a b","#,
        r#""locator":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","#,
        r#""token_endpoint_auth_method":"client_secret_basic"}"#
    );

    #[test]
    fn the_stored_shape_is_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        assert_eq!(serde_json::to_string(&Client::sample()).unwrap(), SMALL);
        let seconds = |n| Some(Lifetime::from_seconds(n));
        let large = Client {
            token_endpoint_auth_method: AuthMethod::PrivateKeyJwt,
            redirect_uris: vec!["https://app.example/cb".to_owned()],
            post_logout_redirect_uris: vec!["https://app.example/".to_owned()],
            jwks: Some(JwkSet::default()),
            roles: vec!["owner".parse().unwrap()],
            expires_at: Some(Timestamp::from_seconds(9)),
            limits: Limits {
                access_token: seconds(1),
                refresh_token: seconds(2),
                idle: seconds(3),
                session: seconds(4),
            },
            rs256_id_tokens: false,
            backchannel_logout_uri: None,
            must_push: false,
            must_prove: true,
            self_registered: false,
            may_introspect: true,
            ..Client::sample()
        };
        let text = serde_json::to_string(&large).unwrap();
        let rest = text.split_once(r#""token_endpoint_auth_method":"#).unwrap().1;
        assert_eq!(
            rest,
            concat!(
                r#""private_key_jwt","redirect_uris":["https://app.example/cb"],"post_logout_redirect_uris":["https://app.example/"],"jwks":{"keys":[]},"#,
                r#""roles":["owner"],"expires_at":9000,"#,
                r#""limits":{"access_token":1000,"refresh_token":2000,"idle":3000,"session":4000},"must_prove":true,"may_introspect":true}"#
            )
        );
        assert_eq!(serde_json::from_str::<Client>(&text).unwrap(), large);
    }

    #[test]
    fn a_record_from_before_the_newer_members_is_read() {
        let old = SMALL.replace(r#","token_endpoint_auth_method":"client_secret_basic""#, "");
        assert_eq!(serde_json::from_str::<Client>(&old).unwrap(), Client::sample());
    }

    #[test]
    fn what_the_principal_keeps_of_a_client_is_pinned() {
        let digest = Digest::of(b"x");
        let secret = StoredSecret {
            digest,
            created_at: Timestamp::from_seconds(1),
            expires_at: None,
            last_used: Some(Timestamp::from_seconds(2)),
        };
        let stored = StoredClient {
            client: Client::sample(),
            secrets: vec![secret],
            registration: None,
            created_at: Timestamp::from_seconds(1),
            ended: None,
            waiting: ScopeSet::default(),
            attempt: None,
        };
        assert_eq!(
            serde_json::to_string(&stored).unwrap(),
            format!(
                r#"{{"client":{SMALL},"secrets":[{{"digest":"{digest}","created_at":1000,"expires_at":null,"last_used":2000}}],"registration":null,"created_at":1000,"ended":null}}"#
            )
        );
    }
}
