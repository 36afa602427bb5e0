//! Reads a log and its live file. The log is mapped; its events are decoded whenever they are asked for.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::map::Mapping;
use super::source::{Place, Source, Thread};
use super::{Census, Error, ProcessTrace, Tables};
use crate::chunk::{self, BadStart, Part};
use crate::event::Record;
use crate::header::Header;
use crate::ids::Ticks;
use crate::layout::{CHUNK_MAGIC, LIVE_HEADER_SIZE, SLOT_SIZE};
use crate::step::Section;
use crate::wire::{Decoder, Definition, Malformed, Sink};

/// Reads the log at `path`, which is not empty, and the live file beside it, if there is one.
pub(super) fn open(path: &Path) -> Result<ProcessTrace, Error> {
    let io = |source| Error::io(path, source);
    let log = Mapping::of(&File::open(path).map_err(io)?).map_err(io)?;
    let live_path = live_path(path);
    let mut warnings = Vec::new();
    let live = read_live(&live_path).unwrap_or_else(|error| {
        warnings.push(format!("{}: can't be read, so the newest events may be missing: {error}", live_path.display()));
        Vec::new()
    });
    let mut looked_at = 0;
    let pass = |at: usize| {
        if at > looked_at + WINDOW {
            log.let_go(looked_at..at);
            looked_at = at;
        }
    };
    let files = chunk::files(&log, &live, pass).map_err(|start| match start {
        BadStart::Magic => Error::NotATrace { path: path.to_owned(), looks_like: "binary data".to_owned() },
        BadStart::Version(mismatch) => Error::Version { path: path.to_owned(), mismatch },
        BadStart::Cut(offset) => Error::CutHeader { path: path.to_owned(), offset: offset as u64 },
    })?;
    let name = |part| if part == Part::Log { path.display() } else { live_path.display() };
    warnings
        .extend(files.damages.iter().map(|damage| format!("{}: at byte {}: {}", name(damage.part), damage.offset, damage.kind)));

    // A converted log says itself how the process ended.
    if files.live.is_none() && live.is_empty() && !files.text.windows(11).any(|text| text == b"\nclean_end=") {
        warnings.push(format!("{}: is not there: each thread's newest events may be missing", live_path.display()));
    }

    let mut tables = Tables::default();
    let mut threads: Vec<Thread> = Vec::new();
    let mut census = Census::default();
    let mut faults = 0;
    for chunk in &files.chunks {
        let (events, whole) = match survey(chunk.entries, chunk.start, &mut tables, &mut census) {
            (events, Ok(())) => (events, chunk.entries.len()),
            (events, Err(malformed)) => {
                faults += 1;
                if faults <= MAX_FAULTS {
                    let offset = chunk.offset + malformed.offset;
                    let thread = chunk.thread.0;
                    warnings.push(format!(
                        "{}: at byte {offset}: {}; the rest of this chunk of thread {thread} is left out",
                        name(chunk.part),
                        malformed.fault
                    ));
                }
                (events, malformed.offset)
            }
        };
        if chunk.part == Part::Log {
            log.let_go(chunk.offset..chunk.offset + chunk.entries.len());
        }
        if events == 0 {
            continue;
        }
        if threads.last().is_none_or(|thread| thread.id != chunk.thread) {
            threads.push(Thread::new(chunk.thread));
        }
        if let Some(thread) = threads.last_mut() {
            let place = match chunk.part {
                Part::Log => Place::Log(chunk.offset..chunk.offset + whole),
                Part::Live => Place::Memory(chunk.entries[..whole].into()),
            };
            thread.add(events, chunk.start, place);
        }
    }
    if faults > MAX_FAULTS {
        warnings.push(format!("{}: {} more chunks are damaged", path.display(), faults - MAX_FAULTS));
    }
    for &(thread, first, count) in files.gaps.iter().take(MAX_FAULTS) {
        let last = first + (count - 1);
        warnings.push(format!("{}: of thread {}, chunks {first} to {last} are missing", path.display(), thread.0));
    }
    let header = Header::of(&files);
    let source = Source::new(Some(log), threads);
    Ok(ProcessTrace { path: path.to_owned(), header, tables, warnings, census, source })
}

/// Most damages of one kind that are told one by one.
const MAX_FAULTS: usize = 100;

/// How much of the log is kept in memory while its chunks are looked for, in bytes.
const WINDOW: usize = 16 << 20;

/// Counts a chunk's events and takes its definitions, up to the first fault.
fn survey(entries: &[u8], start: Ticks, tables: &mut Tables, census: &mut Census) -> (u64, Result<(), Malformed>) {
    let mut decoder = Decoder::new(entries, start);
    let mut survey = Survey { events: 0, tables, census };
    while let Some(entry) = decoder.next_entry(&mut survey) {
        if let Err(malformed) = entry {
            return (survey.events, Err(malformed));
        }
    }
    (survey.events, Ok(()))
}

/// What is learnt of a log as it is opened.
struct Survey<'a> {
    events: u64,
    tables: &'a mut Tables,
    census: &'a mut Census,
}

impl Sink<'_> for Survey<'_> {
    #[inline]
    fn record(&mut self, record: Record) {
        self.events += 1;
        self.census.note(&record.event);
    }

    #[inline]
    fn section(&mut self, _: Section) {
        self.events += 2;
    }

    fn definition(&mut self, definition: Definition<'_>) {
        self.tables.add(definition);
    }
}

/// `NAME.cct.live` of `NAME.cct`.
pub(super) fn live_path(log: &Path) -> PathBuf {
    let mut name: OsString = log.as_os_str().to_owned();
    name.push(".live");
    name.into()
}

/// Most threads at a time whose slots are looked at.
const MAX_SLOTS: u64 = 1 << 16;

/// The live file, as far as it is in use: it has a slot for every thread that ever ran at a time, so it may be mostly holes. They
/// take no memory here either: the system gives zeroed memory when it is first written to.
fn read_live(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?,
    };
    let most = LIVE_HEADER_SIZE as u64 + MAX_SLOTS * SLOT_SIZE as u64;
    let len = usize::try_from(file.metadata()?.len().min(most)).unwrap_or(0);
    let mut bytes = vec![0; len];
    let (page, slots) = bytes.split_at_mut(len.min(LIVE_HEADER_SIZE));
    file.read_exact(page)?;
    let mut buffer = vec![0; SLOT_SIZE];
    for slot in slots.chunks_mut(SLOT_SIZE) {
        let buffer = &mut buffer[..slot.len()];
        file.read_exact(buffer)?;
        if buffer.starts_with(&CHUNK_MAGIC.to_le_bytes()) {
            slot.copy_from_slice(buffer);
        }
    }
    Ok(bytes)
}
