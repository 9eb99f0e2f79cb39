//! Redaction of answers while they pass: `redacted.js` has their bytes, and shows them here piece by piece.
//!
//! An answer has a number that `redacted.js` gives it, which counts on when the module starts anew: what was begun before is unknown then, and not somebody else's.

use std::cell::RefCell;

use worker::js_sys::Uint8Array;
use worker::wasm_bindgen::{self, JsError, prelude::wasm_bindgen};

use crate::redact::{Answers, FieldPath, Fields, Redactor};

thread_local! {
    static ANSWERS: RefCell<Answers> = const { RefCell::new(Answers::none()) };
}

/// Begins with an answer of which these fields come back: a line each, as a plan has them.
///
/// # Errors
/// One of them is no path.
#[wasm_bindgen]
pub fn redact_begin(number: u32, paths: &str) -> Result<(), JsError> {
    let paths = paths
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::parse)
        .collect::<Result<Vec<FieldPath>, _>>()?;
    ANSWERS.with_borrow_mut(|answers| answers.begin(number, Redactor::new(Fields::of(&paths))));
    Ok(())
}

/// Puts what comes back of the next bytes of an answer into `room`, and says how many that are. The bytes may stand there as well: they are copied here first.
///
/// # Errors
/// It cannot be redacted: its code.
#[wasm_bindgen]
pub fn redact_more(number: u32, bytes: &[u8], room: &Uint8Array) -> Result<u32, JsError> {
    let seen = ANSWERS.with_borrow_mut(|answers| {
        let redactor = answers.find(number).ok_or_else(|| JsError::new("unknown"))?;
        redactor.push(bytes).map_err(|unfit| JsError::new(unfit.code()))
    })?;
    let length = u32::try_from(seen.len()).ok().filter(|length| *length <= room.length());
    let length = length.ok_or_else(|| JsError::new("no_room"))?;
    room.subarray(0, length).copy_from(&seen);
    Ok(length)
}

/// Ends with an answer, whether all of it was there or not.
///
/// # Errors
/// Where all of it should have been there: it was no document.
#[wasm_bindgen]
pub fn redact_end(number: u32, is_whole: bool) -> Result<(), JsError> {
    let redactor = ANSWERS.with_borrow_mut(|answers| answers.end(number));
    if !is_whole {
        return Ok(());
    }
    let redactor = redactor.ok_or_else(|| JsError::new("unknown"))?;
    redactor.finish().map_err(|unfit| JsError::new(unfit.code()))
}
