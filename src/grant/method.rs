//! How a person has signed in, and what ID tokens call it.

use serde::{Deserialize, Serialize};

/// What a person has proved themselves by.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    /// An outside provider has named them.
    Federated,
    /// A passkey, which has made sure that it is them: what they have, and what they know or are.
    Passkey,
    /// The password.
    #[default]
    Password,
    /// The password, and a passkey after it.
    PasswordAndPasskey,
}

impl SignInMethod {
    /// Every method there is.
    pub const ALL: [Self; 4] = [Self::Password, Self::Federated, Self::Passkey, Self::PasswordAndPasskey];

    /// `acr`: no level of any register, so names of our own.
    #[must_use]
    pub const fn acr(self) -> &'static str {
        match self {
            Self::Federated => "urn:tollgate:acr:federated",
            Self::Passkey | Self::PasswordAndPasskey => "urn:tollgate:acr:passkey",
            Self::Password => "urn:tollgate:acr:password",
        }
    }

    /// Whether it is called by one of these names; `None`: any will do.
    #[must_use]
    pub fn is_among(self, acr: Option<&str>) -> bool {
        acr.is_none_or(|names| names.split(' ').any(|name| name == self.acr()))
    }

    /// `amr` (RFC 8176 section 2); `None`: how somebody else made sure, they know.
    #[must_use]
    pub const fn amr(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Federated => None,
            Self::Passkey => Some(&["pop", "mfa"]),
            Self::Password => Some(&["pwd"]),
            Self::PasswordAndPasskey => Some(&["pwd", "pop", "mfa"]),
        }
    }

    /// Whether a passkey was used.
    pub(crate) const fn has_passkey(self) -> bool {
        matches!(self, Self::Passkey | Self::PasswordAndPasskey)
    }

    /// Whether it goes without saying.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}
