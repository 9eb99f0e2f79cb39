//! How often one caller may call a route.

use crate::check::Check;
use crate::error::{Denied, Error};
use crate::gateway::Target;
use crate::http::source;
use crate::policy::{LimitBy, RateLimit, Route};
use crate::port::{Limit, Limiter, Ports};
use crate::validator::Permitted;

/// Counts a call of whoever has this address, where the route's limit is by address: before anything of the request is looked at.
///
/// # Errors
/// As [`admit`].
pub(super) async fn of_address<P: Ports>(ports: &P, route: &Route, target: &Target<'_>) -> Result<(), Error> {
    match &route.limit {
        Some(limit) if limit.by == LimitBy::Address => {
            let from = target.headers.map_or_else(String::new, source);
            admit(ports, route, limit, &from).await
        }
        _ => Ok(()),
    }
}

/// Counts a call of whoever this token speaks for, where the route's limit is by subject or client: of what would pass otherwise, and before its session is
/// asked about. Whoever calls too often has not used it, nor asked its principal.
///
/// # Errors
/// As [`admit`].
pub(super) async fn of_caller<P: Ports>(
    ports: &P,
    route: &Route,
    permitted: &Permitted,
) -> Result<(), Error> {
    let Some(limit) = &route.limit else { return Ok(()) };
    let token = permitted.token();
    let who = match limit.by {
        LimitBy::Address => return Ok(()),
        LimitBy::Client => token.client().unwrap_or(token.subject()),
        LimitBy::Subject => token.subject(),
    };
    // Whoever has somebody else's token keeps them from calling no longer than it takes to end it.
    permitted.check_known_end(ports)?;
    ports.begin(&[Check::Rate]);
    admit(ports, route, limit, &format!("{} {who}", token.issuer())).await
}

/// Counts a call of `who`. The counter's key names the route: two routes may share a binding, and do not share what it counts.
///
/// # Errors
/// [`Denied::ExceedRate`]; a fault where the counter does not answer, or is not there.
async fn admit<P: Ports>(ports: &P, route: &Route, limit: &RateLimit, who: &str) -> Result<(), Error> {
    let source = format!("{} {who}", route.id);
    if ports.limiter().admits(Limit::Route(&limit.binding), &source).await? {
        return Ok(());
    }
    Err(Denied::ExceedRate(limit.period_seconds).into())
}
