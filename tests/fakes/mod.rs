//! A platform in memory, with a fault switch and a clock that stands still until it is told.

mod authenticator;
mod calls;
mod description;
mod keyrings;
mod memory;
mod operator;
mod shelf;
mod world;

pub(crate) use authenticator::{Authenticator, PRESENT, Said, bent};
pub(crate) use calls::{
    BOOTSTRAP, Call, OPERATOR, Reply, at_once, call, call_console, finish, give_up, request_id, send,
    wait_for,
};
pub(crate) use description::{API, Described, description, operation_of};
pub(crate) use memory::Memory;
pub(crate) use operator::{Hand, operator, place as operators_place, token_input};
pub(crate) use world::{Broken, Edge, INITIAL, Page, World};

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Runs a future of the core. Fakes never wait, so a core that suspends on one is a mistake.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    match pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a core future suspended on a fake"),
    }
}
