//! Puts a trace together from a text in which things have names instead of numbers.

use std::path::PathBuf;

use rustc_hash::FxHashMap;

use super::{FrameDef, Header, ObjectDef, Packer, ProcessTrace, Tables};
use crate::event::{Event, ObjectKind, Record, SiteDef};
use crate::ids::{FrameId, ObjectId, SiteId, StringId, ThreadId, Ticks};

/// Gives out numbers and collects events.
#[derive(Default)]
pub(crate) struct Builder {
    tables: Tables,
    sites: FxHashMap<SiteDef, SiteId>,
    strings: FxHashMap<String, StringId>,
    objects: u32,
    frames: u32,
    threads: u32,
    events: Packer,
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Builder {
    pub(crate) fn site(&mut self, site: SiteDef) -> SiteId {
        let next = SiteId(number(self.sites.len() + 1));
        *self.sites.entry(site).or_insert_with_key(|site| {
            self.tables.define_site(next, site.clone());
            next
        })
    }

    /// What a site that [`Builder::site`] made means.
    pub(crate) fn place(&self, site: SiteId) -> SiteDef {
        self.tables.site(site).cloned().unwrap_or(SiteDef { file: String::new(), line: 0, column: 0 })
    }

    pub(crate) fn string(&mut self, text: &str) -> StringId {
        if let Some(id) = self.strings.get(text) {
            return *id;
        }
        let id = StringId(number(self.strings.len() + 1));
        self.tables.define_string(id, text.to_owned());
        self.strings.insert(text.to_owned(), id);
        id
    }

    pub(crate) fn object(&mut self, kind: ObjectKind, created: SiteId, type_name: &str) -> ObjectId {
        self.objects += 1;
        let type_name = self.string(type_name);
        self.tables.define_object(ObjectId(self.objects), ObjectDef { kind, created, type_name });
        ObjectId(self.objects)
    }

    pub(crate) fn frame(&mut self, caller: FrameId, module: &str, address: u64) -> FrameId {
        self.frames += 1;
        let module = self.string(module);
        self.tables.define_frame(FrameId(self.frames), FrameDef { caller, module, address });
        FrameId(self.frames)
    }

    pub(crate) fn thread(&mut self) -> ThreadId {
        self.threads += 1;
        ThreadId(self.threads)
    }

    /// Adds an event of a thread that [`Builder::thread`] made.
    pub(crate) fn push(&mut self, thread: ThreadId, time: Ticks, event: Event) {
        self.events.push(thread, Record { time, event });
    }

    pub(crate) fn last(&self, thread: ThreadId) -> Option<Event> {
        self.events.latest(thread)
    }

    pub(crate) fn finish(self, path: PathBuf, header: Header) -> ProcessTrace {
        ProcessTrace::from_events(path, header, self.tables, self.events)
    }
}
