//! One principal's rows in maps. The decision is [`tollgate::principal::step`], as on the edge.

use std::cell::RefCell;
use std::collections::BTreeMap;

use tollgate::encoding::Digest;
use tollgate::error::Fault;
use tollgate::id::ClientId;
use tollgate::principal::{Client, Rows};
use tollgate::session::Session;
use tollgate::time::Timestamp;

#[derive(Debug, Default)]
pub(crate) struct Memory {
    secrets: RefCell<Vec<(ClientId, Digest)>>,
    sessions: RefCell<BTreeMap<String, Session>>,
}

impl Rows for Memory {
    fn insert_client(&self, client: &Client, secret: &Digest, _now: Timestamp) -> Result<(), Fault> {
        self.secrets.borrow_mut().push((client.client_id.clone(), *secret));
        Ok(())
    }

    fn secrets(&self, client: &ClientId) -> Result<Vec<Digest>, Fault> {
        Ok(self
            .secrets
            .borrow()
            .iter()
            .filter(|(owner, _)| owner == client)
            .map(|(_, digest)| *digest)
            .collect())
    }

    fn insert_session(
        &self,
        local: &str,
        _client: &ClientId,
        session: &Session,
        _refresh: Option<&Digest>,
        _clear_at: Timestamp,
    ) -> Result<(), Fault> {
        self.sessions.borrow_mut().insert(local.to_owned(), *session);
        Ok(())
    }

    fn session(&self, local: &str) -> Result<Option<Session>, Fault> {
        Ok(self.sessions.borrow().get(local).copied())
    }

    fn save_session(&self, local: &str, session: &Session) -> Result<(), Fault> {
        self.sessions.borrow_mut().insert(local.to_owned(), *session);
        Ok(())
    }
}
