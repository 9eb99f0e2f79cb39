//! The platform's request, as the rules see it.

use worker::js_sys::futures::JsFuture;
use worker::js_sys::{Reflect, Uint8Array};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::web_sys::{self, ReadableStream, ReadableStreamDefaultReader};

use crate::encoding::Digest;
use crate::error::Fault;
use crate::http::{Head, Headers};
use crate::port::Body;
use crate::token::{ClientCertificate, Peer};
use crate::webcrypto::{Wait, fault};

/// Where the parts of a serialised URL (WHATWG) lie: scheme, `://`, authority, path, and maybe a query.
#[derive(Clone, Copy)]
struct Parts {
    authority: (usize, usize),
    path_end: usize,
}

impl Parts {
    fn of(url: &str) -> Option<Self> {
        let start = ["https://", "http://"].into_iter().find(|scheme| url.starts_with(scheme))?.len();
        let after = |from: usize, find: &[u8]| {
            let mut bytes = url.bytes().skip(from);
            bytes.position(|byte| find.contains(&byte)).map_or(url.len(), |at| at.saturating_add(from))
        };
        let end = after(start, b"/?#");
        Some(Self { authority: (start, end), path_end: after(end, b"?#") })
    }

    fn head<'a>(
        self,
        method: &'a str,
        url: &'a str,
        has_body: bool,
        (headers, peer): (&'a dyn Headers, &'a dyn Peer),
    ) -> Head<'a> {
        let part = |from: usize, to: usize| url.get(from..to).unwrap_or_default();
        Head {
            method,
            is_https: url.starts_with("https://"),
            authority: part(self.authority.0, self.authority.1),
            path: part(self.authority.1, self.path_end),
            query: url.get(self.path_end..).and_then(|rest| rest.strip_prefix('?')),
            has_body,
            headers,
            peer,
        }
    }

    /// Scheme, host and port.
    fn origin(self, url: &str) -> &str {
        url.get(..self.authority.1).unwrap_or_default()
    }
}

/// A request's head as `entry.js` writes it: lines of one text.
pub(super) struct Line<'a> {
    method: &'a str,
    url: &'a str,
    parts: Parts,
    has_body: bool,
    names: &'a str,
    connection: &'a str,
    headers: FewHeaders<'a>,
}

/// The only headers whose values a decision at once asks for.
struct FewHeaders<'a> {
    authorization: Option<&'a str>,
    origin: Option<&'a str>,
}

impl Headers for FewHeaders<'_> {
    fn get(&self, name: &str) -> Option<String> {
        match name {
            "authorization" => self.authorization.map(str::to_owned),
            "origin" => self.origin.map(str::to_owned),
            _ => None,
        }
    }
}

/// Whoever nothing is known of: a decision at once does not look at connections.
struct Unknown;

impl Peer for Unknown {
    fn certificate(&self) -> Option<Digest> {
        None
    }
}

impl<'a> Line<'a> {
    pub(super) fn read(text: &'a str, has_body: bool) -> Option<Self> {
        let mut lines = text.splitn(6, '\n');
        let (method, url, authorization) = (lines.next()?, lines.next()?, lines.next()?);
        let (connection, origin) = (lines.next()?, lines.next()?);
        let names = lines.next().unwrap_or_default();
        let origin = Some(origin).filter(|origin| !origin.is_empty());
        let headers = FewHeaders { authorization: authorization.strip_prefix('='), origin };
        Some(Self { method, url, parts: Parts::of(url)?, has_body, names, connection, headers })
    }

    /// The value of `Connection`: the platform always sends one.
    pub(super) const fn connection(&self) -> &'a str {
        self.connection
    }

    pub(super) fn head(&self) -> Head<'_> {
        self.parts.head(self.method, self.url, self.has_body, (&self.headers, &Unknown))
    }

    pub(super) fn origin(&self) -> &str {
        self.parts.origin(self.url)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.names.split('\n').filter(|name| !name.is_empty())
    }
}

/// A request's head, taken apart once.
pub(super) struct Incoming {
    method: String,
    url: String,
    parts: Parts,
    has_body: bool,
    headers: IncomingHeaders,
    client: Client,
}

impl Incoming {
    pub(super) fn read(request: &web_sys::Request) -> worker::Result<Self> {
        let url = request.url();
        let bad = || worker::Error::RustError("the platform's URL has no authority".to_owned());
        Ok(Self {
            method: request.method(),
            parts: Parts::of(&url).ok_or_else(bad)?,
            has_body: request.body().is_some(),
            headers: IncomingHeaders(request.headers()),
            client: Client(Clone::clone(request)),
            url,
        })
    }

    pub(super) fn head(&self) -> Head<'_> {
        self.parts.head(&self.method, &self.url, self.has_body, (&self.headers, &self.client))
    }

    pub(super) fn origin(&self) -> &str {
        self.parts.origin(&self.url)
    }

    pub(super) fn connection(&self) -> String {
        self.headers.get("connection").unwrap_or_default()
    }

    /// Every header's name.
    pub(super) fn names(&self) -> Vec<String> {
        self.headers.0.keys().into_iter().filter_map(|name| name.ok()?.as_string()).collect()
    }
}

/// Whoever has sent a request: what the platform knows of their connection is in its `cf`, which no header can change.
struct Client(web_sys::Request);

impl Peer for Client {
    fn certificate(&self) -> Option<Digest> {
        let member = |of: &JsValue, name: &str| Reflect::get(of, &name.into()).ok();
        let tls = member(&member(&self.0, "cf")?, "tlsClientAuth")?;
        let text = |name: &str| member(&tls, name)?.as_string();
        let (presented, verified) = (text("certPresented")?, text("certVerified")?);
        let (revoked, fingerprint) = (text("certRevoked")?, text("certFingerprintSHA256")?);
        let certificate = ClientCertificate {
            presented: &presented,
            verified: &verified,
            revoked: &revoked,
            fingerprint: &fingerprint,
        };
        certificate.thumbprint()
    }
}

struct IncomingHeaders(web_sys::Headers);

impl Headers for IncomingHeaders {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).ok().flatten()
    }
}

/// The body. One whose length was not announced is read in pieces, so that a long one is given up early.
pub(super) struct IncomingBody<'a>(&'a web_sys::Request);

impl<'a> IncomingBody<'a> {
    pub(super) const fn of(request: &'a web_sys::Request) -> Self {
        Self(request)
    }
}

impl Body for IncomingBody<'_> {
    async fn read(&mut self, limit: usize) -> Result<Option<Vec<u8>>, Fault> {
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
        if length.is_none() {
            return read_stream(&stream, limit).await;
        }
        // The platform gives no more than was announced, and in one piece that costs half as much.
        let whole = self.0.array_buffer().map_err(fault("read body"))?;
        let Ok(buffer) = Wait::new(whole).await else { return Ok(None) };
        let body = Uint8Array::new(&buffer).to_vec();
        Ok(Some(body).filter(|body| body.len() <= limit))
    }
}

/// A whole stream, or `None` when it is longer than `limit` bytes or was cut off by its sender.
///
/// # Errors
/// The platform does not read.
pub(super) async fn read_stream(stream: &ReadableStream, limit: usize) -> Result<Option<Vec<u8>>, Fault> {
    const OP: &str = "read body";
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_from_its_lines() {
        let text = "GET\nhttps://api.example:8443/a?b=c\n=Bearer x\nKeep-Alive\nhttps://app.example\nauthorization\nconnection\naccept";
        let line = Line::read(text, false).unwrap();
        let head = line.head();
        assert_eq!(
            (head.method, head.authority, head.path, head.query),
            ("GET", "api.example:8443", "/a", Some("b=c"))
        );
        assert_eq!(
            (line.origin(), line.connection(), head.is_https),
            ("https://api.example:8443", "Keep-Alive", true)
        );
        assert_eq!(head.headers.get("authorization").as_deref(), Some("Bearer x"));
        assert_eq!(head.headers.get("origin").as_deref(), Some("https://app.example"));
        assert_eq!(head.headers.get("accept"), None);
        assert_eq!(line.names().collect::<Vec<_>>(), ["authorization", "connection", "accept"]);
        let bare = Line::read("GET\nhttp://localhost/\n\n\n", true).unwrap();
        assert_eq!((bare.head().headers.get("authorization"), bare.names().count()), (None, 0));
        assert!(Line::read("GET\nhttp://localhost/", false).is_none());
    }
}
