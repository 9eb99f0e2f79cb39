//! One pass, one explicit stack.

use std::borrow::Cow;

use crate::json::{Object, Value};

/// How deep arrays and objects may stand in each other. A JOSE header needs 3, the deepest claims of common
/// issuers 5.
pub const MAX_DEPTH: usize = 32;

/// An array or object that is still open.
enum Open<'a> {
    Array(Vec<Value<'a>>),
    Object {
        members: Object<'a>,
        /// The member whose value comes next.
        name: Cow<'a, str>,
    },
}

/// What may come next.
enum Next<'a> {
    /// A value.
    Value,
    /// A value, or the end of the array that has just begun.
    ValueOrEnd,
    /// A comma or the end, after this value.
    After(Value<'a>),
}

pub(super) fn parse(bytes: &[u8]) -> Option<Value<'_>> {
    let mut reader = Reader { text: std::str::from_utf8(bytes).ok()? };
    let mut stack: Vec<Open<'_>> = Vec::new();
    let mut next = Next::Value;
    loop {
        reader.skip_space();
        next = match next {
            Next::After(value) => match stack.pop() {
                None => return reader.text.is_empty().then_some(value),
                Some(open) => after(&mut reader, &mut stack, open, value)?,
            },
            Next::ValueOrEnd if reader.take(']') => {
                stack.pop();
                Next::After(Value::Array(Vec::new()))
            }
            Next::Value | Next::ValueOrEnd => match reader.text.as_bytes().first()? {
                b'[' | b'{' if stack.len() >= MAX_DEPTH => return None,
                b'[' => {
                    reader.take('[');
                    stack.push(Open::Array(Vec::new()));
                    Next::ValueOrEnd
                }
                b'{' => begin_object(&mut reader, &mut stack)?,
                _ => Next::After(reader.scalar()?),
            },
        };
    }
}

fn begin_object<'a>(reader: &mut Reader<'a>, stack: &mut Vec<Open<'a>>) -> Option<Next<'a>> {
    reader.take('{');
    reader.skip_space();
    if reader.take('}') {
        return Some(Next::After(Value::Object(Object::default())));
    }
    let name = reader.name()?;
    stack.push(Open::Object { members: Object::default(), name });
    Some(Next::Value)
}

/// Puts a finished value where it belongs and looks what follows it.
fn after<'a>(
    reader: &mut Reader<'a>,
    stack: &mut Vec<Open<'a>>,
    open: Open<'a>,
    value: Value<'a>,
) -> Option<Next<'a>> {
    match open {
        Open::Array(mut items) => {
            items.push(value);
            if reader.take(',') {
                stack.push(Open::Array(items));
                return Some(Next::Value);
            }
            reader.take(']').then_some(Next::After(Value::Array(items)))
        }
        Open::Object { mut members, name } => {
            if !members.add(name, value) {
                return None;
            }
            if reader.take(',') {
                reader.skip_space();
                let name = reader.name()?;
                stack.push(Open::Object { members, name });
                return Some(Next::Value);
            }
            reader.take('}').then_some(Next::After(Value::Object(members)))
        }
    }
}

struct Reader<'a> {
    text: &'a str,
}

impl<'a> Reader<'a> {
    fn skip_space(&mut self) {
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        let spaces = self.text.bytes().take_while(|byte| is_space(byte)).count();
        // Each of them is one byte.
        self.text = self.text.get(spaces..).unwrap_or_default();
    }

    fn take(&mut self, wanted: char) -> bool {
        let rest = self.text.strip_prefix(wanted);
        self.text = rest.unwrap_or(self.text);
        rest.is_some()
    }

    /// A member's name and its colon.
    fn name(&mut self) -> Option<Cow<'a, str>> {
        let name = self.string()?;
        self.skip_space();
        self.take(':').then_some(name)
    }

    /// Anything but an array or object.
    fn scalar(&mut self) -> Option<Value<'a>> {
        let (word, value) = match self.text.as_bytes().first()? {
            b'"' => return self.string().map(Value::Text),
            b't' => ("true", Value::Bool(true)),
            b'f' => ("false", Value::Bool(false)),
            b'n' => ("null", Value::Null),
            _ => return self.number(),
        };
        self.text = self.text.strip_prefix(word)?;
        Some(value)
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        self.text = self.text.strip_prefix('"')?;
        let mut out = String::new();
        loop {
            // All of these are one byte, and no part of a longer character looks like one.
            let end = self.text.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
            let plain = self.advance(end)?;
            if self.take('"') {
                if out.is_empty() {
                    return Some(Cow::Borrowed(plain));
                }
                out.push_str(plain);
                return Some(Cow::Owned(out));
            }
            out.push_str(plain);
            // A bare control character is refused here: it is neither.
            self.text = self.text.strip_prefix('\\')?;
            out.push(self.escape()?);
        }
    }

    /// What follows a backslash (RFC 8259 section 7).
    fn escape(&mut self) -> Option<char> {
        let kind = self.advance(1)?;
        Some(match kind {
            "\"" | "\\" | "/" => kind.chars().next()?,
            "b" => '\u{8}',
            "f" => '\u{c}',
            "n" => '\n',
            "r" => '\r',
            "t" => '\t',
            "u" => {
                let first = self.four_digits()?;
                if !(0xd800..0xdc00).contains(&first) {
                    // A low surrogate alone is no character either.
                    return char::from_u32(u32::from(first));
                }
                self.text = self.text.strip_prefix("\\u")?;
                let second = self.four_digits()?;
                return char::decode_utf16([first, second]).next()?.ok();
            }
            _ => return None,
        })
    }

    fn four_digits(&mut self) -> Option<u16> {
        let digits = self.advance(4)?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
    }

    /// RFC 8259 section 6: no leading zero, no bare point, nothing that overflows a double.
    fn number(&mut self) -> Option<Value<'a>> {
        let whole = self.text;
        self.take('-');
        if !self.take('0') {
            self.digits()?;
        }
        if self.take('.') {
            self.digits()?;
        }
        if self.take('e') || self.take('E') {
            let _sign = self.take('+') || self.take('-');
            self.digits()?;
        }
        let text = whole.get(..whole.len().checked_sub(self.text.len())?)?;
        // Dates, mostly: an integer of 32 bits is a double as it stands, and is read in less time.
        let small = || text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u32>().ok())?;
        let number = match if text.len() <= 10 { small() } else { None } {
            Some(number) => f64::from(number),
            None => text.parse().ok().filter(|number: &f64| number.is_finite())?,
        };
        Some(Value::Number(number, text))
    }

    fn digits(&mut self) -> Option<()> {
        let digits = self.text.bytes().take_while(u8::is_ascii_digit).count();
        self.text = self.text.get(digits..)?;
        (digits > 0).then_some(())
    }

    /// The next `length` bytes, where a character ends there.
    fn advance(&mut self, length: usize) -> Option<&'a str> {
        let (head, rest) = self.text.split_at_checked(length)?;
        self.text = rest;
        Some(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{object, value};

    #[test]
    fn attack_31_a_repeated_member_is_refused_at_every_depth_and_in_every_spelling() {
        for bad in [
            r#"{"alg":"ES256","alg":"none"}"#,
            r#"{"alg":"ES256","\u0061lg":"none"}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":[{"b":1,"b":2}]}"#,
        ] {
            assert!(object(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn attack_32_another_case_is_another_member() {
        let read = object(br#"{"alg":"ES256","Alg":"none"}"#).unwrap();
        assert_eq!(read.get("alg").and_then(Value::as_text), Some("ES256"));
    }

    #[test]
    fn attack_33_and_34_only_one_whole_object_passes() {
        for bad in [
            "",
            "[]",
            "1",
            "null",
            "\"x\"",
            "{} {}",
            "{}x",
            "\u{feff}{}",
            "{'a':1}",
            "{\"a\":NaN}",
            "{/**/}",
            "{\"a\":Infinity}",
        ] {
            assert!(object(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(object(b" {\"a\" : 1 } \n").is_ok());
    }

    #[test]
    fn attack_35_text_is_unicode() {
        for bad in [
            b"{\"a\":\"\xff\"}".as_slice(),
            b"{\"a\":\"\xc0\xaf\"}",
            br#"{"a":"\ud800"}"#,
            br#"{"a":"\udc00"}"#,
            br#"{"a":"\ud800\u0041"}"#,
            b"{\"a\":\"\x00\"}",
            br#"{"a":"\x41"}"#,
        ] {
            assert!(object(bad).is_err(), "{bad:?}");
        }
        assert_eq!(value(br#""\ud834\udd1e\n\u00e9""#).unwrap(), Value::Text("\u{1d11e}\n\u{e9}".into()));
    }

    #[test]
    fn attack_37_depth_is_bounded_and_costs_no_stack() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(object(nested(MAX_DEPTH - 1).as_bytes()).is_ok());
        assert!(object(nested(MAX_DEPTH).as_bytes()).is_err());
        for open in ["[", "{\"a\":"] {
            assert!(value(open.repeat(1_000_000).as_bytes()).is_err());
        }
    }

    #[test]
    fn attack_39_numbers() {
        for (text, number) in [
            ("0", 0.0),
            ("-0", -0.0),
            ("1.5", 1.5),
            ("1e3", 1000.0),
            ("1E+2", 100.0),
            ("9223372036854775808", 9_223_372_036_854_775_808.0),
        ] {
            assert_eq!(value(text.as_bytes()).unwrap(), Value::Number(number, text), "{text}");
        }
        for bad in ["01", "1.", ".1", "+1", "-", "1e", "1e+", "0x1", "1e400", "-1e400", "1 1", "1_0"] {
            assert!(value(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
