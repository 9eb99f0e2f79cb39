//! JSON that has one reading.
//!
//! Two parsers that disagree on which of two `alg` members counts are a signature bypass, so a repeated member
//! is refused at every depth: there is no "last one wins" (RFC 7515 section 4, RFC 8725 section 2.6). The
//! parser is total: it keeps its own stack of at most [`MAX_DEPTH`] levels instead of the machine's, so no
//! input can exhaust it, and every input ends in a value or in [`Malformed`].
//!
//! **In scope**: RFC 8259, strictly: UTF-8 without a byte order mark, no lone surrogates, no numbers beyond a
//! double. **Out of scope**: writing JSON (`serde_json`), documents that people write ([`crate::config`]).

mod members;
mod parser;
mod tree;
mod value;
mod way;

pub use members::Members;
pub use parser::MAX_DEPTH;
pub use tree::{of_document, of_value, read, read_strictly};
pub use value::{Object, Value};

use crate::id::Malformed;

const BAD: Malformed = Malformed::new("JSON object", "one UTF-8 JSON object without repeated members");

/// Reads one JSON object, whole and with nothing behind it but white space. The caller bounds the size.
///
/// # Errors
/// Not JSON, not an object, a repeated member, too deep, or data after the end.
pub fn object(bytes: &[u8]) -> Result<Object<'_>, Malformed> {
    match parser::parse(bytes) {
        Some(Value::Object(members)) => Ok(members),
        _ => Err(BAD),
    }
}

/// Reads one JSON value of any type, by the same rules.
///
/// # Errors
/// As [`object`], except that any value will do.
pub fn value(bytes: &[u8]) -> Result<Value<'_>, Malformed> {
    parser::parse(bytes).ok_or(BAD)
}
