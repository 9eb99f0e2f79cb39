//! What a route asks of a sign-in, from its document.

use crate::config::Problems;
use crate::config::document::RequireDocument;
use crate::error::SignInNeed;
use crate::grant::SignInMethod;
use crate::policy::StepUp;
use crate::scope::ScopeToken;
use crate::time::Lifetime;

/// The longest `max_age_seconds`: a year.
const LONGEST: u64 = 31_536_000;

/// `ours`: whether only tokens of realms count there.
pub(super) fn step_up(path: &str, require: &RequireDocument, ours: bool, problems: &mut Problems) -> StepUp {
    let names = require.acr.as_deref();
    if names.is_some_and(<[_]>::is_empty) {
        problems
            .add(format_args!("{path}.acr"), "is empty; nothing could ever pass: name one, or leave it out");
    }
    let acr = names.unwrap_or_default();
    for (at, name) in acr.iter().enumerate() {
        // They stand in a challenge, with spaces between them: what fits there is what a scope may be.
        if name.parse::<ScopeToken>().is_err() {
            let mend = "use 1 to 128 printable ASCII characters without space, \" and \\";
            problems.add(format_args!("{path}.acr[{at}]"), format_args!("is no name of a challenge; {mend}"));
        }
    }
    let is_said = |name: &String| SignInMethod::ALL.iter().any(|way| way.acr() == name);
    if ours && !acr.is_empty() && !acr.iter().any(is_said) {
        let [first, ..] = SignInMethod::ALL.map(SignInMethod::acr);
        let mend = "nothing could ever pass: name one of acr_values_supported, such as";
        problems.add(
            format_args!("{path}.acr"),
            format_args!("no realm's token says any of these; {mend} `{first}`"),
        );
    }
    let max_age = require.max_age_seconds.map(|seconds| {
        Lifetime::from_seconds(problems.range(format_args!("{path}.max_age_seconds"), seconds, 1, LONGEST))
    });
    StepUp(SignInNeed { acr: acr.to_vec(), max_age })
}
