//! What prediction looks at: one total order of events, cut down to what decides which reorderings are possible.

use conccheck_trace::Mode;

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
/// Built by a [`Builder`](super::Builder), which sees to it that each lock's sections are well formed: no thread acquires a lock that it holds and
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
