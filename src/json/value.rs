//! What JSON says. Text without escapes is borrowed from the document: most of a token's is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `[ … ]`
    Array(Vec<Self>),
    /// `true`, `false`
    Bool(bool),
    /// `null`
    Null,
    /// A number: the nearest double, which is never infinite and never `NaN`; and how it is written, which may say more.
    Number(f64, &'a str),
    /// `{ … }`
    Object(Object<'a>),
    /// `"…"`, escapes undone.
    Text(Cow<'a, str>),
}

/// A JSON object: each member once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object<'a>(BTreeMap<Cow<'a, str>, Value<'a>>);

impl<'a> Object<'a> {
    /// The member of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.0.get(name)
    }

    /// Whether there is a member of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Every member, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// Sets a member, in place of what it was.
    pub fn set(&mut self, name: &'a str, value: Value<'a>) {
        self.0.insert(Cow::Borrowed(name), value);
    }

    /// Adds a member; `false` if there is one of this name.
    pub(super) fn add(&mut self, name: Cow<'a, str>, value: Value<'a>) -> bool {
        self.0.insert(name, value).is_none()
    }
}

impl<'a> Value<'a> {
    /// The text, where it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items, where it is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The number, where it is one.
    #[must_use]
    pub const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number, _) => Some(*number),
            _ => None,
        }
    }

    /// The object, where it is one.
    #[must_use]
    pub const fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }
}

impl fmt::Display for Value<'_> {
    /// JSON without white space, members in the order of their names. A number is as it was written, so none of its digits is lost.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Array(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { "," })?;
                    item.fmt(f)?;
                }
                f.write_str("]")
            }
            Self::Bool(value) => value.fmt(f),
            Self::Null => f.write_str("null"),
            Self::Number(_, text) => f.write_str(text),
            Self::Object(object) => {
                f.write_str("{")?;
                for (at, (name, value)) in object.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { "," })?;
                    quote(name, f)?;
                    f.write_str(":")?;
                    value.fmt(f)?;
                }
                f.write_str("}")
            }
            Self::Text(text) => quote(text, f),
        }
    }
}

/// RFC 8259 section 7.
fn quote(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\0'..='\x1f' => write!(f, "\\u{:04x}", u32::from(c))?,
            _ => f.write_char(c)?,
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use crate::json::value;

    #[test]
    fn rfc8259_what_is_written_is_read_as_the_same() {
        for (text, written) in [
            (
                r#"{"b":[1, 2.50, -0.1],"a":{"x":null,"y":true}}"#,
                r#"{"a":{"x":null,"y":true},"b":[1,2.50,-0.1]}"#,
            ),
            ("[ 1e308, 9007199254740993, -0 ]", "[1e308,9007199254740993,-0]"),
            (r#"[1e3,"a\"\\\u0007ä"]"#, r#"[1e3,"a\"\\\u0007ä"]"#),
            ("[]", "[]"),
        ] {
            let parsed = value(text.as_bytes()).unwrap();
            assert_eq!(parsed.to_string(), written);
            assert_eq!(value(written.as_bytes()).unwrap(), parsed);
        }
    }
}
