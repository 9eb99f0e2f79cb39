//! What people call things, and read on pages and in logs: names of applications, credentials, people, passkeys.
//!
//! **In scope**: that a label shows what it holds. Characters that are not seen, or turn around what stands beside them, let one
//! name pass for another and turn the words of a page (Unicode Technical Report 36, section 3; Unicode Standard Annex 9).
//! **Out of scope**: letters that look alike; escaping, which templates do.

/// Whether a text is a label: 1 to `most` characters, each of which is seen or stands between two that are.
#[must_use]
pub fn is_label(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most && !text.chars().any(is_hidden)
}

/// Whether a character is not seen: controls, ends of lines, what turns the direction of writing, what has no width. Joiners (U+200C, U+200D) are
/// none of these: Persian and emoji are written with them.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_shows_what_it_holds() {
        for good in ["A", "Bücher & <b>", "می‌خواهم", "👩‍👩‍👧", &"x".repeat(5)] {
            assert!(is_label(good, 12), "{good:?}");
        }
        for bad in [
            "",
            "a\nb",
            "a\u{7}",
            "a\u{85}",
            "\u{202e}nimda",
            "a\u{200b}b",
            "\u{feff}a",
            "a\u{2028}",
            "a\u{2066}",
        ] {
            assert!(!is_label(bad, 12), "{bad:?}");
        }
        assert!(is_label("äöü", 3) && !is_label("äöüä", 3), "characters are counted, not bytes");
    }
}
