//! The walk: bytes of a document in, those that are kept out.
//!
//! It may be interrupted after any byte. What it remembers is the containers that are open (at most [`MOST_DEPTH`]), the places of the tree that they lead to, and
//! the name of the member that comes next (at most [`MOST_NAME`] bytes).

use std::fmt;

use crate::json::{self, Value};
use crate::redact::fields::{Fields, Place, ROOT};

/// How many containers may be open in each other.
pub const MOST_DEPTH: usize = 256;

/// How long the name of a member may be, in bytes as it is written.
pub const MOST_NAME: usize = 8 * 1024;

/// By how many bytes what is kept of a piece may be longer than it: the name that its first value has came before it, and is given with a comma and a colon.
pub const MOST_MORE: usize = MOST_NAME + 2;

/// Why a document cannot be redacted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unfit {
    /// It is no JSON text (RFC 8259).
    Syntax,
    /// It ends before it is one.
    Incomplete,
    /// More than [`MOST_DEPTH`] containers are in each other.
    TooDeep,
    /// A name has more than [`MOST_NAME`] bytes.
    LongName,
}

impl Unfit {
    /// A code for logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Syntax => "no_json",
            Self::Incomplete => "json_incomplete",
            Self::TooDeep => "json_too_deep",
            Self::LongName => "json_long_name",
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "it is no JSON",
            Self::Incomplete => "it ends before it is JSON",
            Self::TooDeep => "it is nested too deeply",
            Self::LongName => "the name of a member is too long",
        })
    }
}

impl std::error::Error for Unfit {}

/// What becomes of what is being read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    /// It is kept as it is.
    Whole,
    /// What is named within it is kept.
    Part,
    /// It leaves.
    Nothing,
}

/// What may come next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Want {
    Value,
    /// A value, or the end of an array without items.
    Item,
    Name,
    /// A name, or the end of an object without members.
    Member,
    Colon,
    /// A comma, or the end of the container.
    Next,
    /// Nothing but white space.
    End,
}

/// What is being read, byte by byte.
#[derive(Clone, Copy, Debug)]
enum Token {
    None,
    Text,
    Escape,
    /// So many hexadecimal digits are left of an escape.
    Hex(u8),
    Number(Number),
    /// The rest of `true`, `false` or `null`.
    Word(&'static [u8]),
}

/// The parts of a number (RFC 8259 section 6).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Number {
    Minus,
    Zero,
    Digits,
    Point,
    Fraction,
    E,
    Sign,
    Exponent,
}

impl Number {
    /// What it is with one more byte; `None`: that byte is not of it.
    const fn with(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Minus, b'0') => Self::Zero,
            (Self::Minus, b'1'..=b'9') | (Self::Digits, b'0'..=b'9') => Self::Digits,
            (Self::Zero | Self::Digits, b'.') => Self::Point,
            (Self::Point | Self::Fraction, b'0'..=b'9') => Self::Fraction,
            (Self::Zero | Self::Digits | Self::Fraction, b'e' | b'E') => Self::E,
            (Self::E, b'+' | b'-') => Self::Sign,
            (Self::E | Self::Sign | Self::Exponent, b'0'..=b'9') => Self::Exponent,
            _ => return None,
        })
    }

    const fn may_end(self) -> bool {
        matches!(self, Self::Zero | Self::Digits | Self::Fraction | Self::Exponent)
    }
}

/// A container that is open.
#[derive(Clone, Copy, Debug)]
struct Level {
    is_object: bool,
    /// Whether something of it was kept already.
    has_kept: bool,
    /// From where on the places that it leads to stand in [`Redactor::places`].
    places: usize,
}

/// Redacts one document.
#[derive(Debug)]
pub struct Redactor {
    fields: Fields,
    fate: Fate,
    /// How many containers are open around what is kept whole, or leaves.
    around: usize,
    want: Want,
    token: Token,
    is_name: bool,
    levels: Vec<Level>,
    places: Vec<Place>,
    /// The name of the member that comes next, as it is written.
    name: Vec<u8>,
    /// The places that it leads to.
    led: Vec<Place>,
}

/// What one piece of a document comes to.
struct Piece<'b> {
    bytes: &'b [u8],
    /// Up to where it is read.
    at: usize,
    /// From where on it is copied.
    from: Option<usize>,
    out: Vec<u8>,
}

impl Piece<'_> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    const fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count);
    }

    /// Copies what is kept, up to here.
    fn copy(&mut self) {
        if let Some(from) = self.from.take() {
            self.out.extend_from_slice(self.bytes.get(from..self.at).unwrap_or_default());
        }
    }
}

impl Redactor {
    /// One that keeps these.
    #[must_use]
    pub const fn new(fields: Fields) -> Self {
        Self {
            fields,
            fate: Fate::Part,
            around: 0,
            want: Want::Value,
            token: Token::None,
            is_name: false,
            levels: Vec::new(),
            places: Vec::new(),
            name: Vec::new(),
            led: Vec::new(),
        }
    }

    /// What is kept of the next bytes: at most [`MOST_MORE`] more than they are.
    ///
    /// # Errors
    /// The document is unfit: there is no more to come of it.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Unfit> {
        let from = (self.fate == Fate::Whole).then_some(0);
        let mut piece = Piece { bytes, at: 0, from, out: Vec::with_capacity(bytes.len()) };
        while let Some(byte) = piece.rest().first().copied() {
            match self.token {
                Token::None => self.between(&mut piece, byte)?,
                Token::Text => self.text(&mut piece)?,
                Token::Escape => self.escape(&mut piece, byte)?,
                Token::Hex(left) => {
                    if !byte.is_ascii_hexdigit() {
                        return Err(Unfit::Syntax);
                    }
                    self.token = left.checked_sub(1).filter(|left| *left > 0).map_or(Token::Text, Token::Hex);
                    self.named(&[byte])?;
                    piece.skip(1);
                }
                Token::Number(number) => match number.with(byte) {
                    Some(next) => {
                        self.token = Token::Number(next);
                        piece.skip(1);
                    }
                    None if number.may_end() => self.end_of_value(&mut piece),
                    None => return Err(Unfit::Syntax),
                },
                Token::Word(rest) => {
                    let rest = rest.strip_prefix(&[byte]).ok_or(Unfit::Syntax)?;
                    self.token = Token::Word(rest);
                    piece.skip(1);
                    if rest.is_empty() {
                        self.end_of_value(&mut piece);
                    }
                }
            }
        }
        piece.copy();
        Ok(piece.out)
    }

    /// That was all: whether it was a document.
    ///
    /// # Errors
    /// [`Unfit::Incomplete`].
    pub const fn finish(&self) -> Result<(), Unfit> {
        let is_whole = match self.token {
            Token::None => matches!(self.want, Want::End),
            // Nothing says where a number ends but what comes after it.
            Token::Number(number) => number.may_end() && self.levels.is_empty(),
            Token::Text | Token::Escape | Token::Hex(_) | Token::Word(_) => false,
        };
        if is_whole { Ok(()) } else { Err(Unfit::Incomplete) }
    }

    /// A byte that is in no token.
    fn between(&mut self, piece: &mut Piece<'_>, byte: u8) -> Result<(), Unfit> {
        match (self.want, byte) {
            (_, b' ' | b'\t' | b'\n' | b'\r') => piece.skip(1),
            (Want::Colon, b':') => {
                self.want = Want::Value;
                piece.skip(1);
            }
            (Want::Next, b',') => {
                let is_object = self.levels.last().is_some_and(|level| level.is_object);
                self.want = if is_object { Want::Name } else { Want::Value };
                piece.skip(1);
            }
            (Want::Next | Want::Member, b'}') | (Want::Next | Want::Item, b']') => self.close(piece, byte)?,
            (Want::Name | Want::Member, b'"') => {
                self.is_name = true;
                self.name.clear();
                self.token = Token::Text;
                self.named(b"\"")?;
                piece.skip(1);
            }
            (Want::Value | Want::Item, _) => self.value(piece, byte)?,
            _ => return Err(Unfit::Syntax),
        }
        Ok(())
    }

    /// A value begins.
    fn value(&mut self, piece: &mut Piece<'_>, byte: u8) -> Result<(), Unfit> {
        if self.fate == Fate::Part {
            self.decide(piece, byte);
        }
        self.token = match byte {
            b'{' | b'[' => return self.open(piece, byte),
            b'"' => Token::Text,
            b'-' => Token::Number(Number::Minus),
            b'0' => Token::Number(Number::Zero),
            b'1'..=b'9' => Token::Number(Number::Digits),
            b't' => Token::Word(b"rue"),
            b'f' => Token::Word(b"alse"),
            b'n' => Token::Word(b"ull"),
            _ => return Err(Unfit::Syntax),
        };
        self.is_name = false;
        piece.skip(1);
        Ok(())
    }

    /// What becomes of a value that begins with this byte, where it is looked into what it is in.
    fn decide(&mut self, piece: &mut Piece<'_>, byte: u8) {
        let level = self.levels.last_mut();
        let (is_root, is_member) = (level.is_none(), level.as_ref().is_some_and(|level| level.is_object));
        let places: &[Place] = match &level {
            None => &[ROOT],
            Some(level) if level.is_object => &self.led,
            Some(level) => self.places.get(level.places..).unwrap_or_default(),
        };
        self.fate = match byte {
            _ if self.fields.keeps(places) => Fate::Whole,
            _ if places.is_empty() => Fate::Nothing,
            b'{' | b'[' => Fate::Part,
            b'n' => Fate::Whole,
            _ => Fate::Nothing,
        };
        self.around = self.levels.len();
        if self.fate == Fate::Nothing {
            if is_root {
                // An answer is JSON all the same.
                piece.out.extend_from_slice(b"null");
            }
            return;
        }
        if let Some(level) = self.levels.last_mut() {
            if std::mem::replace(&mut level.has_kept, true) {
                piece.out.push(b',');
            }
            if is_member {
                piece.out.extend_from_slice(&self.name);
                piece.out.push(b':');
            }
        }
        if self.fate == Fate::Whole {
            piece.from = Some(piece.at);
        }
    }

    fn open(&mut self, piece: &mut Piece<'_>, byte: u8) -> Result<(), Unfit> {
        if self.levels.len() >= MOST_DEPTH {
            return Err(Unfit::TooDeep);
        }
        let (start, is_object) = (self.places.len(), byte == b'{');
        if self.fate == Fate::Part {
            piece.out.push(byte);
            match self.levels.last() {
                None => self.places.push(ROOT),
                Some(level) if level.is_object => self.places.extend_from_slice(&self.led),
                Some(level) => self.places.extend_from_within(level.places..),
            }
        }
        self.levels.push(Level { is_object, has_kept: false, places: start });
        self.want = if is_object { Want::Member } else { Want::Item };
        piece.skip(1);
        Ok(())
    }

    fn close(&mut self, piece: &mut Piece<'_>, byte: u8) -> Result<(), Unfit> {
        let level =
            self.levels.pop().filter(|level| level.is_object == (byte == b'}')).ok_or(Unfit::Syntax)?;
        if self.fate == Fate::Part {
            piece.out.push(byte);
            self.places.truncate(level.places);
        }
        piece.skip(1);
        self.end_of_value(piece);
        Ok(())
    }

    /// A value has ended here.
    fn end_of_value(&mut self, piece: &mut Piece<'_>) {
        self.token = Token::None;
        self.want = if self.levels.is_empty() { Want::End } else { Want::Next };
        if self.fate != Fate::Part && self.levels.len() == self.around {
            piece.copy();
            self.fate = Fate::Part;
        }
    }

    /// Within a text.
    fn text(&mut self, piece: &mut Piece<'_>) -> Result<(), Unfit> {
        let rest = piece.rest();
        let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
        let (text, after) = rest.split_at(plain);
        self.named(text)?;
        match after.first() {
            None => piece.skip(plain),
            Some(b'\\') => {
                self.named(b"\\")?;
                self.token = Token::Escape;
                piece.skip(plain.saturating_add(1));
            }
            Some(b'"') => {
                self.named(b"\"")?;
                piece.skip(plain.saturating_add(1));
                if self.is_name {
                    self.end_of_name();
                } else {
                    self.end_of_value(piece);
                }
            }
            Some(_) => return Err(Unfit::Syntax),
        }
        Ok(())
    }

    fn escape(&mut self, piece: &mut Piece<'_>, byte: u8) -> Result<(), Unfit> {
        self.token = match byte {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Token::Text,
            b'u' => Token::Hex(4),
            _ => return Err(Unfit::Syntax),
        };
        self.named(&[byte])?;
        piece.skip(1);
        Ok(())
    }

    /// More of a name, where it has to be known.
    fn named(&mut self, bytes: &[u8]) -> Result<(), Unfit> {
        if self.is_name && self.fate == Fate::Part {
            if self.name.len().saturating_add(bytes.len()) > MOST_NAME {
                return Err(Unfit::LongName);
            }
            self.name.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn end_of_name(&mut self) {
        (self.token, self.want, self.is_name) = (Token::None, Want::Colon, false);
        if self.fate != Fate::Part {
            return;
        }
        self.led.clear();
        let from = self.levels.last().map_or(0, |level| level.places);
        let places = self.places.get(from..).unwrap_or_default();
        let written = self.name.get(1..self.name.len().saturating_sub(1)).unwrap_or_default();
        if !written.contains(&b'\\') {
            return self.fields.lead(places, Some(written), &mut self.led);
        }
        match json::value(&self.name) {
            Ok(Value::Text(meant)) => self.fields.lead(places, Some(meant.as_bytes()), &mut self.led),
            // Half of a character: no name of ours has one.
            _ => self.fields.lead(places, None, &mut self.led),
        }
    }
}

#[cfg(test)]
mod tests;
