//! What a route's tokens have to be bound to, from its document.

use crate::config::Problems;
use crate::config::document::{ProofDocument, RequireDocument};
use crate::policy::{Binding, TokenPlace};

pub(super) fn binding(
    path: &str,
    require: &RequireDocument,
    places: &[TokenPlace],
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
    Some(binding)
}
