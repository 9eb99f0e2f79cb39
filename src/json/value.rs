//! What JSON says. Text without escapes is borrowed from the document: most of a token's is.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// `[ … ]`
    Array(Vec<Self>),
    /// `true`, `false`
    Bool(bool),
    /// `null`
    Null,
    /// A number, as the nearest double. Never infinite, never `NaN`.
    Number(f64),
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
            Self::Number(number) => Some(*number),
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
