//! Reading traces: one entry point for every format, one in-memory shape for all of them.

mod binary;
pub(crate) mod builder;
mod census;
mod error;
mod json;
mod map;
mod open;
mod pack;
mod source;
mod std_format;
mod steps;
mod tables;

use std::path::PathBuf;

use crate::event::Record;
pub use crate::header::Header;
use crate::ids::ThreadId;
pub use census::Census;
pub use error::Error;
pub use open::open;
pub(crate) use pack::Packer;
pub use source::Events;
use source::Source;
pub use steps::Steps;
pub use tables::{FrameDef, ObjectDef, Tables};

/// What one process recorded.
#[derive(Debug)]
pub struct ProcessTrace {
    /// The file it was read from.
    pub path: PathBuf,
    /// What the recorder said about the process.
    pub header: Header,
    /// What the ids mean. Complete before the first event is looked at.
    pub tables: Tables,
    /// What is missing or was repaired, as sentences for the user (file and place included).
    pub warnings: Vec<String>,
    /// What kinds of events there are.
    pub census: Census,
    pub(crate) source: Source,
}

impl ProcessTrace {
    /// A trace from events in memory: per thread, in program order.
    pub fn from_records(path: PathBuf, header: Header, tables: Tables, threads: Vec<(ThreadId, Vec<Record>)>) -> ProcessTrace {
        let mut events = Packer::default();
        for (thread, records) in threads {
            records.into_iter().for_each(|record| events.push(thread, record));
        }
        ProcessTrace::from_events(path, header, tables, events)
    }

    pub(crate) fn from_events(path: PathBuf, header: Header, tables: Tables, events: Packer) -> ProcessTrace {
        let (source, census) = events.finish();
        ProcessTrace { path, header, tables, warnings: Vec::new(), census, source }
    }

    /// The threads that recorded something, in order of their number.
    pub fn threads(&self) -> Vec<ThreadId> {
        self.source.threads().map(|(id, _)| id).collect()
    }

    /// How many threads recorded something.
    pub fn thread_count(&self) -> usize {
        self.source.threads().count()
    }

    /// How many events there are, over all threads.
    pub fn event_count(&self) -> u64 {
        self.source.threads().map(|(_, events)| events).sum()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.thread_count() == 0
    }

    /// The events of one thread in program order. Decodes as it goes.
    pub fn events(&self, thread: ThreadId) -> Events<'_> {
        self.source.events(thread)
    }

    /// The same events in larger steps: a section is one step, however it was recorded.
    pub fn steps(&self, thread: ThreadId) -> Steps<'_> {
        Steps::new(self.events(thread))
    }
}
