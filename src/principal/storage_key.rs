//! Every storage key and object name, built here and nowhere else. No name may contain the joint `:`
//! ([`crate::id`]), so two keys are the same only if their parts are.

use crate::id::{ClientId, RealmName};

/// KV: the public record of a client.
#[must_use]
pub fn client_key(realm: &RealmName, client: &ClientId) -> String {
    format!("client:{realm}:{client}")
}

/// KV: the public keys of a realm.
#[must_use]
pub fn jwks_key(realm: &RealmName) -> String {
    format!("jwks:{realm}")
}

/// The name of a realm's keyring object.
#[must_use]
pub fn keyring_name(realm: &RealmName) -> String {
    format!("keyring:{realm}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_pinned() {
        let (realm, client) = ("test".parse().unwrap(), "c1".parse().unwrap());
        assert_eq!(client_key(&realm, &client), "client:test:c1");
        assert_eq!(jwks_key(&realm), "jwks:test");
        assert_eq!(keyring_name(&realm), "keyring:test");
    }
}
