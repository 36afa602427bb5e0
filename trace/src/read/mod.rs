//! Reading traces: one entry point for every format, one in-memory shape for all of them.

use std::path::PathBuf;

use crate::event::{ObjectKind, Record, SiteDef};
pub use crate::header::Header;
use crate::ids::{ObjectId, SiteId, StringId, ThreadId};

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
    pub(crate) source: Source,
}

/// Where the events lie.
#[derive(Debug)]
pub(crate) enum Source {
    /// Decoded already.
    Memory(Vec<(ThreadId, Vec<Record>)>),
}

/// What an object id means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ObjectDef {
    /// What it is.
    pub kind: ObjectKind,
    /// Where it was created.
    pub created: SiteId,
    /// The type within.
    pub type_name: StringId,
}

/// What the ids of a trace mean.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    pub(crate) sites: Vec<Option<SiteDef>>,
    pub(crate) strings: Vec<Option<String>>,
    pub(crate) objects: Vec<Option<ObjectDef>>,
}

fn set<T>(table: &mut Vec<Option<T>>, index: u32, value: T) {
    let index = index as usize;
    if table.len() <= index {
        table.resize_with(index + 1, || None);
    }
    table[index] = Some(value);
}

impl Tables {
    /// A site's file, line and column.
    pub fn site(&self, id: SiteId) -> Option<&SiteDef> {
        self.sites.get(id.0 as usize)?.as_ref()
    }

    /// An interned string.
    pub fn string(&self, id: StringId) -> Option<&str> {
        self.strings.get(id.0 as usize)?.as_deref()
    }

    /// What an object is.
    pub fn object(&self, id: ObjectId) -> Option<ObjectDef> {
        *self.objects.get(id.0 as usize)?
    }

    /// All sites that are defined.
    pub fn sites(&self) -> impl Iterator<Item = (SiteId, &SiteDef)> {
        self.sites.iter().enumerate().filter_map(|(i, def)| Some((SiteId(u32::try_from(i).ok()?), def.as_ref()?)))
    }

    /// All objects that are defined.
    pub fn objects(&self) -> impl Iterator<Item = (ObjectId, ObjectDef)> {
        self.objects.iter().enumerate().filter_map(|(i, def)| Some((ObjectId(u32::try_from(i).ok()?), (*def)?)))
    }

    /// Defines a site.
    pub fn define_site(&mut self, id: SiteId, def: SiteDef) {
        set(&mut self.sites, id.0, def);
    }

    /// Defines a string.
    pub fn define_string(&mut self, id: StringId, text: String) {
        set(&mut self.strings, id.0, text);
    }

    /// Defines an object.
    pub fn define_object(&mut self, id: ObjectId, def: ObjectDef) {
        set(&mut self.objects, id.0, def);
    }
}

impl ProcessTrace {
    /// A trace from events in memory: per thread, in program order.
    pub fn from_records(path: PathBuf, header: Header, tables: Tables, threads: Vec<(ThreadId, Vec<Record>)>) -> ProcessTrace {
        ProcessTrace { path, header, tables, warnings: Vec::new(), source: Source::Memory(threads) }
    }

    /// The threads that recorded something, in order of their number.
    pub fn threads(&self) -> Vec<ThreadId> {
        match &self.source {
            Source::Memory(threads) => threads.iter().map(|(id, _)| *id).collect(),
        }
    }

    /// The events of one thread in program order. Decodes as it goes.
    pub fn events(&self, thread: ThreadId) -> Events<'_> {
        match &self.source {
            Source::Memory(threads) => {
                let records = threads.iter().find(|(id, _)| *id == thread).map_or(&[][..], |(_, records)| records);
                Events(Inner::Memory(records.iter()))
            }
        }
    }
}

/// The events of one thread, in program order.
#[derive(Debug)]
pub struct Events<'a>(pub(crate) Inner<'a>);

#[derive(Debug)]
pub(crate) enum Inner<'a> {
    Memory(std::slice::Iter<'a, Record>),
}

impl Iterator for Events<'_> {
    type Item = Record;

    #[inline]
    fn next(&mut self) -> Option<Record> {
        match &mut self.0 {
            Inner::Memory(records) => records.next().copied(),
        }
    }
}
