//! What whoever registers a client may make of it.

use crate::principal::GrantType;
use crate::scope::ScopeSet;

/// What may be asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rights<'a> {
    /// Everything.
    All,
    /// The same for a person's own, which is told of sign-outs where it is reached, as one that registers itself is.
    Own,
    /// These grants and scopes, and nothing that makes a client more than others.
    These {
        /// The grants.
        grant_types: &'a [GrantType],
        /// The scopes.
        scopes: &'a ScopeSet,
    },
}
