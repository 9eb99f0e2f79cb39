//! How often one caller may call a route.

use crate::error::{Denied, Error};
use crate::policy::{RateLimit, Route};
use crate::port::{Limit, Limiter, Ports};

/// Counts a call of `who`. The counter's key names the route: two routes may share a binding, and do not share what it counts.
///
/// # Errors
/// [`Denied::ExceedRate`]; a fault where the counter does not answer, or is not there.
pub(super) async fn admit<P: Ports>(
    ports: &P,
    route: &Route,
    limit: &RateLimit,
    who: &str,
) -> Result<(), Error> {
    ports.may_wait().await;
    let source = format!("{} {who}", route.id);
    if ports.limiter().admits(Limit::Route(&limit.binding), &source).await? {
        return Ok(());
    }
    Err(Denied::ExceedRate(limit.period_seconds).into())
}
