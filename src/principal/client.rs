//! The client record: the copy that KV holds, readable at every edge, with nothing secret in it.

use serde::{Deserialize, Serialize};

use crate::id::{ClientId, Locator, RealmName};
use crate::scope::ScopeSet;

/// A grant that a client may use (RFC 6749, the `grant_types` of RFC 7591 section 2).
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// Section 4.4.
    ClientCredentials,
    /// Section 6: answers carry a refresh token.
    RefreshToken,
}

/// A registered confidential client. Stored as JSON in KV under [`super::client_key`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
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
    /// Where its secrets and sessions are.
    pub locator: Locator,
}

impl Client {
    /// Whether it may use `grant`.
    #[must_use]
    pub fn may(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_shape_is_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        let client = Client {
            client_id: "c1".parse().unwrap(),
            client_name: "Demo".to_owned(),
            realm: "test".parse().unwrap(),
            grant_types: vec![GrantType::ClientCredentials, GrantType::RefreshToken],
            scope: "b a".parse().unwrap(),
            locator: Locator::from([0; 32]),
        };
        assert_eq!(
            serde_json::to_string(&client).unwrap(),
            concat!(
                r#"{"client_id":"c1","client_name":"Demo","realm":"test","#,
                r#""grant_types":["client_credentials","refresh_token"],"scope":"a b","#,
                r#""locator":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#
            )
        );
    }
}
