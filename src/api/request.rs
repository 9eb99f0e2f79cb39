//! A request to the API, read once: what it asks for, about what, and on what condition.

use serde::de::DeserializeOwned;

use crate::directory::{Cursor, MOST_ITEMS};
use crate::encoding::{Digest, base64url};
use crate::error::Fault;
use crate::http::{Answer, Form, Head};
use crate::id::ClientId;
use crate::json;
use crate::oauth::Stop;

use super::Operation;
use super::problem::bad;

/// Items of a page, where nobody says how many.
const ITEMS: usize = 50;

/// The longest search.
const MAX_SEARCH: usize = 100;

/// The name of a request, by which it may come again: long enough for nobody to guess, such as a UUID.
const KEY: std::ops::RangeInclusive<usize> = 16..=255;

/// One request.
#[derive(Clone)]
pub struct Request<'a> {
    /// What is asked for.
    pub operation: Operation,
    /// About what: the part of the path that names it.
    pub id: &'a str,
    /// The query.
    pub query: Option<&'a str>,
    /// `If-Match`.
    pub if_match: Option<String>,
    /// `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// `Accept`.
    pub accept: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Request<'_> {
    /// Not what it says: it may be a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("operation", &self.operation).finish_non_exhaustive()
    }
}

/// What a list is asked for.
pub(super) struct Wanted {
    form: Form,
    pub(super) limit: usize,
    pub(super) after: Option<Cursor>,
}

impl Wanted {
    /// The value of a parameter; an empty one is as if it was not there.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.form.get(name)
    }

    /// The value of a parameter of a type of ours.
    pub(super) fn parsed<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Stop> {
        const UNFIT: &str =
            "A parameter of the query has no such value. See openapi.json for what it may be.";
        self.get(name).map(|text| text.parse().map_err(|_| bad(UNFIT))).transpose()
    }

    /// The words that are searched for.
    pub(super) fn search(&self) -> Result<Option<String>, Stop> {
        let Some(text) = self.get("search") else { return Ok(None) };
        if text.chars().count() > MAX_SEARCH || text.trim().contains('\n') {
            return Err(bad("search is at most 100 characters on one line."));
        }
        let search = text.trim().to_lowercase();
        Ok(Some(search).filter(|text| !text.is_empty()))
    }
}

impl<'a> Request<'a> {
    /// What a request says before its body.
    ///
    /// # Errors
    /// The answer to one that contradicts itself.
    pub(super) fn of(operation: Operation, id: &'a str, head: &Head<'a>, body: Vec<u8>) -> Self {
        let header = |name| head.headers.get(name);
        Self {
            operation,
            id,
            query: head.query,
            if_match: header("if-match"),
            idempotency_key: header("idempotency-key"),
            accept: header("accept"),
            body,
        }
    }

    /// The query of a list. Parameters that are not known are ignored; one that comes twice is refused.
    pub(super) fn wanted(&self) -> Result<Wanted, Stop> {
        const LIMIT: &str = "limit is a number from 1 to 200.";
        let form = Form::of_query(self.query.unwrap_or_default())
            .map_err(|_| bad("A parameter of the query is there twice, or is no UTF-8."))?;
        let limit = form.get("limit").map_or(Ok(ITEMS), |text| text.parse().map_err(|_| bad(LIMIT)))?;
        if !(1..=MOST_ITEMS).contains(&limit) {
            return Err(bad(LIMIT));
        }
        let after = form.get("cursor").map(Cursor::read).transpose();
        let after = after.map_err(|_| bad("cursor is the `next` of an earlier page, as it was."))?;
        Ok(Wanted { form, limit, after })
    }

    /// The body, in JSON of this shape; each member at most once.
    pub(super) fn json<T: DeserializeOwned>(&self, shape: &'static str) -> Result<T, Stop> {
        json::object(&self.body).map_err(|_| bad(shape))?;
        str::from_utf8(&self.body)
            .ok()
            .and_then(|text| json::read_strictly(text).ok())
            .ok_or_else(|| bad(shape))
    }

    /// The same, where nothing at all is an object without members.
    pub(super) fn json_or_nothing<T: DeserializeOwned + Default>(
        &self,
        shape: &'static str,
    ) -> Result<T, Stop> {
        if self.body.is_empty() { Ok(T::default()) } else { self.json(shape) }
    }

    /// What `If-Match` names; `None`: whatever there is (RFC 9110 section 13.1.1).
    pub(super) fn tag(&self) -> Result<Option<Digest>, Stop> {
        let Some(text) = self.if_match.as_deref().map(str::trim) else { return Ok(None) };
        if text == "*" {
            return Ok(None);
        }
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let digest = inner.and_then(|text| Digest::try_from(text.to_owned()).ok());
        // What was never an ETag of ours matches nothing.
        digest.map(Some).ok_or_else(|| super::problem::refused(crate::principal::Refused::Changed))
    }

    /// The name of the request, where it has one.
    pub(super) fn attempt(&self) -> Result<Option<&str>, Stop> {
        let key = self.idempotency_key.as_deref();
        let is_bad = |key: &&str| !KEY.contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic());
        if key.is_some_and(|key| is_bad(&key)) {
            return Err(bad(
                "Idempotency-Key is 16 to 255 visible ASCII characters, such as a UUID, and new for each request.",
            ));
        }
        Ok(key)
    }
}

/// A name that follows from a text that nobody else has.
pub(super) fn named_by(text: &str) -> Result<ClientId, Fault> {
    let digest = Digest::of(text.as_bytes());
    let half: &[u8] = digest.bytes().first_chunk::<16>().map_or(&[], |half| half.as_slice());
    base64url(half).parse().map_err(|_| Fault::new("name client", "16 bytes make no client_id"))
}

/// With the `ETag` of what it shows.
pub(super) fn tagged(answer: Answer, tag: &Digest) -> Answer {
    answer.with("ETag", format!("\"{}\"", base64url(tag.bytes())))
}
