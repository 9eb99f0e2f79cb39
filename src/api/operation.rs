//! What the management API does: one variant an operation, and the scope that it takes.

use crate::config::management as scope;
use crate::principal::MAX_DOCUMENT;

/// A registration with keys, a person: nothing here is larger but a configuration.
const MAX_BODY: usize = 32 * 1024;

/// One operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Lets a client have internal scopes that it waits for.
    ApproveClient,
    /// Makes the first person who manages everything.
    Bootstrap,
    /// Changes a client.
    ChangeClient,
    /// Changes a credential.
    ChangeCredential,
    /// Changes a person.
    ChangeUser,
    /// Registers a client.
    CreateClient,
    /// Makes a credential.
    CreateCredential,
    /// Takes a person in.
    CreateUser,
    /// Forgets a client.
    DeleteClient,
    /// Forgets a credential.
    DeleteCredential,
    /// Forgets a person.
    DeleteUser,
    /// Describes the API.
    Describe,
    /// Ends a session.
    EndSession,
    /// Sends a person the link to their first password.
    InviteUser,
    /// Clients.
    ListClients,
    /// Credentials.
    ListCredentials,
    /// What was done.
    ListEvents,
    /// Signing keys.
    ListKeys,
    /// Roles.
    ListRoles,
    /// Sessions.
    ListSessions,
    /// People.
    ListUsers,
    /// Versions of the configuration.
    ListVersions,
    /// Lets the published key sign.
    PromoteKey,
    /// Puts another configuration in the place of the one that counts.
    PutConfiguration,
    /// A client.
    ReadClient,
    /// The configuration that counts.
    ReadConfiguration,
    /// A credential.
    ReadCredential,
    /// Who asks.
    ReadMe,
    /// A person.
    ReadUser,
    /// A version of the configuration.
    ReadVersion,
    /// Gives a client another secret.
    RenewClient,
    /// Gives a credential another secret.
    RenewCredential,
    /// Lets a version of the configuration count again.
    RestoreVersion,
    /// Makes the next key.
    RotateKey,
    /// Ends every session of a person.
    SignOutUser,
    /// Says what is wrong with a configuration.
    ValidateConfiguration,
}

impl Operation {
    /// The scope that a token needs; `None`: any of tollgate's own will do.
    #[must_use]
    pub const fn scope(self) -> Option<&'static str> {
        Some(match self {
            Self::ReadMe | Self::ListRoles | Self::Describe | Self::Bootstrap => return None,
            Self::ListCredentials
            | Self::CreateCredential
            | Self::ReadCredential
            | Self::ChangeCredential
            | Self::DeleteCredential
            | Self::RenewCredential => scope::CREDENTIALS,
            Self::ListClients
            | Self::CreateClient
            | Self::ReadClient
            | Self::ChangeClient
            | Self::DeleteClient
            | Self::RenewClient => scope::CLIENTS,
            Self::ApproveClient => scope::PLATFORM_ADMIN,
            Self::ListUsers
            | Self::CreateUser
            | Self::ReadUser
            | Self::ChangeUser
            | Self::DeleteUser
            | Self::InviteUser
            | Self::SignOutUser => scope::USERS,
            Self::ListSessions | Self::EndSession => scope::SESSIONS,
            Self::ListKeys | Self::RotateKey | Self::PromoteKey => scope::KEYS,
            Self::ReadConfiguration
            | Self::PutConfiguration
            | Self::ValidateConfiguration
            | Self::ListVersions
            | Self::ReadVersion
            | Self::RestoreVersion => scope::CONFIG,
            Self::ListEvents => scope::AUDIT,
        })
    }

    /// Its name, in the log and in the description (`operationId`).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ApproveClient => "approve-client",
            Self::Bootstrap => "bootstrap",
            Self::ChangeClient => "change-client",
            Self::ChangeCredential => "change-credential",
            Self::ChangeUser => "change-user",
            Self::CreateClient => "create-client",
            Self::CreateCredential => "create-credential",
            Self::CreateUser => "create-user",
            Self::DeleteClient => "delete-client",
            Self::DeleteCredential => "delete-credential",
            Self::DeleteUser => "delete-user",
            Self::Describe => "describe",
            Self::EndSession => "end-session",
            Self::InviteUser => "invite-user",
            Self::ListClients => "list-clients",
            Self::ListCredentials => "list-credentials",
            Self::ListEvents => "list-events",
            Self::ListKeys => "keys",
            Self::ListRoles => "list-roles",
            Self::ListSessions => "list-sessions",
            Self::ListUsers => "list-users",
            Self::ListVersions => "list-versions",
            Self::PromoteKey => "keys-promote",
            Self::PutConfiguration => "put-configuration",
            Self::ReadClient => "read-client",
            Self::ReadConfiguration => "read-configuration",
            Self::ReadCredential => "read-credential",
            Self::ReadMe => "read-me",
            Self::ReadUser => "read-user",
            Self::ReadVersion => "read-version",
            Self::RenewClient => "renew-client",
            Self::RenewCredential => "renew-credential",
            Self::RestoreVersion => "restore-version",
            Self::RotateKey => "keys-rotate",
            Self::SignOutUser => "sign-out-user",
            Self::ValidateConfiguration => "validate-configuration",
        }
    }

    /// The largest body that it takes, in bytes.
    #[must_use]
    pub const fn most(self) -> usize {
        match self {
            Self::PutConfiguration | Self::ValidateConfiguration => MAX_DOCUMENT,
            _ => MAX_BODY,
        }
    }
}
