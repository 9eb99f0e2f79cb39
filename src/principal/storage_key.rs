//! Every storage key and object name, built here and nowhere else. No name may contain the joint `:`
//! ([`crate::id`]), so two keys are the same only if their parts are.

use crate::id::{ClientId, Locator, Login, RealmName, UserId};
use crate::keyring::RingName;

/// KV: the public record of a client.
#[must_use]
pub fn client_key(realm: &RealmName, client: &ClientId) -> String {
    format!("client:{realm}:{client}")
}

/// KV: which tokens of a principal are dead.
#[must_use]
pub fn cutoff_key(realm: &RealmName, locator: Locator) -> String {
    format!("cutoff:{realm}:{locator}")
}

/// KV: where a user is.
#[must_use]
pub fn user_key(realm: &RealmName, user: &UserId) -> String {
    format!("user:{realm}:{user}")
}

/// The name of the object of whoever signs in so. A login may hold `:`, so it comes last.
#[must_use]
pub fn user_name(realm: &RealmName, login: &Login) -> String {
    format!("user:{realm}:{login}")
}

/// KV: the public keys of a keyring.
#[must_use]
pub fn jwks_key(realm: &RingName) -> String {
    format!("jwks:{realm}")
}

/// The name of a keyring's object.
#[must_use]
pub fn keyring_name(realm: &RingName) -> String {
    format!("keyring:{realm}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_pinned() {
        let (realm, client) = ("test".parse().unwrap(), "c1".parse().unwrap());
        assert_eq!(client_key(&realm, &client), "client:test:c1");
        let locator = Locator::from([0; 32]);
        assert_eq!(cutoff_key(&realm, locator), format!("cutoff:test:{locator}"));
        assert_eq!(user_key(&realm, &"u1".parse().unwrap()), "user:test:u1");
        assert_eq!(user_name(&realm, &"a:b/c@d".parse().unwrap()), "user:test:a:b/c@d");
        for ring in ["test", "test/id-tokens"] {
            let name = ring.parse().unwrap();
            assert_eq!(
                (jwks_key(&name), keyring_name(&name)),
                (format!("jwks:{ring}"), format!("keyring:{ring}"))
            );
        }
    }
}
