//! The principals, as the edge reaches them.

use worker::Env;

use crate::edge::object;
use crate::edge::platform::{PRINCIPAL, worker_fault};
use crate::encoding::Digest;
use crate::error::Fault;
use crate::id::{ClientId, Locator, Login, RealmName};
use crate::port::Principals;
use crate::principal::{
    Answer, Federated, Question, Refused, client_name, config_name, federated_name, proofs_name, user_name,
};

pub(super) struct ObjectPrincipals {
    env: Env,
}

impl ObjectPrincipals {
    pub(super) const fn new(env: Env) -> Self {
        Self { env }
    }

    fn named(&self, name: &str) -> Result<Locator, Fault> {
        const OP: &str = "place principal";
        let namespace = self.env.durable_object(PRINCIPAL).map_err(worker_fault(OP))?;
        let id = namespace.id_from_name(name).map_err(worker_fault(OP))?.to_string();
        Locator::from_hex(&id).map_err(|_| Fault::new(OP, "the platform's id is not 64 hexadecimal digits"))
    }
}

impl Principals for ObjectPrincipals {
    fn create(&self) -> Result<Locator, Fault> {
        const OP: &str = "place principal";
        let namespace = self.env.durable_object(PRINCIPAL).map_err(worker_fault(OP))?;
        let id = namespace.unique_id().map_err(worker_fault(OP))?.to_string();
        Locator::from_hex(&id).map_err(|_| Fault::new(OP, "the platform's id is not 64 hexadecimal digits"))
    }

    fn place_of(&self, realm: &RealmName, login: &Login) -> Result<Locator, Fault> {
        self.named(&user_name(realm, login))
    }

    fn place_of_client(&self, realm: &RealmName, client: &ClientId) -> Result<Locator, Fault> {
        self.named(&client_name(realm, client))
    }

    fn place_of_federated(&self, realm: &RealmName, who: &Federated) -> Result<Locator, Fault> {
        self.named(&federated_name(realm, who))
    }

    fn place_of_configuration(&self, realm: &RealmName) -> Result<Locator, Fault> {
        self.named(&config_name(realm))
    }

    fn place_of_key(&self, key: &Digest) -> Result<Locator, Fault> {
        self.named(&proofs_name(key))
    }

    async fn ask(&self, locator: Locator, question: &Question) -> Result<Answer, Fault> {
        const OP: &str = "ask principal";
        let namespace = self.env.durable_object(PRINCIPAL).map_err(worker_fault(OP))?;
        // Whoever makes up a token makes up a locator: the platform knows its own.
        let Ok(id) = namespace.id_from_string(&locator.to_hex()) else {
            return Ok(Answer::Refused(Refused::NotFound));
        };
        object::ask(OP, &id, question).await
    }
}
