//! Finds the chunks of a process in the bytes of its two files, whatever state these are in.
//!
//! Nothing here trusts a length: what does not fit is cut or skipped, and said.

use core::fmt;
use std::collections::BTreeMap;

use crate::ids::{ThreadId, Ticks};
use crate::layout::{CHUNK_MAGIC, LIVE_HEADER_SIZE, LIVE_MAGIC, MAGIC, PREAMBLE, SLOT_SIZE, chunk, live};
use crate::version::{CURRENT, Mismatch, Version};

/// Which of the two files of a process.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Part {
    /// `NAME.cct`.
    Log,
    /// `NAME.cct.live`.
    Live,
}

/// One chunk of a thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chunk<'a> {
    /// Who recorded it.
    pub thread: ThreadId,
    /// Its number within the thread, from 0.
    pub number: u32,
    /// Time before its first entry.
    pub start: Ticks,
    /// The same moment in nanoseconds since the start of the recording.
    pub start_nanos: u64,
    /// The file that holds it.
    pub part: Part,
    /// Where its entries begin in that file.
    pub offset: usize,
    /// Its entries.
    pub entries: &'a [u8],
}

/// Bytes that could not be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The file.
    pub part: Part,
    /// Where in it, in bytes.
    pub offset: usize,
    /// What is wrong there.
    pub kind: DamageKind,
}

/// What is wrong with bytes that could not be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DamageKind {
    /// The file ends within a chunk that should be this many bytes longer.
    Cut(usize),
    /// No chunk begins here; this many bytes were skipped.
    Skipped(usize),
    /// A chunk whose length or thread can't be true.
    Header,
    /// The live file is not one, or of another version.
    NotLive,
    /// There are more damages than are told, up to here.
    More,
}

impl fmt::Display for DamageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DamageKind::Cut(missing) => write!(f, "the file ends within a chunk, {missing} bytes are missing"),
            DamageKind::Skipped(bytes) => write!(f, "{bytes} bytes belong to no chunk and were skipped"),
            DamageKind::Header => f.write_str("a chunk's header is damaged"),
            DamageKind::More => f.write_str("many more places before this one are damaged"),
            DamageKind::NotLive => f.write_str("not a file of live slots of this version"),
        }
    }
}

/// Why the beginning of a log can't be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadStart {
    /// It does not begin with [`MAGIC`].
    Magic,
    /// Its version is not read here.
    Version(Mismatch),
    /// It ends within the header, at this offset.
    Cut(usize),
}

impl fmt::Display for BadStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadStart::Magic => f.write_str("not a conccheck log"),
            BadStart::Version(mismatch) => mismatch.fmt(f),
            BadStart::Cut(at) => write!(f, "cut within the header, at byte {at}"),
        }
    }
}

/// What the live file's first page says.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LivePage {
    /// The process ended in order.
    pub clean_end: bool,
    /// The watchdog ended it.
    pub deadlock: bool,
    /// Clock readings at the start: ticks, nanoseconds.
    pub clock_first: (u64, u64),
    /// The newest clock readings: ticks, nanoseconds.
    pub clock_last: (u64, u64),
    /// Events that could not be recorded.
    pub lost_events: u64,
    /// Why, as an OS error code; 0: none.
    pub lost_reason: u32,
}

/// Everything that the two files hold.
#[derive(Debug)]
pub struct Files<'a> {
    /// The header's text.
    pub text: &'a [u8],
    /// What the live file's first page says, if there is one.
    pub live: Option<LivePage>,
    /// The chunks by thread and number, each once.
    pub chunks: Vec<Chunk<'a>>,
    /// What could not be used.
    pub damages: Vec<Damage>,
    /// Chunk numbers that a thread skips: the thread, the first number missing, how many.
    pub gaps: Vec<(ThreadId, u32, u32)>,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Finds all chunks of a process. `live` may be empty. `pass` is told now and then up to where the log was looked at.
///
/// # Errors
/// The beginning of the log is not one that can be read. Everything behind it is repaired as far as possible.
pub fn files<'a>(log: &'a [u8], live_file: &'a [u8], pass: impl FnMut(usize)) -> Result<Files<'a>, BadStart> {
    let (text, first) = preamble(log)?;
    let mut damages = Vec::new();
    let mut by_number: BTreeMap<(ThreadId, u32), Chunk<'a>> = BTreeMap::new();
    let mut found = Vec::new();
    walk_log(log, first, &mut found, &mut damages, pass);
    let page = live_page(live_file);
    if page.is_some() {
        walk_slots(live_file, &mut found, &mut damages);
    } else if !live_file.is_empty() {
        damages.push(Damage { part: Part::Live, offset: 0, kind: DamageKind::NotLive });
    }
    for chunk in found {
        let known = by_number.entry((chunk.thread, chunk.number)).or_insert(chunk);
        // A chunk in both files is the same one; a damaged copy is the shorter one. A process that ends while it appends a chunk leaves
        // one, and loses nothing.
        if known.entries.len() < chunk.entries.len() {
            let begins = known.offset - chunk::ENTRIES;
            damages.retain(|damage| {
                (damage.part, damage.offset) != (known.part, begins) || !matches!(damage.kind, DamageKind::Cut(_))
            });
            *known = chunk;
        }
    }
    let chunks: Vec<_> = by_number.into_values().collect();
    let gaps = gaps(&chunks);
    Ok(Files { text, live: page, chunks, damages, gaps })
}

/// The header's text and the offset of the first chunk.
fn preamble(log: &[u8]) -> Result<(&[u8], usize), BadStart> {
    if !log.starts_with(&MAGIC[..log.len().min(MAGIC.len())]) || log.is_empty() {
        return Err(BadStart::Magic);
    }
    let cut = BadStart::Cut(log.len());
    let version = Version { major: u16_at(log, 8).ok_or(cut)?, minor: u16_at(log, 10).ok_or(cut)? };
    version.check_readable_by(CURRENT).map_err(BadStart::Version)?;
    let first = PREAMBLE.saturating_add(u32_at(log, 12).ok_or(cut)? as usize);
    Ok((log.get(PREAMBLE..first).ok_or(cut)?, first))
}

fn live_page(bytes: &[u8]) -> Option<LivePage> {
    let page = bytes.get(..live::DEADLOCK + 4)?;
    let version = Version { major: u16_at(page, live::VERSION)?, minor: u16_at(page, live::VERSION + 2)? };
    if !page.starts_with(&LIVE_MAGIC) || version.check_readable_by(CURRENT).is_err() {
        return None;
    }
    let pair = |at| Some((u64_at(page, at)?, u64_at(page, at + 8)?));
    Some(LivePage {
        clean_end: u32_at(page, live::CLEAN_END)? != 0,
        deadlock: u32_at(page, live::DEADLOCK)? != 0,
        clock_first: pair(live::CLOCK_FIRST)?,
        clock_last: pair(live::CLOCK_LAST)?,
        lost_events: u64_at(page, live::LOST_EVENTS)?,
        lost_reason: u32_at(page, live::LOST_REASON)?,
    })
}

fn has_magic(bytes: &[u8], at: usize) -> bool {
    u32_at(bytes, at) == Some(CHUNK_MAGIC)
}

fn find_magic(bytes: &[u8], from: usize) -> Option<usize> {
    let magic = CHUNK_MAGIC.to_le_bytes();
    let rest = bytes.get(from..)?;
    let mut at = 0;
    // `position` on one byte is a fast scan.
    while let Some(next) = rest.get(at..)?.iter().position(|&b| b == magic[0]) {
        if rest[at + next..].starts_with(&magic) {
            return Some(from + at + next);
        }
        at += next + 1;
    }
    None
}

/// The chunk whose magic is at `at`, with entries up to `end`.
fn chunk_at(bytes: &[u8], part: Part, at: usize, end: usize) -> Option<Chunk<'_>> {
    let thread = ThreadId(u32_at(bytes, at + chunk::THREAD)?);
    let offset = at + chunk::ENTRIES;
    let found = Chunk {
        thread,
        number: u32_at(bytes, at + chunk::NUMBER)?,
        start: Ticks(u64_at(bytes, at + chunk::START)?),
        start_nanos: u64_at(bytes, at + chunk::START_NANOS)?,
        part,
        offset,
        entries: bytes.get(offset..end)?,
    };
    thread.is_some().then_some(found)
}

/// Most damages that are told one by one.
const MAX_DAMAGES: usize = 100;

fn note(damages: &mut Vec<Damage>, damage: Damage) {
    if damages.len() < MAX_DAMAGES {
        damages.push(damage);
    } else if let Some(last) = damages.last_mut() {
        *last = Damage { kind: DamageKind::More, ..damage };
    }
}

fn walk_log<'a>(log: &'a [u8], first: usize, found: &mut Vec<Chunk<'a>>, damages: &mut Vec<Damage>, mut pass: impl FnMut(usize)) {
    let mut at = first;
    let mut damage = |offset, kind| note(damages, Damage { part: Part::Log, offset, kind });
    while at < log.len() {
        if !has_magic(log, at) {
            let next = find_magic(log, at).unwrap_or(log.len());
            damage(at, DamageKind::Skipped(next - at));
            at = next;
            continue;
        }
        let len = u32_at(log, at + chunk::END).map_or(usize::MAX, |len| len as usize);
        let possible = (chunk::ENTRIES..=SLOT_SIZE).contains(&len);
        let mut end = at.saturating_add(len);
        // A whole slot may have been written although the chunk ends before.
        let next = [end, at + SLOT_SIZE].into_iter().find(|&next| next == log.len() || has_magic(log, next));
        let next = match next {
            Some(next) if possible && end <= log.len() => next,
            _ => {
                // The length is wrong, or what follows is not a chunk: the next chunk's magic bounds this one.
                let next = find_magic(log, at + 4).unwrap_or(log.len());
                if next == log.len() && possible && end > next {
                    damage(at, DamageKind::Cut(end - next));
                } else if !possible || end > next {
                    damage(at, DamageKind::Header);
                } else if next > end {
                    damage(end, DamageKind::Skipped(next - end));
                }
                end = if possible { end.min(next) } else { next };
                next
            }
        };
        match chunk_at(log, Part::Log, at, end) {
            Some(chunk) => found.push(chunk),
            None if end == log.len() => {}
            None => damage(at, DamageKind::Header),
        }
        at = next;
        pass(at);
    }
}

fn walk_slots<'a>(live_file: &'a [u8], found: &mut Vec<Chunk<'a>>, damages: &mut Vec<Damage>) {
    for at in (LIVE_HEADER_SIZE..live_file.len()).step_by(SLOT_SIZE) {
        if !has_magic(live_file, at) {
            continue;
        }
        let room = SLOT_SIZE.min(live_file.len() - at);
        let len = u32_at(live_file, at + chunk::END).map_or(0, |len| len as usize);
        let kind = if !(chunk::ENTRIES..=SLOT_SIZE).contains(&len) {
            Some(DamageKind::Header)
        } else if len > room {
            Some(DamageKind::Cut(len - room))
        } else {
            None
        };
        // An impossible length leaves nothing to tell entries from what the slot held before.
        let end = at + len.min(room);
        let usable = if kind == Some(DamageKind::Header) { None } else { chunk_at(live_file, Part::Live, at, end) };
        if let Some(kind) = kind.or(usable.is_none().then_some(DamageKind::Header)) {
            note(damages, Damage { part: Part::Live, offset: at, kind });
        }
        found.extend(usable);
    }
}

fn gaps(chunks: &[Chunk<'_>]) -> Vec<(ThreadId, u32, u32)> {
    let mut gaps = Vec::new();
    let mut expected = (ThreadId::NONE, 0);
    for chunk in chunks {
        if expected.0 != chunk.thread {
            expected = (chunk.thread, 0);
        }
        if chunk.number > expected.1 {
            gaps.push((chunk.thread, expected.1, chunk.number - expected.1));
        }
        expected.1 = chunk.number.saturating_add(1);
    }
    gaps
}
