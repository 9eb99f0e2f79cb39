//! The log: one JSON line per entry.

use worker::console_log;

use crate::port::{Entry, Journal};

/// `console.log`, where Workers Logs reads JSON.
#[derive(Debug)]
pub(super) struct ConsoleJournal;

impl Journal for ConsoleJournal {
    fn record(&self, entry: &Entry<'_>) {
        if let Ok(line) = serde_json::to_string(entry) {
            console_log!("{line}");
        }
    }
}
