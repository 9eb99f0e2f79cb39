//! Which path patterns could match one path: a tree of their segments, so that a pattern is compared with those that it may meet, and not with all.

use std::collections::BTreeMap;

use crate::policy::pattern::Segment;

/// Patterns by their segments.
#[derive(Debug, Default)]
pub(super) struct Overlaps {
    literal: BTreeMap<String, Overlaps>,
    any: Option<Box<Overlaps>>,
    /// Those that go on with anything from here.
    rest: Vec<usize>,
    /// Those that end here.
    end: Vec<usize>,
}

impl Overlaps {
    /// Takes in a pattern under a number.
    pub(super) fn add(&mut self, segments: &[Segment], number: usize) {
        match segments {
            [] => self.end.push(number),
            [Segment::Rest, ..] => self.rest.push(number),
            [Segment::Any, below @ ..] => self.any.get_or_insert_default().add(below, number),
            [Segment::Literal(text), below @ ..] => {
                self.literal.entry(text.clone()).or_default().add(below, number);
            }
        }
    }

    /// The numbers of the patterns some path of which this one matches as well.
    pub(super) fn of(&self, segments: &[Segment], found: &mut Vec<usize>) {
        let Some((first, below)) = segments.split_first() else {
            return found.extend(&self.end);
        };
        // `*` and `{name}` need at least one character: a trailing empty segment has none.
        let is_something = !matches!(first, Segment::Literal(text) if text.is_empty());
        if is_something {
            found.extend(&self.rest);
        }
        match first {
            Segment::Rest => self.everything(found),
            Segment::Any => {
                let named = self.literal.iter().filter(|(text, _)| !text.is_empty());
                named.map(|(_, next)| next).chain(self.any.as_deref()).for_each(|next| next.of(below, found));
            }
            Segment::Literal(text) => {
                let any = self.any.as_deref().filter(|_| is_something);
                self.literal.get(text).into_iter().chain(any).for_each(|next| next.of(below, found));
            }
        }
    }

    /// What lies below, at least one character further.
    fn everything(&self, found: &mut Vec<usize>) {
        let named = self.literal.iter().filter(|(text, _)| !text.is_empty());
        for next in named.map(|(_, next)| next).chain(self.any.as_deref()) {
            next.whole(found);
        }
    }

    fn whole(&self, found: &mut Vec<usize>) {
        found.extend(self.end.iter().chain(&self.rest));
        for next in self.literal.values().chain(self.any.as_deref()) {
            next.whole(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::PathPattern;

    fn patterns() -> impl Strategy<Value = Vec<PathPattern>> {
        let segment = prop_oneof![Just("a"), Just("b"), Just("{x}")];
        let end = prop_oneof![Just(""), Just("/"), Just("/*"), Just("/a"), Just("/{x}")];
        let text = (proptest::collection::vec(segment, 0..4), end).prop_map(|(segments, end)| {
            let text = segments.iter().fold(String::new(), |text, segment| text + "/" + segment) + end;
            if text.is_empty() { "/".to_owned() } else { text }
        });
        proptest::collection::vec(text.prop_map(|text| text.parse().unwrap()), 1..12)
    }

    proptest! {
        #[test]
        fn the_tree_finds_what_comparing_each_with_each_does(patterns in patterns()) {
            let mut tree = Overlaps::default();
            for (number, pattern) in patterns.iter().enumerate() {
                let mut found = Vec::new();
                tree.of(&pattern.beginning(), &mut found);
                found.sort_unstable();
                let compared: Vec<usize> = (0..number).filter(|&earlier| patterns[earlier].overlaps(pattern)).collect();
                prop_assert_eq!(found, compared);
                tree.add(&pattern.beginning(), number);
            }
        }
    }
}
