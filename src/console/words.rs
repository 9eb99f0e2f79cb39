//! What the API says, as people read it: members of a document, instants, counts.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

/// A member that is a text; empty: there is none.
#[inline(never)]
pub(super) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A member that is a number.
#[inline(never)]
pub(super) fn number(value: &Value, name: &str) -> Option<u64> {
    value.get(name).and_then(Value::as_u64)
}

/// A member that is a list; empty: there is none.
#[inline(never)]
pub(super) fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A member that is a list of texts.
#[inline(never)]
pub(super) fn texts<'v>(value: &'v Value, name: &str) -> Vec<&'v str> {
    list(value, name).iter().filter_map(Value::as_str).collect()
}

/// Whether a member is true.
#[inline(never)]
pub(super) fn is_so(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// The words of a text, each once.
#[inline(never)]
pub(super) fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// `Thu, 26 Nov 2026 22:00:00 GMT` (RFC 9110 section 5.6.7).
fn http_date(seconds: u64) -> String {
    // What lies after the year 9999 is no instant of ours.
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds.min(253_402_300_799)));
    time.map(httpdate::fmt_http_date).unwrap_or_default()
}

/// An instant: `26 Nov 2026, 22:00 UTC`; a dash where there is none.
#[inline(never)]
pub(super) fn moment(seconds: Option<u64>) -> String {
    let Some(seconds) = seconds else { return "–".to_owned() };
    let date = http_date(seconds);
    format!("{}, {} UTC", date.get(5..16).unwrap_or_default(), date.get(17..22).unwrap_or_default())
}

/// A day in UTC as forms have it: `2026-11-26`.
pub(super) fn form_day(seconds: u64) -> String {
    let date = http_date(seconds);
    let month = MONTHS.iter().position(|name| Some(*name) == date.get(8..11)).unwrap_or_default();
    let part = |at| date.get(at).unwrap_or_default();
    format!("{}-{:02}-{}", part(12..16), month.saturating_add(1), part(5..7))
}

/// The first second of a day that a form has.
pub(super) fn of_form_day(text: &str) -> Option<u64> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    // Only the right day of the week is taken.
    let date = |weekday: &&str| {
        httpdate::parse_http_date(&format!("{weekday}, {day} {month} {year} 00:00:00 GMT")).ok()
    };
    let time = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].iter().find_map(date)?;
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    // No 31st of February.
    (form_day(seconds) == text).then_some(seconds)
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `1 session`, `2 sessions`.
#[inline(never)]
pub(super) fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A query of what has been said.
#[inline(never)]
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let said = pairs.iter().filter(|(_, value)| !value.is_empty());
    form_urlencoded::Serializer::new(String::new()).extend_pairs(said).finish()
}

/// A name in a path.
#[inline(never)]
pub(super) fn segment(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_days_and_moments() {
        assert_eq!(moment(Some(1_800_000_000)), "15 Jan 2027, 08:00 UTC");
        assert_eq!(form_day(1_800_000_000), "2027-01-15");
        assert_eq!(of_form_day("2027-01-15"), Some(1_799_971_200));
        assert_eq!(of_form_day("2028-02-29").map(form_day).as_deref(), Some("2028-02-29"));
        for bad in ["", "2027-13-01", "2027-02-31", "15.01.2027", "2027-1-15", "2027-01-15\r\n"] {
            assert_eq!(of_form_day(bad), None, "{bad}");
        }
    }
}
