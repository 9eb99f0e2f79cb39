//! The platform's rate limits: for each address, and those that routes name.

use worker::Env;

use crate::edge::platform::{PASSWORD_LIMIT, TOKEN_LIMIT, worker_fault};
use crate::error::Fault;
use crate::port::{Limit, Limiter};

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
    async fn admits(&self, limit: Limit<'_>, source: &str) -> Result<bool, Fault> {
        let fault = worker_fault("count requests");
        let (binding, may_lack) = match limit {
            // A route that is limited is not open without its limit.
            Limit::Route(binding) => (binding, false),
            // Each sign-in costs a slow hash: nobody may ask for them without a limit.
            Limit::Password => (PASSWORD_LIMIT, false),
            // Without the binding there is no limit by address; those of the principals hold all the same.
            Limit::Token => (TOKEN_LIMIT, true),
        };
        let limiter = match self.env.rate_limiter(binding) {
            Err(_) if may_lack => return Ok(true),
            limiter => limiter.map_err(&fault)?,
        };
        let outcome = limiter.limit(source.to_owned()).await.map_err(fault)?;
        Ok(outcome.success)
    }
}
