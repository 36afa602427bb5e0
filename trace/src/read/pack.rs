//! Events in memory, encoded as in a log: so they take an eighth of their room, and all traces are read in one way.

use std::collections::BTreeMap;

use super::census::Census;
use super::source::{Place, Source, Thread};
use crate::event::{Event, Record};
use crate::ids::{ThreadId, Ticks};
use crate::write::Entries;

/// Takes events, each behind the earlier ones of its thread.
#[derive(Default)]
pub(crate) struct Packer {
    threads: BTreeMap<ThreadId, Open>,
    census: Census,
}

/// A thread with the chunk that is being filled.
struct Open {
    thread: Thread,
    entries: Entries,
    /// Events that were added since the last chunk.
    events: u64,
    latest: Event,
}

impl Packer {
    /// Adds an event of a thread.
    pub(crate) fn push(&mut self, thread: ThreadId, record: Record) {
        self.census.note(&record.event);
        let open = self.threads.entry(thread).or_insert_with(|| Open {
            thread: Thread::new(thread),
            entries: Entries::new(Ticks(0)),
            events: 0,
            latest: record.event,
        });
        if open.entries.is_full() {
            let (start, entries) = open.entries.restart();
            open.close(start, entries);
        }
        open.entries.record(record);
        open.events += 1;
        open.latest = record.event;
    }

    /// The latest event of a thread.
    pub(crate) fn latest(&self, thread: ThreadId) -> Option<Event> {
        self.threads.get(&thread).map(|open| open.latest)
    }

    /// All events, and what kinds there are.
    pub(super) fn finish(self) -> (Source, Census) {
        let close = |mut open: Open| {
            let (start, entries) = open.entries.finish();
            open.close(start, entries);
            open.thread
        };
        (Source::new(None, self.threads.into_values().map(close).collect()), self.census)
    }
}

impl Open {
    fn close(&mut self, start: Ticks, entries: Vec<u8>) {
        self.thread.add(std::mem::take(&mut self.events), start, Place::Memory(entries.into()));
    }
}
