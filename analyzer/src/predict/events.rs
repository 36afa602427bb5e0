//! What prediction looks at: one total order of events, cut down to what decides which reorderings are possible.

use conccheck_trace::Mode;
use rustc_hash::FxHashMap;

/// Stands for "no event", "no section".
pub(crate) const NONE: u32 = u32::MAX;

/// What an event does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// The thread got lock `object`.
    Acquire {
        /// The strongest mode that the section has; it excludes other sections by it.
        mode: Mode,
        /// Whether it waits without limit while the lock is taken: only such acquisitions can deadlock.
        waits: bool,
        /// Whether the section keeps that mode from begin to end. One that is upgraded or downgraded excludes as `mode`, but is
        /// not counted on to block anybody.
        steady: bool,
    },
    /// The thread asked for lock `object`, waits without limit, and never got it: its last event.
    Request {
        /// The mode asked for.
        mode: Mode,
    },
    /// The thread released lock `object`.
    Release,
    /// The thread read variable `object`.
    Read,
    /// The thread wrote variable `object`.
    Write,
    /// The thread started thread `object`.
    Fork,
    /// The thread saw that thread `object` ended.
    Join {
        /// Whether it waited for that without limit.
        waits: bool,
    },
    /// Anything else. It keeps its place in its thread.
    Mark,
}

/// One event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PEvent {
    /// The thread, counted from 0.
    pub thread: u32,
    /// What it did.
    pub op: Op,
    /// The lock, variable or thread, each counted from 0 in its own number space; 0 for `Mark`.
    pub object: u32,
    /// Where in the source: an opaque number, equal for equal places.
    pub location: u32,
}

/// `after` cannot happen unless `before` happened. Indices of events; `before < after`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Order {
    /// The later event.
    pub after: u32,
    /// The earlier event.
    pub before: u32,
}

/// A run, as one order of its events that could have been.
///
/// Built by a [`Builder`], which sees to it that each lock's sections are well formed: no thread acquires a lock that it holds and
/// none releases one that it doesn't hold.
#[derive(Clone, Default, Debug)]
pub struct Trace {
    /// The events in that order.
    pub events: Vec<PEvent>,
    /// What must stay in order beyond program order, fork and join, and the reads of variables: messages, notifications, barriers.
    /// Sorted, each once.
    pub orders: Vec<Order>,
    /// Events that need everything before them in the run, since what they depend on is not known exactly. Sorted, each once.
    pub fences: Vec<u32>,
    /// Number of threads.
    pub threads: u32,
    /// Number of locks.
    pub locks: u32,
    /// Number of variables.
    pub variables: u32,
}

/// Whether sections in these modes cannot overlap.
pub fn excludes(held: Mode, asked: Mode) -> bool {
    CLASS_EXCLUDES[class(held)][class(asked)]
}

/// The number of [`class`]es.
pub(crate) const CLASSES: usize = 3;

pub(crate) const CLASS_EXCLUDES: [[bool; CLASSES]; CLASSES] = [[false, false, true], [false, true, true], [true, true, true]];

/// Modes that exclude alike: 0 reads, 1 upgradable reads, 2 all that is exclusive.
pub(crate) fn class(mode: Mode) -> usize {
    match mode {
        Mode::Shared | Mode::RecursiveShared => 0,
        Mode::Upgradable => 1,
        Mode::Exclusive | Mode::Reentrant => 2,
    }
}

/// Makes a [`Trace`], event by event. Names of threads, locks and variables are any numbers.
///
/// ```
/// use conccheck_analyzer::predict::{Builder, Op};
/// use conccheck_trace::Mode;
///
/// let mut builder = Builder::default();
/// let lock = Op::Acquire { mode: Mode::Exclusive, waits: true, steady: true };
/// builder.push(7, lock, 100, 1);
/// builder.push(7, lock, 100, 2); // Re-entrant: left out.
/// builder.push(7, Op::Release, 100, 3); // So is its release.
/// builder.push(7, Op::Release, 100, 4);
/// assert_eq!(builder.finish().events.len(), 2);
/// ```
#[derive(Default, Debug)]
pub struct Builder {
    trace: Trace,
    threads: FxHashMap<u64, u32>,
    locks: FxHashMap<u64, u32>,
    variables: FxHashMap<u64, u32>,
    depth: FxHashMap<(u32, u32), u32>,
}

fn intern(table: &mut FxHashMap<u64, u32>, name: u64) -> u32 {
    let next = table.len() as u32;
    *table.entry(name).or_insert(next)
}

impl Builder {
    /// Adds an event and says its index. `None`: it was left out, as the inner part of a re-entrant section, or as the release of a
    /// lock that the thread does not hold.
    ///
    /// # Panics
    /// At the 2^32-1st event.
    pub fn push(&mut self, thread: u64, op: Op, object: u64, location: u32) -> Option<u32> {
        let thread = intern(&mut self.threads, thread);
        let object = match op {
            Op::Acquire { .. } | Op::Request { .. } | Op::Release => intern(&mut self.locks, object),
            Op::Read | Op::Write => intern(&mut self.variables, object),
            Op::Fork | Op::Join { .. } => intern(&mut self.threads, object),
            Op::Mark => 0,
        };
        match op {
            Op::Acquire { .. } => {
                let depth = self.depth.entry((thread, object)).or_default();
                *depth += 1;
                if *depth > 1 {
                    return None;
                }
            }
            Op::Release => {
                let depth = self.depth.entry((thread, object)).or_default();
                *depth = depth.checked_sub(1)?;
                if *depth > 0 {
                    return None;
                }
            }
            _ => {}
        }
        let index = u32::try_from(self.trace.events.len()).ok().filter(|index| *index < NONE).expect("fewer than 2^32-1 events");
        self.trace.events.push(PEvent { thread, op, object, location });
        Some(index)
    }

    /// Keeps `before` before `after`. Both are indices that [`push`](Builder::push) gave; an order against the run's own is ignored.
    pub fn order(&mut self, before: u32, after: u32) {
        if before < after {
            self.trace.orders.push(Order { after, before });
        }
    }

    /// Lets `event` depend on everything before it in the run.
    pub fn fence(&mut self, event: u32) {
        self.trace.fences.push(event);
    }

    /// Changes what an event does, its kind and object aside: the mode of a section is known when it ends.
    pub fn set_op(&mut self, event: u32, op: Op) {
        let slot = &mut self.trace.events[event as usize].op;
        debug_assert_eq!(std::mem::discriminant(slot), std::mem::discriminant(&op));
        *slot = op;
    }

    /// The number by which [`Trace`] knows a thread.
    pub fn thread(&mut self, name: u64) -> u32 {
        intern(&mut self.threads, name)
    }

    /// The number by which [`Trace`] knows a lock that was used.
    pub fn lock(&self, name: u64) -> Option<u32> {
        self.locks.get(&name).copied()
    }

    /// The names of the locks, by the numbers by which [`Trace`] knows them.
    pub fn lock_names(&self) -> Vec<u64> {
        let mut names = vec![0; self.locks.len()];
        self.locks.iter().for_each(|(name, number)| names[*number as usize] = *name);
        names
    }

    /// Events so far: the index of the next one.
    pub fn len(&self) -> u32 {
        self.trace.events.len() as u32
    }

    /// Whether there is no event yet.
    pub fn is_empty(&self) -> bool {
        self.trace.events.is_empty()
    }

    /// The trace.
    pub fn finish(self) -> Trace {
        let mut trace = self.trace;
        trace.orders.sort_unstable();
        trace.orders.dedup();
        trace.fences.sort_unstable();
        trace.fences.dedup();
        trace.threads = self.threads.len() as u32;
        trace.locks = self.locks.len() as u32;
        trace.variables = self.variables.len() as u32;
        trace
    }
}
