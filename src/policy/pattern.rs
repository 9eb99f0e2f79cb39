//! Path patterns: literal segments, `{name}` for one segment, one trailing `*` for what is left.

use std::fmt;
use std::str::FromStr;

use crate::id::Malformed;
use crate::uri::RequestPath;

/// A pattern over normalised paths. `{name}` matches one non-empty segment, a trailing `*` one or more
/// characters. Text that matches is exactly what is forwarded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathPattern {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Segment {
    Any,
    Literal(String),
    Rest,
}

impl PathPattern {
    /// Its first segments, and anything in the place of what follows: whatever overlaps with it overlaps with these.
    pub(super) fn beginning(&self) -> Vec<Segment> {
        const DEPTH: usize = 16;
        let mut first: Vec<_> = self.segments.iter().take(DEPTH).cloned().collect();
        if self.segments.len() > DEPTH {
            first.push(Segment::Rest);
        }
        first
    }

    /// Whether some path matches both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let (mut ours, mut theirs) = (self.segments.iter(), other.segments.iter());
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return true,
                // `*` needs at least one more character: a trailing empty segment has none.
                (Some(Segment::Rest), Some(other)) | (Some(other), Some(Segment::Rest)) => {
                    return !matches!(other, Segment::Literal(text) if text.is_empty());
                }
                (Some(Segment::Literal(a)), Some(Segment::Literal(b))) if a != b => return false,
                (Some(Segment::Any), Some(Segment::Literal(text)))
                | (Some(Segment::Literal(text)), Some(Segment::Any))
                    if text.is_empty() =>
                {
                    return false;
                }
                (Some(_), Some(_)) => {}
                (None, Some(_)) | (Some(_), None) => return false,
            }
        }
    }

    /// The first segment where it is a literal: what a realm's name may collide with.
    #[must_use]
    pub fn first_literal(&self) -> Option<&str> {
        match self.segments.first() {
            Some(Segment::Literal(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether everything that matches begins with this path, as whole segments.
    #[must_use]
    pub fn begins_with(&self, path: &RequestPath) -> bool {
        let mut ours = self.segments.iter();
        let mut theirs = path.as_str().split('/').skip(1);
        theirs.all(|text| {
            !text.is_empty() && matches!(ours.next(), Some(Segment::Literal(ours)) if ours == text)
        })
    }

    /// The pattern in the matcher's spelling. Parameters are named by position, so that two routes may call
    /// the same place differently.
    pub(super) fn as_matchit(&self) -> String {
        let mut out = String::new();
        for (at, segment) in self.segments.iter().enumerate() {
            out.push('/');
            match segment {
                Segment::Any => {
                    out.push_str("{p");
                    out.push_str(&at.to_string());
                    out.push('}');
                }
                Segment::Literal(text) => out.push_str(text),
                Segment::Rest => out.push_str("{*rest}"),
            }
        }
        out
    }
}

impl FromStr for PathPattern {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const RULE: Malformed = Malformed::new(
            "path pattern",
            "start with `/`; each segment is literal text in normal form, `{name}`, or a last `*`",
        );
        let rest = text.strip_prefix('/').ok_or(RULE)?;
        let last = rest.split('/').count();
        let segments = rest
            .split('/')
            .enumerate()
            .map(|(at, segment)| {
                let is_last = at.checked_add(1) == Some(last);
                let name = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}'));
                match (segment, name) {
                    ("*", _) if is_last => Ok(Segment::Rest),
                    (_, Some(name)) if is_name(name) => Ok(Segment::Any),
                    ("", _) if is_last => Ok(Segment::Literal(String::new())),
                    _ if is_normal(segment) => Ok(Segment::Literal(segment.to_owned())),
                    _ => Err(RULE),
                }
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { text: text.to_owned(), segments })
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Literal text that a normalised path can contain, and that is not a misspelt parameter or wildcard.
fn is_normal(segment: &str) -> bool {
    !segment.is_empty()
        && !segment.contains(['{', '}', '*'])
        && format!("/{segment}")
            .parse::<RequestPath>()
            .is_ok_and(|path| path.as_str().get(1..) == Some(segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> PathPattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_pattern_that_could_never_match_is_refused() {
        for bad in [
            "",
            "orders",
            "/a//b",
            "/a/../b",
            "/a/*/b",
            "/a*",
            "/{a",
            "/{}",
            "/{a-b}",
            "/x{a}",
            "/%6frders",
            "/a?b",
            "/a b",
            "//",
        ] {
            assert!(bad.parse::<PathPattern>().is_err(), "{bad}");
        }
        for good in ["/", "/orders", "/orders/", "/orders/{id}", "/orders/{id}/lines/*", "/*", "/a%2Bb"] {
            assert!(good.parse::<PathPattern>().is_ok(), "{good}");
        }
    }

    #[test]
    fn overlap_is_seen_both_ways() {
        for (a, b, overlaps) in [
            ("/a", "/a", true),
            ("/a", "/b", false),
            ("/a/{x}", "/a/b", true),
            ("/a/{x}", "/a/{y}", true),
            ("/a/{x}", "/a", false),
            ("/a/{x}", "/a/", false),
            ("/a/{x}/c", "/a/b/{y}", true),
            ("/a/{x}/c", "/a/b/d", false),
            ("/a/*", "/a", false),
            ("/a/*", "/a/", false),
            ("/a/*", "/a/b/c", true),
            ("/a/*", "/{x}/b", true),
            ("/*", "/a/b", true),
            ("/*", "/", false),
        ] {
            assert_eq!(pattern(a).overlaps(&pattern(b)), overlaps, "{a} {b}");
            assert_eq!(pattern(b).overlaps(&pattern(a)), overlaps, "{b} {a}");
        }
    }
}
