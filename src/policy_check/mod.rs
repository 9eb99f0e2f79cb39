//! What is questionable about a configuration, whether its tests hold, and why a request is refused: natively, for command lines.
//!
//! Nothing here decides. A request goes through [`crate::app::App`] as at an edge, with ports that answer from what was laid out before (`offline`); lints read what the parser has
//! read, and ask the same functions. So there is no second opinion that could differ.
//!
//! **In scope**: [`check`] and [`explain`]. **Out of scope**: reading files and asking servers (`tools/`); what only a deployment knows: whether a session is alive, what an
//! issuer says of a token, how upstreams answer.

mod explain;
mod keys;
mod lint;
mod offline;
mod report;
mod run;
mod tokens;
mod trial;

pub use explain::{Explained, Explanation, Input, Needs, explain};
pub use report::{Finding, Level, Report};

use crate::config::{Config, PolicyTests};
use crate::label::is_label;

/// Lints a document, and runs the tests that stand in it. What is wrong with the document itself is an error, and then nothing else is looked at.
#[must_use]
pub fn check(text: &str) -> Report {
    let mut report = Report::default();
    let (config, tests) = (Config::parse(text), PolicyTests::read(text));
    // A document without a shape has one error, and so have tests: the same, where it is no JSON.
    let [wrong, more] =
        [config.as_ref().err(), tests.as_ref().err()].map(|errors| errors.cloned().unwrap_or_default());
    let more: Vec<_> = more.into_iter().filter(|error| !wrong.contains(error)).collect();
    for error in wrong.into_iter().chain(more) {
        report.add(Finding {
            level: Level::Error,
            code: "document",
            path: error.path,
            route: None,
            text: error.problem,
        });
    }
    if let (Ok(config), Ok(tests)) = (config, tests) {
        lint::lint(text, &config, &tests, &mut report);
        trial::run_all(config, &tests, &mut report);
    }
    report
}

/// A text of somebody's, for a terminal: what is not seen, or would move what stands beside it, is spelled out.
fn shown(text: &str) -> String {
    let is_seen = |character: char| character == ' ' || is_label(&format!("a{character}a"), 3);
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_seen(character) { out.push(character) } else { out.extend(character.escape_unicode()) }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(shown("a b\u{e4}"), "a b\u{e4}");
        assert_eq!(shown("a\u{1b}[2J\n\u{202e}"), "a\\u{1b}[2J\\u{a}\\u{202e}");
    }
}
