//! Outside providers that people sign in with, and what is known of common ones.
//!
//! A preset fills in what an entry does not say, and decides nothing else; but that GitHub is no OpenID provider. Its addresses are constants
//! of [`crate::people`].

use std::sync::Arc;

use crate::config::document::{ClientAuthentication, Product, ProviderDocument};
use crate::config::{KeySource, Problems, TrustedIssuer};
use crate::id::ProviderId;
use crate::json::Members;
use crate::label::is_label;
use crate::scope::{ScopeSet, ScopeToken};
use crate::token::{Algorithm, ClaimMap, ClaimPath, TokenType, Trust};
use crate::uri::{Issuer, WebUrl};

/// The longest label, in characters: it stands on a button.
const MAX_LABEL: usize = 64;

/// The name that people of GitHub are kept under. No token of it is ever validated.
const GITHUB: &str = "https://github.com";

/// Addresses of Microsoft that stand for every tenant there is: their metadata name another issuer for each.
const ALL_TENANTS: [&str; 3] = ["/common/", "/organizations/", "/consumers/"];

/// An outside provider that people of a realm may sign in with.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its name in addresses.
    pub id: ProviderId,
    /// What stands on its button.
    pub label: String,
    /// Whose people they are.
    pub issuer: Issuer,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// As which client.
    pub client_id: String,
    /// The name of the secret of the deployment that authenticates the client.
    pub secret_name: String,
    /// How that is sent.
    pub authentication: ClientAuthentication,
    /// What is asked for.
    pub scopes: ScopeSet,
    /// Whether somebody who is not known yet gets an account.
    pub sign_up: bool,
}

/// How a provider is spoken to.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// OAuth, and an API that says who it is.
    GitHub,
    /// OpenID Connect: on which terms its ID tokens count, and where it describes itself.
    OpenId(Arc<TrustedIssuer>, WebUrl),
}

/// What an entry says when it says nothing.
struct Defaults {
    label: Option<&'static str>,
    issuer: Option<&'static str>,
    authentication: ClientAuthentication,
    scopes: &'static [&'static str],
    algorithms: &'static [Algorithm],
}

impl Defaults {
    const fn of(preset: Option<Product>) -> Self {
        let bare = Self {
            label: None,
            issuer: None,
            authentication: ClientAuthentication::Basic,
            scopes: &["openid", "profile", "email"],
            // What OpenID Connect Core section 15.1 asks of every provider, and what tollgate's own realms do.
            algorithms: &[Algorithm::Es256, Algorithm::Rs256],
        };
        let rs256 = &[Algorithm::Rs256];
        match preset {
            None => bare,
            // Its documentation knows no other way. Name and public address need no scope.
            Some(Product::GitHub) => Self {
                label: Some("GitHub"),
                issuer: Some(GITHUB),
                authentication: ClientAuthentication::Post,
                scopes: &[],
                ..bare
            },
            Some(Product::Google) => Self {
                label: Some("Google"),
                issuer: Some("https://accounts.google.com"),
                algorithms: rs256,
                ..bare
            },
            Some(Product::Microsoft) => Self { label: Some("Microsoft"), algorithms: rs256, ..bare },
        }
    }
}

/// The providers of a realm, in the order of their names.
pub(super) fn providers(
    path: &str,
    realm: &Issuer,
    documents: &Members<String, ProviderDocument>,
    problems: &mut Problems,
) -> Vec<Provider> {
    let mut known: Vec<Provider> = Vec::new();
    for (name, document) in documents {
        let path = format!("{path}.providers.{name}");
        let Some(provider) = provider(&path, name, document, problems) else { continue };
        if provider.issuer == *realm {
            problems.add(format_args!("{path}.issuer"), "is this realm itself; name an outside provider");
        }
        if known.iter().any(|other| other.issuer == provider.issuer) {
            let mend = "is another provider's of this realm; keep one, or nobody could say whose a person is";
            problems.add(format_args!("{path}.issuer"), mend);
        }
        known.push(provider);
    }
    known
}

fn provider(
    path: &str,
    name: &str,
    document: &ProviderDocument,
    problems: &mut Problems,
) -> Option<Provider> {
    let defaults = Defaults::of(document.preset);
    let is_github = document.preset == Some(Product::GitHub);
    let label = document.label.as_deref().or(defaults.label).unwrap_or_default();
    if label.trim().is_empty() || !is_label(label, MAX_LABEL) {
        let mend = format_args!("say in 1 to {MAX_LABEL} characters what stands on the button");
        problems.add(format_args!("{path}.label"), mend);
    }
    if document.client_id.is_empty() {
        problems.add(format_args!("{path}.client_id"), "is empty; tollgate has to say who asks");
    }
    problems.secret_name(format_args!("{path}.client_secret_name"), &document.client_secret_name);
    let scopes = scopes(path, document, &defaults, problems);
    let openid = [("issuer", document.issuer.is_some()), ("algorithms", document.algorithms.is_some())];
    for (member, _) in openid.iter().filter(|(_, is_said)| is_github && *is_said) {
        problems.add(
            format_args!("{path}.{member}"),
            "means nothing for GitHub, which has no ID tokens; remove it",
        );
    }
    let at = format!("{path}.issuer");
    let Some(issuer) = document.issuer.as_deref().or(defaults.issuer) else {
        problems.add(at, "is missing; add it, exactly as its ID tokens spell `iss`");
        return None;
    };
    let id = problems.take(path, name.parse::<ProviderId>());
    let issuer: Issuer = problems.take(&at, issuer.parse())?;
    if document.preset == Some(Product::Microsoft)
        && ALL_TENANTS.iter().any(|all| format!("{}/", issuer.path()).starts_with(all))
    {
        problems.add(
            &at,
            "is every tenant there is; name yours, as `https://login.microsoftonline.com/TENANT-ID/v2.0`",
        );
    }
    let protocol = if is_github {
        Protocol::GitHub
    } else {
        let algorithms = algorithms(path, document, &defaults, problems);
        let metadata = problems.take(&at, WebUrl::openid_metadata(&issuer))?;
        let trusted = trusted(issuer.clone(), metadata.clone(), &document.client_id, algorithms);
        Protocol::OpenId(Arc::new(trusted), metadata)
    };
    Some(Provider {
        id: id?,
        label: label.to_owned(),
        issuer,
        protocol,
        client_id: document.client_id.clone(),
        secret_name: document.client_secret_name.clone(),
        authentication: document.authentication.unwrap_or(defaults.authentication),
        scopes,
        sign_up: document.sign_up,
    })
}

/// On which terms its ID tokens count (OpenID Connect Core sections 2 and 3.1.3.7). Most write `typ` `JWT`, some none.
fn trusted(issuer: Issuer, metadata: WebUrl, client: &str, algorithms: Vec<Algorithm>) -> TrustedIssuer {
    let jwt: Option<TokenType> = "JWT".parse().ok();
    let trust = Trust {
        types: jwt.into_iter().collect(),
        untyped: true,
        claims: ClaimMap { client: vec![ClaimPath::member("azp")], ..ClaimMap::default() },
        ..Trust::new(issuer, vec![client.to_owned()], algorithms)
    };
    TrustedIssuer { trust, keys: KeySource::Metadata(metadata), introspection: None, revocation: None }
}

fn scopes(path: &str, document: &ProviderDocument, defaults: &Defaults, problems: &mut Problems) -> ScopeSet {
    let said = document.scopes.as_ref().map(|scopes| scopes.iter().map(String::as_str).collect::<Vec<_>>());
    let names = said.unwrap_or_else(|| defaults.scopes.to_vec());
    if document.preset != Some(Product::GitHub) && !names.contains(&"openid") {
        problems
            .add(format_args!("{path}.scopes"), "lacks `openid`; without it there is no ID token: add it");
    }
    let mut scopes = Vec::new();
    for (at, name) in names.iter().enumerate() {
        scopes.extend(problems.take(format_args!("{path}.scopes[{at}]"), name.parse::<ScopeToken>()));
    }
    scopes.into_iter().collect()
}

fn algorithms(
    path: &str,
    document: &ProviderDocument,
    defaults: &Defaults,
    problems: &mut Problems,
) -> Vec<Algorithm> {
    let algorithms = document.algorithms.clone().unwrap_or_else(|| defaults.algorithms.to_vec());
    let path = format!("{path}.algorithms");
    if algorithms.is_empty() {
        problems.add(&path, "is empty; nobody could ever sign in: give at least one");
    }
    for (at, algorithm) in algorithms.iter().enumerate().filter(|(_, algorithm)| algorithm.is_symmetric()) {
        let mend =
            format_args!("`{}` needs a secret for a key; use one that has public keys", algorithm.name());
        problems.add(format_args!("{path}[{at}]"), mend);
    }
    algorithms
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn errors(provider: &str) -> Vec<String> {
        let text = format!(
            r#"{{ "realms": {{ "test": {{ "issuer": "https://edge.example/test", "providers": {{ {provider} }} }} }} }}"#
        );
        Config::parse(&text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    const CLIENT: &str = r#""client_id": "c", "client_secret_name": "S""#;

    #[test]
    fn a_preset_says_what_is_known_of_it() {
        let text = format!(
            r#"{{ "realms": {{ "test": {{ "issuer": "https://edge.example/test", "providers": {{
                "corp": {{ "label": "Corp", "issuer": "https://corp.example", {CLIENT} }},
                "github": {{ "preset": "github", {CLIENT}, "sign_up": true }},
                "google": {{ "preset": "google", {CLIENT} }},
                "microsoft": {{ "preset": "microsoft", "issuer": "https://login.microsoftonline.com/t1/v2.0", {CLIENT} }}
            }} }} }} }}"#
        );
        let config = Config::parse(&text).unwrap();
        let providers = &config.realm("test").unwrap().providers;
        let seen: Vec<_> = providers
            .iter()
            .map(|one| (one.label.as_str(), one.issuer.as_str(), one.scopes.to_string(), one.sign_up))
            .collect();
        let openid = || "email openid profile".to_owned();
        assert_eq!(
            seen,
            [
                ("Corp", "https://corp.example", openid(), false),
                ("GitHub", "https://github.com", String::new(), true),
                ("Google", "https://accounts.google.com", openid(), false),
                ("Microsoft", "https://login.microsoftonline.com/t1/v2.0", openid(), false),
            ]
        );
    }

    #[test]
    fn every_error_has_its_path_and_a_mend() {
        let corp = |more: &str| {
            format!(r#""corp": {{ "label": "Corp", "issuer": "https://corp.example", {CLIENT}{more} }}"#)
        };
        assert_eq!(errors(&corp("")), Vec::<String>::new());
        for (provider, want) in [
            (
                format!(r#""Corp": {{ "label": "C", "issuer": "https://c.example", {CLIENT} }}"#),
                "realms.test.providers.Corp: not a well-formed provider name",
            ),
            (
                format!(r#""corp": {{ "issuer": "https://c.example", {CLIENT} }}"#),
                "realms.test.providers.corp.label: say in 1 to 64 characters",
            ),
            (
                format!(r#""corp": {{ "label": "C", {CLIENT} }}"#),
                "realms.test.providers.corp.issuer: is missing; add it",
            ),
            (
                format!(r#""corp": {{ "label": "C", "issuer": "http://c.example", {CLIENT} }}"#),
                "realms.test.providers.corp.issuer: not a well-formed address",
            ),
            (
                format!(r#""corp": {{ "label": "C", "issuer": "https://edge.example/test", {CLIENT} }}"#),
                "realms.test.providers.corp.issuer: is this realm itself",
            ),
            (
                format!(
                    r#"{}, "other": {{ "label": "O", "issuer": "https://corp.example", {CLIENT} }}"#,
                    corp("")
                ),
                "realms.test.providers.other.issuer: is another provider's",
            ),
            (
                format!(r#""m": {{ "preset": "microsoft", {CLIENT} }}"#),
                "realms.test.providers.m.issuer: is missing",
            ),
            (
                format!(
                    r#""m": {{ "preset": "microsoft", "issuer": "https://login.microsoftonline.com/common/v2.0", {CLIENT} }}"#
                ),
                "realms.test.providers.m.issuer: is every tenant there is; name yours",
            ),
            (
                format!(r#""g": {{ "preset": "github", "issuer": "https://github.com", {CLIENT} }}"#),
                "realms.test.providers.g.issuer: means nothing for GitHub",
            ),
            (
                r#""g": { "preset": "google", "client_id": "", "client_secret_name": "S" }"#.to_owned(),
                "realms.test.providers.g.client_id: is empty",
            ),
            (
                r#""g": { "preset": "google", "client_id": "c", "client_secret_name": "" }"#.to_owned(),
                "realms.test.providers.g.client_secret_name: is empty",
            ),
            (
                r#""g": { "preset": "google", "client_id": "c", "client_secret_name": "tollgate_kek" }"#
                    .to_owned(),
                "realms.test.providers.g.client_secret_name: is a secret of tollgate's own",
            ),
            (
                r#""g": { "preset": "google", "client_id": "c", "client_secret": "x" }"#.to_owned(),
                "realms.test.providers.g.client_secret: unknown field `client_secret`",
            ),
            (corp(r#", "scopes": ["email"]"#), "realms.test.providers.corp.scopes: lacks `openid`"),
            (
                corp(r#", "scopes": ["openid", "a b"]"#),
                "realms.test.providers.corp.scopes[1]: not a well-formed scope",
            ),
            (corp(r#", "algorithms": []"#), "realms.test.providers.corp.algorithms: is empty"),
            (
                corp(r#", "algorithms": ["RS256", "HS256"]"#),
                "realms.test.providers.corp.algorithms[1]: `HS256` needs a secret",
            ),
            (corp(r#", "preset": "apple""#), "realms.test.providers.corp.preset: unknown variant `apple`"),
        ] {
            let errors = errors(&provider);
            assert!(errors.iter().any(|error| error.starts_with(want)), "{want}\n{errors:#?}");
        }
    }
}
