//! Who is blocked for good at the end of the trace, and on whom: the wait-for graph over resources of all kinds.
//!
//! A blocked thread can still go on if somebody who can go on may wake it: all holders of a lock (AND), any sender of a channel
//! (OR). The least fixpoint of that leaves the stuck threads, after GOLF (ASPLOS'25) and goleak; moves of handles are not recorded,
//! so who may hold a handle follows from who used it last, and from what that thread started, sent and wrote since.
//!
//! Where the last who used a handle has ended, it may lie anywhere. Who waits for that alone while others still run is stuck perhaps.

mod groups;
mod holders;
mod idle;
mod wakers;

use crate::model::Model;
use crate::model::thread::State;
use holders::Holders;
pub(crate) use holders::sent_since;
use idle::Idle;
use wakers::{Wakers, wakers};

/// Why threads are stuck.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cause {
    /// The thread waits for a lock that it holds itself.
    DoubleLock,
    /// A read within a read waits behind a writer, which waits for the outer read.
    RecursiveRead,
    /// An initialiser waits for itself.
    Initialization,
    /// Threads wait for one another.
    Deadlock,
    /// The lock is held by a thread that ended.
    ForgottenGuard,
    /// The notification came too early, or woke another thread.
    LostWakeup,
    /// Nobody is left who could wake it.
    Leak,
}

/// Threads that are stuck for one reason.
#[derive(Clone, Debug)]
pub struct Group {
    /// Why.
    pub cause: Cause,
    /// The threads (dense indices), in the order of the waits where they wait in a ring.
    pub threads: Vec<usize>,
    /// Stuck threads that wait for them.
    pub behind: Vec<usize>,
    /// Whether nobody else can have what would end the wait. If not, a thread that still runs may.
    pub is_sure: bool,
}

/// The stuck threads of a process.
#[derive(Default, Debug)]
pub struct Stuck {
    /// One entry for each reason, in order of the first thread.
    pub groups: Vec<Group>,
    states: Vec<State>,
}

impl Stuck {
    pub(crate) fn new(model: &Model<'_>) -> Stuck {
        let states: Vec<State> = (0..model.threads.len()).map(|t| state(model, t)).collect();
        let holders = Holders::new(model, &states);
        let wakers: Vec<Wakers> = (0..model.threads.len())
            .map(|t| if states[t] == State::Blocked { wakers(&holders, t) } else { Wakers::default() })
            .collect();
        let live = fixpoint(model, &states, &wakers, true);
        let stuck: Vec<usize> = (0..states.len()).filter(|t| states[*t] == State::Blocked && !live[*t]).collect();
        let mut groups = groups::group(model, &states, &wakers, &stuck);
        if wakers.iter().any(|wakers| wakers.strayed) {
            let served = fixpoint(model, &states, &wakers, false);
            let perhaps = (0..states.len()).filter(|t| live[*t] && !served[*t] && wakers[*t].strayed);
            groups.extend(perhaps.map(|t| Group { cause: Cause::Leak, threads: vec![t], behind: Vec::new(), is_sure: false }));
        }
        Stuck { groups, states }
    }

    /// How a thread stands at the end.
    pub fn state(&self, thread: usize) -> State {
        self.states[thread]
    }

    /// The groups of one kind.
    pub fn of(&self, cause: Cause) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter(move |group| group.cause == cause)
    }
}

fn state(model: &Model<'_>, t: usize) -> State {
    let thread = &model.threads[t];
    if thread.ended.is_some() {
        return State::Ended;
    }
    match &thread.pending {
        Some(pending) if pending.event.is_timed() => State::Timed,
        Some(_) => State::Blocked,
        // The main thread ends with the program, and libtest waits for its tests, whose ends it does not record.
        None if model.trace.header.clean_end && (thread.is_main || thread.parent.is_none() && thread.test.is_some()) => {
            State::Ended
        }
        None if thread.sleeps => State::Timed,
        None => State::Running,
    }
}

/// Which threads can go on, or may be made to; with `strayed`, also by a handle of which nobody knows where it is.
fn fixpoint(model: &Model<'_>, states: &[State], wakers: &[Wakers], strayed: bool) -> Vec<bool> {
    let idle = Idle::new(model, states);
    let mut live: Vec<bool> = (0..states.len())
        .map(|t| matches!(states[t], State::Running | State::Timed) || wakers[t].wakes || idle.is_idle(t))
        .collect();
    loop {
        let mut changed = false;
        for t in 0..states.len() {
            if live[t] || states[t] != State::Blocked {
                continue;
            }
            let wakers = &wakers[t];
            let test = model.threads[t].test;
            let elsewhere = |other: usize| model.threads[other].test.is_none() || model.threads[other].test == test;
            live[t] = if wakers.all {
                wakers.threads.iter().all(|(other, _)| live[*other])
            } else {
                let unknown = wakers.unknown || strayed && wakers.strayed;
                wakers.threads.iter().any(|(other, _)| live[*other])
                    || wakers.passed_to.iter().any(|other| live[*other])
                    || unknown && (0..states.len()).any(|other| other != t && live[other] && elsewhere(other))
            };
            changed |= live[t];
        }
        if !changed {
            return live;
        }
    }
}
