//! From JSON to types of ours, by way of a tree.
//!
//! What is generated for each type (`serde`) is generated once for each source that it is read from. Reading a text directly puts a part of the
//! parser into every type, and reads an array as a structure as well: together 700 of the worker's 3,300 KiB. Here the parser is there once, and
//! a structure is an object whose members are handed over in the order of its fields: no type has code of its own that tells their names
//! apart, which was half of what was left.
//!
//! A member that a structure has no field for is ignored, or refused, for all structures of a document alike: the attribute `deny_unknown_fields`
//! is for the schema and for other sources. Where it is refused, it is ignored all the same in what others have written that is quoted in a document: a structure with
//! the name [`OPEN`] (`#[serde(rename = "open")]`). A field of type `Option` whose member is not there is `None`, whatever default it names: one that has another
//! is of a type of its own.
//!
//! Where somebody has to be told what is wrong with a document, the way down to it is written down meanwhile ([`Way`]): it ends where reading did.
//!
//! **Out of scope**: whether members are repeated ([`super::object`]): the last one counts here.

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error as _, Expected, IntoDeserializer,
    MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Value};

use crate::json::way::{Step, Way};

/// Reads a text of ours, or of whoever may say more than we know.
///
/// # Errors
/// It is no JSON, or not of this type.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    of_value(serde_json::from_str(text)?)
}

/// Reads a text that says nothing which has no meaning here.
///
/// # Errors
/// It is no JSON, or not of this type, or says more.
pub fn read_strictly<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    T::deserialize(Tree { value: Some(serde_json::from_str(text)?), how: How { is_strict: true, way: None } })
}

/// Reads a document that was parsed, as [`read`] does.
///
/// # Errors
/// It is not of this type.
pub fn of_value<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    T::deserialize(Tree { value: Some(value), how: How { is_strict: false, way: None } })
}

/// Reads a document that somebody has written by hand, as [`read_strictly`] does.
///
/// # Errors
/// Where it is not of this type, as a path such as `routes[3].require.scopes[0]`; empty: the whole. And how.
pub fn of_document<T: DeserializeOwned>(value: Value) -> Result<T, (String, Error)> {
    let way = Way::default();
    let how = How { is_strict: true, way: Some(&way) };
    T::deserialize(Tree { value: Some(value), how }).map_err(|error| (way.path(), error))
}

/// The name of a structure that may have members of any name.
const OPEN: &str = "open";

/// How a document is read.
#[derive(Clone, Copy)]
struct How<'w> {
    /// Whether members without a meaning are refused.
    is_strict: bool,
    /// Where the way to what is being read is written down.
    way: Option<&'w Way>,
}

impl How<'_> {
    /// How many steps down it is.
    fn depth(self) -> usize {
        self.way.map_or(0, Way::len)
    }

    /// Is at this step of what is this far down.
    fn go(self, depth: usize, step: impl FnOnce() -> Option<Step>) {
        if let Some(way) = self.way {
            way.go(depth, step());
        }
    }
}

struct Tree<'w> {
    /// `None`: a field whose member is not there.
    value: Option<Value>,
    how: How<'w>,
}

// What is the same for all types is here once: a method of `Deserializer` is there for each of them.
impl<'w> Tree<'w> {
    #[inline(never)]
    fn items(self, expected: &dyn Expected) -> Result<Items<'w>, Error> {
        match self.value {
            Some(Value::Array(items)) => Ok(Items::of(items, self.how)),
            _ => Err(self.unfit(expected)),
        }
    }

    #[inline(never)]
    fn members(self, expected: &dyn Expected) -> Result<Members<'w>, Error> {
        match self.value {
            Some(Value::Object(members)) => Ok(Members::of(members, self.how)),
            _ => Err(self.unfit(expected)),
        }
    }

    #[inline(never)]
    fn fields(
        self,
        name: &str,
        fields: &'static [&'static str],
        expected: &dyn Expected,
    ) -> Result<Fields<'w>, Error> {
        match self.value {
            Some(Value::Object(members)) => {
                let how = How { is_strict: self.how.is_strict && name != OPEN, ..self.how };
                Fields::of(fields, members, how)
            }
            _ => Err(self.unfit(expected)),
        }
    }

    #[inline(never)]
    fn variant(self, expected: &dyn Expected) -> Result<Variant<'w>, Error> {
        match self.value {
            Some(Value::String(name)) => Ok(Variant(name, None, self.how)),
            Some(Value::Object(members)) => {
                let mut members = members.into_iter();
                match (members.next(), members.next()) {
                    (Some((name, value)), None) => Ok(Variant(name, Some(value), self.how)),
                    _ => Err(Error::invalid_value(Unexpected::Map, &"an object with one member")),
                }
            }
            _ => Err(self.unfit(expected)),
        }
    }

    /// What was expected is told at run time: this is here once, and not once for each type.
    #[cold]
    #[inline(never)]
    fn unfit(&self, expected: &dyn Expected) -> Error {
        let what = match &self.value {
            None => return absent(),
            Some(Value::Null) => Unexpected::Unit,
            Some(Value::Bool(value)) => Unexpected::Bool(*value),
            Some(Value::Number(_)) => Unexpected::Other("number"),
            Some(Value::String(text)) => Unexpected::Str(text),
            Some(Value::Array(_)) => Unexpected::Seq,
            Some(Value::Object(_)) => Unexpected::Map,
        };
        Error::invalid_type(what, expected)
    }
}

/// Nobody reads it: [`Fields`] says which member is missing.
#[cold]
fn absent() -> Error {
    Error::custom("")
}

impl<'de> Deserializer<'de> for Tree<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            None => Err(absent()),
            Some(Value::Null) => visitor.visit_unit(),
            Some(Value::Bool(value)) => visitor.visit_bool(value),
            Some(Value::Number(number)) => number.deserialize_any(visitor),
            Some(Value::String(text)) => visitor.visit_string(text),
            Some(Value::Array(items)) => visitor.visit_seq(Items::of(items, self.how)),
            Some(Value::Object(members)) => visitor.visit_map(Members::of(members, self.how)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.value {
            None | Some(Value::Null) => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if self.value.is_none() {
            return Err(absent());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let items = self.items(&visitor)?;
        visitor.visit_seq(items)
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
        let members = self.members(&visitor)?;
        visitor.visit_map(members)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let mut fields = self.fields(name, fields, &visitor)?;
        visitor.visit_seq(&mut fields).map_err(|error| fields.meant(error))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let variant = self.variant(&visitor)?;
        visitor.visit_enum(variant)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct identifier
    }
}

/// The members of a structure, in the order of its fields.
struct Fields<'w> {
    names: std::slice::Iter<'static, &'static str>,
    members: Map<String, Value>,
    /// The field that was asked for last, where it has no member and cannot do without.
    missing: Option<&'static str>,
    depth: usize,
    how: How<'w>,
}

impl<'w> Fields<'w> {
    #[inline(never)]
    fn of(names: &'static [&'static str], members: Map<String, Value>, how: How<'w>) -> Result<Self, Error> {
        let depth = how.depth();
        if how.is_strict
            && let Some(name) = members.keys().find(|name| !names.contains(&name.as_str()))
        {
            how.go(depth, || Some(Step::Member(name.clone())));
            return Err(Error::unknown_field(name, names));
        }
        Ok(Self { names: names.iter(), members, missing: None, depth, how })
    }

    /// The next field, and its member.
    #[inline(never)]
    fn next(&mut self) -> Option<(&'static str, Option<Value>)> {
        self.missing = None;
        let name = *self.names.next()?;
        let value = self.members.remove(name);
        let is_there = value.is_some();
        self.how.go(self.depth, || is_there.then(|| Step::Member(name.to_owned())));
        Some((name, value))
    }

    /// What an error means that a structure has come to.
    #[cold]
    fn meant(&self, error: Error) -> Error {
        self.missing.map_or(error, Error::missing_field)
    }
}

impl<'de> SeqAccess<'de> for &mut Fields<'_> {
    type Error = Error;

    /// `None`: there is no such member, and the structure says what stands in its place, or that it has to be there.
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some((name, value)) = self.next() else { return Ok(None) };
        let is_there = value.is_some();
        match seed.deserialize(Tree { value, how: self.how }) {
            Ok(read) => Ok(Some(read)),
            Err(error) if is_there => Err(error),
            Err(_) => {
                self.missing = Some(name);
                Ok(None)
            }
        }
    }
}

struct Items<'w> {
    rest: std::iter::Enumerate<std::vec::IntoIter<Value>>,
    depth: usize,
    how: How<'w>,
}

impl<'w> Items<'w> {
    fn of(items: Vec<Value>, how: How<'w>) -> Self {
        Self { rest: items.into_iter().enumerate(), depth: how.depth(), how }
    }

    #[inline(never)]
    fn next(&mut self) -> Option<Value> {
        let next = self.rest.next();
        self.how.go(self.depth, || next.as_ref().map(|(at, _)| Step::Item(*at)));
        next.map(|(_, value)| value)
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let how = self.how;
        self.next().map(|value| seed.deserialize(Tree { value: Some(value), how })).transpose()
    }
}

struct Members<'w> {
    rest: serde_json::map::IntoIter,
    value: Option<Value>,
    depth: usize,
    how: How<'w>,
}

impl<'w> Members<'w> {
    fn of(members: Map<String, Value>, how: How<'w>) -> Self {
        Self { rest: members.into_iter(), value: None, depth: how.depth(), how }
    }

    #[inline(never)]
    fn next(&mut self) -> Option<String> {
        let next = self.rest.next();
        self.how.go(self.depth, || next.as_ref().map(|(name, _)| Step::Member(name.clone())));
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
        seed.deserialize(Tree { value: Some(self.value.take().unwrap_or_default()), how: self.how })
    }
}

/// A variant's name, and what stands behind it.
struct Variant<'w>(String, Option<Value>, How<'w>);

impl<'de, 'w> EnumAccess<'de> for Variant<'w> {
    type Error = Error;
    type Variant = Content<'w>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Content<'w>), Error> {
        let name: StringDeserializer<Error> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, Content(self.1, self.2)))
    }
}

struct Content<'w>(Option<Value>, How<'w>);

impl<'w> Content<'w> {
    fn tree(self) -> Result<Tree<'w>, Error> {
        let Self(value, how) = self;
        value
            .map(|value| Tree { value: Some(value), how })
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
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.tree()?.deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests;
