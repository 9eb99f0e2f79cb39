//! `Strict-Transport-Security` (RFC 6797): for how long browsers come back over HTTPS only.

use crate::config::Problems;

/// What browsers are told where nothing else is said: for two years, of the host itself.
const STRICT: &str = "max-age=63072000";

/// What the lists that browsers are shipped with ask for at least, in seconds.
const PRELOAD: u64 = 31_536_000;

/// One spelling of each value, so that nothing of it is read otherwise by anybody.
pub(super) fn strict_transport(said: Option<&str>, problems: &mut Problems) -> String {
    let said = said.unwrap_or(STRICT);
    let mut parts = said.split("; ");
    let age = parts.next().and_then(|age| age.strip_prefix("max-age=")?.parse::<u64>().ok());
    let age = age.filter(|age| *age <= 63_072_000 && said.starts_with(&format!("max-age={age}")));
    let fits = match (age, parts.next(), parts.next(), parts.next()) {
        (Some(_), None | Some("includeSubDomains"), None, None) => true,
        (Some(age), Some("includeSubDomains"), Some("preload"), None) => age >= PRELOAD,
        _ => false,
    };
    if !fits {
        problems.add(
            "strict_transport_security",
            "is not understood; use `max-age=N` with at most 63072000 seconds, with `; includeSubDomains` where hosts below are meant, and behind that `; preload` with at least a year",
        );
    }
    said.to_owned()
}
