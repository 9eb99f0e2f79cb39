//! People. A user is a principal; so is a client that nobody owns.

use serde::{Deserialize, Serialize};

use crate::email::EmailAddress;
use crate::grant::PasswordRecord;
use crate::id::{Login, RealmName, Role, UserId};
use crate::principal::{Ended, Federated};
use crate::scope::ScopeSet;
use crate::time::Timestamp;

/// What a principal keeps of itself: one row.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Principal {
    /// How many sessions it has opened, and endings it has seen: what orders them.
    pub(super) seq: u64,
    /// Its realm, once it has one.
    pub(super) realm: Option<RealmName>,
    /// Which of its sessions are over.
    pub(super) ended: Option<Ended>,
    /// Who it is; `None`: no person.
    pub(super) user: Option<User>,
}

/// A person.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct User {
    pub(super) id: UserId,
    /// What they sign in with; `None`: at an outside provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) login: Option<Login>,
    pub(super) roles: Vec<Role>,
    pub(super) disabled: bool,
    pub(super) password: Option<PasswordRecord>,
    /// Whether the password is not enough.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) needs_passkey: bool,
    pub(super) created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Profile::is_empty")]
    pub(super) profile: Profile,
    /// The internal scopes that they may be asked for.
    #[serde(default, skip_serializing_if = "ScopeSet::is_empty")]
    pub(super) internal_scopes: ScopeSet,
    /// Who they are at the outside provider that they sign in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) federated: Option<Federated>,
}

/// What is known of a person besides (OpenID Connect Core section 5.1).
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Profile {
    /// `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `email`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `email_verified`: whether somebody has made sure that it is theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub email_verified: bool,
}

impl Profile {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl User {
    pub(super) fn view(&self) -> UserView {
        UserView {
            id: self.id.clone(),
            login: self.login.clone(),
            roles: self.roles.clone(),
            disabled: self.disabled,
            has_password: self.password.is_some(),
            needs_passkey: self.needs_passkey,
            created_at: self.created_at,
            profile: self.profile.clone(),
            internal_scopes: self.internal_scopes.clone(),
            federated: self.federated.clone(),
        }
    }
}

/// A person, as whoever manages them may see them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct UserView {
    /// `sub`.
    pub id: UserId,
    /// What they sign in with; `None`: at an outside provider.
    #[serde(default)]
    pub login: Option<Login>,
    /// Their roles.
    pub roles: Vec<Role>,
    /// Whether they may not sign in.
    pub disabled: bool,
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether the password is not enough: a passkey has to come with it.
    #[serde(default)]
    pub needs_passkey: bool,
    /// When they were taken in.
    pub created_at: Timestamp,
    /// What is known of them besides.
    #[serde(default)]
    pub profile: Profile,
    /// The internal scopes that they may be asked for.
    #[serde(default)]
    pub internal_scopes: ScopeSet,
    /// Who they are at the outside provider that they sign in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federated: Option<Federated>,
}

impl UserView {
    /// Where mail to them goes: the address that is known of them, or what they sign in with.
    #[must_use]
    pub fn address(&self) -> Option<EmailAddress> {
        let login = self.login.as_ref().map(Login::as_str);
        EmailAddress::typed(self.profile.email.as_deref().or(login)?).ok()
    }

    /// What a page calls them, to themselves: what they sign in with; of an outside provider the address or the name that it told, or what it
    /// calls them.
    #[must_use]
    pub fn shown(&self) -> &str {
        let login = self.login.as_ref().map(Login::as_str);
        let told = || self.profile.email.as_deref().or(self.profile.name.as_deref());
        let subject = || self.federated.as_ref().map(|who| who.subject.as_str());
        login.or_else(told).or_else(subject).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::EndReason;

    #[test]
    fn the_stored_shape_is_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        let at = Timestamp::from_seconds(1);
        let principal = Principal {
            seq: 7,
            realm: Some("test".parse().unwrap()),
            ended: Some(Ended { seq: 5, at, reason: EndReason::Roles }),
            user: Some(User {
                id: "u1".parse().unwrap(),
                login: Some("ada@example.com".parse().unwrap()),
                roles: vec!["owner".parse().unwrap()],
                disabled: false,
                password: None,
                needs_passkey: false,
                created_at: at,
                profile: Profile { name: Some("Ada".to_owned()), email: None, email_verified: true },
                internal_scopes: "ours".parse().unwrap(),
                federated: None,
            }),
        };
        assert_eq!(
            serde_json::to_string(&principal).unwrap(),
            concat!(
                r#"{"seq":7,"realm":"test","ended":{"seq":5,"at":1000,"reason":"roles"},"#,
                r#""user":{"id":"u1","login":"ada@example.com","roles":["owner"],"disabled":false,"password":null,"created_at":1000,"profile":{"name":"Ada","email_verified":true},"internal_scopes":"ours"}}"#
            )
        );
        let who = Federated { issuer: "https://op.example".parse().unwrap(), subject: "s1".parse().unwrap() };
        let user = User {
            login: None,
            federated: Some(who),
            profile: Profile::default(),
            internal_scopes: ScopeSet::default(),
            ..principal.user.unwrap()
        };
        assert_eq!(
            serde_json::to_string(&user).unwrap(),
            concat!(
                r#"{"id":"u1","roles":["owner"],"disabled":false,"password":null,"created_at":1000,"#,
                r#""federated":{"iss":"https://op.example","sub":"s1"}}"#
            )
        );
    }
}
