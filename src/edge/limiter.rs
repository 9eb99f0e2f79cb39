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
        let limiter = match (limit, self.env.rate_limiter(TOKEN_LIMIT)) {
            // A route that is limited is not open without its limit.
            (Limit::Route(binding), _) => self.env.rate_limiter(binding).map_err(&fault)?,
            // Each sign-in costs a slow hash: nobody may ask for them without a limit.
            (Limit::Password, _) => self.env.rate_limiter(PASSWORD_LIMIT).map_err(&fault)?,
            (Limit::Token, Ok(limiter)) => limiter,
            // Without the binding there is no limit by address; those of the principals hold all the same.
            (Limit::Token, Err(_)) => return Ok(true),
        };
        let outcome = limiter.limit(source.to_owned()).await.map_err(fault)?;
        Ok(outcome.success)
    }
}
