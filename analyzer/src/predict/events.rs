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
    /// The thread got lock `object` and released it before it did anything else that is looked at: a whole section, which reads the
    /// lock's data ([`Trace::data`]).
    Section {
        /// As of an acquisition.
        mode: Mode,
        /// As of an acquisition.
        waits: bool,
        /// Whether it wrote the data as well.
        wrote: bool,
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
    /// The thread waited until another did its part, or found that done: the event is the end of that wait.
    Await {
        /// For what of resource `object`.
        what: Await,
        /// Whether it waits without limit.
        waits: bool,
    },
    /// The thread waits without limit for what is no lock, and never got it: its last event.
    Stalled {
        /// For what: of resource `object`, or the end of thread `object`.
        what: Await,
    },
    /// The thread did what ends waits for resource `object`, now or later: it notified, gave a token, or arrived at a barrier.
    Signal,
    /// What the thread does next, if anything, is not known: its last event. It never happens.
    Unknown,
    /// Anything else. It keeps its place in its thread.
    Mark,
}

/// What a thread waits for that is no lock. What ends the wait is said with the [`Resource`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Await {
    /// A message: it waits while as many were taken out as were put in.
    Message,
    /// Room: it waits while the channel is full.
    Room,
    /// A notification: any that comes after the event before this one in the thread ends the wait.
    Notification,
    /// A token: any since the thread's last one ends the wait.
    Token,
    /// The others at a barrier: the arrivals that this event is ordered behind.
    Barrier,
    /// An initialisation that another thread has begun.
    Once,
    /// The end of a thread.
    End,
}

/// Who can end waits that are not for locks: the events by which they do, or by which they show that they still could.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Resource {
    /// Of a channel: how many messages it holds at most.
    pub capacity: Option<u64>,
    /// Sends, notifications, tokens given, arrivals, ends of the initialiser.
    pub gives: Vec<u32>,
    /// Receives; begins of the initialiser.
    pub takes: Vec<u32>,
    /// What else is done with handles to send by.
    pub senders: Vec<u32>,
    /// What else is done with handles to receive by.
    pub receivers: Vec<u32>,
}

/// One event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PEvent {
    /// The thread, counted from 0.
    pub thread: u32,
    /// What it did.
    pub op: Op,
    /// The lock, variable, thread or resource, each counted from 0 in its own number space; else 0.
    pub object: u32,
    /// Where in the source: an opaque number, equal for equal places.
    pub location: u32,
}

impl Op {
    /// What the thread waits for here, without limit, that is no lock: then it stands here without what the event is ordered behind.
    pub fn awaits(self) -> Option<Await> {
        match self {
            Op::Join { waits: true } => Some(Await::End),
            Op::Await { what, waits: true } | Op::Stalled { what } => Some(what),
            _ => None,
        }
    }

    /// The mode in which the thread waits here, without limit, for a lock.
    pub fn asks(self) -> Option<Mode> {
        match self {
            Op::Acquire { mode, waits: true, .. } | Op::Section { mode, waits: true, .. } | Op::Request { mode } => Some(mode),
            _ => None,
        }
    }

    /// Whether the thread stands here when the trace ends.
    pub fn never_happens(self) -> bool {
        matches!(self, Op::Request { .. } | Op::Stalled { .. } | Op::Unknown)
    }
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
    /// The events of each thread, in its order.
    pub by_thread: Vec<Vec<u32>>,
    /// What must stay in order beyond program order, fork and join, and the reads of variables: messages, notifications, barriers.
    /// Sorted, each once.
    pub orders: Vec<Order>,
    /// Events that need everything before them in the run, since what they depend on is not known exactly. Sorted, each once.
    pub fences: Vec<u32>,
    /// What is waited for besides locks and threads, where that was asked for.
    pub resources: Vec<Resource>,
    /// What else would end a wait, as an event with what of which resource: the other operations of a selection. Sorted by event.
    pub alternatives: Vec<(u32, Await, u32)>,
    /// The last events of threads whose ends are not in the trace, where resources were asked for: none of them happens, and what
    /// comes after them is not known.
    pub unended: Vec<u32>,
    /// The variable that each lock's whole sections read and write; none has such sections where this is empty.
    pub data: Vec<u32>,
    /// Number of threads.
    pub threads: u32,
    /// Number of locks.
    pub locks: u32,
    /// Number of variables.
    pub variables: u32,
}

impl Trace {
    /// What would end the wait at `event`, and where that is found: the event's own object, and the other operations of a selection.
    pub fn awaited(&self, event: u32) -> impl Iterator<Item = (Await, u32)> + '_ {
        let PEvent { op, object, .. } = self.events[event as usize];
        let first = self.alternatives.partition_point(|(other, ..)| *other < event);
        let others = self.alternatives[first..].iter().take_while(move |(other, ..)| *other == event);
        op.awaits().map(|what| (what, object)).into_iter().chain(others.map(|(_, what, object)| (*what, *object)))
    }

    /// The variable that an event reads.
    pub fn read_by(&self, event: u32) -> Option<u32> {
        let PEvent { op, object, .. } = self.events[event as usize];
        match op {
            Op::Read => Some(object),
            Op::Section { .. } => Some(self.data[object as usize]),
            _ => None,
        }
    }

    /// The variable that an event writes, after it read it where it does that as well.
    pub fn written_by(&self, event: u32) -> Option<u32> {
        let PEvent { op, object, .. } = self.events[event as usize];
        match op {
            Op::Write => Some(object),
            Op::Section { wrote: true, .. } => Some(self.data[object as usize]),
            _ => None,
        }
    }

    /// The events by which a wait for this can be ended, or which show that their threads could end it. Not for the ends of threads.
    pub fn helpers(&self, what: Await, resource: u32) -> impl Iterator<Item = u32> + '_ {
        let resource = &self.resources[resource as usize];
        let (own, further) = match what {
            Await::Message => (&resource.gives, &resource.senders),
            Await::Room => (&resource.takes, &resource.receivers),
            // Nobody needs a handle for these.
            Await::Notification | Await::Token | Await::Barrier | Await::Once | Await::End => (&resource.gives, &self.unended),
        };
        own.iter().chain(further).copied()
    }
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

fn names(table: &FxHashMap<u64, u32>) -> Vec<u64> {
    let mut names = vec![0; table.len()];
    table.iter().for_each(|(name, number)| names[*number as usize] = *name);
    names
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
            Op::Acquire { .. } | Op::Section { .. } | Op::Request { .. } | Op::Release => intern(&mut self.locks, object),
            Op::Read | Op::Write => intern(&mut self.variables, object),
            Op::Fork | Op::Join { .. } | Op::Stalled { what: Await::End } => intern(&mut self.threads, object),
            Op::Await { .. } | Op::Stalled { .. } | Op::Signal => u32::try_from(object).unwrap_or(NONE),
            Op::Unknown | Op::Mark => 0,
        };
        match op {
            Op::Acquire { .. } => {
                let depth = self.depth.entry((thread, object)).or_default();
                *depth += 1;
                if *depth > 1 {
                    return None;
                }
            }
            Op::Section { .. } if self.depth.get(&(thread, object)).is_some_and(|depth| *depth > 0) => return None,
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

    /// Ends the section that an acquisition began: its thread did nothing since.
    pub fn whole_section(&mut self, acquire: u32, mode: Mode, waits: bool, wrote: bool) {
        let PEvent { thread, op, object, .. } = &mut self.trace.events[acquire as usize];
        debug_assert!(matches!(op, Op::Acquire { .. }));
        *op = Op::Section { mode, waits, wrote };
        self.depth.remove(&(*thread, *object));
    }

    /// Says what an event, a `Mark` so far, waited for.
    pub fn awaits(&mut self, event: u32, what: Await, waits: bool, resource: u32) {
        self.concerns(event, Op::Await { what, waits }, resource);
    }

    /// Says that an event, a `Mark` so far, is one that ends waits for a resource.
    pub fn signals(&mut self, event: u32, resource: u32) {
        self.resource(resource).gives.push(event);
        self.concerns(event, Op::Signal, resource);
    }

    fn concerns(&mut self, event: u32, op: Op, resource: u32) {
        let slot = &mut self.trace.events[event as usize];
        debug_assert_eq!(slot.op, Op::Mark);
        (slot.op, slot.object) = (op, resource);
    }

    /// Says that a thread's end is not in the trace: `event`, which never happens, is its last.
    pub fn unended(&mut self, event: u32) {
        self.trace.unended.push(event);
    }

    /// Says what else would have ended the wait for `event`.
    pub fn or_awaits(&mut self, event: u32, what: Await, resource: u32) {
        self.trace.alternatives.push((event, what, resource));
    }

    /// A resource, with those below its number.
    pub fn resource(&mut self, resource: u32) -> &mut Resource {
        let resources = &mut self.trace.resources;
        if resources.len() <= resource as usize {
            resources.resize_with(resource as usize + 1, Resource::default);
        }
        &mut resources[resource as usize]
    }

    /// The number by which [`Trace`] knows a thread.
    pub fn thread(&mut self, name: u64) -> u32 {
        intern(&mut self.threads, name)
    }

    /// The thread of an event, by the number by which [`Trace`] knows it.
    pub fn thread_of(&self, event: u32) -> u32 {
        self.trace.events[event as usize].thread
    }

    /// The number by which [`Trace`] knows a lock that was used.
    pub fn lock(&self, name: u64) -> Option<u32> {
        self.locks.get(&name).copied()
    }

    /// The names of the locks, by the numbers by which [`Trace`] knows them.
    pub fn lock_names(&self) -> Vec<u64> {
        names(&self.locks)
    }

    /// The names of the threads, by the numbers by which [`Trace`] knows them.
    pub fn thread_names(&self) -> Vec<u64> {
        names(&self.threads)
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
    pub fn finish(mut self) -> Trace {
        let mut trace = self.trace;
        trace.orders.sort_unstable();
        trace.orders.dedup();
        trace.fences.sort_unstable();
        trace.fences.dedup();
        trace.alternatives.sort_unstable_by_key(|(event, _, resource)| (*event, *resource));
        trace.threads = self.threads.len() as u32;
        trace.by_thread = vec![Vec::new(); self.threads.len()];
        for (i, event) in (0..).zip(&trace.events) {
            trace.by_thread[event.thread as usize].push(i);
        }
        trace.locks = self.locks.len() as u32;
        if trace.events.iter().any(|event| matches!(event.op, Op::Section { .. })) {
            trace.data = names(&self.locks).into_iter().map(|name| intern(&mut self.variables, name)).collect();
        }
        trace.variables = self.variables.len() as u32;
        trace
    }
}
