//! The configuration that counts in this isolate: the document that the worker was deployed with, or one that was put in its place while it runs.
//!
//! `entry.js` has both texts: the deployed one in `globalThis.tollgateConfiguration`, and what KV has in `globalThis.tollgateConfigured`, where the
//! deployment is managed from a realm, so that another instance of the module finds them. It hands over what it has read in KV ([`configure`]), and waits for
//! that before the first request. What was put counts as long as the document that it was put over is the one deployed; never an older one after a newer one, however late KV is.
//!
//! A document that was put and cannot be read counts as none: 503, and not what it took the place of. An isolate that has a newer or older good one keeps it.
//! Each change leaves the configuration before it in memory, because requests may be under way by it; an isolate sees few.

use std::cell::Cell;

use worker::js_sys::{self, Reflect};
use worker::wasm_bindgen::{self, prelude::wasm_bindgen};

use crate::config::Config;
use crate::edge::journal::ConsoleJournal;
use crate::edge::platform::forget;
use crate::encoding::Digest;
use crate::error::Fault;
use crate::port::{Configurations, Counting, Entry, Journal};
use crate::principal::Configured;

const OP: &str = "read configuration";

/// Where `entry.js` has the deployed document, and what KV has.
const DEPLOYED: &str = "tollgateConfiguration";
const PUT: &str = "tollgateConfigured";

thread_local! {
    /// What counts; `None`: not read yet.
    static COUNTS: Cell<Option<&'static Config>> = const { Cell::new(None) };
    /// The digest of its document.
    static DIGEST: Cell<Option<Digest>> = const { Cell::new(None) };
    /// Whether there was an attempt.
    static IS_READ: Cell<bool> = const { Cell::new(false) };
    /// The number of the version that counts; 0: the deployed document does.
    static VERSION: Cell<u64> = const { Cell::new(0) };
}

/// The configuration; `None`: there is none that can be read.
pub(super) fn config() -> Option<&'static Config> {
    if !IS_READ.get() {
        look(None);
    }
    COUNTS.get()
}

/// Takes up what KV has, where that is newer than what counts.
#[wasm_bindgen]
pub fn configure(put: String) {
    look(Some(put));
}

fn look(put: Option<String>) {
    let is_first = !IS_READ.replace(true);
    if let Err(fault) = read(is_first, put) {
        let entry = Entry { target: Some("configuration"), decision: "fault", ..Entry::default() };
        ConsoleJournal.record(&Entry { op: Some(fault.op()), detail: Some(fault.detail()), ..entry });
    }
}

fn read(is_first: bool, put: Option<String>) -> Result<(), Fault> {
    let deployed = deployed()?;
    let base = Digest::of(deployed.as_bytes());
    // What the instance before this one has taken up may be newer than what KV says.
    let taken_up = text(PUT).filter(|_| is_first);
    let mut newest = None;
    for put in [put, taken_up].into_iter().flatten() {
        let configured: Configured = crate::json::read(&put).map_err(|e| Fault::new(OP, e.to_string()))?;
        let known = newest.as_ref().map_or(VERSION.get(), |(known, _): &(Configured, String)| known.number);
        if configured.base == base && configured.number > known {
            newest = Some((configured, put));
        }
    }
    match newest {
        Some((configured, put)) => {
            // Before it is read: the next instance does not fall back to the deployed one either.
            Reflect::set(&js_sys::global(), &PUT.into(), &put.into())
                .map_err(|_| Fault::new(OP, "nothing can be kept"))?;
            count(&configured.document, configured.number)
        }
        None if is_first => count(&deployed, 0),
        None => Ok(()),
    }
}

/// Has a document count from now on, where it can be read.
fn count(document: &str, number: u64) -> Result<(), Fault> {
    let config = Config::parse(document).map_err(|errors| {
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        Fault::new(OP, first)
    })?;
    COUNTS.set(Some(Box::leak(Box::new(config))));
    VERSION.set(number);
    DIGEST.set(Some(Digest::of(document.as_bytes())));
    // Keys, tokens and sessions were remembered by the one before it.
    forget();
    if number > 0 {
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

    fn counts(&self) -> Result<Counting, Fault> {
        let digest = DIGEST.get().ok_or_else(|| Fault::new(OP, "there is none"))?;
        Ok(Counting { number: VERSION.get(), digest })
    }

    fn take_up(&self, configured: &Configured) {
        // What does not serialise was not stored either.
        if let Ok(put) = serde_json::to_string(configured) {
            look(Some(put));
        }
    }
}
