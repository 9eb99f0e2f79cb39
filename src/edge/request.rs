//! The platform's request, as the rules see it.

use worker::js_sys::futures::JsFuture;
use worker::js_sys::{Reflect, Uint8Array};
use worker::wasm_bindgen::JsCast;
use worker::web_sys::{self, ReadableStreamDefaultReader};

use crate::edge::platform::fault;
use crate::error::Fault;
use crate::http::{Head, Headers};
use crate::port::Body;

/// A request's head, taken apart once.
pub(super) struct Incoming {
    method: String,
    url: String,
    /// Where the parts of `url` lie: the authority's begin and end, the path's end.
    authority: (usize, usize),
    path_end: usize,
    has_body: bool,
    headers: IncomingHeaders,
}

impl Incoming {
    /// The platform's URL is serialised (WHATWG): scheme, `://`, authority, path, and maybe a query.
    pub(super) fn read(request: &web_sys::Request) -> worker::Result<Self> {
        let url = request.url();
        let bad = || worker::Error::RustError("the platform's URL has no authority".to_owned());
        let start = url.find("://").and_then(|at| at.checked_add(3)).ok_or_else(bad)?;
        let after = |from: usize, find: &[char]| {
            url.get(from..)
                .and_then(|rest| rest.find(find))
                .and_then(|at| at.checked_add(from))
                .unwrap_or(url.len())
        };
        let end = after(start, &['/', '?', '#']);
        let path_end = after(end, &['?', '#']);
        Ok(Self {
            method: request.method(),
            authority: (start, end),
            path_end,
            has_body: request.body().is_some(),
            headers: IncomingHeaders(request.headers()),
            url,
        })
    }

    pub(super) fn head(&self) -> Head<'_> {
        let part = |from: usize, to: usize| self.url.get(from..to).unwrap_or_default();
        Head {
            method: &self.method,
            is_https: self.url.starts_with("https://"),
            authority: part(self.authority.0, self.authority.1),
            path: part(self.authority.1, self.path_end),
            query: self.url.get(self.path_end..).and_then(|rest| rest.strip_prefix('?')),
            has_body: self.has_body,
            headers: &self.headers,
        }
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> &str {
        self.url.get(..self.authority.1).unwrap_or_default()
    }

    pub(super) const fn headers(&self) -> &web_sys::Headers {
        &self.headers.0
    }
}

struct IncomingHeaders(web_sys::Headers);

impl Headers for IncomingHeaders {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).ok().flatten()
    }
}

/// The body, read in pieces so that a long one is given up early.
pub(super) struct IncomingBody<'a>(&'a web_sys::Request);

impl<'a> IncomingBody<'a> {
    pub(super) const fn of(request: &'a web_sys::Request) -> Self {
        Self(request)
    }
}

impl Body for IncomingBody<'_> {
    async fn read(&mut self, limit: usize) -> Result<Option<Vec<u8>>, Fault> {
        const OP: &str = "read body";
        let length = self
            .0
            .headers()
            .get("content-length")
            .ok()
            .flatten()
            .and_then(|length| length.parse::<usize>().ok());
        if length.is_some_and(|length| length > limit) {
            return Ok(None);
        }
        let Some(stream) = self.0.body() else {
            return Ok(Some(Vec::new()));
        };
        let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
        let mut body = Vec::new();
        loop {
            // Whoever breaks off its own body is not our trouble.
            let Ok(piece) = JsFuture::from(reader.read()).await else {
                return Ok(None);
            };
            let member = |name: &str| Reflect::get(&piece, &name.into()).map_err(fault(OP));
            if member("done")?.is_truthy() {
                return Ok(Some(body));
            }
            let piece = Uint8Array::new(&member("value")?);
            let fits = usize::try_from(piece.length())
                .ok()
                .and_then(|more| body.len().checked_add(more))
                .is_some_and(|sum| sum <= limit);
            if !fits {
                // Nobody waits for what is left; failing to say so changes nothing.
                drop(reader.cancel());
                return Ok(None);
            }
            body.extend_from_slice(&piece.to_vec());
        }
    }
}
