//! The versions of the configuration that were put while the deployment runs, at a place of their own.
//!
//! Each is put over the document that the deployment came with (`base`), and counts as long as that is the one deployed: whoever deploys
//! another document has the last word, until somebody puts one again. What a document means is decided before it comes here ([`crate::config`]).
//!
//! KV has what was put last ([`super::config_key`]), for every edge to read.

use serde::{Deserialize, Serialize};

use crate::directory::Actor;
use crate::encoding::Digest;
use crate::error::Fault;
use crate::id::RealmName;
use crate::principal::rows::{Draft, Kind, Rows};
use crate::principal::sessions::SELF;
use crate::principal::{Answer, Refused};
use crate::time::Timestamp;

/// How many versions are kept: the oldest goes when there is one more.
pub const MOST_VERSIONS: usize = 20;

/// How large a document may be, in bytes.
pub const MAX_DOCUMENT: usize = 512 * 1024;

/// How large it may be quoted twice, as it is stored on its way to KV: the platform's storage takes no more.
const MOST_QUOTED: usize = 1_800_000;

/// Whether a document can be stored.
#[must_use]
pub fn fits(document: &str) -> bool {
    let quoted = |byte: u8| match byte {
        b'"' | b'\\' => 4,
        byte if byte.is_ascii_control() => 3,
        _ => 1,
    };
    document.len() <= MAX_DOCUMENT && document.bytes().map(quoted).sum::<usize>() <= MOST_QUOTED
}

/// What is known of one version. A test pins the stored shape.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Version {
    /// Its number: from 1, and never one twice.
    pub number: u64,
    /// When it was put.
    pub at: Timestamp,
    /// Who put it.
    pub by: Actor,
    /// The digest of the document that the deployment had then.
    pub base: Digest,
    /// The digest of the document.
    pub digest: Digest,
}

/// What edges read. A test pins the shape.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Configured {
    /// The version's number.
    pub number: u64,
    /// The digest of the document that the deployment has to have.
    pub base: Digest,
    /// The document.
    pub document: String,
}

/// See [`super::Question::PutConfiguration`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PutConfiguration {
    /// The realm that it is managed from.
    pub realm: RealmName,
    /// The digest of the document that the deployment has.
    pub base: Digest,
    /// The document: one that is good.
    pub document: String,
    /// Who puts it.
    pub by: Actor,
}

impl<R: Rows> Draft<'_, R> {
    /// Every version that is kept, the newest first.
    pub(super) fn versions(&self) -> Result<Vec<Version>, Fault> {
        Ok(self.read(Kind::Versions, SELF)?.unwrap_or_default())
    }

    /// The version that counts where the deployment has this document; `None`: that document does.
    pub(super) fn counting(&self, base: &Digest) -> Result<Option<Version>, Fault> {
        let last = self.versions()?.into_iter().next();
        Ok(last.filter(|last| last.base == *base))
    }

    /// A version, and its document.
    pub(super) fn version(&self, number: u64) -> Result<Result<(Version, String), Refused>, Fault> {
        let known = self.versions()?.into_iter().find(|version| version.number == number);
        let Some(version) = known else { return Ok(Err(Refused::NotFound)) };
        let document = self.read(Kind::Document, &number.to_string())?;
        Ok(document.map(|document| (version, document)).ok_or(Refused::NotFound))
    }

    /// Puts a document in the place of the one that counts. The same one again is no other version.
    pub(super) fn put_configuration(&self, put: &PutConfiguration, now: Timestamp) -> Result<Answer, Fault> {
        let mut principal = self.principal()?;
        if principal.realm.as_ref().is_some_and(|realm| *realm != put.realm) {
            return Ok(Answer::Refused(Refused::NotFound));
        }
        let digest = Digest::of(put.document.as_bytes());
        if let Some(counting) = self.counting(&put.base)?.filter(|counting| counting.digest == digest) {
            // KV may have an older one, where its writes have overtaken each other.
            self.tell_configuration(now)?;
            return Ok(Answer::Version(Box::new(counting), put.document.clone()));
        }
        if principal.realm.is_none() {
            principal.realm = Some(put.realm.clone());
            self.save_principal(&principal)?;
        }
        let mut versions = self.versions()?;
        let number = versions.first().map_or(1, |last| last.number.saturating_add(1));
        for old in versions.drain(versions.len().min(MOST_VERSIONS - 1)..) {
            self.delete(Kind::Document, &old.number.to_string());
        }
        let version = Version { number, at: now, by: put.by.clone(), base: put.base, digest };
        versions.insert(0, version.clone());
        self.write(Kind::Versions, SELF, &versions, None)?;
        self.write(Kind::Document, &number.to_string(), &put.document, None)?;
        self.tell_configuration(now)?;
        Ok(Answer::Version(Box::new(version), put.document.clone()))
    }

    /// What edges are to read: what was put last.
    pub(super) fn configured(&self) -> Result<Option<Configured>, Fault> {
        let Some(last) = self.versions()?.into_iter().next() else { return Ok(None) };
        let version = self.version(last.number)?.ok();
        Ok(version.map(|(Version { number, base, .. }, document)| Configured { number, base, document }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::ActorKind;

    #[test]
    fn the_stored_shapes_are_pinned() {
        // A change here needs a migration, a line in docs/storage.md and a minor version.
        let by = Actor {
            kind: ActorKind::User,
            user: Some("u1".parse().unwrap()),
            login: Some("ada@example.com".parse().unwrap()),
            client_id: Some("c1".parse().unwrap()),
            source: None,
            request_id: None,
        };
        let digest = Digest::of(b"{}");
        let version = Version { number: 7, at: Timestamp::from_millis(1000), by, base: digest, digest };
        assert_eq!(
            serde_json::to_string(&version).unwrap(),
            format!(
                r#"{{"number":7,"at":1000,"by":{{"kind":"user","user":"u1","login":"ada@example.com","client_id":"c1"}},"base":"{digest}","digest":"{digest}"}}"#
            )
        );
        let configured = Configured { number: 7, base: digest, document: "{}".to_owned() };
        assert_eq!(
            serde_json::to_string(&configured).unwrap(),
            format!(r#"{{"number":7,"base":"{digest}","document":"{{}}"}}"#)
        );
    }
}
