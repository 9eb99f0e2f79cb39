//! Runs a decision in turns: `entry.js` waits for a promise (a signature or its check, a body, an object's answer) and comes back
//! with what it came to.
//!
//! A future that waits for a promise the usual way costs two closures, a registration for their end, and a turn
//! through the queue of tasks: as much as reading the token. JavaScript waits for nothing but the promise. So a
//! future that reaches a [`crate::webcrypto::Wait`] is put aside, the promise goes out, and
//! [`resume`] goes on. A future that waits for anything else is handed to the platform's own executor.

use std::cell::RefCell;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use worker::js_sys::Array;
use worker::js_sys::futures::future_to_promise;
use worker::wasm_bindgen::{self, JsValue, prelude::wasm_bindgen};

use crate::edge::platform::now;
use crate::time::{Lifetime, Timestamp};
use crate::webcrypto::turn;

/// What is decided: a value for `entry.js`, or what it throws.
type Work = Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>;

/// Nobody comes back for the work of a request that was given up. A body may take its time, and so
/// may an object.
const ABANDONED: Lifetime = Lifetime::from_seconds(600);

struct Aside {
    number: u32,
    since: Timestamp,
    work: Work,
}

/// Above so many, those that nobody will come back for are looked for.
const CROWD: usize = 64;

thread_local! {
    // Few at a time, and the last to come is mostly the first to go.
    static ASIDE: RefCell<Vec<Aside>> = const { RefCell::new(Vec::new()) };
}

/// Starts `work` under a number that no other work has: its value; or a promise to wait for, and then to [`resume`] it;
/// or an array that holds a promise of its value.
pub(super) fn start(
    number: u32,
    work: impl Future<Output = Result<JsValue, JsValue>> + 'static,
) -> Result<JsValue, JsValue> {
    go_on(number, Box::pin(work), None)
}

/// Goes on with work that was put aside, with what its promise came to. `undefined`: there is no such work (any more).
///
/// # Errors
/// What the work throws.
#[wasm_bindgen]
pub fn resume(number: u32, is_fulfilled: bool, value: JsValue) -> Result<JsValue, JsValue> {
    let aside = ASIDE.with_borrow_mut(|all| {
        let at = all.iter().rposition(|aside| aside.number == number)?;
        Some(all.swap_remove(at))
    });
    match aside {
        Some(Aside { work, .. }) => {
            go_on(number, work, Some(if is_fulfilled { Ok(value) } else { Err(value) }))
        }
        None => Ok(JsValue::UNDEFINED),
    }
}

fn go_on(number: u32, mut work: Work, settled: Option<Result<JsValue, JsValue>>) -> Result<JsValue, JsValue> {
    let (polled, wanted) = turn(settled, || work.as_mut().poll(&mut Context::from_waker(Waker::noop())));
    match (polled, wanted) {
        (Poll::Ready(value), _) => value,
        (Poll::Pending, Some(promise)) => {
            put_aside(number, work);
            Ok(promise.into())
        }
        (Poll::Pending, None) => Ok(Array::of1(&future_to_promise(AssertUnwindSafe(work))).into()),
    }
}

fn put_aside(number: u32, work: Work) {
    let since = now();
    ASIDE.with_borrow_mut(|all| {
        if all.len() >= CROWD {
            all.retain(|old| since.since(old.since) <= ABANDONED);
        }
        all.push(Aside { number, since, work });
    });
}
