//! Whether a token's session is alive, and that it was used: from memory within the grain, else by asking its principal.
//!
//! One isolate asks a principal about a session at most once a grain, however many requests come at once: while one asks, the
//! others look again every [`LOOK`]. What has ended never comes back, so an isolate that has heard it asks no more.

use crate::dpop::Mark;
use crate::error::{Denied, Error, Fault};
use crate::id::{RouteId, SessionId};
use crate::port::{Ports, Principals, Timer};
use crate::principal::{Answer, Question, Refused};
use crate::session::{Ask, EndReason, Touch};
use crate::time::{Lifetime, Timestamp};
use crate::validator::ask_once;

/// How long a request waits before it looks again whether another's question was answered.
const LOOK: Lifetime = Lifetime::from_millis(10);

/// How long it looks at most.
const LONGEST_LOOK: Lifetime = Lifetime::from_seconds(3);

pub(super) async fn use_session<P: Ports>(
    session: SessionId,
    route: &RouteId,
    ports: &P,
    now: Timestamp,
) -> Result<Option<Chore>, Error> {
    let mut at = now;
    if !ports.isolate().leases.borrow().is_enough(&session, now) {
        ports.may_wait().await;
        // Whoever came later may have asked already, while this one waited for keys.
        at = ports.timer().now().await;
    }
    loop {
        let ask = ports.isolate().leases.borrow_mut().ask(&session, at);
        match ask {
            Ask::Nobody => {
                ports.isolate().leases.borrow_mut().count(&session, route, now);
                return Ok(None);
            }
            Ask::Later => {
                ports.isolate().leases.borrow_mut().count(&session, route, now);
                return Ok(Some(Chore::Touch { session, used_at: now }));
            }
            Ask::Ended(reason) => return Err(ended(reason).into()),
            Ask::Wait if at.since(now) < LONGEST_LOOK => {
                ports.timer().pause(LOOK).await;
                at = ports.timer().now().await;
            }
            // Whoever has waited so long asks as well.
            Ask::First | Ask::Wait => {
                let usage = vec![(route.clone(), 1)];
                // However long it has waited: what counts is when it came.
                return match touch(session, usage, ports, (now, at)).await? {
                    alive @ Touch::Alive { .. } => Ok(Chore::after(session, alive, LONGEST_WAIT)),
                    Touch::Ended(reason) => Err(ended(reason).into()),
                };
            }
        }
    }
}

/// Whether this isolate has heard that the session has ended.
///
/// # Errors
/// How.
pub(super) fn known_end<P: Ports>(session: &SessionId, ports: &P) -> Result<(), Denied> {
    let reason = ports.isolate().leases.borrow().end_of(session);
    reason.map_or(Ok(()), |reason| Err(ended(reason)))
}

/// The same, with a proof of possession: its principal is asked each time, because nobody else knows whether the proof was used, and tells
/// of the session in the same step.
pub(super) async fn use_session_once<P: Ports>(
    session: SessionId,
    route: &RouteId,
    proof: Mark,
    ports: &P,
    now: Timestamp,
) -> Result<(), Error> {
    let usage = vec![(route.clone(), 1)];
    let question = Question::Touch { local: session.local(), used_at: now, usage };
    match ask_once(ports, session.locator(), Some(proof), question).await? {
        Answer::Touched(Touch::Alive { .. }) => Ok(()),
        Answer::Touched(Touch::Ended(reason)) => {
            ports.isolate().standing.borrow_mut().hear(session.locator(), reason);
            Err(ended(reason).into())
        }
        Answer::Refused(Refused::Replayed) => Err(Denied::RejectProof("jti").into()),
        _ => Err(Answer::unexpected("touch").into()),
    }
}

const fn ended(reason: EndReason) -> Denied {
    match reason {
        EndReason::Idle => Denied::ExpireIdle,
        _ => Denied::EndSession,
    }
}

async fn touch<P: Ports>(
    session: SessionId,
    usage: Vec<(RouteId, u32)>,
    ports: &P,
    (used_at, asked_at): (Timestamp, Timestamp),
) -> Result<Touch, Fault> {
    let mut usage = usage;
    let untold = ports.isolate().leases.borrow_mut().take_usage(&session);
    usage.extend(untold.iter().cloned());
    let question = Question::Touch { local: session.local(), used_at, usage };
    let answer = ports.principals().ask(session.locator(), &question).await;
    if let Ok(Answer::Touched(Touch::Ended(reason))) = &answer {
        ports.isolate().standing.borrow_mut().hear(session.locator(), *reason);
    }
    let mut leases = ports.isolate().leases.borrow_mut();
    match answer {
        Ok(Answer::Touched(touch)) => {
            match touch {
                Touch::Alive { grain } => leases.confirm(session, used_at, grain, asked_at),
                Touch::Ended(reason) => leases.end(session, reason, asked_at),
            }
            Ok(touch)
        }
        // Nobody knows: the next request asks.
        Ok(_) => {
            leases.release(&session, untold);
            Err(Answer::unexpected("touch"))
        }
        Err(fault) => {
            leases.release(&session, untold);
            Err(fault)
        }
    }
}

/// Work that a request leaves behind, to be done after its answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Chore {
    /// Tell the principal, when the grain has passed, of calls that nobody else has told it of by then: without it, the
    /// calls of a client that falls silent would never be counted.
    Tell {
        /// Whose calls.
        session: SessionId,
        /// How long to wait.
        grain: Lifetime,
        /// How long the platform lets work go on after an answer.
        left: Lifetime,
    },
    /// Tell the principal that a session was used.
    Touch {
        /// Which.
        session: SessionId,
        /// When. The lease that comes of it starts here, however late it is confirmed.
        used_at: Timestamp,
    },
}

impl Chore {
    /// What is owed after the principal was asked: in strict mode nothing, because every call is told; and nothing that the
    /// platform would not wait for. Then the next request tells.
    fn after(session: SessionId, touch: Touch, left: Lifetime) -> Option<Self> {
        match touch {
            Touch::Alive { grain } if grain != Lifetime::ZERO && grain <= left => {
                Some(Self::Tell { session, grain, left: left.minus(grain) })
            }
            Touch::Alive { .. } | Touch::Ended(_) => None,
        }
    }
}

/// The longest that work may wait after an answer: the platform gives 30 s.
const LONGEST_WAIT: Lifetime = Lifetime::from_seconds(25);

/// Does a chore, and answers with what is owed after it. What fails here is asked again, and waited for, when the lease has
/// run out.
///
/// # Errors
/// For the log only.
pub async fn run_chore<P: Ports>(chore: Chore, ports: &P) -> Result<Option<Chore>, Fault> {
    match chore {
        Chore::Tell { session, grain, left } => {
            // The grain itself is still the isolate's.
            ports.timer().pause(grain.plus(Lifetime::from_millis(1))).await;
            let now = ports.timer().now().await;
            let untold = ports.isolate().leases.borrow_mut().untold(&session, now);
            match untold {
                None => Ok(None),
                Some(used_at) => {
                    let touch = touch(session, Vec::new(), ports, (used_at, now)).await?;
                    Ok(Chore::after(session, touch, left))
                }
            }
        }
        Chore::Touch { session, used_at } => {
            let now = ports.timer().now().await;
            let touch = touch(session, Vec::new(), ports, (used_at, now)).await?;
            Ok(Chore::after(session, touch, LONGEST_WAIT))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_platform_would_not_wait_for_is_not_owed() {
        let session = SessionId::new(crate::id::Locator::from([1; 32]), [2; 16]);
        let seconds = Lifetime::from_seconds;
        let after = |grain: u64, left: u64| match Chore::after(
            session,
            Touch::Alive { grain: seconds(grain) },
            seconds(left),
        ) {
            Some(Chore::Tell { grain, left, .. }) => Some((grain, left)),
            _ => None,
        };
        assert_eq!(after(15, 25), Some((seconds(15), seconds(10))));
        assert_eq!((after(15, 10), after(60, 25), after(0, 25)), (None, None, None));
    }
}
