//! The configuration that counts in this isolate: the document that the worker was deployed with, or one that was put in its place while it runs.
//!
//! `entry.js` has both texts: the deployed one in `globalThis.tollgateConfiguration`, and what KV has in `globalThis.tollgateConfigured`, where the
//! deployment is managed from a realm. It says [`configure`] when it has read KV, and waits for that before the first request. What was put counts as
//! long as the document that it was put over is the one deployed; never an older one after a newer one, however late KV is.
//!
//! A document that was put and cannot be read counts as none: 503, and not what it took the place of. An isolate that has a newer or older good one keeps it.
//! Each change leaves the configuration before it in memory, because requests may be under way by it; an isolate sees few.

use std::cell::{Cell, RefCell};

use worker::js_sys::{self, Reflect};
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};

use crate::config::Config;
use crate::edge::journal::ConsoleJournal;
use crate::edge::platform::forget;
use crate::encoding::Digest;
use crate::error::Fault;
use crate::port::{Configurations, Entry, Journal};
use crate::principal::Configured;

const OP: &str = "read configuration";

/// Where `entry.js` has the deployed document, and what KV has.
const DEPLOYED: &str = "tollgateConfiguration";
const PUT: &str = "tollgateConfigured";

thread_local! {
    /// What counts; `None`: not read yet.
    static COUNTS: Cell<Option<&'static Config>> = const { Cell::new(None) };
    /// Whether there was an attempt.
    static IS_READ: Cell<bool> = const { Cell::new(false) };
    /// The number and the base of the version that counts.
    static VERSION: RefCell<Option<(u64, Digest)>> = const { RefCell::new(None) };
}

/// The configuration; `None`: there is none that can be read.
pub(super) fn config() -> Option<&'static Config> {
    if !IS_READ.get() {
        configure();
    }
    COUNTS.get()
}

/// Looks again which document counts.
#[wasm_bindgen]
pub fn configure() {
    let is_first = !IS_READ.replace(true);
    if let Err(fault) = look(is_first) {
        let entry = Entry { target: Some("configuration"), decision: "fault", ..Entry::default() };
        ConsoleJournal.record(&Entry { op: Some(fault.op()), detail: Some(fault.detail()), ..entry });
    }
}

fn look(is_first: bool) -> Result<(), Fault> {
    let put = text(PUT)
        .map(|text| crate::json::read::<Configured>(&text).map_err(|e| Fault::new(OP, e.to_string())));
    let Some(put) = put.transpose()? else {
        return if is_first { count(&deployed()?, None) } else { Ok(()) };
    };
    let deployed = deployed()?;
    if put.base != Digest::of(deployed.as_bytes()) {
        return if is_first { count(&deployed, None) } else { Ok(()) };
    }
    let is_newer = VERSION.with_borrow(|version| version.is_none_or(|(number, _)| put.number > number));
    if is_newer { count(&put.document, Some((put.number, put.base))) } else { Ok(()) }
}

/// Has a document count from now on, where it can be read.
fn count(document: &str, version: Option<(u64, Digest)>) -> Result<(), Fault> {
    let config = Config::parse(document).map_err(|errors| {
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        Fault::new(OP, first)
    })?;
    COUNTS.set(Some(Box::leak(Box::new(config))));
    VERSION.set(version);
    // Keys, tokens and sessions were remembered by the one before it.
    forget();
    if let Some((number, _)) = version {
        let number = number.to_string();
        let entry = Entry { target: Some("configuration"), decision: "step", ..Entry::default() };
        ConsoleJournal.record(&Entry { reason: Some("configured"), detail: Some(&number), ..entry });
    }
    Ok(())
}

fn deployed() -> Result<String, Fault> {
    text(DEPLOYED).ok_or_else(|| Fault::new(OP, "the worker was deployed without one"))
}

fn text(name: &str) -> Option<String> {
    Reflect::get(&js_sys::global(), &name.into()).ok()?.as_string()
}

/// As the use cases ask for it.
pub(super) struct GlobalConfigurations;

impl Configurations for GlobalConfigurations {
    fn deployed(&self) -> Result<String, Fault> {
        deployed()
    }

    fn take_up(&self, configured: &Configured) {
        let Ok(text) = serde_json::to_string(configured) else { return };
        // Another instance of the module finds it there as well.
        if Reflect::set(&js_sys::global(), &PUT.into(), &JsValue::from(text)).is_ok() {
            configure();
        }
    }
}
