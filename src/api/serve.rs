//! The one way through the API: who asks, whether they may, and what becomes of it.

use crate::encoding::Digest;
use crate::http::{Answer, Head};
use crate::oauth::{Stop, refusal};
use crate::port::{Body, Ports};
use crate::principal::MAX_DOCUMENT;

use super::guard::{Caller, Context};
use super::operation::Operation;
use super::request::Request;

/// The description of the API, but for where it is.
const DESCRIPTION: &str = include_str!("../../docs/openapi.json");

/// Answers a request. `bootstrap` is the digest of the deployment's first secret.
///
/// # Errors
/// An answer that is none of what was asked for, or trouble of ours.
pub async fn answer<P: Ports>(
    context: &Context<'_, P>,
    (operation, id): (Operation, &str),
    bootstrap: Option<Digest>,
    head: &Head<'_>,
    body: &mut impl Body,
) -> Result<Answer, Stop> {
    if operation == Operation::Describe {
        return Ok(describe(context));
    }
    if operation == Operation::Bootstrap {
        let request = Request::of(operation, id, head, bytes(operation, head, body).await?);
        return context.bootstrap(bootstrap, head, &request).await;
    }
    // A stranger is told nothing but that, and nothing of theirs is held.
    let caller = context.caller(head).await?;
    let authorization = head.headers.get("authorization");
    context.admit(&caller, operation).map_err(|denied| refusal(authorization.as_deref())(&denied))?;
    if operation.most() == MAX_DOCUMENT {
        context.managed_here()?;
    }
    let request = Request::of(operation, id, head, bytes(operation, head, body).await?);
    done(context, &caller, &request).await
}

async fn bytes(operation: Operation, head: &Head<'_>, body: &mut impl Body) -> Result<Vec<u8>, Stop> {
    if !head.has_body {
        return Ok(Vec::new());
    }
    let most =
        if operation.most() == MAX_DOCUMENT { "Send at most 512 KiB." } else { "Send at most 32 KiB." };
    let too_large = || Answer::problem(413, "Content Too Large", most);
    Ok(body.read(operation.most()).await?.ok_or_else(too_large)?)
}

/// Answers a request of somebody whose token was had otherwise: a page of the console.
///
/// # Errors
/// An answer that is none of what was asked for, or trouble of ours.
pub async fn serve<P: Ports>(
    context: &Context<'_, P>,
    caller: &Caller,
    request: &Request<'_>,
) -> Result<Answer, Stop> {
    context.admit(caller, request.operation).map_err(|denied| refusal(None)(&denied))?;
    done(context, caller, request).await
}

async fn done<P: Ports>(
    context: &Context<'_, P>,
    caller: &Caller,
    request: &Request<'_>,
) -> Result<Answer, Stop> {
    match request.operation {
        Operation::Bootstrap | Operation::Describe => Ok(describe(context)),
        Operation::ReadMe => context.me(caller),
        Operation::ListRoles => context.roles(),
        Operation::ListCredentials
        | Operation::CreateCredential
        | Operation::ReadCredential
        | Operation::ChangeCredential
        | Operation::DeleteCredential
        | Operation::RenewCredential => context.credentials(caller, request).await,
        Operation::ListClients
        | Operation::CreateClient
        | Operation::ReadClient
        | Operation::ChangeClient
        | Operation::DeleteClient
        | Operation::RenewClient
        | Operation::ApproveClient => context.clients(caller, request).await,
        Operation::ListUsers
        | Operation::CreateUser
        | Operation::ReadUser
        | Operation::ChangeUser
        | Operation::DeleteUser
        | Operation::InviteUser
        | Operation::SignOutUser => context.users(caller, request).await,
        Operation::ListSessions | Operation::EndSession => context.sessions(caller, request).await,
        Operation::ListKeys | Operation::RotateKey | Operation::PromoteKey => {
            context.keys(caller, request).await
        }
        Operation::ReadConfiguration
        | Operation::PutConfiguration
        | Operation::ValidateConfiguration
        | Operation::ListVersions
        | Operation::ReadVersion
        | Operation::RestoreVersion => context.configuration(caller, request).await,
        Operation::ListEvents => context.audit(caller, request).await,
    }
}

/// What is the same for everybody may be stored.
fn describe<P: Ports>(context: &Context<'_, P>) -> Answer {
    let issuer = context.realm.issuer.as_str();
    let body = DESCRIPTION.replace("https://gate.example.com/test", issuer);
    Answer { body, ..Answer::empty(200) }
        .with("Content-Type", "application/json")
        .with("Cache-Control", "public, max-age=300")
}
