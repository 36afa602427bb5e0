//! Joins as locks: whoever joins a thread waits for something that the thread holds from its first event to its last.
//!
//! Then a deadlock of locks and joins is a deadlock of locks, and nothing else has to know.

use conccheck_trace::Mode;

use super::events::{NONE, Op, Order, PEvent, Trace};

/// A trace in which every joined thread holds a lock of its own, which each join acquires and releases again.
#[derive(Debug)]
pub struct WithJoins {
    /// The trace. Its locks from `locks` of the original on stand for threads: lock `locks + t` for thread `t`.
    pub trace: Trace,
    /// For each of its events the one of the original: for those of a thread's own lock the join, or the thread's first or last event.
    pub origins: Vec<u32>,
    /// For each event of the original its index in `trace`.
    pub events: Vec<u32>,
}

impl WithJoins {
    /// Adds the locks.
    pub fn new(original: &Trace) -> WithJoins {
        let (first, last) = lives(original);
        let mut with = WithJoins {
            trace: Trace { events: Vec::new(), locks: original.locks + original.threads, ..original.clone() },
            origins: Vec::new(),
            events: Vec::new(),
        };
        let lock = |thread: u32| original.locks + thread;
        for (i, event) in original.events.iter().enumerate() {
            let i = i as u32;
            let own = PEvent { object: lock(event.thread), ..*event };
            if first[event.thread as usize] == i {
                with.push(i, PEvent { op: Op::Acquire { mode: Mode::Exclusive, waits: false, steady: true }, ..own });
            }
            let ended = PEvent { object: lock(event.object), ..*event };
            let joins = matches!(event.op, Op::Join { waits: true }) && last[event.object as usize] != NONE;
            if joins {
                with.push(i, PEvent { op: Op::Acquire { mode: Mode::Exclusive, waits: true, steady: true }, ..ended });
            }
            with.events.push(with.trace.events.len() as u32);
            with.push(i, *event);
            if joins {
                with.push(i, PEvent { op: Op::Release, ..ended });
            }
            if last[event.thread as usize] == i {
                with.push(i, PEvent { op: Op::Release, ..own });
            }
        }
        let new = |event: u32| with.events[event as usize];
        with.trace.orders = original.orders.iter().map(|o| Order { after: new(o.after), before: new(o.before) }).collect();
        with.trace.fences = original.fences.iter().map(|event| new(*event)).collect();
        with
    }

    fn push(&mut self, origin: u32, event: PEvent) {
        self.trace.events.push(event);
        self.origins.push(origin);
    }

    /// A witness for the original: without the acquisitions that were added.
    pub fn original_schedule(&self, schedule: &[u32]) -> Vec<u32> {
        let is_original = |event: &&u32| self.events[self.origins[**event as usize] as usize] == **event;
        schedule.iter().filter(is_original).map(|event| self.origins[*event as usize]).collect()
    }
}

/// The first and the last event of each thread that is waited for; the last before it was joined, since a thread's own destructors
/// may run on. [`NONE`]: not waited for.
fn lives(trace: &Trace) -> (Vec<u32>, Vec<u32>) {
    let threads = trace.threads as usize;
    let (mut first, mut last) = (vec![NONE; threads], vec![NONE; threads]);
    let mut latest = vec![NONE; threads];
    let mut start = vec![NONE; threads];
    for (i, event) in trace.events.iter().enumerate() {
        let thread = event.thread as usize;
        if start[thread] == NONE {
            start[thread] = i as u32;
        }
        latest[thread] = i as u32;
        let joined = event.object as usize;
        if matches!(event.op, Op::Join { waits: true }) && last[joined] == NONE && joined != thread {
            first[joined] = start[joined];
            last[joined] = latest[joined];
        }
    }
    (first, last)
}
