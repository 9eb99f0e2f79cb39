//! What a principal can be asked ([`super::Answer`] is what it says). Secrets travel as digests; only a password has to come as it is.

use serde::{Deserialize, Serialize};

use crate::directory::Actor;
use crate::dpop::Mark;
use crate::encoding::Digest;
use crate::grant::{Code, Proposal};
use crate::id::{ClientId, Login, RealmName, Role, RouteId, UserId};
#[cfg(doc)]
use crate::principal::Answer;
use crate::principal::{
    AddPasskey, Attempt, Client, Consider, Enter, EnterFederated, EnterPasskey, Federated, Follow, Mail,
    PasskeyChange, Profile, PutConfiguration,
};
use crate::scope::ScopeSet;
use crate::session::Pace;
use crate::time::{Lifetime, Timestamp};

/// One question. Each is one atomic step.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Keep a passkey, for the person in a browser that is known. Answer: [`Answer::User`].
    AddPasskey(Box<AddPasskey>),
    /// Let a client have those of the internal scopes that it waits for, and refuse it the others. Answer: [`Answer::ClientView`].
    Approve(Approve),
    /// Say whether a client is who it says it is, and do nothing else. Answer: [`Answer::Known`].
    Authenticate(Asks),
    /// Answer this on behalf of somebody, and keep what was done. Answer: that of the question.
    By(Box<Actor>, Box<Question>),
    /// Say what becomes of an authorization request in a browser of the person. Answer: [`Answer::Considered`].
    Consider(Box<Consider>),
    /// Change what is given of a client. Answer: [`Answer::Client`].
    ChangeClient(Box<ChangeClient>),
    /// Change how the person signs in, in a browser that is known by this digest. Answer: [`Answer::User`]; or [`Answer::Done`], where it is so already.
    ChangePasskeys(Digest, PasskeyChange),
    /// Change what is given of the user. Answer: [`Answer::User`].
    ChangeUser(ChangeUser),
    /// Take a user in. Answer: [`Answer::User`].
    CreateUser(Box<NewUser>),
    /// Forget a client; its sessions end. Answer: [`Answer::Done`].
    DeleteClient(Owner),
    /// Forget the user; every session ends. Answer: [`Answer::Done`].
    DeleteUser,
    /// Know a browser from now on, whose person knows the password. Answer: [`Answer::User`]; or [`Answer::NeedsPasskey`], and it is not known.
    Enter(Box<Enter>),
    /// Know a browser from now on, whose person an outside provider has named. Answer: [`Answer::User`].
    EnterFederated(Box<EnterFederated>),
    /// Know a browser from now on, whose person has used a passkey. Answer: [`Answer::User`].
    EnterPasskey(Box<EnterPasskey>),
    /// End every session: sign-out everywhere. Answer: [`Answer::Done`].
    End,
    /// End one session: [`crate::id::SessionId::local`]. Answer: [`Answer::Done`].
    EndSession(String),
    /// Answer this only where what it changes is what whoever asks has seen. Answer: that of the question.
    IfMatches(Digest, Box<Question>),
    /// Say what a token stands for, without using it. Answer: [`Answer::Inspected`].
    Inspect(Token),
    /// Keep an authorization code. Answer: [`Answer::Done`].
    IssueCode {
        /// The digest of the code.
        digest: Digest,
        /// What it grants.
        code: Box<Code>,
    },
    /// Say what counts of a client. Answer: [`Answer::Known`].
    KnowClient(ClientId),
    /// End every session, for the person in a browser that is known by this digest. Answer: [`Answer::Done`].
    LeaveEverywhere(Digest),
    /// Know a browser no longer, if it is this person's; the sessions that came of it end. Answer: [`Answer::Done`].
    Leave {
        /// The digest of what it is known by.
        browser: Digest,
        /// Whose it has to be; `None`: whoever's.
        who: Option<UserId>,
    },
    /// Do what the link of a mail is for: another password, which ends every session; or an address that is theirs. Answer: [`Answer::Done`].
    Follow(Box<Follow>),
    /// Show the clients that are kept here: credentials, or the others. Answer: [`Answer::Clients`].
    ListClients {
        /// Whether credentials.
        are_credentials: bool,
    },
    /// Show the versions of the configuration. Answer: [`Answer::Versions`].
    ListVersions,
    /// Show the sessions that are open: all, or those of one client. Answer: [`Answer::Sessions`].
    ListSessions(Option<ClientId>),
    /// Say whether mail may go to the person, and where. Answer: [`Answer::Addressee`].
    Mail(Mail),
    /// Give a client another secret. Answer: [`Answer::Client`].
    NewSecret(NewSecret),
    /// Answer this, if anything, only where the proof of possession that comes with it was not used here before. What is refused leaves
    /// no mark of it: strangers fill no storage. Answer: that of the question, or [`Answer::Done`].
    Once {
        /// What is kept of the proof.
        proof: Mark,
        /// The question.
        question: Option<Box<Question>>,
    },
    /// Answer this only in this realm: what a browser brings names its principal by itself. Answer: that of the question.
    OfRealm(RealmName, Box<Question>),
    /// Answer this only for the user of this name. Answer: that of the question.
    OfUser(UserId, Box<Question>),
    /// Put a document in the place of the configuration that counts. Answer: [`Answer::Version`].
    PutConfiguration(Box<PutConfiguration>),
    /// Show a client's record to whoever manages it. Answer: [`Answer::Client`].
    OwnClient(Owner),
    /// Grant a session to a client that speaks for itself, or for its owner: one that is opened, or, where that may be, those that
    /// a standing grant lets the edge open. Answer: [`Answer::Granted`].
    OpenSession(Box<OpenSession>),
    /// Show a client. Answer: [`Answer::ClientView`].
    ReadClient(Owner),
    /// Say who asks with a token of this session, which is used by that. Answer: [`Answer::Caller`].
    ReadCaller {
        /// The session: [`crate::id::SessionId::local`].
        local: String,
        /// When the request came.
        used_at: Timestamp,
    },
    /// Show the person their own account, in a browser that is known by this digest. Answer: [`Answer::Account`].
    ReadAccount(Digest),
    /// Show the person to a client that they have a session with, which is used by that. Answer: [`Answer::User`].
    ReadPerson {
        /// The session: [`crate::id::SessionId::local`].
        local: String,
        /// When the request came.
        used_at: Timestamp,
    },
    /// Show the user. Answer: [`Answer::User`].
    ReadUser,
    /// Show a version of the configuration. Answer: [`Answer::Version`].
    ReadVersion(u64),
    /// Redeem an authorization code. Answer: [`Answer::Granted`].
    RedeemCode(Box<RedeemCode>),
    /// Take a client in. Answer: [`Answer::Registered`].
    RegisterClient(Box<RegisterClient>),
    /// End the session that a token belongs to, for the client that it was given to. Answer: [`Answer::Done`].
    Revoke {
        /// The client, which has proved who it is.
        client_id: ClientId,
        /// Its token.
        token: Token,
    },
    /// Redeem a refresh token. Answer: [`Answer::Granted`].
    Rotate(Box<Rotate>),
    /// Start a session for whoever knows the password. Answer: [`Answer::Granted`].
    SignIn(Box<SignIn>),
    /// Take back what a client was allowed, for the person in a browser that is known. Answer: [`Answer::Done`].
    Withdraw {
        /// The digest of what it is known by.
        browser: Digest,
        /// From whom.
        client_id: ClientId,
    },
    /// Say that a session was used, and whether it may be. Answer: [`Answer::Touched`].
    Touch {
        /// Which: [`crate::id::SessionId::local`].
        local: String,
        /// When the request came that uses it. The question may arrive later: what counts is the use.
        used_at: Timestamp,
        /// How often it called which route since the last touch.
        #[serde(default)]
        usage: Vec<(RouteId, u32)>,
    },
}

/// A client that asks, and how it proves who it is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Asks {
    /// Who it says it is.
    pub client_id: ClientId,
    /// Its proof.
    pub proof: Proof,
    /// Where it asks from, digested: wrong attempts are counted by it.
    pub source: Digest,
}

/// What a client proves itself by, as far as its principal can check it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// An assertion (RFC 7523), whose signature and claims have been checked.
    Assertion {
        /// The thumbprint of the key that signed it.
        key: Digest,
        /// Its `jti`, digested: it counts once.
        jti: Digest,
        /// Its `exp`, with the leeway that it was judged by.
        expires_at: Timestamp,
    },
    /// Nothing: a public client.
    Nothing,
    /// The digest of a secret.
    Secret(Digest),
}

/// A password as it was typed. Does not print itself.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Password(pub String);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// How long what is granted lasts: the realm's settings, or the client's where they are tighter.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Terms {
    /// How long an access token lives.
    pub access_token: Lifetime,
    /// How the session keeps time.
    pub pace: Pace,
    /// When it is over however much it is used.
    pub session: Lifetime,
    /// How long a refresh token may be redeemed.
    pub refresh_token: Lifetime,
    /// After this the client gets no token, and none of its tokens counts.
    pub client_ends: Option<Timestamp>,
}

impl Terms {
    /// As tight as a client's own record wants them.
    #[must_use]
    pub fn within(self, client: &Client) -> Self {
        let tighter = |own: Option<Lifetime>, here: Lifetime| own.map_or(here, |own| own.min(here));
        let limits = &client.limits;
        let idle = match (self.pace.idle(), limits.idle) {
            (Some(here), own) => Some(tighter(own, here)),
            (None, own) => own,
        };
        Self {
            access_token: tighter(limits.access_token, self.access_token),
            pace: Pace::new(idle, self.pace.grain()),
            session: tighter(limits.session, self.session),
            refresh_token: tighter(limits.refresh_token, self.refresh_token),
            client_ends: client.expires_at,
        }
    }

    /// When a session that begins `now` is over at the latest.
    #[must_use]
    pub(super) fn session_ends(&self, now: Timestamp) -> Timestamp {
        now.after(self.session).min(self.client_ends.unwrap_or(Timestamp::END))
    }
}

/// What its own principal says of a client that has proved who it is, for a session at another principal.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ByClient {
    /// Which client.
    pub client_id: ClientId,
    /// What it may ask for now.
    pub scope: ScopeSet,
    /// What it was granted until then is over: its secret was replaced, say.
    pub ended_at: Option<Timestamp>,
    /// Whether anybody can say that they are this client: then a refresh token is bound to the key that asks for it.
    #[serde(default)]
    pub is_public: bool,
}

/// A session to be.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct NewSession {
    /// Its name: [`crate::id::SessionId::local`].
    pub local: String,
    /// Its limits.
    pub terms: Terms,
    /// The digest of the refresh token that is handed out with it, if any.
    pub refresh: Option<Digest>,
    /// The resources that its tokens are for (RFC 8707); empty: the realm's audience.
    pub resources: Vec<String>,
    /// The thumbprint of the key that the caller has proved to hold (RFC 9449).
    #[serde(default)]
    pub key: Option<Digest>,
}

/// See [`Question::OpenSession`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct OpenSession {
    /// Who asks.
    pub client: Asks,
    /// The scopes asked for; `None`: whatever the client may have.
    pub scopes: Option<ScopeSet>,
    /// What is to be.
    pub session: NewSession,
    /// Whether the grant may stand for a grain: whoever checks its tokens asks about their sessions.
    pub may_stand: bool,
}

/// See [`Question::SignIn`]. Asked of the principal at the place of the login, whether anybody is there or not.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SignIn {
    /// The client, which has proved who it is.
    pub client: Client,
    /// The password.
    pub password: Password,
    /// Where it comes from, digested.
    pub source: Digest,
    /// The scopes asked for; `None`: whatever the client may have.
    pub scopes: Option<ScopeSet>,
    /// What is to be.
    pub session: NewSession,
    /// 16 random bytes and more, should the record have to be made anew.
    pub salt: Digest,
}

/// A client that asks a principal which may be its own.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// It is kept here, and proves who it is in the same step.
    Asks(Asks),
    /// It is kept elsewhere, and has proved who it is there.
    Known(ByClient),
}

/// See [`Question::RedeemCode`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RedeemCode {
    /// The client, which has proved who it is.
    pub client: ByClient,
    /// The digest of the code.
    pub code: Digest,
    /// `redirect_uri`.
    pub redirect_uri: Option<String>,
    /// What follows from `code_verifier`.
    pub challenge: Option<Digest>,
    /// What is to be. Its resources are those asked for now, of those that the code is for.
    pub session: NewSession,
}

/// See [`Question::Rotate`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Rotate {
    /// The client.
    pub client: By,
    /// The digest of the refresh token.
    pub token: Digest,
    /// What may come after it.
    pub proposal: Proposal,
    /// How long that, and an access token, may be presented.
    pub terms: Terms,
    /// The scopes asked for, of those that were granted; `None`: all of them.
    pub scopes: Option<ScopeSet>,
    /// The resources asked for, of those that were granted; empty: all of them.
    pub resources: Vec<String>,
    /// The thumbprint of the key that the caller has proved to hold (RFC 9449).
    #[serde(default)]
    pub key: Option<Digest>,
}

/// See [`Question::RegisterClient`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RegisterClient {
    /// Its record: this is the authority, KV has the copy.
    pub client: Client,
    /// The digest of its first secret, where it has one.
    pub secret: Option<Digest>,
    /// The digest of its registration access token, where it has one.
    pub registration: Option<Digest>,
    /// The internal scopes that it asks for, and nobody has approved of yet.
    #[serde(default)]
    pub waiting: ScopeSet,
    /// Whether it is to be the person's who is kept here: it has none of the roles that they have not.
    #[serde(default)]
    pub is_theirs: bool,
    /// The name of the request, as far as it is kept.
    #[serde(default)]
    pub attempt: Option<Attempt>,
}

impl RegisterClient {
    /// A client that nobody owns, or whose owner has said everything of it.
    #[must_use]
    pub fn of(client: Client, secret: Option<Digest>) -> Self {
        let waiting = ScopeSet::default();
        Self { client, secret, registration: None, waiting, is_theirs: false, attempt: None }
    }
}

impl ChangeClient {
    /// A change by whoever may make of a client what they want.
    #[must_use]
    pub fn of(owner: Owner, client: Client) -> Self {
        Self { owner, client, waiting: ScopeSet::default(), is_theirs: false }
    }
}

/// See [`Question::Approve`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Approve {
    /// Which client.
    pub client_id: ClientId,
    /// Which of the scopes that it waits for.
    pub scope: ScopeSet,
}

/// Who manages a client.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Owner {
    /// Which client.
    pub client_id: ClientId,
    /// The digest of the registration access token that was presented; `None`: somebody who may manage all of them.
    pub registration: Option<Digest>,
}

/// See [`Question::ChangeClient`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ChangeClient {
    /// Who changes it.
    pub owner: Owner,
    /// Its new record. What names and places it stays, and so do its roles, limits and expiry where the owner may not set them.
    pub client: Client,
    /// The internal scopes that it asks for, and nobody has approved of yet.
    #[serde(default)]
    pub waiting: ScopeSet,
    /// Whether it is the person's who is kept here: it has none of the roles that they have not.
    #[serde(default)]
    pub is_theirs: bool,
}

/// See [`Question::NewSecret`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct NewSecret {
    /// Who asks for it.
    pub owner: Owner,
    /// The digest of the new secret.
    pub secret: Digest,
    /// How long the old one still counts; zero: not at all, and the sessions that it opened end.
    pub overlap: Lifetime,
}

/// See [`Question::CreateUser`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct NewUser {
    /// The user's name in `sub`.
    pub id: UserId,
    /// What they sign in with; `None`: at an outside provider.
    pub login: Option<Login>,
    /// The realm.
    pub realm: RealmName,
    /// Their roles.
    pub roles: Vec<Role>,
    /// Their password, where they have one.
    pub password: Option<Password>,
    /// The digest of what their browser is known by from now on, where they take themselves in.
    #[serde(default)]
    pub browser: Option<Digest>,
    /// 16 random bytes and more.
    pub salt: Digest,
    /// What is known of them besides.
    #[serde(default)]
    pub profile: Profile,
    /// The internal scopes that they may be asked for.
    #[serde(default)]
    pub internal_scopes: ScopeSet,
    /// Who they are at the outside provider that they sign in with.
    #[serde(default)]
    pub federated: Option<Federated>,
}

/// See [`Question::ChangeUser`]. What is `None` stays.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct ChangeUser {
    /// Their roles. Another set ends every session.
    pub roles: Option<Vec<Role>>,
    /// Whether they may sign in. Disabling ends every session.
    pub disabled: Option<bool>,
    /// Their password, and 16 random bytes or more. Ends every session.
    pub password: Option<(Password, Digest)>,
    /// Whether their passkeys are forgotten. Ends every session.
    #[serde(default)]
    pub forgets_passkeys: bool,
    /// What is known of them besides.
    #[serde(default)]
    pub profile: Option<Profile>,
    /// The internal scopes that they may be asked for. One that is taken away ends every session.
    #[serde(default)]
    pub internal_scopes: Option<ScopeSet>,
}

/// A token, as its principal knows it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Token {
    /// An access token, by its session: [`crate::id::SessionId::local`].
    Access(String),
    /// A refresh token, by its digest.
    Refresh(Digest),
}
