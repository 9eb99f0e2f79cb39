//! Pages of a list: where one ended, the next begins, whatever was added meanwhile.

use serde::{Deserialize, Serialize};

use crate::encoding::{base64url, from_base64url};
use crate::id::Malformed;

/// The most items of one page.
pub const MOST_ITEMS: usize = 200;

/// The longest cursor: a name of 254 characters of four bytes, an id, and base64url.
const LONGEST: usize = 2048;

/// Where a page ended: behind this item. Outside it is opaque text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cursor {
    /// What the list is in order of.
    pub sort: String,
    /// Which item.
    pub id: String,
}

impl Cursor {
    /// The text of it.
    #[must_use]
    pub fn written(&self) -> String {
        base64url(format!("{}\n{}", self.id, self.sort).as_bytes())
    }

    /// Reads the text of one.
    ///
    /// # Errors
    /// It is none that was written here. One that somebody makes up begins somewhere else, and shows nothing more.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        const BAD: Malformed = Malformed::new("cursor", "the `next` of an earlier page");
        let bytes = if text.len() > LONGEST { None } else { from_base64url(text).ok() };
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(BAD)?;
        let (id, sort) = text.split_once('\n').ok_or(BAD)?;
        Ok(Self { sort: sort.to_owned(), id: id.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = Cursor { sort: "ä\nb".to_owned(), id: "c1".to_owned() };
        assert_eq!(Cursor::read(&cursor.written()), Ok(cursor));
        for bad in ["", "~", "AAAA", &"A".repeat(3000)] {
            assert!(Cursor::read(bad).is_err(), "{bad}");
        }
    }
}
