//! Runs a decision in turns: `entry.js` waits for a signature check and comes back with its answer.
//!
//! A future that waits for a promise the usual way costs two closures, a registration for their end, and a turn
//! through the queue of tasks: as much as reading the token. JavaScript waits for nothing but the promise. So a
//! future that reaches a signature check ([`crate::webcrypto::Wait`]) is put aside, the promise goes out, and
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

/// Nobody comes back for the work of a request that was given up. A signature check takes no second.
const ABANDONED: Lifetime = Lifetime::from_seconds(30);

struct Aside {
    since: Timestamp,
    work: Work,
}

thread_local! {
    static ASIDE: RefCell<Vec<Option<Aside>>> = const { RefCell::new(Vec::new()) };
}

/// Starts `work`: its value, or an array of a promise to wait for and a number for [`resume`], or a promise of its
/// value.
pub(super) fn start(
    work: impl Future<Output = Result<JsValue, JsValue>> + 'static,
) -> Result<JsValue, JsValue> {
    go_on(Box::pin(work), None)
}

/// Goes on with work that was put aside, with what its promise came to. `undefined`: there is no such work (any more).
///
/// # Errors
/// What the work throws.
#[wasm_bindgen]
pub fn resume(number: usize, is_fulfilled: bool, value: JsValue) -> Result<JsValue, JsValue> {
    let aside = ASIDE.with_borrow_mut(|all| all.get_mut(number).and_then(Option::take));
    match aside {
        Some(Aside { work, .. }) => go_on(work, Some(if is_fulfilled { Ok(value) } else { Err(value) })),
        None => Ok(JsValue::UNDEFINED),
    }
}

fn go_on(mut work: Work, settled: Option<Result<JsValue, JsValue>>) -> Result<JsValue, JsValue> {
    let (polled, wanted) = turn(settled, || work.as_mut().poll(&mut Context::from_waker(Waker::noop())));
    match (polled, wanted) {
        (Poll::Ready(value), _) => value,
        (Poll::Pending, Some(promise)) => {
            let number = put_aside(work);
            Ok(Array::of2(&promise, &JsValue::from(number)).into())
        }
        (Poll::Pending, None) => Ok(future_to_promise(AssertUnwindSafe(work)).into()),
    }
}

fn put_aside(work: Work) -> u32 {
    let aside = Aside { since: now(), work };
    ASIDE.with_borrow_mut(|all| {
        let is_free =
            |place: &Option<Aside>| place.as_ref().is_none_or(|old| aside.since.since(old.since) > ABANDONED);
        let number = all.iter().position(is_free).unwrap_or(all.len());
        match all.get_mut(number) {
            Some(place) => *place = Some(aside),
            None => all.push(Some(aside)),
        }
        u32::try_from(number).unwrap_or(u32::MAX)
    })
}
