//! Our own answers, as lines of which `entry.js` makes a response: there it takes one call, and from here one for each header.

use worker::js_sys::JsString;

use crate::http::{Answer, unavailable};

/// `!`, the status, a line for each header, an empty line, and the body.
pub(super) fn of(answer: &Answer) -> JsString {
    lines(answer).into()
}

fn lines(answer: &Answer) -> String {
    let mut lines = format!("!{}", answer.status);
    for (name, value) in &answer.headers {
        if value.contains(['\r', '\n']) {
            // It would be two headers, and is ours to prevent.
            return lines_of_nothing();
        }
        lines.push('\n');
        lines.push_str(name);
        lines.push(' ');
        lines.push_str(value);
    }
    lines.push_str("\n\n");
    lines.push_str(&answer.body);
    lines
}

fn lines_of_nothing() -> String {
    lines(&unavailable())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_lines_and_no_header_is_two() {
        let answer = Answer::problem(400, "Bad", "x\n\ny").with("X-Request-Id", "a b");
        let body = &answer.body;
        let head = "!400\nCache-Control no-store\nContent-Type application/problem+json\nX-Request-Id a b";
        assert_eq!(lines(&answer), format!("{head}\n\n{body}"));
        assert!(
            lines(&Answer::empty(302).with("Location", "https://a\nSet-Cookie: b")).starts_with("!503\n")
        );
    }
}
