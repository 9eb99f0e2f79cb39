//! Our own answers, as the platform sends them.

use worker::web_sys;

use crate::http::Answer;

pub(super) fn of(answer: &Answer) -> worker::Result<web_sys::Response> {
    let headers = web_sys::Headers::new()?;
    for (name, value) in &answer.headers {
        headers.set(name, value)?;
    }
    let init = web_sys::ResponseInit::new();
    init.set_status(answer.status);
    init.set_headers(&headers);
    Ok(web_sys::Response::new_with_opt_str_and_init(Some(&answer.body), &init)?)
}
