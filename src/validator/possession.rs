//! Proofs of possession (RFC 9449), as far as they need a key, a secret or a store.
//!
//! A proof counts once, exactly, wherever it is presented: its mark is kept by the principal whose token or grant it comes with, in the
//! very step that answers the question about that. Where no principal is asked, because the token is somebody else's, the mark is
//! kept at the place of its key ([`Principals::place_of_key`]).

use crate::config::Realm;
use crate::dpop::{About, Mark, Proof, Proved, is_nonce, nonce};
use crate::error::{Denied, Error, Fault};
use crate::id::Locator;
use crate::port::{Ports, Principals, Vault, Verifier};
use crate::principal::{Answer, Question, Refused};
use crate::secret::Secret;
use crate::time::Timestamp;

/// Checks a proof: what it says of the request, then its signature by the key that it names. Does **not** check its nonce, nor whether it
/// was used before.
///
/// # Errors
/// [`Denied::RejectProof`]; a fault when the platform cannot check signatures.
pub(crate) async fn prove<P: Ports>(
    ports: &P,
    text: &str,
    about: &About<'_>,
    now: Timestamp,
) -> Result<Proved, Error> {
    let proof = Proof::parse(text)?;
    let proved = proof.check(about, now)?;
    ports.may_wait().await;
    let (input, signature) = (proof.jws().signing_input().as_bytes(), proof.jws().signature());
    if !ports.verifier().verify(proof.key(), proof.algorithm(), input, signature).await? {
        return Err(Denied::RejectProof("signature").into());
    }
    Ok(proved)
}

/// Checks the nonce of a proof, where the realm wants one.
///
/// # Errors
/// [`Denied::LackNonce`]; a fault when the deployment has no secret.
pub(crate) fn check_nonce<P: Ports>(
    ports: &P,
    realm: &Realm,
    proved: &Proved,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(fresh) = fresh_nonce(ports, realm, now)? else { return Ok(()) };
    let key = secret(ports)?;
    let counts = proved.nonce.as_deref().is_some_and(|given| is_nonce(given, &key, &realm.name, now));
    if counts { Ok(()) } else { Err(Denied::LackNonce(fresh).into()) }
}

/// The nonce that a client is to use from now on, where the realm wants one.
///
/// # Errors
/// The deployment has no secret.
pub(crate) fn fresh_nonce<P: Ports>(
    ports: &P,
    realm: &Realm,
    now: Timestamp,
) -> Result<Option<String>, Fault> {
    if !realm.dpop_nonce {
        return Ok(None);
    }
    Ok(Some(nonce(&secret(ports)?, &realm.name, now)))
}

fn secret<P: Ports>(ports: &P) -> Result<Secret, Fault> {
    let secret = ports.vault().secret("TOLLGATE_KEK");
    secret.ok_or_else(|| Fault::new("read TOLLGATE_KEK", "the secret is not set"))
}

/// Asks a principal, in the step that keeps the mark of a proof where one comes with the question. One that was used before is
/// [`Refused::Replayed`].
///
/// # Errors
/// Whether it happened is unknown.
pub(crate) async fn ask_once<P: Ports>(
    ports: &P,
    locator: Locator,
    proof: Option<Mark>,
    question: Question,
) -> Result<Answer, Fault> {
    let question = match proof {
        Some(proof) => Question::Once { proof, question: Some(Box::new(question)) },
        None => question,
    };
    ports.principals().ask(locator, &question).await
}

/// Keeps the mark of a proof, and nothing else.
///
/// # Errors
/// [`Denied::RejectProof`] where it was used before; a fault when nobody knows.
pub(crate) async fn use_once<P: Ports>(ports: &P, locator: Locator, proof: Mark) -> Result<(), Error> {
    match ports.principals().ask(locator, &Question::Once { proof, question: None }).await? {
        Answer::Done => Ok(()),
        Answer::Refused(Refused::Replayed) => Err(Denied::RejectProof("jti").into()),
        _ => Err(Answer::unexpected("use proof").into()),
    }
}
