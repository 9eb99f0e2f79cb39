//! The log: one JSON line per entry.

use std::cell::OnceCell;

use worker::js_sys::{self, Function, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::web_sys::console;

use crate::port::{Entry, Journal};

/// Where `entry.js` has what takes the lines, where the deployment has a data set for them.
const WRITER: &str = "tollgateJournal";

thread_local! {
    static FOUND: OnceCell<Option<Function>> = const { OnceCell::new() };
}

/// `console.log`, where Workers Logs reads JSON; and a data point for each line, where there is a data set (`analytics.js`).
#[derive(Debug)]
pub(super) struct ConsoleJournal;

impl Journal for ConsoleJournal {
    fn record(&self, entry: &Entry<'_>) {
        let Ok(line) = serde_json::to_string(entry) else { return };
        FOUND.with(|found| match found.get_or_init(find) {
            // It catches what goes wrong.
            Some(writer) => drop(writer.call1(&JsValue::UNDEFINED, &line.into())),
            None => console::log_1(&line.into()),
        });
    }
}

fn find() -> Option<Function> {
    Reflect::get(&js_sys::global(), &WRITER.into()).ok()?.dyn_into().ok()
}
