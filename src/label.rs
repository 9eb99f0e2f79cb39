//! What people call things, and read on pages and in logs: names of applications, credentials, people, passkeys.
//!
//! **In scope**: that a label shows what it holds. Characters that are not seen, or turn around what stands beside them, let one
//! name pass for another and turn the words of a page (Unicode Technical Report 36, section 3; Unicode Standard Annex 9).
//! **Out of scope**: letters that look alike; escaping, which templates do.

/// Whether a text is a label: 1 to `most` characters, one of which at least is seen, and none of which hides what stands there.
#[must_use]
pub fn is_label(text: &str, most: usize) -> bool {
    let mut is_seen = false;
    let mut characters = text.chars().peekable();
    // Whether what stands before may be joined to something.
    let mut may_join = false;
    while let Some(character) = characters.next() {
        match Kind::of(character) {
            Kind::Hidden => return false,
            Kind::Joiner if !may_join || characters.peek().is_none_or(|next| next.is_whitespace()) => {
                return false;
            }
            Kind::Variation if !may_join => return false,
            Kind::Variation => {}
            Kind::Joiner | Kind::Blank => may_join = false,
            Kind::Seen => (is_seen, may_join) = (true, true),
        }
    }
    is_seen && text.chars().count() <= most
}

enum Kind {
    /// White space.
    Blank,
    /// Not seen.
    Hidden,
    /// Joins what stands on both sides: Persian, and emoji, are written with these.
    Joiner,
    /// Everything else.
    Seen,
    /// Says how what stands before it is drawn.
    Variation,
}

impl Kind {
    fn of(character: char) -> Self {
        match character {
            '\u{200c}' | '\u{200d}' => Self::Joiner,
            '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => Self::Variation,
            character if character.is_control() => Self::Hidden,
            // What has no width or no ink, turns the direction of writing, or ends a line.
            '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e00ff}' => Self::Hidden,
            character if character.is_whitespace() => Self::Blank,
            _ => Self::Seen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_shows_what_it_holds() {
        let persian = "می\u{200c}خواهم";
        let family = "👩\u{200d}👩\u{200d}👧 & \u{2764}\u{fe0f}\u{200d}🔥";
        for good in ["A", "Bücher & <b>", persian, family, "葛\u{e0100}城", "a b", "日本"] {
            assert!(is_label(good, 24), "{good:?}");
        }
        for bad in [
            "",
            " ",
            "a\nb",
            "a\u{7}",
            "a\u{85}",
            "\u{202e}nimda",
            "a\u{200b}b",
            "\u{feff}a",
            "a\u{2028}",
            "a\u{2066}",
            "Admin\u{200d}",
            "\u{200d}Admin",
            "Ad\u{200d}\u{200d}min",
            "Admin\u{200c} now",
            "\u{200d}",
            "\u{fe0f}Admin",
            "\u{3164}",
            "Admin\u{2800}",
        ] {
            assert!(!is_label(bad, 24), "{bad:?}");
        }
        assert!(is_label("äöü", 3) && !is_label("äöüä", 3), "characters are counted, not bytes");
    }
}
