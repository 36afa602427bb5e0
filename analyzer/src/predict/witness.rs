//! The judge: replays a schedule step by step and accepts it only if the program could have run that way into the goal.
//!
//! Nothing here is shared with the search. A finding may be called proven only if [`Checker::check`] accepts its witness.

use std::fmt;

use conccheck_trace::Mode;
use rustc_hash::FxHashSet;

use super::events::{NONE, Op, Trace, excludes};

/// A schedule that ends where each of the goal's threads is about to do its event of the goal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witness {
    /// Events of the trace, in the order in which they happen.
    pub schedule: Vec<u32>,
    /// One event each of two or more threads, none of them in the schedule.
    pub goal: Vec<u32>,
}

/// What the goal's events must be when the schedule has run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Goal {
    /// Each asks for a lock that another thread of the goal holds.
    Deadlock,
    /// Two accesses to one variable, one a write.
    Race,
    /// The second and later ones ask for locks that other threads of the goal hold; the first one's thread just stands there.
    Standing,
}

/// Why a schedule proves nothing. Each names the event at fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// It is not the next event of its thread.
    ProgramOrder(u32),
    /// It needs another event that did not happen before it (fork, join, message, notification, …).
    Order(u32),
    /// It acquires a lock that is taken.
    LockTaken(u32),
    /// It releases a lock that its thread does not hold.
    NotHeld(u32),
    /// It reads what it did not read in the run.
    OtherValue(u32),
    /// It is a wait that never ended, so cannot be passed.
    NeverGot(u32),
    /// It is an event of the goal, and the goal is not reached there.
    NotReached(u32),
    /// The goal is no set of two or more events of distinct threads.
    NoGoal,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Flaw::ProgramOrder(event) => write!(f, "event {event} is out of its thread's order"),
            Flaw::Order(event) => write!(f, "event {event} comes before one that it needs"),
            Flaw::LockTaken(event) => write!(f, "event {event} acquires a lock that is taken"),
            Flaw::NotHeld(event) => write!(f, "event {event} releases a lock that is not held"),
            Flaw::OtherValue(event) => write!(f, "event {event} reads another value than in the run"),
            Flaw::NeverGot(event) => write!(f, "event {event} passes a wait that never ended"),
            Flaw::NotReached(event) => write!(f, "event {event} of the goal is not reached"),
            Flaw::NoGoal => write!(f, "the goal does not name two or more threads"),
        }
    }
}

impl std::error::Error for Flaw {}

/// What the run says about each event, found once for all replays.
#[derive(Debug)]
pub struct Checker<'t> {
    trace: &'t Trace,
    local: Vec<u32>,
    /// The write that each read saw.
    saw: Vec<u32>,
    /// The fork that starts, or the end that a join waited for.
    needs: Vec<u32>,
    /// Whether the trace orders it after something else.
    is_ordered: Vec<bool>,
}

impl<'t> Checker<'t> {
    /// Reads the trace.
    pub fn new(trace: &'t Trace) -> Checker<'t> {
        let mut checker = Checker {
            trace,
            local: Vec::with_capacity(trace.events.len()),
            saw: vec![NONE; trace.events.len()],
            needs: vec![NONE; trace.events.len()],
            is_ordered: vec![false; trace.events.len()],
        };
        for order in &trace.orders {
            checker.is_ordered[order.after as usize] = true;
        }
        let mut count = vec![0; trace.threads as usize];
        let mut last_event = vec![NONE; trace.threads as usize];
        let mut last_write = vec![NONE; trace.variables as usize];
        let mut fork = vec![NONE; trace.threads as usize];
        for (i, event) in trace.events.iter().enumerate() {
            let thread = event.thread as usize;
            checker.local.push(count[thread]);
            count[thread] += 1;
            match event.op {
                Op::Read => checker.saw[i] = last_write[event.object as usize],
                Op::Write => last_write[event.object as usize] = i as u32,
                Op::Join { .. } => checker.needs[i] = last_event[event.object as usize],
                _ => {}
            }
            // A join cannot be the first event of a thread after its fork and need another's end: the fork is what it needs then.
            let forked = std::mem::replace(&mut fork[thread], NONE);
            if forked != NONE && checker.needs[i] == NONE {
                checker.needs[i] = forked;
            }
            if event.op == Op::Fork {
                fork[event.object as usize] = i as u32;
            }
            last_event[thread] = i as u32;
        }
        checker
    }

    /// Replays a schedule and looks whether the goal is reached at its end.
    ///
    /// # Errors
    /// The first flaw.
    pub fn check(&self, witness: &Witness, goal: Goal) -> Result<(), Flaw> {
        let trace = self.trace;
        let mut next = vec![0; trace.threads as usize];
        let mut last_write = vec![NONE; trace.variables as usize];
        let mut holders: Vec<Vec<(u32, Mode, bool)>> = vec![Vec::new(); trace.locks as usize];
        let mut happened = vec![false; trace.events.len()];
        // All events below this index happened.
        let mut all_below = 0;
        for &i in &witness.schedule {
            let event = trace.events.get(i as usize).ok_or(Flaw::ProgramOrder(i))?;
            self.check_order(i, &next, &happened)?;
            next[event.thread as usize] += 1;
            if trace.fences.binary_search(&i).is_ok() && all_below < i {
                return Err(Flaw::Order(i));
            }
            match event.op {
                Op::Acquire { mode, steady, .. } => {
                    let holders = &mut holders[event.object as usize];
                    if holders.iter().any(|(_, held, _)| excludes(*held, mode)) {
                        return Err(Flaw::LockTaken(i));
                    }
                    holders.push((event.thread, mode, steady));
                }
                Op::Release => {
                    let holders = &mut holders[event.object as usize];
                    let own = holders.iter().position(|(thread, ..)| *thread == event.thread).ok_or(Flaw::NotHeld(i))?;
                    holders.swap_remove(own);
                }
                Op::Request { .. } => return Err(Flaw::NeverGot(i)),
                Op::Read if last_write[event.object as usize] != self.saw[i as usize] => return Err(Flaw::OtherValue(i)),
                Op::Write => last_write[event.object as usize] = i,
                Op::Read | Op::Fork | Op::Join { .. } | Op::Mark => {}
            }
            happened[i as usize] = true;
            while happened.get(all_below as usize) == Some(&true) {
                all_below += 1;
            }
        }
        let threads: FxHashSet<u32> = witness.goal.iter().filter_map(|i| Some(trace.events.get(*i as usize)?.thread)).collect();
        if threads.len() < 2 || threads.len() != witness.goal.len() {
            return Err(Flaw::NoGoal);
        }
        for &i in &witness.goal {
            self.check_order(i, &next, &happened).map_err(|_| Flaw::NotReached(i))?;
            let event = trace.events[i as usize];
            let reached = match (goal, event.op) {
                (Goal::Deadlock, Op::Acquire { waits: true, .. } | Op::Request { .. }) => {
                    self.is_blocked(i, &witness.goal, &holders)
                }
                (Goal::Race, Op::Read | Op::Write) => witness.goal.iter().any(|other| {
                    let other = trace.events[*other as usize];
                    let conflicts = matches!((event.op, other.op), (Op::Write, Op::Read | Op::Write) | (Op::Read, Op::Write));
                    other.thread != event.thread && other.object == event.object && conflicts
                }),
                (Goal::Standing, _) if i == witness.goal[0] => true,
                (Goal::Standing, Op::Acquire { waits: true, .. } | Op::Request { .. }) => {
                    self.is_blocked(i, &witness.goal, &holders)
                }
                _ => false,
            };
            if !reached {
                return Err(Flaw::NotReached(i));
            }
        }
        Ok(())
    }

    /// Whether a thread of the goal keeps another's acquisition from going on: it holds the lock in a mode that excludes it, or it
    /// waits to write the lock, itself kept from it, and the other wants to read and so queues behind it.
    fn is_blocked(&self, i: u32, goal: &[u32], holders: &[Vec<(u32, Mode, bool)>]) -> bool {
        let event = self.trace.events[i as usize];
        let Some(mode) = asked(event.op) else { return false };
        let others = || goal.iter().map(|other| self.trace.events[*other as usize]).filter(|other| other.thread != event.thread);
        let is_held = |mode: Mode, thread: u32| {
            holders[event.object as usize].iter().any(|(holder, held, steady)| {
                *holder != thread && *steady && excludes(*held, mode) && goal.iter().any(|i| self.thread(*i) == *holder)
            })
        };
        let waits_to_write = |op: Op| asked(op).is_some_and(|mode| excludes(mode, Mode::Shared));
        is_held(mode, event.thread)
            || mode == Mode::Shared
                && others().any(|other| {
                    other.object == event.object && waits_to_write(other.op) && is_held(Mode::Exclusive, other.thread)
                })
    }

    fn thread(&self, event: u32) -> u32 {
        self.trace.events[event as usize].thread
    }

    /// Whether an event is the next of its thread, and what it needs has happened.
    fn check_order(&self, i: u32, next: &[u32], happened: &[bool]) -> Result<(), Flaw> {
        if next[self.trace.events[i as usize].thread as usize] != self.local[i as usize] {
            return Err(Flaw::ProgramOrder(i));
        }
        let needed = self.needs[i as usize];
        if needed != NONE && !happened[needed as usize] {
            return Err(Flaw::Order(i));
        }
        if !self.is_ordered[i as usize] {
            return Ok(());
        }
        let orders = &self.trace.orders;
        let first = orders.partition_point(|order| order.after < i);
        let mut own = orders[first..].iter().take_while(|order| order.after == i);
        if own.all(|order| happened[order.before as usize]) { Ok(()) } else { Err(Flaw::Order(i)) }
    }
}

/// The mode in which an event waits for a lock.
fn asked(op: Op) -> Option<Mode> {
    match op {
        Op::Acquire { mode, waits: true, .. } | Op::Request { mode } => Some(mode),
        _ => None,
    }
}
