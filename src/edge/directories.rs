//! The realms' directories, as the edge and the principals reach them.

use worker::Env;

use crate::directory::{Answer, Question};
use crate::edge::object;
use crate::edge::platform::{DIRECTORY, worker_fault};
use crate::error::Fault;
use crate::id::RealmName;
use crate::port::Directory;
use crate::principal::directory_name;

pub(super) struct ObjectDirectories {
    env: Env,
}

impl ObjectDirectories {
    pub(super) const fn new(env: Env) -> Self {
        Self { env }
    }
}

impl Directory for ObjectDirectories {
    async fn ask(&self, realm: &RealmName, question: &Question) -> Result<Answer, Fault> {
        const OP: &str = "ask directory";
        let namespace = self.env.durable_object(DIRECTORY).map_err(worker_fault(OP))?;
        let id = namespace.id_from_name(&directory_name(realm)).map_err(worker_fault(OP))?;
        object::ask(OP, &id, question).await
    }
}
