//! What a principal answers ([`super::Question`]).

use serde::{Deserialize, Serialize};

use crate::encoding::Digest;
use crate::error::Fault;
use crate::grant::SignInMethod;
use crate::id::{ClientId, Role};
use crate::principal::{
    AccountView, Addressee, Client, ClientView, Considered, GrantType, SessionView, UserView, Version,
};
use crate::scope::ScopeSet;
use crate::session::Touch;
use crate::time::{Lifetime, Timestamp};
use crate::webauthn::PasskeyId;

/// What a principal answers.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The person's own account.
    Account(Box<AccountView>),
    /// Whom a mail may go to.
    Addressee(Addressee),
    /// Who asks.
    Caller(Box<CallerView>),
    /// A client's record, which is exact.
    Client(Box<Client>),
    /// A client's record, which is exact, and until when what it was granted is over.
    Known(Box<Client>, Option<Timestamp>),
    /// A client, as its owner may see it.
    ClientView(Box<ClientView>),
    /// Clients, as their owner may see them.
    Clients(Vec<ClientView>),
    /// What becomes of an authorization request.
    Considered(Considered),
    /// It is done.
    Done,
    /// What a token is made of.
    Granted(Box<Granted>),
    /// What a token stands for; `None`: for nothing any more.
    Inspected(Option<Box<Inspected>>),
    /// The password is right and not enough: one of these passkeys has to come as well.
    NeedsPasskey(Vec<PasskeyId>),
    /// No.
    Refused(Refused),
    /// A client that was taken in; and where the request has come before, what its first secret follows from.
    Registered(Box<ClientView>, Option<Digest>),
    /// Sessions that are open.
    Sessions(Vec<SessionView>),
    /// Whether a session may be used.
    Touched(Touch),
    /// The user.
    User(Box<UserView>),
    /// A version of the configuration, and its document.
    Version(Box<Version>, String),
    /// The versions of the configuration, the newest first.
    Versions(Vec<Version>),
}

impl Answer {
    /// The fault that it is when another question was answered.
    #[must_use]
    pub fn unexpected(op: &'static str) -> Fault {
        Fault::new(op, "the principal answered another question")
    }
}

/// Why a principal says no.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refused {
    /// It is other than whoever asks has seen.
    Changed,
    /// A passkey whose counter has not counted on, or that is on several devices now: there are two of it.
    Copied,
    /// The person signs in at an outside provider, and has no password or passkey here.
    Elsewhere,
    /// The client's time is over; it has proved who it is.
    ExpiredClient,
    /// The code, refresh token or password is not one that counts.
    Grant,
    /// There are too many sessions.
    Full,
    /// It is bound to another key than the one that was proved, or none was (RFC 9449 section 5).
    Key,
    /// It is the last way in.
    Last,
    /// What is named is not here.
    NotFound,
    /// It belongs to another client.
    NotYours,
    /// The proof of possession was used before (RFC 9449 section 11.1); or the challenge was answered before.
    Replayed,
    /// A resource that was not granted.
    Resource,
    /// The code or refresh token was redeemed before: its session has ended.
    Reused,
    /// A role that its owner has not.
    Role,
    /// A scope that may not be had.
    Scope,
    /// The person has signed in too long ago for this.
    Stale,
    /// There is one already.
    Taken,
    /// The client may not use this grant.
    Unauthorized(GrantType),
    /// The client gets nothing without a proof of possession (RFC 9449 section 5.2).
    Unproven,
    /// Too many wrong attempts: try again after this.
    Wait(Lifetime),
    /// Not who it says it is.
    WrongClient,
}

impl Refused {
    /// A stable name for logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Copied => "copied",
            Self::Elsewhere => "elsewhere",
            Self::ExpiredClient => "expired_client",
            Self::Full => "full",
            Self::Grant => "grant",
            Self::Key => "key",
            Self::Last => "last",
            Self::NotFound => "not_found",
            Self::NotYours => "not_yours",
            Self::Replayed => "replayed",
            Self::Resource => "resource",
            Self::Reused => "reused",
            Self::Role => "role",
            Self::Scope => "scope",
            Self::Stale => "stale",
            Self::Taken => "taken",
            Self::Unauthorized(_) => "unauthorized",
            Self::Unproven => "unproven",
            Self::Wait(_) => "wait",
            Self::WrongClient => "wrong_client",
        }
    }
}

/// What a token is made of.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Granted {
    /// The session: [`crate::id::SessionId::local`]; or the standing grant that sessions are opened under.
    pub local: String,
    /// `sub`.
    pub subject: String,
    /// The scopes.
    pub scope: ScopeSet,
    /// The subject's roles, as of now.
    pub roles: Vec<Role>,
    /// For which resources; empty: the realm's audience.
    pub resources: Vec<String>,
    /// When it is granted: the principal's own clock, and later than anything that it has declared dead.
    pub at: Timestamp,
    /// When the access token is over.
    pub expires_at: Timestamp,
    /// The session's idle limit.
    pub idle: Option<Lifetime>,
    /// Whether there is a refresh token.
    pub has_refresh: bool,
    /// What the successor of a redeemed refresh token follows from.
    pub nonce: Option<Digest>,
    /// For the ID token of a person who signed in.
    pub sign_in: Option<SignedIn>,
    /// Whether, and how, it is granted again without asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
}

/// How far a standing grant goes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Standing {
    /// For how long sessions may be opened under it.
    pub stands: Lifetime,
    /// How long an access token lives.
    pub lasts: Lifetime,
    /// When all of them are over at the latest.
    pub ends_at: Timestamp,
}

/// What an ID token says of a sign-in.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SignedIn {
    /// `auth_time`.
    pub auth_time: Timestamp,
    /// `nonce`.
    pub nonce: Option<String>,
    /// What they proved it by.
    #[serde(default, skip_serializing_if = "SignInMethod::is_usual")]
    pub method: SignInMethod,
}

/// What a token stands for, while it counts.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Inspected {
    /// The client that it was given to.
    pub client_id: ClientId,
    /// `sub`.
    pub subject: String,
    /// What the session grants.
    pub scope: ScopeSet,
    /// The subject's roles, as of now.
    pub roles: Vec<Role>,
    /// When it was granted.
    pub opened_at: Timestamp,
    /// When a refresh token, or the session of an access token, is over.
    pub expires_at: Timestamp,
    /// The session: [`crate::id::SessionId::local`].
    pub local: String,
    /// Whether its client is kept elsewhere: that principal may know better.
    pub is_elsewhere: bool,
}

/// Who asks with a token.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CallerView {
    /// The client that the token was given to.
    pub client_id: ClientId,
    /// What the session grants.
    pub scope: ScopeSet,
    /// The person whom it speaks for; `None`: the client itself.
    pub user: Option<UserView>,
    /// The roles that it has, as of now.
    pub roles: Vec<Role>,
    /// Where the client is kept here: whether it is [`super::Client::self_registered`].
    #[serde(default)]
    pub client: Option<bool>,
}
