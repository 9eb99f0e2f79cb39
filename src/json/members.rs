//! The members of an object, by name: what is read and written where each has the same type.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use litemap::LiteMap;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// A flat map that is an object in JSON, also where it is empty, and nothing else. (`LiteMap` itself is an array where it is empty, and reads one.) Of a
/// repeated member the last one counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Members<K, V>(LiteMap<K, V>);

impl<K: Ord, V> Default for Members<K, V> {
    fn default() -> Self {
        Self(LiteMap::new())
    }
}

impl<K, V> Deref for Members<K, V> {
    type Target = LiteMap<K, V>;

    fn deref(&self) -> &LiteMap<K, V> {
        &self.0
    }
}

impl<K, V> DerefMut for Members<K, V> {
    fn deref_mut(&mut self) -> &mut LiteMap<K, V> {
        &mut self.0
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Members<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        let mut all = LiteMap::new();
        for (name, value) in members {
            all.insert(name, value);
        }
        Self(all)
    }
}

impl<'m, K, V> IntoIterator for &'m Members<K, V> {
    type Item = (&'m K, &'m V);
    type IntoIter = <&'m LiteMap<K, V> as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        (&self.0).into_iter()
    }
}

impl<K: Serialize, V: Serialize> Serialize for Members<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for Members<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Reader(PhantomData))
    }
}

struct Reader<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Visitor<'de> for Reader<K, V> {
    type Value = Members<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<K, V>, A::Error> {
        let mut members = LiteMap::new();
        while let Some((name, value)) = map.next_entry()? {
            members.insert(name, value);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    #[test]
    fn it_is_an_object_also_where_it_is_empty() {
        let empty: Members<String, u64> = Members::default();
        assert_eq!(serde_json::to_string(&empty).unwrap(), "{}");
        let two: Members<String, u64> = [("b".to_owned(), 2), ("a".to_owned(), 1)].into_iter().collect();
        let text = r#"{"a":1,"b":2}"#;
        assert_eq!(serde_json::to_string(&two).unwrap(), text);
        assert_eq!(read::<Members<String, u64>>(text).unwrap(), two);
        for bad in ["[]", r#"[["a",1]]"#, "null", r#""a""#] {
            assert!(read::<Members<String, u64>>(bad).is_err(), "{bad}");
        }
    }
}
