//! The judge: replays a schedule step by step and accepts it only if the program could have run that way into the goal.
//!
//! Nothing here is shared with the search. A finding may be called proven only if [`Checker::check`] accepts its witness.

use std::fmt;

use conccheck_trace::Mode;
use rustc_hash::{FxHashMap, FxHashSet};

use super::events::{Await, NONE, Op, Trace, excludes};

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
    /// Each waits for what only threads of the goal can bring about: it asks for a lock that one of them holds, or waits for something
    /// else that nobody but them could still do.
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
    /// The write that each read saw.
    saw: Vec<u32>,
    /// The fork that starts a thread, by its first event, or the end that a join waited for.
    needs: FxHashMap<u32, u32>,
    /// The event that starts each thread.
    forks: Vec<u32>,
}

/// What has become of a schedule when it has run.
struct Replayed<'w> {
    goal: &'w [u32],
    /// Threads of the goal.
    threads: FxHashSet<u32>,
    /// Events of each thread that happened.
    next: Vec<u32>,
    /// The events that happened, each with its place in the schedule from 1; 0: it did not.
    places: Vec<u32>,
    /// Who holds each lock, and how.
    holders: Vec<Vec<(u32, Mode, bool)>>,
}

impl Replayed<'_> {
    fn happened(&self, event: u32) -> bool {
        self.places[event as usize] > 0
    }

    fn count(&self, events: &[u32]) -> u64 {
        events.iter().filter(|event| self.happened(**event)).count() as u64
    }
}

impl<'t> Checker<'t> {
    /// Reads the trace.
    pub fn new(trace: &'t Trace) -> Checker<'t> {
        let mut checker = Checker {
            trace,
            saw: vec![NONE; trace.events.len()],
            needs: FxHashMap::default(),
            forks: vec![NONE; trace.threads as usize],
        };
        let mut last_event = vec![NONE; trace.threads as usize];
        let mut last_write = vec![NONE; trace.variables as usize];
        let mut fork = vec![NONE; trace.threads as usize];
        for (i, event) in trace.events.iter().enumerate() {
            let thread = event.thread as usize;
            if matches!(event.op, Op::Join { .. }) && last_event[event.object as usize] != NONE {
                checker.needs.insert(i as u32, last_event[event.object as usize]);
            }
            if let Some(variable) = trace.read_by(i as u32) {
                checker.saw[i] = last_write[variable as usize];
            }
            if let Some(variable) = trace.written_by(i as u32) {
                last_write[variable as usize] = i as u32;
            }
            // A join cannot be the first event of a thread after its fork and need another's end: the fork is what it needs then.
            let forked = std::mem::replace(&mut fork[thread], NONE);
            if forked != NONE {
                checker.needs.entry(i as u32).or_insert(forked);
            }
            if event.op == Op::Fork {
                fork[event.object as usize] = i as u32;
                let first = &mut checker.forks[event.object as usize];
                *first = (*first).min(i as u32);
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
        let end = self.replay(witness)?;
        if end.threads.len() < 2 || end.threads.len() != witness.goal.len() {
            return Err(Flaw::NoGoal);
        }
        for &i in &witness.goal {
            self.check_stands(i, &end)?;
            let event = self.trace.events[i as usize];
            let reached = match (goal, event.op) {
                (Goal::Race, Op::Read | Op::Write) => witness.goal.iter().any(|other| {
                    let other = self.trace.events[*other as usize];
                    let conflicts = matches!((event.op, other.op), (Op::Write, Op::Read | Op::Write) | (Op::Read, Op::Write));
                    other.thread != event.thread && other.object == event.object && conflicts
                }),
                (Goal::Race, _) => false,
                (Goal::Standing, _) if i == witness.goal[0] => true,
                (Goal::Deadlock | Goal::Standing, _) => self.is_blocked(i, &end),
            };
            if !reached {
                return Err(Flaw::NotReached(i));
            }
        }
        Ok(())
    }

    fn replay<'w>(&self, witness: &'w Witness) -> Result<Replayed<'w>, Flaw> {
        let trace = self.trace;
        let mut last_write = vec![NONE; trace.variables as usize];
        let mut end = Replayed {
            goal: &witness.goal,
            threads: witness.goal.iter().filter_map(|i| Some(trace.events.get(*i as usize)?.thread)).collect(),
            next: vec![0; trace.threads as usize],
            places: vec![0; trace.events.len()],
            holders: vec![Vec::new(); trace.locks as usize],
        };
        // All events below this index happened.
        let mut all_below = 0;
        for (place, &i) in (1..).zip(&witness.schedule) {
            let event = trace.events.get(i as usize).ok_or(Flaw::ProgramOrder(i))?;
            self.check_order(i, &end)?;
            end.next[event.thread as usize] += 1;
            if trace.fences.binary_search(&i).is_ok() && all_below < i {
                return Err(Flaw::Order(i));
            }
            let sees_another = |variable: u32| last_write[variable as usize] != self.saw[i as usize];
            if trace.read_by(i).is_some_and(sees_another) {
                return Err(Flaw::OtherValue(i));
            }
            if let Some(variable) = trace.written_by(i) {
                last_write[variable as usize] = i;
            }
            match event.op {
                Op::Section { mode, .. } => {
                    if end.holders[event.object as usize].iter().any(|(_, held, _)| excludes(*held, mode)) {
                        return Err(Flaw::LockTaken(i));
                    }
                }
                Op::Acquire { mode, steady, .. } => {
                    let holders = &mut end.holders[event.object as usize];
                    if holders.iter().any(|(_, held, _)| excludes(*held, mode)) {
                        return Err(Flaw::LockTaken(i));
                    }
                    holders.push((event.thread, mode, steady));
                }
                Op::Release => {
                    let holders = &mut end.holders[event.object as usize];
                    let own = holders.iter().position(|(thread, ..)| *thread == event.thread).ok_or(Flaw::NotHeld(i))?;
                    holders.swap_remove(own);
                }
                Op::Request { .. } | Op::Stalled { .. } | Op::Unknown => return Err(Flaw::NeverGot(i)),
                // Who arrives last is told so, and opens the barrier.
                Op::Await { what: Await::Barrier, .. } if !self.opens_last(i, &end) => return Err(Flaw::Order(i)),
                Op::Read | Op::Write | Op::Fork | Op::Join { .. } | Op::Await { .. } | Op::Signal | Op::Mark => {}
            }
            end.places[i as usize] = place;
            while end.places.get(all_below as usize).is_some_and(|place| *place > 0) {
                all_below += 1;
            }
        }
        Ok(end)
    }

    /// Whether the thread of an event stands before it.
    fn check_stands(&self, i: u32, end: &Replayed<'_>) -> Result<(), Flaw> {
        // What a wait needs to end is what it lacks.
        let is_wait = self.trace.events[i as usize].op.awaits().is_some() && self.previous(i) != NONE;
        let is_next = self.is_next(i, end);
        let stands = if is_wait { is_next } else { self.check_order(i, end).is_ok() };
        if stands { Ok(()) } else { Err(Flaw::NotReached(i)) }
    }

    /// Whether the thread of an event of the goal waits there for what only threads of the goal can bring about.
    fn is_blocked(&self, i: u32, end: &Replayed<'_>) -> bool {
        let op = self.trace.events[i as usize].op;
        if op.asks().is_some() {
            return self.is_kept_from_lock(i, end);
        }
        let is_of_goal = |thread: u32| end.threads.contains(&self.actor(thread, end));
        op.awaits().is_some()
            && self.trace.awaited(i).all(|(what, object)| {
                let nobody_else = || {
                    let mut left = self.trace.helpers(what, object).filter(|helper| !end.happened(*helper));
                    left.all(|helper| is_of_goal(self.thread(helper)))
                };
                self.lacks(i, what, object, end) && if what == Await::End { is_of_goal(object) } else { nobody_else() }
            })
    }

    /// Who has to go on for a thread to go on: itself, or whoever is to start it.
    fn actor(&self, thread: u32, end: &Replayed<'_>) -> u32 {
        let fork = self.forks[thread as usize];
        if fork == NONE || end.happened(fork) { thread } else { self.actor(self.thread(fork), end) }
    }

    /// Whether what the wait is for is not there.
    fn lacks(&self, i: u32, what: Await, object: u32, end: &Replayed<'_>) -> bool {
        let is_stalled = self.trace.events[i as usize].op.never_happens();
        let resource = || &self.trace.resources[object as usize];
        // A helper that came after this one ended the wait.
        let none_since = |since: u32| {
            let since = if since == NONE { 0 } else { end.places[since as usize] };
            resource().gives.iter().all(|give| end.places[*give as usize] <= since)
        };
        let (gives, takes) = (|| end.count(&resource().gives), || end.count(&resource().takes));
        // Where the other side is gone, it is told so.
        let is_open = || self.trace.helpers(what, object).any(|helper| !end.happened(helper));
        match what {
            Await::Message => gives() <= takes() && is_open(),
            Await::Room => resource().capacity.is_some_and(|capacity| gives() >= takes().saturating_add(capacity)) && is_open(),
            Await::Notification => none_since(self.previous(i)),
            Await::Token => {
                let earlier = |at: &u32| Some(self.previous(*at)).filter(|at| *at != NONE);
                let mut before = std::iter::successors(earlier(&i), earlier);
                let is_token = |at: &u32| matches!(self.trace.events[*at as usize].op, Op::Await { what: Await::Token, .. });
                none_since(before.find(is_token).unwrap_or(NONE))
            }
            Await::Barrier => is_stalled || self.arrivals(i).iter().any(|arrival| !end.happened(*arrival)),
            Await::Once => takes() > gives(),
            Await::End if is_stalled => (end.next[object as usize] as usize) < self.trace.by_thread[object as usize].len(),
            Await::End => self.needs.get(&i).is_some_and(|last| !end.happened(*last)),
        }
    }

    /// The arrivals of others that let a thread pass a barrier: those that the event is ordered behind, or, where it is the last to
    /// arrive that opens it, that one is.
    fn arrivals(&self, i: u32) -> Vec<u32> {
        let before = self.ordered(i).flat_map(|before| match self.trace.events[before as usize].op {
            Op::Await { what: Await::Barrier, .. } => self.arrivals(before),
            _ => vec![before],
        });
        before.chain(Some(self.previous(i)).filter(|own| *own != NONE)).collect()
    }

    /// Whether the own arrival is the latest of those that open a barrier; also where the event only passes one that is open.
    fn opens_last(&self, i: u32, end: &Replayed<'_>) -> bool {
        let own = self.previous(i);
        let is_arrival = |before: &u32| !matches!(self.trace.events[*before as usize].op, Op::Await { .. });
        own == NONE || self.ordered(i).filter(is_arrival).all(|arrival| end.places[arrival as usize] <= end.places[own as usize])
    }

    /// What the trace orders an event behind.
    fn ordered(&self, i: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.trace.orders.partition_point(|order| order.after < i);
        self.trace.orders[first..].iter().take_while(move |order| order.after == i).map(|order| order.before)
    }

    /// Whether a thread of the goal keeps another's acquisition from going on: it holds the lock in a mode that excludes it, or it
    /// waits to write the lock, itself kept from it, and the other wants to read and so queues behind it.
    fn is_kept_from_lock(&self, i: u32, end: &Replayed<'_>) -> bool {
        let event = self.trace.events[i as usize];
        let Some(mode) = event.op.asks() else { return false };
        let others =
            || end.goal.iter().map(|other| self.trace.events[*other as usize]).filter(|other| other.thread != event.thread);
        let is_held = |mode: Mode, thread: u32| {
            end.holders[event.object as usize].iter().any(|(holder, held, steady)| {
                *holder != thread && *steady && excludes(*held, mode) && end.threads.contains(holder)
            })
        };
        let waits_to_write = |op: Op| op.asks().is_some_and(|mode| excludes(mode, Mode::Shared));
        is_held(mode, event.thread)
            || mode == Mode::Shared
                && others().any(|other| {
                    other.object == event.object && waits_to_write(other.op) && is_held(Mode::Exclusive, other.thread)
                })
    }

    fn thread(&self, event: u32) -> u32 {
        self.trace.events[event as usize].thread
    }

    /// The event before it in its thread.
    fn previous(&self, event: u32) -> u32 {
        let events = &self.trace.by_thread[self.thread(event) as usize];
        let at = events.partition_point(|other| *other < event);
        at.checked_sub(1).map_or(NONE, |at| events[at])
    }

    fn is_next(&self, event: u32, end: &Replayed<'_>) -> bool {
        let thread = self.thread(event) as usize;
        self.trace.by_thread[thread].get(end.next[thread] as usize) == Some(&event)
    }

    /// Whether an event is the next of its thread, and what it needs has happened.
    fn check_order(&self, i: u32, end: &Replayed<'_>) -> Result<(), Flaw> {
        if !self.is_next(i, end) {
            return Err(Flaw::ProgramOrder(i));
        }
        let has_started = self.needs.get(&i).is_none_or(|needed| end.happened(*needed));
        if has_started && self.ordered(i).all(|before| end.happened(before)) { Ok(()) } else { Err(Flaw::Order(i)) }
    }
}
