//! How long an answer may be used without asking again (RFC 9111 section 4.2), within our own bounds.

use crate::time::Lifetime;

/// Whoever says nothing, and whoever says something unreadable.
const DEFAULT: u64 = 300;

/// Less would make every request ask.
const LEAST: u64 = 60;

/// More would keep a removed key alive for days.
const MOST: u64 = 86_400;

/// The longest freshness that anything may claim.
pub const LONGEST_FRESHNESS: Lifetime = Lifetime::from_seconds(MOST);

/// The freshness of an answer with these `Cache-Control` and `Age` headers: 60 s to 24 h, 5 min where nothing is
/// said. `no-store` and `no-cache` are the shortest.
#[must_use]
pub fn freshness(cache_control: Option<&str>, age: Option<&str>) -> Lifetime {
    let directives = || cache_control.unwrap_or_default().split(',').map(str::trim);
    let is_named =
        |name: &str| directives().any(|d| d.split('=').next().unwrap_or(d).trim().eq_ignore_ascii_case(name));
    if is_named("no-store") || is_named("no-cache") {
        return Lifetime::from_seconds(LEAST);
    }
    let max_age = directives().find_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("max-age").then(|| value.parse::<u64>().ok())?
    });
    let age = age.and_then(|age| age.trim().parse::<u64>().ok()).unwrap_or(0);
    let seconds = max_age.map_or(DEFAULT, |max_age| max_age.saturating_sub(age));
    Lifetime::from_seconds(seconds.clamp(LEAST, MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9111_section_5_2_2_1_max_age_within_bounds() {
        for (cache_control, age, seconds) in [
            (None, None, 300),
            (Some(""), None, 300),
            (Some("public, max-age=600"), None, 600),
            (Some("Max-Age=\"600\""), None, 600),
            (Some("max-age=600"), Some("100"), 500),
            (Some("max-age=600"), Some("9999"), 60),
            (Some("max-age=0"), None, 60),
            (Some("max-age=99999999"), None, 86_400),
            (Some("max-age=-1"), None, 300),
            (Some("max-age=99999999999999999999999"), None, 300),
            (Some("s-maxage=9000"), None, 300),
            (Some("max-age=9000, no-cache"), None, 60),
            (Some("no-store"), None, 60),
            (Some("no-cache=\"x\", max-age=9000"), None, 60),
        ] {
            assert_eq!(freshness(cache_control, age).as_seconds(), seconds, "{cache_control:?} {age:?}");
        }
    }
}
