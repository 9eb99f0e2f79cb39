//! Realms: the environments that tokens are issued for.

use crate::config::document::{
    Feature, RealmDocument, RegistrationAccess, RegistrationDocument, Revocation, Signing,
};
use crate::config::people::{self, MailBy, SignUp};
use crate::config::provider::providers;
use crate::config::{Problems, Provider};
use crate::id::{RealmName, Role};
use crate::json::Members;
use crate::keyring::{self, Policy, RingName};
use crate::policy::Resource;
use crate::registered::GrantType;
use crate::scope::{ScopeCatalogue, ScopeSet, ScopeToken};
use crate::session::Pace;
use crate::time::Lifetime;
use crate::token::{Algorithm, Trust};
use crate::uri::Issuer;

const YEAR: u64 = 365 * 86_400;
const MONTH: u64 = 30 * 86_400;

/// Our own tokens come from clocks of the same platform: 5 s cover their distance.
const OWN_LEEWAY: Lifetime = Lifetime::from_seconds(5);

/// Root paths that are not a realm's to take.
pub(super) const RESERVED: [&str; 2] = ["healthz", "_tollgate"];

/// One environment: its own issuer, keys, clients.
#[derive(Clone, Debug)]
pub struct Realm {
    /// Its name, the first segment of every path of its issuer.
    pub name: RealmName,
    /// The keyring that signs its access tokens.
    pub ring: RingName,
    /// Its issuer identifier.
    pub issuer: Issuer,
    /// The `aud` of its access tokens.
    pub audience: String,
    /// How its tokens are signed, and on what terms its keys change.
    pub keys: Policy,
    /// How long an access token lives.
    pub access_token: Lifetime,
    /// How long a refresh token lives.
    pub refresh_token: Lifetime,
    /// How long a session with a refresh token lasts, however much it is used.
    pub session: Lifetime,
    /// How its sessions keep time.
    pub pace: Pace,
    /// How an edge finds out that a session has ended.
    pub revocation: Revocation,
    /// How clients register themselves, if they may.
    pub registration: Option<Registration>,
    /// Who sends its mail, if anybody does.
    pub mail: Option<MailBy>,
    /// How people take themselves in, if they may.
    pub sign_up: Option<SignUp>,
    /// Whether proofs of possession need a nonce of its own (RFC 9449 sections 8 and 9).
    pub dpop_nonce: bool,
    /// The RP ID of its people's passkeys, where they may have some.
    pub passkeys: Option<String>,
    /// Outside providers that its people may sign in with.
    pub providers: Vec<Provider>,
    /// How long an application credential may be made for.
    pub credentials_last: Lifetime,
    /// How long it is kept what was done here.
    pub audit_kept: Lifetime,
    features: Vec<Feature>,
    /// Whether it may be reached without TLS.
    pub allow_http: bool,
}

impl Realm {
    /// On which terms its own tokens count. A key of the realm is for one algorithm, which may be another than the realm's
    /// by now: so all are among the terms, and the key decides.
    pub(super) fn trust(&self, resources: &[Resource]) -> Trust {
        // A token for one resource only (RFC 8707) is held against its route later on.
        let resources = resources.iter().map(|resource| resource.id.as_str().to_owned());
        let audiences = std::iter::once(self.audience.clone()).chain(resources).collect();
        let issuer = self.issuer.clone();
        Trust { leeway: OWN_LEEWAY, ..Trust::new(issuer, audiences, keyring::ALGORITHMS.to_vec()) }
    }

    /// On what terms keys change: of its own keyring, or of the one beside it; `None`: there is none.
    #[must_use]
    pub fn terms(&self, is_beside: bool) -> Option<Policy> {
        match (is_beside, self.has(Feature::Rs256IdTokens)) {
            (false, _) => Some(self.keys),
            (true, true) => Some(Policy { signing: Algorithm::Rs256, ..self.keys }),
            (true, false) => None,
        }
    }

    /// Whether it does what has to be said.
    #[must_use]
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// The outside provider of this name.
    #[must_use]
    pub fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.id.as_str() == id)
    }

    /// Whether it serves this grant at all.
    #[must_use]
    pub fn serves(&self, grant: GrantType) -> bool {
        grant != GrantType::Password || self.has(Feature::PasswordGrant)
    }
}

/// How clients register themselves (RFC 7591).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registration {
    /// Who may.
    pub access: RegistrationAccess,
    /// The grants that they may ask for.
    pub grant_types: Vec<GrantType>,
    /// The scopes that they may ask for.
    pub scopes: ScopeSet,
}

/// How long is kept what was done, where a realm does not say.
pub const AUDIT_KEPT: Lifetime = Lifetime::from_seconds(400 * 86_400);

pub(super) fn realms(
    documents: &Members<String, RealmDocument>,
    known: (&ScopeCatalogue, &[Role]),
    problems: &mut Problems,
) -> Vec<Realm> {
    documents.iter().filter_map(|(name, document)| realm(name, document, known, problems)).collect()
}

fn registration(
    path: &str,
    document: &RegistrationDocument,
    known: &ScopeCatalogue,
    problems: &mut Problems,
) -> Registration {
    let mut scopes = Vec::new();
    for (at, name) in document.scopes.iter().enumerate() {
        let path = format!("{path}.scopes[{at}]");
        match problems.take(&path, name.parse::<ScopeToken>()) {
            Some(scope) if known.knows(&scope) => scopes.push(scope),
            Some(_) => problems.add(
                &path,
                format_args!("there is no scope `{name}`; add it under `scopes`, or correct the name"),
            ),
            None => {}
        }
    }
    if document.grant_types.is_empty() {
        problems.add(
            format_args!("{path}.grant_types"),
            "is empty; name at least one grant, or remove `registration`",
        );
    }
    Registration {
        access: document.access,
        grant_types: document.grant_types.clone(),
        scopes: scopes.into_iter().collect(),
    }
}

fn realm(
    name: &str,
    document: &RealmDocument,
    (scopes, roles): (&ScopeCatalogue, &[Role]),
    problems: &mut Problems,
) -> Option<Realm> {
    let path = format!("realms.{name}");
    if RESERVED.contains(&name) {
        problems.add(&path, "this name is a path of tollgate itself; choose another");
    }
    let access = problems.range(
        format_args!("{path}.access_token_seconds"),
        document.access_token_seconds,
        10,
        86_400,
    );
    let refresh = problems.range(
        format_args!("{path}.refresh_token_seconds"),
        document.refresh_token_seconds,
        access.min(YEAR),
        YEAR,
    );
    let session = problems.range(
        format_args!("{path}.session_seconds"),
        document.session_seconds.unwrap_or_else(|| refresh.max(90 * 86_400)),
        refresh.min(YEAR),
        YEAR,
    );
    if document.revocation == Revocation::Cutoff && document.idle_seconds.is_some() {
        problems.add(
            format_args!("{path}.revocation"),
            "`cutoff` asks nobody whether a token was used; remove `idle_seconds`, or write `ask`",
        );
    }
    if document.features.contains(&Feature::Rs256IdTokens) && matches!(document.signing, Signing::Rs256) {
        problems.add(
            format_args!("{path}.features"),
            "`rs256_id_tokens` adds nothing where `signing` is RS256; remove it",
        );
    }
    let registration = document
        .registration
        .as_ref()
        .map(|document| registration(&format!("{path}.registration"), document, scopes, problems));
    let (mail, sign_up) = (document.mail.as_ref(), document.sign_up.as_ref());
    let sign_up = sign_up.map(|sign_up| people::sign_up(&path, sign_up, (mail.is_some(), roles), problems));
    let mail = mail.and_then(|mail| people::mail(&path, mail, document.allow_http, problems));
    let idle =
        document.idle_seconds.map(|idle| problems.range(format_args!("{path}.idle_seconds"), idle, 1, MONTH));
    let grain = problems.range(format_args!("{path}.grain_seconds"), document.grain_seconds, 0, 3600);
    let (credentials_last, audit_kept) = managing(&path, document, problems);
    let keys = keys(&path, document, access, problems);
    let realm: Option<RealmName> = problems.take(&path, name.parse());
    let issuer: Issuer = problems.take(format_args!("{path}.issuer"), document.issuer.parse())?;
    let realm = realm?;
    if issuer.path() != format!("/{realm}") {
        let mend = format_args!("must end in the realm's name; write `{}/{realm}`", issuer.origin());
        problems.add(format_args!("{path}.issuer"), mend);
    }
    if issuer.is_plain_http() && !(document.allow_http && issuer.is_loopback()) {
        problems.add(
            format_args!("{path}.issuer"),
            "is plain http; use https, or set `allow_http` for this machine",
        );
    }
    if document.allow_http && !issuer.is_loopback() {
        problems.add(format_args!("{path}.allow_http"), "is for issuers on this machine only; remove it");
    }
    let passkeys = document.features.contains(&Feature::Passkeys).then(|| issuer.domain()).flatten();
    if passkeys.is_none() && document.features.contains(&Feature::Passkeys) {
        problems.add(
            format_args!("{path}.features"),
            "`passkeys` are made for the name of a host, and `issuer` has an address; write a name (`localhost` on this machine)",
        );
    }
    let audience = document.audience.clone().unwrap_or_else(|| issuer.origin().to_owned());
    if audience.is_empty() {
        problems.add(
            format_args!("{path}.audience"),
            "is empty; leave it out, or name the resource that tokens are for",
        );
    }
    let pace = Pace::new(idle.map(Lifetime::from_seconds), Lifetime::from_seconds(grain));
    let providers = providers(&path, &issuer, &document.providers, problems);
    Some(Realm {
        keys,
        ring: RingName::own(realm.clone()),
        name: realm,
        issuer,
        audience,
        access_token: Lifetime::from_seconds(access),
        refresh_token: Lifetime::from_seconds(refresh),
        session: Lifetime::from_seconds(session),
        pace,
        revocation: document.revocation,
        registration,
        mail,
        sign_up,
        dpop_nonce: document.dpop_nonce,
        passkeys,
        providers,
        credentials_last,
        audit_kept,
        features: document.features.clone(),
        allow_http: document.allow_http,
    })
}

/// How long a credential may be made for, and how long it is kept what was done.
fn managing(path: &str, document: &RealmDocument, problems: &mut Problems) -> (Lifetime, Lifetime) {
    const MOST: u64 = 10 * YEAR;
    let credentials =
        problems.range(format_args!("{path}.credential_seconds"), document.credential_seconds, 60, MOST);
    let audit = problems.range(format_args!("{path}.audit_seconds"), document.audit_seconds, 86_400, MOST);
    (Lifetime::from_seconds(credentials), Lifetime::from_seconds(audit))
}

/// On what terms the keys change of a realm whose access tokens live for `access` seconds.
fn keys(path: &str, document: &RealmDocument, access: u64, problems: &mut Problems) -> Policy {
    let fresh = problems.range(format_args!("{path}.jwks_seconds"), document.jwks_seconds, 5, 3600);
    let mut policy = Policy {
        signing: document.signing.into(),
        fresh: Lifetime::from_seconds(fresh),
        tokens_live: Lifetime::from_seconds(access),
        leeway: OWN_LEEWAY,
        rotates_after: None,
    };
    policy.rotates_after = document.rotation_seconds.0.map(|seconds| {
        let shortest = policy.shortest_rotation().as_seconds();
        let at = format_args!("{path}.rotation_seconds");
        Lifetime::from_seconds(problems.range(at, seconds, shortest.min(YEAR), YEAR))
    });
    policy
}
