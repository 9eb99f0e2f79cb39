//! The platform's rate limit for each address.

use worker::Env;

use crate::edge::platform::{LIMIT, worker_fault};
use crate::error::Fault;
use crate::port::Limiter;

/// The binding, where the deployment has one.
pub(super) struct PlatformLimiter {
    env: Env,
}

impl PlatformLimiter {
    pub(super) const fn new(env: Env) -> Self {
        Self { env }
    }
}

impl Limiter for PlatformLimiter {
    async fn admits(&self, source: &str) -> Result<bool, Fault> {
        // Without the binding there is no limit by address; those of the principals hold all the same.
        let Ok(limiter) = self.env.rate_limiter(LIMIT) else { return Ok(true) };
        let outcome = limiter.limit(source.to_owned()).await.map_err(worker_fault("count requests"))?;
        Ok(outcome.success)
    }
}
