//! What a realm serves, and where.

use crate::api::Operation;
use crate::console::{Act, Page, Section};
use crate::oauth::Management;
use crate::people::Asset;

/// An endpoint below `/{realm}`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// Somebody makes an account, who has shown that an address is theirs.
    AcceptInvitation,
    /// What a person sees of their own account.
    Account,
    /// The management API.
    Api(Operation),
    /// A file of the pages.
    Asset(Asset),
    /// The authorization endpoint (RFC 6749 section 3.1).
    Authorize,
    /// Somebody chooses another password, who reads the person's mail.
    ChoosePassword,
    /// The person comes back from an outside provider.
    ComeBack,
    /// The person says what an application may do.
    Consent,
    /// A page of the console.
    Console(Page),
    /// Says what a token stands for (RFC 7662).
    Introspect,
    /// The public keys (RFC 7517).
    Jwks,
    /// The person goes to an outside provider.
    Leave,
    /// Takes a pushed authorization request (RFC 9126).
    Push,
    /// The person signs out of this browser (OpenID Connect RP-Initiated Logout).
    Logout,
    /// A client manages its own registration (RFC 7592).
    Manage(Management),
    /// Discovery (OpenID Connect Discovery, RFC 8414).
    Metadata,
    /// Takes a client in that registers itself (RFC 7591).
    Register,
    /// Somebody wants an account.
    RegisterPerson,
    /// Somebody has forgotten a password.
    Reset,
    /// Revokes a token (RFC 7009).
    Revoke,
    /// The person says who they are.
    SignIn,
    /// The person says who they are, with a passkey.
    SignInWithPasskey,
    /// The person says that they want to sign out.
    SignOut,
    /// The token endpoint (RFC 6749 section 3.2).
    Token,
    /// Who the person is (OpenID Connect Core section 5.3).
    UserInfo,
    /// Somebody shows that an address is theirs.
    Verify,
}

/// Where a request below a realm goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Routed<'p> {
    /// There is something, but not with this method; the value of `Allow`.
    MethodNotAllowed(String),
    /// Nothing is there.
    NotFound,
    /// There, with what stands in place of `{id}`.
    To(Endpoint, &'p str),
}

/// A page of the console.
const fn at(section: Section, act: Act) -> Endpoint {
    Endpoint::Console(Page { section, act })
}

/// What stands in a path for the name of something.
const ID: &str = "{id}";

impl Endpoint {
    /// Every endpoint: what, method, path below the realm. The first path of an endpoint is its own, others are aliases.
    pub const ALL: [(Self, &'static str, &'static str); 125] = [
        (Self::Authorize, "GET", "/oauth/authorize"),
        (Self::Authorize, "POST", "/oauth/authorize"),
        (Self::Push, "POST", "/oauth/par"),
        (Self::SignIn, "POST", "/login"),
        (Self::SignInWithPasskey, "POST", "/login/passkey"),
        (Self::RegisterPerson, "GET", "/register"),
        (Self::RegisterPerson, "POST", "/register"),
        (Self::AcceptInvitation, "GET", "/register/confirm"),
        (Self::AcceptInvitation, "POST", "/register/confirm"),
        (Self::Reset, "GET", "/reset"),
        (Self::Reset, "POST", "/reset"),
        (Self::ChoosePassword, "GET", "/reset/confirm"),
        (Self::ChoosePassword, "POST", "/reset/confirm"),
        (Self::Verify, "GET", "/verify"),
        (Self::Verify, "POST", "/verify"),
        (Self::Leave, "GET", "/federation/{id}"),
        (Self::ComeBack, "GET", "/federation/{id}/callback"),
        (Self::Consent, "GET", "/consent"),
        (Self::Consent, "POST", "/consent"),
        (Self::Logout, "GET", "/oauth/logout"),
        (Self::Logout, "POST", "/oauth/logout"),
        (Self::SignOut, "POST", "/logout"),
        (Self::Account, "GET", "/account"),
        (Self::Account, "POST", "/account"),
        (Self::Asset(Asset::Style), "GET", "/assets/style.css"),
        (Self::Asset(Asset::Script), "GET", "/assets/submit.js"),
        (Self::Asset(Asset::Passkey), "GET", "/assets/passkey.js"),
        (Self::Asset(Asset::Console), "GET", "/assets/console.js"),
        (at(Section::Home, Act::List), "GET", "/console"),
        (at(Section::Callback, Act::List), "GET", "/console/callback"),
        (at(Section::SignOut, Act::List), "POST", "/console/sign-out"),
        (at(Section::Credentials, Act::List), "GET", "/console/credentials"),
        (at(Section::Credentials, Act::List), "POST", "/console/credentials"),
        (at(Section::Credentials, Act::New), "GET", "/console/credentials/new"),
        (at(Section::Credentials, Act::One), "GET", "/console/credentials/{id}"),
        (at(Section::Credentials, Act::One), "POST", "/console/credentials/{id}"),
        (at(Section::Credentials, Act::Secret), "GET", "/console/credentials/{id}/secret"),
        (at(Section::Credentials, Act::Secret), "POST", "/console/credentials/{id}/secret"),
        (at(Section::Credentials, Act::Delete), "GET", "/console/credentials/{id}/delete"),
        (at(Section::Credentials, Act::Delete), "POST", "/console/credentials/{id}/delete"),
        (at(Section::Applications, Act::List), "GET", "/console/applications"),
        (at(Section::Applications, Act::List), "POST", "/console/applications"),
        (at(Section::Applications, Act::New), "GET", "/console/applications/new"),
        (at(Section::Applications, Act::One), "GET", "/console/applications/{id}"),
        (at(Section::Applications, Act::One), "POST", "/console/applications/{id}"),
        (at(Section::Applications, Act::Secret), "GET", "/console/applications/{id}/secret"),
        (at(Section::Applications, Act::Secret), "POST", "/console/applications/{id}/secret"),
        (at(Section::Applications, Act::Delete), "GET", "/console/applications/{id}/delete"),
        (at(Section::Applications, Act::Delete), "POST", "/console/applications/{id}/delete"),
        (at(Section::Approvals, Act::List), "GET", "/console/approvals"),
        (at(Section::Approvals, Act::One), "GET", "/console/approvals/{id}"),
        (at(Section::Approvals, Act::One), "POST", "/console/approvals/{id}"),
        (at(Section::People, Act::List), "GET", "/console/people"),
        (at(Section::People, Act::List), "POST", "/console/people"),
        (at(Section::People, Act::New), "GET", "/console/people/new"),
        (at(Section::People, Act::One), "GET", "/console/people/{id}"),
        (at(Section::People, Act::One), "POST", "/console/people/{id}"),
        (at(Section::People, Act::SignOut), "GET", "/console/people/{id}/sign-out"),
        (at(Section::People, Act::SignOut), "POST", "/console/people/{id}/sign-out"),
        (at(Section::People, Act::Invite), "GET", "/console/people/{id}/invitation"),
        (at(Section::People, Act::Invite), "POST", "/console/people/{id}/invitation"),
        (at(Section::People, Act::Delete), "GET", "/console/people/{id}/delete"),
        (at(Section::People, Act::Delete), "POST", "/console/people/{id}/delete"),
        (at(Section::Sessions, Act::List), "GET", "/console/sessions"),
        (at(Section::Sessions, Act::Delete), "GET", "/console/sessions/{id}/end"),
        (at(Section::Sessions, Act::Delete), "POST", "/console/sessions/{id}/end"),
        (at(Section::Audit, Act::List), "GET", "/console/audit"),
        (at(Section::Audit, Act::Export), "GET", "/console/audit/export"),
        (at(Section::Keys, Act::List), "GET", "/console/keys"),
        (at(Section::Keys, Act::Rotate), "GET", "/console/keys/rotate"),
        (at(Section::Keys, Act::Rotate), "POST", "/console/keys/rotate"),
        (at(Section::Keys, Act::Promote), "GET", "/console/keys/promote"),
        (at(Section::Keys, Act::Promote), "POST", "/console/keys/promote"),
        (at(Section::Configuration, Act::List), "GET", "/console/configuration"),
        (at(Section::Configuration, Act::List), "POST", "/console/configuration"),
        (at(Section::Configuration, Act::One), "GET", "/console/configuration/{id}"),
        (at(Section::Configuration, Act::One), "POST", "/console/configuration/{id}"),
        (Self::Metadata, "GET", "/.well-known/openid-configuration"),
        (Self::Jwks, "GET", "/jwks"),
        (Self::Token, "POST", "/oauth/token"),
        (Self::Token, "POST", "/OAuth/Token"),
        (Self::UserInfo, "GET", "/oauth/userinfo"),
        (Self::UserInfo, "POST", "/oauth/userinfo"),
        (Self::Introspect, "POST", "/oauth/introspect"),
        (Self::Revoke, "POST", "/oauth/revoke"),
        (Self::Register, "POST", "/oauth/register"),
        (Self::Manage(Management::Read), "GET", "/oauth/register/{id}"),
        (Self::Manage(Management::Replace), "PUT", "/oauth/register/{id}"),
        (Self::Manage(Management::Delete), "DELETE", "/oauth/register/{id}"),
        (Self::Api(Operation::Describe), "GET", "/api/v1/openapi.json"),
        (Self::Api(Operation::Bootstrap), "POST", "/api/v1/bootstrap"),
        (Self::Api(Operation::ReadMe), "GET", "/api/v1/me"),
        (Self::Api(Operation::ListRoles), "GET", "/api/v1/roles"),
        (Self::Api(Operation::ListCredentials), "GET", "/api/v1/credentials"),
        (Self::Api(Operation::CreateCredential), "POST", "/api/v1/credentials"),
        (Self::Api(Operation::ReadCredential), "GET", "/api/v1/credentials/{id}"),
        (Self::Api(Operation::ChangeCredential), "PATCH", "/api/v1/credentials/{id}"),
        (Self::Api(Operation::DeleteCredential), "DELETE", "/api/v1/credentials/{id}"),
        (Self::Api(Operation::RenewCredential), "POST", "/api/v1/credentials/{id}/secret"),
        (Self::Api(Operation::ListClients), "GET", "/api/v1/clients"),
        (Self::Api(Operation::CreateClient), "POST", "/api/v1/clients"),
        (Self::Api(Operation::ReadClient), "GET", "/api/v1/clients/{id}"),
        (Self::Api(Operation::ChangeClient), "PUT", "/api/v1/clients/{id}"),
        (Self::Api(Operation::DeleteClient), "DELETE", "/api/v1/clients/{id}"),
        (Self::Api(Operation::RenewClient), "POST", "/api/v1/clients/{id}/secret"),
        (Self::Api(Operation::ApproveClient), "POST", "/api/v1/clients/{id}/approval"),
        (Self::Api(Operation::ListUsers), "GET", "/api/v1/users"),
        (Self::Api(Operation::CreateUser), "POST", "/api/v1/users"),
        (Self::Api(Operation::ReadUser), "GET", "/api/v1/users/{id}"),
        (Self::Api(Operation::ChangeUser), "PATCH", "/api/v1/users/{id}"),
        (Self::Api(Operation::DeleteUser), "DELETE", "/api/v1/users/{id}"),
        (Self::Api(Operation::SignOutUser), "POST", "/api/v1/users/{id}/sign-out"),
        (Self::Api(Operation::InviteUser), "POST", "/api/v1/users/{id}/invitation"),
        (Self::Api(Operation::ListSessions), "GET", "/api/v1/sessions"),
        (Self::Api(Operation::EndSession), "DELETE", "/api/v1/sessions/{id}"),
        (Self::Api(Operation::ListKeys), "GET", "/api/v1/keys"),
        (Self::Api(Operation::PromoteKey), "POST", "/api/v1/keys/promote"),
        (Self::Api(Operation::RotateKey), "POST", "/api/v1/keys/rotate"),
        (Self::Api(Operation::ReadConfiguration), "GET", "/api/v1/config"),
        (Self::Api(Operation::PutConfiguration), "PUT", "/api/v1/config"),
        (Self::Api(Operation::ValidateConfiguration), "POST", "/api/v1/config/validate"),
        (Self::Api(Operation::ListVersions), "GET", "/api/v1/config/versions"),
        (Self::Api(Operation::ReadVersion), "GET", "/api/v1/config/versions/{id}"),
        (Self::Api(Operation::RestoreVersion), "POST", "/api/v1/config/versions/{id}/restore"),
        (Self::Api(Operation::ListEvents), "GET", "/api/v1/audit"),
    ];

    /// Finds the endpoint of a request. A `GET` endpoint answers `HEAD` as well.
    #[must_use]
    pub fn route<'p>(method: &str, path: &'p str) -> Routed<'p> {
        let here = || {
            Self::ALL
                .iter()
                .filter_map(|(endpoint, known, at)| Some((*endpoint, *known, in_place(at, path)?)))
        };
        let serves = |known: &str| known == method || (known == "GET" && method == "HEAD");
        if let Some((endpoint, _, id)) = here().find(|(_, known, _)| serves(known)) {
            return Routed::To(endpoint, id);
        }
        let mut allow: Vec<&str> = here().map(|(_, known, _)| known).collect();
        if allow.is_empty() {
            return Routed::NotFound;
        }
        if let Some(at) = allow.iter().position(|known| *known == "GET") {
            allow.insert(at.saturating_add(1), "HEAD");
        }
        Routed::MethodNotAllowed(allow.join(", "))
    }

    /// Whether people come to it by themselves, by an address that holds nothing secret: over plain HTTP they are sent on to HTTPS. The other
    /// pages have a code, a token or a link's secret in their address, or are asked for by an application, which is to notice.
    #[must_use]
    pub const fn is_typed(self) -> bool {
        match self {
            Self::Account | Self::RegisterPerson | Self::Reset => true,
            Self::Console(page) => !matches!(page.section, Section::Callback),
            _ => false,
        }
    }

    /// Its own path below the realm.
    #[must_use]
    pub fn path(self) -> &'static str {
        Self::ALL.iter().find(|(endpoint, _, _)| *endpoint == self).map_or("", |(_, _, path)| *path)
    }

    /// Its name in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AcceptInvitation => "accept-invitation",
            Self::Account => "account",
            Self::Api(operation) => operation.name(),
            Self::Asset(_) => "asset",
            Self::Authorize => "authorize",
            Self::ChoosePassword => "choose-password",
            Self::ComeBack => "federation-callback",
            Self::Consent => "consent",
            Self::Console(_) => "console",
            Self::Introspect => "introspect",
            Self::Jwks => "jwks",
            Self::Leave => "federation",
            Self::Logout => "logout",
            Self::Manage(_) | Self::Register => "register",
            Self::Metadata => "metadata",
            Self::Push => "push",
            Self::RegisterPerson => "register-person",
            Self::Reset => "reset",
            Self::Revoke => "revoke",
            Self::SignIn => "sign-in",
            Self::SignInWithPasskey => "sign-in-with-passkey",
            Self::SignOut => "sign-out",
            Self::Token => "token",
            Self::UserInfo => "userinfo",
            Self::Verify => "verify",
        }
    }
}

/// What stands in `path` for `{id}` of this pattern; empty where the pattern has none, `None` where it is another path.
fn in_place<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
    let Some((before, after)) = pattern.split_once(ID) else {
        return (pattern == path).then_some("");
    };
    let id = path.strip_prefix(before)?.strip_suffix(after)?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_by_table() {
        let not_allowed = |allow: &str| Routed::MethodNotAllowed(allow.to_owned());
        assert_eq!(Endpoint::route("POST", "/oauth/token"), Routed::To(Endpoint::Token, ""));
        assert_eq!(Endpoint::route("POST", "/OAuth/Token"), Routed::To(Endpoint::Token, ""));
        assert_eq!(Endpoint::route("GET", "/oauth/token"), not_allowed("POST"));
        assert_eq!(Endpoint::route("HEAD", "/jwks"), Routed::To(Endpoint::Jwks, ""));
        assert_eq!(Endpoint::route("GET", "/oauth/token/"), Routed::NotFound);
        assert_eq!(Endpoint::Token.path(), "/oauth/token");
    }

    #[test]
    fn a_path_may_name_something() {
        let read = Endpoint::Api(Operation::ReadClient);
        assert_eq!(Endpoint::route("GET", "/api/v1/clients/c1"), Routed::To(read, "c1"));
        assert_eq!(Endpoint::route("HEAD", "/api/v1/clients/c1"), Routed::To(read, "c1"));
        let secret = Endpoint::Api(Operation::RenewClient);
        assert_eq!(Endpoint::route("POST", "/api/v1/clients/c1/secret"), Routed::To(secret, "c1"));
        let allow = Routed::MethodNotAllowed("GET, HEAD, PUT, DELETE".to_owned());
        assert_eq!(Endpoint::route("POST", "/api/v1/clients/c1"), allow);
        for nowhere in [
            "/api/v1/clients/",
            "/api/v1/clients/a/b",
            "/api/v1/clients//secret",
            "/api/v1/users/a/b/sign-out",
        ] {
            assert_eq!(Endpoint::route("GET", nowhere), Routed::NotFound, "{nowhere}");
        }
    }
}
