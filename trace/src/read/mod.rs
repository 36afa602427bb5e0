//! Reading traces: one entry point for every format, one in-memory shape for all of them.

mod binary;
pub(crate) mod builder;
mod census;
mod error;
mod json;
mod map;
mod open;
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

/// Where the events lie.
#[derive(Debug)]
pub(crate) enum Source {
    /// Decoded already; in order of the thread's number.
    Memory(Vec<(ThreadId, Vec<Record>)>),
    /// In the log.
    Binary(binary::Binary),
}

impl ProcessTrace {
    /// A trace from events in memory: per thread, in program order.
    pub fn from_records(
        path: PathBuf,
        header: Header,
        tables: Tables,
        mut threads: Vec<(ThreadId, Vec<Record>)>,
    ) -> ProcessTrace {
        threads.retain(|(_, records)| !records.is_empty());
        threads.sort_by_key(|(thread, _)| *thread);
        let mut census = Census::default();
        threads.iter().flat_map(|(_, records)| records).for_each(|record| census.note(&record.event));
        ProcessTrace { path, header, tables, warnings: Vec::new(), census, source: Source::Memory(threads) }
    }

    /// The threads that recorded something, in order of their number.
    pub fn threads(&self) -> Vec<ThreadId> {
        match &self.source {
            Source::Memory(threads) => threads.iter().map(|(id, _)| *id).collect(),
            Source::Binary(binary) => binary.threads().map(|(id, _)| id).collect(),
        }
    }

    /// How many threads recorded something.
    pub fn thread_count(&self) -> usize {
        match &self.source {
            Source::Memory(threads) => threads.len(),
            Source::Binary(binary) => binary.threads().count(),
        }
    }

    /// How many events there are, over all threads.
    pub fn event_count(&self) -> u64 {
        match &self.source {
            Source::Memory(threads) => threads.iter().map(|(_, records)| records.len() as u64).sum(),
            Source::Binary(binary) => binary.threads().map(|(_, events)| events).sum(),
        }
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.thread_count() == 0
    }

    /// The events of one thread in program order. Decodes as it goes.
    pub fn events(&self, thread: ThreadId) -> Events<'_> {
        Events(match &self.source {
            Source::Memory(threads) => {
                let found = threads.binary_search_by_key(&thread, |(id, _)| *id);
                Inner::Memory(found.map_or(&[][..], |i| &threads[i].1).iter())
            }
            Source::Binary(binary) => Inner::Binary(binary.events(thread)),
        })
    }

    /// The same events in larger steps: a section is one step, however it was recorded.
    pub fn steps(&self, thread: ThreadId) -> Steps<'_> {
        Steps::new(self.events(thread))
    }
}

/// The events of one thread, in program order.
#[derive(Debug)]
pub struct Events<'a>(Inner<'a>);

#[derive(Debug)]
enum Inner<'a> {
    Memory(std::slice::Iter<'a, Record>),
    Binary(binary::Pieces<'a>),
}

impl Iterator for Events<'_> {
    type Item = Record;

    #[inline]
    fn next(&mut self) -> Option<Record> {
        match &mut self.0 {
            Inner::Memory(records) => records.next().copied(),
            Inner::Binary(pieces) => pieces.next(),
        }
    }

    fn fold<B, F: FnMut(B, Record) -> B>(self, init: B, f: F) -> B {
        match self.0 {
            Inner::Memory(records) => records.copied().fold(init, f),
            Inner::Binary(pieces) => pieces.fold(init, f),
        }
    }
}
