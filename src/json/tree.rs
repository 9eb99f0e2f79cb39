//! From JSON to types of ours, by way of a tree.
//!
//! What is generated for each type (`serde`) is generated once for each source that it is read from. Reading a text directly puts a part of the
//! parser into every type, and reads an array as a structure as well: together 700 of the worker's 3,300 KiB. Here the parser is there once, and a
//! structure is an object.
//!
//! Where somebody has to be told what is wrong with a document, the way down to it is written down meanwhile ([`Way`]): it ends where reading did.
//!
//! **Out of scope**: whether members are repeated ([`super::object`]): the last one counts here.

use std::cell::RefCell;
use std::fmt::Write;

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Value};

/// Reads a text.
///
/// # Errors
/// It is no JSON, or not of this type.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    of_value(serde_json::from_str(text)?)
}

/// Reads a document that was parsed.
///
/// # Errors
/// It is not of this type.
pub fn of_value<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    T::deserialize(Tree { value, way: None })
}

/// The same of what somebody has written by hand.
///
/// # Errors
/// Where it is not of this type, as a path such as `routes[3].require.scopes[0]`; empty: the whole. And how.
pub fn of_document<T: DeserializeOwned>(value: Value) -> Result<T, (String, Error)> {
    let way = Way::default();
    T::deserialize(Tree { value, way: Some(&way) }).map_err(|error| (way.path(), error))
}

/// The way to what is being read.
#[derive(Default)]
struct Way(RefCell<Vec<Step>>);

enum Step {
    Item(usize),
    Member(String),
}

impl Way {
    /// How many steps it has.
    fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Is at this step of what is this far down.
    fn go(&self, depth: usize, step: Option<Step>) {
        let mut steps = self.0.borrow_mut();
        steps.truncate(depth);
        steps.extend(step);
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in self.0.borrow().iter() {
            match step {
                Step::Item(at) => _ = write!(path, "[{at}]"),
                // A member without a name is one all the same.
                Step::Member(name) if name.is_empty() => path.push_str("\"\""),
                Step::Member(name) => {
                    path.push_str(if path.is_empty() { "" } else { "." });
                    path.push_str(name);
                }
            }
        }
        path
    }
}

struct Tree<'w> {
    value: Value,
    way: Option<&'w Way>,
}

impl Tree<'_> {
    fn unfit<'de, V: Visitor<'de>>(&self, visitor: &V) -> Error {
        let what = match &self.value {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(_) => Unexpected::Other("number"),
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        Error::invalid_type(what, visitor)
    }
}

impl<'de> Deserializer<'de> for Tree<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => number.deserialize_any(visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items::of(items, self.way)),
            Value::Object(members) => visitor.visit_map(Members::of(members, self.way)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Array(items) => visitor.visit_seq(Items::of(items, self.way)),
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Object(members) => visitor.visit_map(Members::of(members, self.way)),
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.value {
            Value::String(name) => visitor.visit_enum(Variant(name, None, self.way)),
            Value::Object(members) => {
                let mut members = members.into_iter();
                match (members.next(), members.next()) {
                    (Some((name, value)), None) => visitor.visit_enum(Variant(name, Some(value), self.way)),
                    _ => Err(Error::invalid_value(Unexpected::Map, &"an object with one member")),
                }
            }
            _ => Err(self.unfit(&visitor)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct identifier
    }
}

struct Items<'w> {
    rest: std::iter::Enumerate<std::vec::IntoIter<Value>>,
    depth: usize,
    way: Option<&'w Way>,
}

impl<'w> Items<'w> {
    fn of(items: Vec<Value>, way: Option<&'w Way>) -> Self {
        Self { rest: items.into_iter().enumerate(), depth: way.map_or(0, Way::len), way }
    }

    fn next(&mut self) -> Option<Value> {
        let next = self.rest.next();
        if let Some(way) = self.way {
            way.go(self.depth, next.as_ref().map(|(at, _)| Step::Item(*at)));
        }
        next.map(|(_, value)| value)
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let way = self.way;
        self.next().map(|value| seed.deserialize(Tree { value, way })).transpose()
    }
}

struct Members<'w> {
    rest: serde_json::map::IntoIter,
    value: Option<Value>,
    depth: usize,
    way: Option<&'w Way>,
}

impl<'w> Members<'w> {
    fn of(members: Map<String, Value>, way: Option<&'w Way>) -> Self {
        Self { rest: members.into_iter(), value: None, depth: way.map_or(0, Way::len), way }
    }

    fn next(&mut self) -> Option<String> {
        let next = self.rest.next();
        if let Some(way) = self.way {
            way.go(self.depth, next.as_ref().map(|(name, _)| Step::Member(name.clone())));
        }
        let (name, value) = next?;
        self.value = Some(value);
        Some(name)
    }
}

impl<'de> MapAccess<'de> for Members<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(name) = self.next() else { return Ok(None) };
        let name: StringDeserializer<Error> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(Tree { value: self.value.take().unwrap_or_default(), way: self.way })
    }
}

/// A variant's name, and what stands behind it.
struct Variant<'w>(String, Option<Value>, Option<&'w Way>);

impl<'de, 'w> EnumAccess<'de> for Variant<'w> {
    type Error = Error;
    type Variant = Content<'w>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Content<'w>), Error> {
        let name: StringDeserializer<Error> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, Content(self.1, self.2)))
    }
}

struct Content<'w>(Option<Value>, Option<&'w Way>);

impl<'w> Content<'w> {
    fn tree(self) -> Result<Tree<'w>, Error> {
        let Self(value, way) = self;
        value
            .map(|value| Tree { value, way })
            .ok_or_else(|| Error::invalid_type(Unexpected::UnitVariant, &"a variant with content"))
    }
}

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.0 {
            None | Some(Value::Null) => Ok(()),
            Some(_) => Err(Error::invalid_type(Unexpected::NewtypeVariant, &"a variant without content")),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.tree()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.tree()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.tree()?.deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Bare,
        Pair(u8, String),
        Named { at: Option<u64> },
        Held(Box<Kind>),
    }

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Whole {
        kinds: Vec<Kind>,
        #[serde(default)]
        counts: BTreeMap<String, i64>,
        most: u64,
        part: f64,
        is_so: bool,
    }

    #[test]
    fn what_serde_writes_is_read_as_it_was() {
        let whole = Whole {
            kinds: vec![
                Kind::Bare,
                Kind::Pair(1, "ä\u{0}".to_owned()),
                Kind::Named { at: None },
                Kind::Held(Box::new(Kind::Named { at: Some(u64::MAX) })),
            ],
            counts: [("a".to_owned(), i64::MIN)].into(),
            most: u64::MAX,
            part: 1.5,
            is_so: true,
        };
        let text = serde_json::to_string(&whole).unwrap();
        assert_eq!(read::<Whole>(&text).unwrap(), whole);
        assert_eq!(serde_json::from_str::<Whole>(&text).unwrap(), whole);
    }

    #[test]
    fn what_is_not_of_the_type_is_refused() {
        let good = r#"{"kinds":[],"most":1,"part":1,"is_so":true}"#;
        assert!(read::<Whole>(good).is_ok());
        for (from, to) in [
            ("[]", "{}"),
            ("[]", r#"["other"]"#),
            ("[]", r#"[{"bare":1}]"#),
            ("[]", r#"["pair"]"#),
            ("[]", r#"[{"pair":[1]}]"#),
            ("[]", r#"[{"named":[1]}]"#),
            ("[]", r#"[{"held":"bare","bare":null}]"#),
            (r#""most":1"#, r#""most":-1"#),
            (r#""most":1"#, r#""most":1.5"#),
            (r#""most":1"#, r#""most":"1""#),
            (r#""most":1,"#, ""),
            ("true", "1"),
            ("true", r#"true,"more":1"#),
            ("}", ""),
        ] {
            let bad = good.replacen(from, to, 1);
            assert!(read::<Whole>(&bad).is_err(), "{bad}");
        }
        assert!(read::<Whole>("[[],{},1,1,true]").is_err(), "a structure is an object");
    }
}
