//! Paths to members, and several of them as one tree.

use std::fmt;
use std::str::FromStr;

use crate::id::Malformed;

/// How many steps a path may have.
pub const MOST_STEPS: usize = 32;

/// How long the name of a member may be in a path, in bytes.
const MOST_BYTES: usize = 256;

/// A way to a member: names, separated by dots; `*` is a member of any name. `\` before a dot, a star or itself takes the meaning from it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct FieldPath(Vec<Step>);

#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Step {
    Any,
    Named(String),
}

impl FieldPath {
    /// Whether everything that the other one keeps is kept by this one: it ends where the other one leads on, or is the same.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let same = |(ours, theirs): (&Step, &Step)| *ours == Step::Any || ours == theirs;
        self.0.len() <= other.0.len() && self.0.iter().zip(&other.0).all(same)
    }
}

impl FromStr for FieldPath {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        const RULE: Malformed = Malformed::new(
            "field path",
            "1 to 32 names of 1 to 256 bytes, separated by dots; `*` is any of them, and `\\` takes the meaning from a dot, a star or itself",
        );
        let mut steps = Vec::new();
        let (mut name, mut is_plain) = (String::new(), true);
        let mut characters = text.chars();
        let mut step = |name: &mut String, is_plain: &mut bool| {
            let is_any = *is_plain && name == "*";
            if name.is_empty() || name.len() > MOST_BYTES || (*is_plain && !is_any && name.contains('*')) {
                return Err(RULE);
            }
            let name = std::mem::take(name);
            *is_plain = true;
            steps.push(if is_any { Step::Any } else { Step::Named(name) });
            if steps.len() > MOST_STEPS { Err(RULE) } else { Ok(()) }
        };
        while let Some(character) = characters.next() {
            match character {
                '.' => step(&mut name, &mut is_plain)?,
                '\\' => {
                    let meant =
                        characters.next().filter(|next| matches!(next, '.' | '*' | '\\')).ok_or(RULE)?;
                    is_plain = false;
                    name.push(meant);
                }
                character if character.is_control() => return Err(RULE),
                character => name.push(character),
            }
        }
        step(&mut name, &mut is_plain)?;
        Ok(Self(steps))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            match step {
                Step::Any => f.write_str("*")?,
                Step::Named(name) => {
                    for character in name.chars() {
                        if matches!(character, '.' | '*' | '\\') {
                            f.write_str("\\")?;
                        }
                        write!(f, "{character}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// What a member may be found at: a place in [`Fields`].
pub(super) type Place = u32;

/// Where every path begins.
pub(super) const ROOT: Place = 0;

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Node {
    /// A path ends here: the whole value is kept.
    is_end: bool,
    named: Vec<(String, Place)>,
    any: Option<Place>,
}

/// Several paths as one tree. What none of them names is not kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fields(Vec<Node>);

impl Fields {
    /// Those that are kept by any of these.
    #[must_use]
    pub fn of<'p>(paths: impl IntoIterator<Item = &'p FieldPath>) -> Self {
        let mut fields = Self(vec![Node::default()]);
        for FieldPath(steps) in paths {
            let end = steps.iter().fold(ROOT, |place, step| fields.step(place, step));
            if let Some(node) = fields.node_mut(end) {
                node.is_end = true;
            }
        }
        fields
    }

    fn node(&self, place: Place) -> Option<&Node> {
        self.0.get(usize::try_from(place).ok()?)
    }

    fn node_mut(&mut self, place: Place) -> Option<&mut Node> {
        self.0.get_mut(usize::try_from(place).ok()?)
    }

    fn step(&mut self, place: Place, step: &Step) -> Place {
        let next = Place::try_from(self.0.len()).unwrap_or(Place::MAX);
        let Some(node) = self.node_mut(place) else { return place };
        let known = match step {
            Step::Any => *node.any.get_or_insert(next),
            Step::Named(name) => {
                if let Some((_, known)) = node.named.iter().find(|(known, _)| known == name) {
                    return *known;
                }
                node.named.push((name.clone(), next));
                next
            }
        };
        if known == next {
            self.0.push(Node::default());
        }
        known
    }

    /// Whether a path ends at one of these places.
    pub(super) fn keeps(&self, places: &[Place]) -> bool {
        places.iter().any(|place| self.node(*place).is_some_and(|node| node.is_end))
    }

    /// The places that a member of this name leads to from these; `None`: one that no path can spell.
    pub(super) fn lead(&self, places: &[Place], name: Option<&[u8]>, to: &mut Vec<Place>) {
        for node in places.iter().filter_map(|place| self.node(*place)) {
            let named = node.named.iter().find(|(known, _)| Some(known.as_bytes()) == name);
            to.extend(named.map(|(_, place)| *place));
            to.extend(node.any);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> FieldPath {
        text.parse().unwrap()
    }

    #[test]
    fn a_path_is_names_and_is_written_as_it_was_read() {
        for text in ["id", "addresses.city", "*.id", "a.*", r"a\.b", r"\*", r"a\\b.c", "ä b"] {
            assert_eq!(path(text).to_string(), text);
        }
        let long = ["a"; MOST_STEPS + 1].join(".");
        for bad in ["", ".", "a.", ".a", "a..b", "a*", r"a\", r"a\b", &long, &"a".repeat(257)] {
            assert!(bad.parse::<FieldPath>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_covers_what_it_leads_on_to() {
        for (path_of, other, covers) in [
            ("a", "a", true),
            ("a", "a.b", true),
            ("*", "a.b", true),
            ("a.*", "a.b.c", true),
            ("*.b", "a.b", true),
            ("a.*", "a", false),
            ("a", "*", false),
            ("a.b", "a.c", false),
            (r"a\.b", "a.b", false),
            (r"\*", "a", false),
        ] {
            assert_eq!(path(path_of).covers(&path(other)), covers, "{path_of} {other}");
        }
    }

    #[test]
    fn paths_lead_where_any_of_them_does() {
        let fields = Fields::of(&[path("a.b"), path("*.c"), path("d"), path("d.e")]);
        let lead = |from: &[Place], name: &str| {
            let mut to = Vec::new();
            fields.lead(from, Some(name.as_bytes()), &mut to);
            to
        };
        let a = lead(&[ROOT], "a");
        assert_eq!((a.len(), fields.keeps(&a)), (2, false));
        for name in ["b", "c"] {
            assert!(fields.keeps(&lead(&a, name)), "{name}");
        }
        assert!(lead(&a, "d").is_empty());
        assert!(fields.keeps(&lead(&[ROOT], "d")), "the whole of it, whatever another path says");
    }
}
