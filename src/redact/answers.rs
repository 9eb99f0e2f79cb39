//! Answers that are redacted side by side.

use litemap::LiteMap;

use crate::redact::Redactor;

/// How many are under way at most.
const MOST: usize = 1024;

/// Answers that are under way, each by a number that counts on. Whoever leaves is not noticed, because the platform drops what was done for them: where there are too
/// many, what has waited longest for its next bytes goes, which is what nobody reads any more. If somebody does, their answer is cut off.
#[derive(Debug)]
pub struct Answers {
    open: LiteMap<u32, Open>,
    pieces: u64,
}

#[derive(Debug)]
struct Open {
    redactor: Redactor,
    /// The piece, of all answers' pieces, that was its last.
    last: u64,
}

impl Answers {
    /// None yet.
    #[must_use]
    pub const fn none() -> Self {
        Self { open: LiteMap::new(), pieces: 0 }
    }

    /// Begins with one.
    pub fn begin(&mut self, number: u32, redactor: Redactor) {
        if self.open.len() >= MOST {
            let idle = self.open.iter().min_by_key(|(_, open)| open.last).map(|(number, _)| *number);
            idle.and_then(|number| self.open.remove(&number));
        }
        let last = self.count();
        self.open.insert(number, Open { redactor, last });
    }

    /// The one of this number, of which a piece is there.
    pub fn find(&mut self, number: u32) -> Option<&mut Redactor> {
        let last = self.count();
        let open = self.open.get_mut(&number)?;
        open.last = last;
        Some(&mut open.redactor)
    }

    /// Ends with one.
    pub fn end(&mut self, number: u32) -> Option<Redactor> {
        self.open.remove(&number).map(|open| open.redactor)
    }

    const fn count(&mut self) -> u64 {
        self.pieces = self.pieces.saturating_add(1);
        self.pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redact::Fields;

    #[test]
    fn what_nobody_reads_any_more_makes_room_and_what_somebody_reads_goes_on() {
        let mut answers = Answers::none();
        let most = u32::try_from(MOST).unwrap();
        let begin = |answers: &mut Answers, number| answers.begin(number, Redactor::new(Fields::of(&[])));
        begin(&mut answers, 0);
        for abandoned in 1..3 * most {
            begin(&mut answers, abandoned);
            // The first of all is read all the time.
            assert!(answers.find(0).unwrap().push(b" ").is_ok(), "{abandoned}");
        }
        assert_eq!(answers.open.len(), MOST);
        assert!(answers.find(most).is_none() && answers.find(3 * most - 1).is_some());
        assert!(answers.end(0).is_some() && answers.end(0).is_none());
    }
}
