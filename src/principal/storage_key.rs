//! Every storage key and object name, built here and nowhere else. No name may contain the joint `:`
//! ([`crate::id`]), so two keys are the same only if their parts are.

use crate::encoding::{Digest, hex};
use crate::id::{ClientId, Locator, Login, RealmName, UserId};
use crate::keyring::RingName;
use crate::principal::Federated;

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

/// The name of the object of a person of an outside provider. Digested, so that it is short whatever the provider says; no issuer holds a line
/// feed, so two names are the same only if issuer and `sub` are. Nobody's login leads there: those names begin otherwise.
#[must_use]
pub fn federated_name(realm: &RealmName, who: &Federated) -> String {
    format!("federated:{realm}:{}", Digest::of(format!("{}\n{}", who.issuer, who.subject).as_bytes()))
}

/// The name of the object of a client that nobody owns, where its id follows from the request that makes it.
#[must_use]
pub fn client_name(realm: &RealmName, client: &ClientId) -> String {
    format!("client:{realm}:{client}")
}

/// KV: what was put last in the place of the configuration of the deployment, from this realm.
#[must_use]
pub fn config_key(realm: &RealmName) -> String {
    format!("config:{realm}")
}

/// The name of the object that keeps its versions.
#[must_use]
pub fn config_name(realm: &RealmName) -> String {
    format!("config:{realm}")
}

/// The name of a realm's directory.
#[must_use]
pub fn directory_name(realm: &RealmName) -> String {
    format!("directory:{realm}")
}

/// Objects that keep marks of proofs by keys (RFC 9449) whose tokens are no principal's here. An object answers about 1,000 questions a second, so
/// all of them take 256,000 such requests a second, however many keys there are.
pub const KEY_PLACES: usize = 256;

/// The name of the object that keeps the marks of proofs by the key of this thumbprint: its first byte chooses one of [`KEY_PLACES`].
#[must_use]
pub fn proofs_name(key: &Digest) -> String {
    format!("proofs:{}", hex(key.bytes().first_chunk::<1>().map_or(&[], |first| first.as_slice())))
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
        assert_eq!(client_name(&realm, &client), "client:test:c1");
        assert_eq!(
            (config_key(&realm), config_name(&realm)),
            ("config:test".to_owned(), "config:test".to_owned())
        );
        assert_eq!(directory_name(&realm), "directory:test");
        for ring in ["test", "test/id-tokens"] {
            let name = ring.parse().unwrap();
            assert_eq!(
                (jwks_key(&name), keyring_name(&name)),
                (format!("jwks:{ring}"), format!("keyring:{ring}"))
            );
        }
        assert_eq!(proofs_name(&Digest::of(b"abc")), "proofs:ba");
        let who = Federated {
            issuer: "https://op.example".parse().unwrap(),
            subject: "user:test:a".parse().unwrap(),
        };
        let name = "federated:test:wS_TwKGpEJsI-olD1r_5itf8VRFSR4XhhaKGbAzYaxI";
        assert_eq!(federated_name(&realm, &who), name);
    }
}
