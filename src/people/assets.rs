//! What the pages need besides themselves: the stylesheet, and three scripts.

use crate::http::Answer;

/// A file of the pages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asset {
    /// `/assets/console.js`.
    Console,
    /// `/assets/passkey.js`.
    Passkey,
    /// `/assets/submit.js`.
    Script,
    /// `/assets/style.css`.
    Style,
}

/// The file. Caches may keep it for an hour: nothing in it is about anybody.
#[must_use]
pub fn asset(which: Asset) -> Answer {
    let (kind, text) = match which {
        Asset::Console => ("text/javascript; charset=utf-8", include_str!("../../assets/console.js")),
        Asset::Passkey => ("text/javascript; charset=utf-8", include_str!("../../assets/passkey.js")),
        Asset::Script => ("text/javascript; charset=utf-8", include_str!("../../assets/submit.js")),
        Asset::Style => ("text/css; charset=utf-8", include_str!("../../assets/style.css")),
    };
    Answer { body: text.to_owned(), ..Answer::empty(200) }
        .with("Content-Type", kind)
        .with("Cache-Control", "public, max-age=3600")
        .with("X-Content-Type-Options", "nosniff")
}
