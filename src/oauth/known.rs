//! Client records, as one isolate remembers them: where a client is, and which keys are its own.
//!
//! The copy in KV is up to 60 s late anyhow, and everything that counts is decided by the client's principal. So remembering a
//! record for [`KEPT`] makes nothing wrong, and saves a read for each token request.

use std::collections::BTreeMap;

use crate::error::Fault;
use crate::id::{ClientId, RealmName};
use crate::port::{Clients, Ports};
use crate::principal::Client;
use crate::time::{Lifetime, Timestamp};

/// How long a record is remembered.
const KEPT: Lifetime = Lifetime::from_seconds(30);

/// How long not even a proof that does not fit makes KV be read again.
const AGAIN: Lifetime = Lifetime::from_seconds(5);

/// Records that one isolate remembers; one has about 300 bytes, and some kilobytes where it has keys.
const CAPACITY: usize = 1_000;

/// What an isolate remembers of clients. What is not there is not remembered: it may come.
#[derive(Debug, Default)]
pub struct KnownClients(BTreeMap<(RealmName, ClientId), (Timestamp, Client)>);

impl KnownClients {
    /// Nothing remembered.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    fn find(&self, realm: &RealmName, id: &ClientId, now: Timestamp) -> Option<(Timestamp, Client)> {
        let (read_at, client) = self.0.get(&(realm.clone(), id.clone()))?;
        now.is_within(KEPT, *read_at).then(|| (*read_at, client.clone()))
    }

    /// The record has changed.
    pub(super) fn forget(&mut self, client: &Client) {
        self.0.remove(&(client.realm.clone(), client.client_id.clone()));
    }

    fn put(&mut self, client: &Client, now: Timestamp) {
        if self.0.len() >= CAPACITY {
            self.0.retain(|_, (read_at, _)| now.is_within(KEPT, *read_at));
            if self.0.len() >= CAPACITY {
                // Forgetting costs a read, never a wrong answer.
                self.0.clear();
            }
        }
        self.0.insert((client.realm.clone(), client.client_id.clone()), (now, client.clone()));
    }
}

/// The record of a client, as far as this isolate remembers one.
pub(crate) fn remembered<P: Ports>(
    ports: &P,
    realm: &RealmName,
    id: &ClientId,
    now: Timestamp,
) -> Option<Client> {
    ports.isolate().clients.borrow().find(realm, id, now).map(|(_, client)| client)
}

/// The record is this one from now on.
pub(crate) fn remember<P: Ports>(ports: &P, client: &Client, now: Timestamp) {
    ports.isolate().clients.borrow_mut().put(client, now);
}

/// The record of a client, if there is one, and when it was read.
pub(super) async fn client<P: Ports>(
    ports: &P,
    realm: &RealmName,
    id: &ClientId,
    now: Timestamp,
) -> Result<Option<(Timestamp, Client)>, Fault> {
    let known = ports.isolate().clients.borrow().find(realm, id, now);
    if known.is_some() {
        return Ok(known);
    }
    Ok(read(ports, realm, id, now).await?.map(|client| (now, client)))
}

/// The record of a client, if there is one, for whoever does not care how old it is.
pub(crate) async fn known_client<P: Ports>(
    ports: &P,
    realm: &RealmName,
    id: &ClientId,
    now: Timestamp,
) -> Result<Option<Client>, Fault> {
    Ok(client(ports, realm, id, now).await?.map(|(_, client)| client))
}

/// The record as KV has it now, where the one that was read at `read_at` does not fit what is presented. Not each wrong proof is
/// worth a read: the copy in KV is older than [`AGAIN`] anyhow.
pub(super) async fn newer<P: Ports>(
    ports: &P,
    (read_at, client): (Timestamp, &Client),
    now: Timestamp,
) -> Result<Option<Client>, Fault> {
    if now.is_within(AGAIN, read_at) {
        return Ok(None);
    }
    Ok(read(ports, &client.realm, &client.client_id, now).await?.filter(|read| read != client))
}

/// The record as KV has it now.
async fn read<P: Ports>(
    ports: &P,
    realm: &RealmName,
    id: &ClientId,
    now: Timestamp,
) -> Result<Option<Client>, Fault> {
    let read = ports.clients().find(realm, id).await?;
    if let Some(client) = &read {
        ports.isolate().clients.borrow_mut().put(client, now);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(n: usize) -> Client {
        Client { client_id: format!("c{n}").parse().unwrap(), ..Client::sample() }
    }

    #[test]
    fn memory_is_bounded_and_short() {
        let (mut known, at) = (KnownClients::new(), Timestamp::from_seconds);
        for n in 0..2_500 {
            known.put(&client(n), at(100));
            assert!(known.0.len() <= CAPACITY);
        }
        let (realm, id) = ("test".parse().unwrap(), "c2499".parse().unwrap());
        assert!(known.find(&realm, &id, at(130)).is_some());
        assert!(known.find(&realm, &id, at(131)).is_none());
        assert!(known.find(&"other".parse().unwrap(), &id, at(100)).is_none(), "a client of another realm");
    }
}
