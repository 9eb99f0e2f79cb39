//! Tasks on one thread, and the time. Of the tasks that may go on, chance picks one; between two of them time may pass.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tollgate::time::{Lifetime, Timestamp};

use super::rng::Rng;

type Work = Pin<Box<dyn Future<Output = ()>>>;

struct Task {
    number: u64,
    /// The isolate that it dies with, by its edge.
    owner: Option<usize>,
    /// When it goes on; `None`: when it is woken.
    wake_at: Option<Timestamp>,
    work: Work,
}

/// See the module.
pub(super) struct Tasks {
    pub(super) rng: Rng,
    now: Cell<Timestamp>,
    all: RefCell<Vec<Task>>,
    started: Cell<u64>,
    /// The task that runs, and what it said about going on.
    current: Cell<u64>,
    wake_at: Cell<Option<Timestamp>>,
    /// Whether the one that runs was evicted.
    is_evicted: Cell<bool>,
    running_for: Cell<Option<usize>>,
}

impl Tasks {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            now: Cell::new(Timestamp::from_seconds(1_800_000_000)),
            all: RefCell::default(),
            started: Cell::new(0),
            current: Cell::new(0),
            wake_at: Cell::new(None),
            is_evicted: Cell::new(false),
            running_for: Cell::new(None),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now.get()
    }

    /// Starts a task. What waits for it hears `None` where it was dropped.
    pub(super) fn spawn<T: 'static>(
        self: &Rc<Self>,
        owner: Option<usize>,
        future: impl Future<Output = T> + 'static,
    ) -> Handle<T> {
        let slot =
            Rc::new(Slot { value: RefCell::new(None), is_over: Cell::new(false), waits: Cell::new(None) });
        let end = End { slot: Rc::clone(&slot), tasks: Rc::clone(self) };
        let work = Box::pin(async move {
            let value = future.await;
            *end.slot.value.borrow_mut() = Some(value);
            drop(end);
        });
        self.started.set(self.started.get() + 1);
        let (number, wake_at) = (self.started.get(), Some(self.now()));
        self.all.borrow_mut().push(Task { number, owner, wake_at, work });
        Handle { slot, tasks: Rc::clone(self) }
    }

    /// Drops every task of an isolate.
    pub(super) fn evict(&self, owner: usize) {
        if self.running_for.get() == Some(owner) {
            self.is_evicted.set(true);
        }
        let all = std::mem::take(&mut *self.all.borrow_mut());
        let (gone, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|task| task.owner == Some(owner));
        self.all.borrow_mut().extend(kept);
        drop(gone);
    }

    /// Runs until the future is done. Everything that is due runs with it.
    pub(super) fn drive<T: 'static>(self: &Rc<Self>, future: impl Future<Output = T> + 'static) -> T {
        let handle = self.spawn(None, future);
        loop {
            if let Some(value) = handle.slot.value.borrow_mut().take() {
                return value;
            }
            assert!(self.step(), "everybody waits for somebody else");
        }
    }

    /// Forgets everything that still runs: tasks hold what holds them.
    pub(super) fn stop(&self) {
        while !self.all.borrow().is_empty() {
            let all = std::mem::take(&mut *self.all.borrow_mut());
            drop(all);
        }
    }

    fn step(&self) -> bool {
        let mut due: Vec<usize> = self.due();
        if due.is_empty() {
            let next = self.all.borrow().iter().filter_map(|task| task.wake_at).min();
            let Some(next) = next else { return false };
            self.now.set(self.now().max(next));
            due = self.due();
        } else if self.rng.per_mille(60) {
            self.now.set(self.now().after(self.rng.millis(1, 15)));
        }
        let picked = due[self.rng.index(due.len())];
        let mut task = self.all.borrow_mut().swap_remove(picked);
        self.current.set(task.number);
        self.running_for.set(task.owner);
        self.wake_at.set(Some(self.now()));
        let polled = task.work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.running_for.set(None);
        if !self.is_evicted.take() && polled.is_pending() {
            task.wake_at = self.wake_at.get();
            self.all.borrow_mut().push(task);
        }
        true
    }

    fn due(&self) -> Vec<usize> {
        let (tasks, now) = (self.all.borrow(), self.now());
        let is_due = |task: &Task| task.wake_at.is_some_and(|at| at <= now);
        tasks.iter().enumerate().filter(|(_, task)| is_due(task)).map(|(at, _)| at).collect()
    }

    fn wake(&self, number: u64) {
        let now = self.now();
        for task in self.all.borrow_mut().iter_mut().filter(|task| task.number == number) {
            task.wake_at = Some(now);
        }
    }

    /// Lets others go first.
    pub(super) async fn yield_now(&self) {
        self.sleep(Lifetime::ZERO).await;
    }

    pub(super) async fn sleep(&self, span: Lifetime) {
        self.sleep_until(self.now().after(span)).await;
    }

    pub(super) async fn sleep_until(&self, at: Timestamp) {
        let mut has_waited = false;
        poll_fn(|_| {
            if has_waited && at <= self.now() {
                return Poll::Ready(());
            }
            has_waited = true;
            self.wake_at.set(Some(at));
            Poll::Pending
        })
        .await;
    }
}

struct Slot<T> {
    value: RefCell<Option<T>>,
    is_over: Cell<bool>,
    waits: Cell<Option<u64>>,
}

/// Says that a task is over, however it ended.
struct End<T> {
    slot: Rc<Slot<T>>,
    tasks: Rc<Tasks>,
}

impl<T> Drop for End<T> {
    fn drop(&mut self) {
        self.slot.is_over.set(true);
        if let Some(waits) = self.slot.waits.get() {
            self.tasks.wake(waits);
        }
    }
}

/// A task that was started.
pub(super) struct Handle<T> {
    slot: Rc<Slot<T>>,
    tasks: Rc<Tasks>,
}

impl<T> Handle<T> {
    /// What came of it; `None`: it was dropped.
    pub(super) async fn join(self) -> Option<T> {
        poll_fn(|_| {
            if self.slot.is_over.get() {
                return Poll::Ready(self.slot.value.borrow_mut().take());
            }
            self.slot.waits.set(Some(self.tasks.current.get()));
            self.tasks.wake_at.set(None);
            Poll::Pending
        })
        .await
    }
}
