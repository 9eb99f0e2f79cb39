//! What a route's tokens have to be bound to, from its document.

use crate::config::Problems;
use crate::config::document::{ProofDocument, RequireDocument};
use crate::policy::{Binding, TokenPlace};

/// `ours`: only tokens of our own realms count there.
pub(super) fn binding(
    path: &str,
    require: &RequireDocument,
    places: &[TokenPlace],
    ours: bool,
    problems: &mut Problems,
) -> Option<Binding> {
    let binding = match require.proof? {
        ProofDocument::Any => Binding::Any,
        ProofDocument::Dpop => Binding::Key,
        ProofDocument::Mtls => Binding::Certificate,
    };
    // RFC 9449 section 7.1: a proof comes with the token in `Authorization`.
    if binding == Binding::Key && !places.contains(&TokenPlace::Authorization) {
        problems.add(
            format_args!("{path}.proof"),
            "a token with a proof stands in the header; add `header` to `token_in`",
        );
    }
    if binding == Binding::Certificate && ours {
        problems.add(
            format_args!("{path}.proof"),
            "realms bind their tokens to keys, so nobody could pass; write `dpop`, or accept an issuer that binds to certificates",
        );
    }
    Some(binding)
}
