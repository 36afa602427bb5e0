//! Looks into the slots of the live threads, from outside: through the file that they are mapped from.
//!
//! A slot changes while it is read; what counts is only what was the same before and after.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use conccheck_trace::layout::{CHUNK_MAGIC, LIVE_HEADER_SIZE, LIVE_MAGIC, SLOT_SIZE, chunk};
use conccheck_trace::wire::Decoder;
use conccheck_trace::{Event, ThreadId, Ticks};

/// How far a thread has come: as long as this stays the same, it has recorded nothing more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Progress {
    pub(super) thread: ThreadId,
    /// Its chunk.
    pub(super) number: u32,
    /// Where the chunk ends.
    end: u32,
}

/// A chunk that was read whole.
pub(super) struct Chunk {
    pub(super) id: Progress,
    pub(super) entries: Vec<u8>,
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

impl Progress {
    /// What the first bytes of a slot or a chunk say; `None` if there is no chunk.
    fn parse(bytes: &[u8]) -> Option<Progress> {
        let thread = ThreadId(word(bytes, chunk::THREAD)?);
        let (number, end) = (word(bytes, chunk::NUMBER)?, word(bytes, chunk::END)?);
        let is_chunk = word(bytes, chunk::MAGIC)? == CHUNK_MAGIC && (chunk::ENTRIES..=SLOT_SIZE).contains(&(end as usize));
        (is_chunk && thread.is_some()).then_some(Progress { thread, number, end })
    }
}

impl Chunk {
    /// The length that a chunk's header says, if it is possible.
    pub(super) fn length(header: &[u8]) -> Option<usize> {
        word(header, chunk::END).map(|end| end as usize).filter(|end| (chunk::ENTRIES..=SLOT_SIZE).contains(end))
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Chunk> {
        let id = Progress::parse(bytes)?;
        Some(Chunk { id, entries: bytes.get(chunk::ENTRIES..id.end as usize)?.to_owned() })
    }

    /// Its last event, if that begins a wait without a limit.
    pub(super) fn wait(&self) -> Option<Event> {
        let mut decoder = Decoder::new(&self.entries, Ticks(0));
        let mut last = None;
        while let Some(record) = decoder.next_record(|_| {}) {
            last = Some(record.ok()?.event);
        }
        last.filter(|event| event.can_block() && !event.is_timed())
    }
}

/// A slot that a thread fills.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Filled {
    pub(super) slot: u64,
    pub(super) progress: Progress,
}

fn place(slot: u64) -> u64 {
    LIVE_HEADER_SIZE as u64 + slot * SLOT_SIZE as u64
}

/// All slots that are in use.
///
/// # Errors
/// If the file is not what it was, since the program closed or reused its descriptor.
pub(super) fn filled(live: &File) -> io::Result<Vec<Filled>> {
    let mut magic = [0; LIVE_MAGIC.len()];
    live.read_exact_at(&mut magic, 0)?;
    if magic != LIVE_MAGIC {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let slots = live.metadata()?.len().saturating_sub(LIVE_HEADER_SIZE as u64) / SLOT_SIZE as u64;
    let mut found = Vec::new();
    for slot in 0..slots {
        found.extend(progress(live, slot)?.map(|progress| Filled { slot, progress }));
    }
    Ok(found)
}

/// How far the thread in a slot has come.
pub(super) fn progress(live: &File, slot: u64) -> io::Result<Option<Progress>> {
    let mut header = [0; chunk::START];
    live.read_exact_at(&mut header, place(slot))?;
    Ok(Progress::parse(&header))
}

/// The chunk in a slot, if it stayed as it is said to be.
pub(super) fn read(live: &File, filled: Filled) -> io::Result<Option<Chunk>> {
    let mut bytes = vec![0; filled.progress.end as usize];
    live.read_exact_at(&mut bytes, place(filled.slot))?;
    let unchanged = progress(live, filled.slot)? == Some(filled.progress);
    Ok(Chunk::parse(&bytes).filter(|chunk| unchanged && chunk.id == filled.progress))
}
