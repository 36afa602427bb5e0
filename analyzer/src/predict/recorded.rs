//! A recorded run as prediction knows it, and which record each event stands for.

use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{Event, ObjectId, SiteId, ThreadId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::events::Trace;
use super::from_trace::FromTrace;
use crate::merge::merge;

/// When a section reads its lock's data. The trace does not say.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Reading {
    /// At once. What is proven is proven: it holds whatever the section does with what it reads.
    #[default]
    FromTheStart,
    /// At its end. What is found holds if what a section reads does not decide which locks it takes before it ends.
    AtTheEnd,
    /// Never: reads and writes are events of their own, all of them, and threads that nobody started were there from the beginning.
    /// So it is in traces in the STD format.
    Apart,
}

/// A recorded run, ready for prediction.
#[derive(Debug)]
pub struct Recorded {
    /// Its events.
    pub trace: Trace,
    /// Whether these are only its beginning, which could have been a run as well.
    pub is_cut: bool,
    /// The record that each event stands for, by its number in the event's thread.
    pub(super) numbers: Vec<u32>,
    /// Where that is another thread's record: events by which other threads ended a section.
    pub(super) foreign: FxHashMap<u32, (ThreadId, u32)>,
    pub(super) threads: Vec<ThreadId>,
    pub(super) thread_of: FxHashMap<ThreadId, u32>,
    pub(super) locks: Vec<ObjectId>,
}

impl Recorded {
    /// The run of one process.
    pub fn of(process: &ProcessTrace, reading: Reading) -> Recorded {
        Recorded::with_locks(process, reading, u32::MAX, |_| true)
    }

    /// The run of one process, of a longer one its first `most` events or so, without the locks that are not to be kept. Nothing is
    /// lost by those that only one thread ever used: they keep nobody from anything.
    pub fn with_locks(process: &ProcessTrace, reading: Reading, most: u32, keep: impl Fn(ObjectId) -> bool) -> Recorded {
        Recorded::read(process, FromTrace::new(reading), most, keep)
    }

    /// The same, with what is waited for besides locks. `waits_at`: places that wait without limit, also where what they wait for was
    /// there at once, which the trace does not tell.
    pub fn with_waits(
        process: &ProcessTrace,
        reading: Reading,
        most: u32,
        keep: impl Fn(ObjectId) -> bool,
        waits_at: FxHashSet<SiteId>,
    ) -> Recorded {
        let from = FromTrace::with_waits(reading, waits_at);
        Recorded::read(process, from, most, keep)
    }

    fn read(process: &ProcessTrace, mut from: FromTrace, most: u32, keep: impl Fn(ObjectId) -> bool) -> Recorded {
        let threads = process.threads();
        let mut is_cut = false;
        merge(process, |thread, number, record| {
            is_cut = from.len() >= most;
            if !is_cut && lock(&record.event).is_none_or(&keep) {
                from.push(threads[thread], number, record);
            }
            !is_cut
        });
        from.ends_in_order = process.header.clean_end && !is_cut;
        Recorded { is_cut, ..from.finish() }
    }

    /// The record that an event of [`trace`](Recorded::trace) stands for: its thread, and its number there from 0.
    pub fn origin(&self, event: u32) -> (ThreadId, u32) {
        let own = || (self.threads[self.trace.events[event as usize].thread as usize], self.numbers[event as usize]);
        self.foreign.get(&event).copied().unwrap_or_else(own)
    }

    /// The lock that [`trace`](Recorded::trace) knows by a number.
    pub fn lock(&self, lock: u32) -> ObjectId {
        self.locks[lock as usize]
    }

    /// The first event of a thread that stands for this record or a later one: as nothing lies between, who has come to the one has
    /// come to the other.
    pub fn event_from(&self, thread: ThreadId, number: u32) -> Option<u32> {
        let events = &self.trace.by_thread[*self.thread_of.get(&thread)? as usize];
        events.get(events.partition_point(|event| self.numbers[*event as usize] < number)).copied()
    }

    /// Whether an event is the end of a wait without limit for what is no lock.
    pub fn waits(&self, event: u32) -> bool {
        self.trace.events[event as usize].op.awaits().is_some()
    }

    /// The event that stands for a record. `None`: the record is not looked at, as the inner part of a re-entrant section.
    pub fn event(&self, thread: ThreadId, number: u32) -> Option<u32> {
        self.event_from(thread, number).filter(|event| self.origin(*event) == (thread, number))
    }
}

/// The lock that an event is about.
fn lock(event: &Event) -> Option<ObjectId> {
    match *event {
        Event::Request { lock, .. }
        | Event::Acquire { lock, .. }
        | Event::Release { lock, .. }
        | Event::TryFail { lock, .. }
        | Event::TimeOut { lock, .. }
        | Event::Convert { lock, .. }
        | Event::Summary { lock, .. } => Some(lock),
        _ => None,
    }
}
