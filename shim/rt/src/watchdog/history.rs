//! What every thread holds and waits for, read back from what it recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;

use conccheck_trace::layout::{CHUNK_MAGIC, MAGIC, PREAMBLE, SLOT_SIZE, chunk};
use conccheck_trace::wire::{Decoder, Definition};
use conccheck_trace::{Event, Mode, ObjectId, ObjectKind, SiteDef, SiteId, StringId, ThreadId, Ticks};

use super::slots::Chunk;

/// A lock that a thread holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Hold {
    pub(super) lock: ObjectId,
    pub(super) mode: Mode,
    pub(super) site: SiteId,
}

/// What is known about one thread.
#[derive(Clone, Default, Debug)]
pub(super) struct Thread {
    pub(super) name: Option<String>,
    pub(super) parent: ThreadId,
    pub(super) holds: Vec<Hold>,
    /// The initialisations that it runs, and since where.
    pub(super) initialises: Vec<(ObjectId, SiteId)>,
    /// What it waits for: its last events, if they can block. More than one where a scope's end waits for several threads.
    pub(super) waits: Vec<Event>,
    /// What it selects from: the cases directly before.
    pub(super) cases: Vec<Event>,
    pub(super) has_ended: bool,
    /// Part of its events is missing, so that what it holds is not certain.
    pub(super) is_partial: bool,
    /// Chunks so far.
    pub(super) chunks: u32,
}

/// What ids mean.
#[derive(Default, Debug)]
pub(super) struct Names {
    sites: BTreeMap<SiteId, SiteDef>,
    strings: BTreeMap<StringId, String>,
    objects: BTreeMap<ObjectId, (ObjectKind, SiteId, StringId)>,
}

impl Names {
    fn add(&mut self, definition: Definition<'_>) {
        match definition {
            Definition::Site { id, file, line, column } => {
                self.sites.entry(id).or_insert_with(|| SiteDef { file: file.to_owned(), line, column });
            }
            Definition::String { id, text } => {
                self.strings.entry(id).or_insert_with(|| text.to_owned());
            }
            Definition::Object { id, kind, created, type_name } => {
                self.objects.entry(id).or_insert((kind, created, type_name));
            }
            // Its picture shows sites.
            Definition::Frame { .. } => {}
        }
    }

    pub(super) fn site(&self, id: SiteId) -> Option<&SiteDef> {
        self.sites.get(&id)
    }

    /// What the object is, where it was created, and the type within.
    pub(super) fn object(&self, id: ObjectId) -> Option<(ObjectKind, SiteId, &str)> {
        let &(kind, created, type_name) = self.objects.get(&id)?;
        Some((kind, created, self.strings.get(&type_name).map_or("", String::as_str)))
    }
}

/// All threads, up to some moment.
#[derive(Clone, Default, Debug)]
pub(super) struct Threads {
    pub(super) all: BTreeMap<ThreadId, Thread>,
    /// Locks that were released by a thread that had not acquired them: who holds them can't be told.
    pub(super) passed_on: BTreeSet<ObjectId>,
}

/// What the log says so far.
#[derive(Default, Debug)]
pub(super) struct History {
    pub(super) names: Names,
    threads: Threads,
    /// Up to where the log is read.
    offset: u64,
}

impl History {
    /// Reads what is new in the log, and then these chunks, which threads are filling right now.
    ///
    /// # Errors
    /// If the log is not what was written to it.
    pub(super) fn with(&mut self, log: &File, slots: &[Chunk]) -> io::Result<Threads> {
        self.catch_up(log)?;
        let mut threads = self.threads.clone();
        for chunk in slots {
            // One that is in the log by now is known already.
            if threads.all.get(&chunk.id.thread).is_none_or(|thread| thread.chunks <= chunk.id.number) {
                threads.add(chunk, &mut self.names);
            }
        }
        Ok(threads)
    }

    fn catch_up(&mut self, log: &File) -> io::Result<()> {
        let mut preamble = [0; PREAMBLE];
        log.read_exact_at(&mut preamble, 0)?;
        if preamble[..8] != MAGIC {
            return Err(ErrorKind::InvalidData.into());
        }
        if self.offset == 0 {
            let text = u32::from_le_bytes([preamble[12], preamble[13], preamble[14], preamble[15]]);
            self.offset = PREAMBLE as u64 + u64::from(text);
        }
        let end = log.metadata()?.len();
        let mut bytes = vec![0; SLOT_SIZE];
        while self.offset + chunk::ENTRIES as u64 <= end {
            log.read_exact_at(&mut bytes[..chunk::ENTRIES], self.offset)?;
            let length = Chunk::length(&bytes).filter(|_| bytes.starts_with(&CHUNK_MAGIC.to_le_bytes()));
            let length = length.ok_or(ErrorKind::InvalidData)?;
            if self.offset + length as u64 > end {
                break;
            }
            log.read_exact_at(&mut bytes[..length], self.offset)?;
            if let Some(chunk) = Chunk::parse(&bytes[..length]) {
                self.threads.add(&chunk, &mut self.names);
            }
            self.offset += length as u64;
        }
        Ok(())
    }
}

impl Threads {
    fn add(&mut self, chunk: &Chunk, names: &mut Names) {
        let thread = self.all.entry(chunk.id.thread).or_default();
        thread.is_partial |= thread.chunks != chunk.id.number;
        thread.chunks = chunk.id.number.saturating_add(1);
        let mut decoder = Decoder::new(&chunk.entries, Ticks(0));
        let mut strings = BTreeMap::new();
        while let Some(record) = decoder.next_record(|definition| {
            if let Definition::String { id, text } = definition {
                strings.insert(id, text.to_owned());
            }
            names.add(definition);
        }) {
            match record {
                Ok(record) => thread.apply(record.event, &strings, &mut self.passed_on),
                Err(_) => thread.is_partial = true,
            }
        }
    }
}

impl Thread {
    fn apply(&mut self, event: Event, strings: &BTreeMap<StringId, String>, passed_on: &mut BTreeSet<ObjectId>) {
        match event {
            Event::Start { parent, name } => {
                self.parent = parent;
                // A thread's name is defined directly before.
                self.name = strings.get(&name).cloned();
            }
            Event::Acquire { lock, site, mode, .. } => self.holds.push(Hold { lock, mode, site }),
            Event::Release { lock, .. } => match self.holds.iter().rposition(|hold| hold.lock == lock) {
                Some(at) => drop(self.holds.remove(at)),
                None => drop(passed_on.insert(lock)),
            },
            Event::Convert { lock, from, to, .. } => {
                if let Some(hold) = self.holds.iter_mut().rev().find(|hold| hold.lock == lock && hold.mode == from) {
                    hold.mode = to;
                }
            }
            Event::OnceBegin { once, site } => self.initialises.push((once, site)),
            Event::OnceEnd { once, .. } => self.initialises.retain(|&(running, _)| running != once),
            Event::End { .. } => self.has_ended = true,
            Event::Lost { .. } => self.is_partial = true,
            _ => {}
        }
        match event {
            Event::SelectCase { .. } => self.cases.push(event),
            Event::SelectRequest { .. } => {}
            _ => self.cases.clear(),
        }
        let joins_more =
            matches!(event, Event::JoinRequest { .. }) && matches!(self.waits.last(), Some(Event::JoinRequest { .. }));
        if !joins_more {
            self.waits.clear();
        }
        if event.can_block() {
            self.waits.push(event);
        }
    }
}
