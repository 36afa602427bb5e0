//! Writes logs: what the recorder does while a program runs, for events that are there already.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::event::{Event, Mode, Record};
use crate::header::Header;
use crate::ids::{ThreadId, Ticks};
use crate::layout::{CHUNK_MAGIC, MAGIC, PREAMBLE, SLOT_SIZE, chunk};
use crate::step::Section;
use crate::version::CURRENT;
use crate::wire::orders::Orders;
use crate::wire::{self, Definition};

/// Encodes the events of several threads into a log.
///
/// ```
/// use conccheck_trace::header::Header;
/// use conccheck_trace::{Event, Record, ThreadId, Ticks, write::LogWriter};
///
/// let mut log = LogWriter::new(Vec::new(), &Header { ticks_per_second: 1e9, ..Header::default() })?;
/// log.record(ThreadId(1), Record { time: Ticks(5), event: Event::End { panicked: false } })?;
/// let bytes = log.finish()?;
/// # assert!(bytes.len() > 32);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct LogWriter<W> {
    out: W,
    header: Header,
    threads: BTreeMap<ThreadId, Open>,
}

/// The chunk of a thread that is being filled.
#[derive(Debug)]
struct Open {
    number: u32,
    start_nanos: u64,
    entries: Entries,
}

impl<W: Write> LogWriter<W> {
    /// Begins a log with its header.
    ///
    /// # Errors
    /// What `out` says.
    pub fn new(mut out: W, header: &Header) -> io::Result<LogWriter<W>> {
        let text = header.to_text();
        let mut preamble = Vec::with_capacity(PREAMBLE + text.len());
        preamble.extend_from_slice(&MAGIC);
        preamble.extend_from_slice(&CURRENT.major.to_le_bytes());
        preamble.extend_from_slice(&CURRENT.minor.to_le_bytes());
        let len = u32::try_from(text.len()).map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "the header is too long"))?;
        preamble.extend_from_slice(&len.to_le_bytes());
        preamble.extend_from_slice(text.as_bytes());
        out.write_all(&preamble)?;
        Ok(LogWriter { out, header: header.clone(), threads: BTreeMap::new() })
    }

    /// Writes what an id means, among the entries of `thread`. Texts longer than [`wire::MAX_STRING`] bytes are cut.
    ///
    /// # Errors
    /// What `out` says.
    pub fn define(&mut self, thread: ThreadId, definition: Definition<'_>) -> io::Result<()> {
        self.open(thread)?.define(definition);
        Ok(())
    }

    /// Writes the next event of `thread`, which is not [`ThreadId::NONE`].
    ///
    /// # Errors
    /// What `out` says.
    pub fn record(&mut self, thread: ThreadId, record: Record) -> io::Result<()> {
        self.open(thread)?.record(record);
        Ok(())
    }

    /// Writes what is left and returns the output.
    ///
    /// # Errors
    /// What `out` says.
    pub fn finish(mut self) -> io::Result<W> {
        for (thread, open) in &mut self.threads {
            let (start, entries) = open.entries.finish();
            open.write(&mut self.out, *thread, start, &entries)?;
        }
        self.out.flush()?;
        Ok(self.out)
    }

    /// The entries of the thread's chunk, with room for the largest one.
    fn open(&mut self, thread: ThreadId) -> io::Result<&mut Entries> {
        let header = &self.header;
        let open = self.threads.entry(thread).or_insert_with(|| Open {
            number: 0,
            start_nanos: 0,
            entries: Entries::new(header.start_ticks),
        });
        if open.entries.is_full() {
            let (start, entries) = open.entries.restart();
            open.write(&mut self.out, thread, start, &entries)?;
            open.number += 1;
            open.start_nanos = header.nanos(open.entries.time).0;
        }
        Ok(&mut open.entries)
    }
}

impl Open {
    /// Writes the whole chunk.
    fn write(&self, out: &mut impl Write, thread: ThreadId, start: Ticks, entries: &[u8]) -> io::Result<()> {
        let mut head = [0; chunk::ENTRIES];
        let end = u32::try_from(head.len() + entries.len()).unwrap_or(u32::MAX);
        for (at, value) in
            [(chunk::MAGIC, CHUNK_MAGIC), (chunk::THREAD, thread.0), (chunk::NUMBER, self.number), (chunk::END, end)]
        {
            head[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        for (at, value) in [(chunk::START, start.0), (chunk::START_NANOS, self.start_nanos)] {
            head[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        out.write_all(&head)?;
        out.write_all(entries)
    }
}

/// The entries of a thread, chunk after chunk.
#[derive(Debug)]
pub(crate) struct Entries {
    bytes: Vec<u8>,
    /// When the chunk began, and when its last entry was.
    start: Ticks,
    time: Ticks,
    /// The orders that a decoder of this chunk knows.
    orders: Orders,
    /// An acquisition that the next event may be folded into.
    pending: Option<Record>,
}

/// What no entry is larger than, with an acquisition before it.
const ROOM: usize = wire::string_room(wire::MAX_STRING) + wire::MAX_ENTRY;

impl Entries {
    /// None yet, since `start`.
    pub(crate) fn new(start: Ticks) -> Entries {
        Entries { bytes: Vec::new(), start, time: start, orders: Orders::default(), pending: None }
    }

    /// Whether a chunk with these has no room for another one.
    pub(crate) fn is_full(&self) -> bool {
        chunk::ENTRIES + self.bytes.len() + ROOM > SLOT_SIZE
    }

    /// Adds an event.
    pub(crate) fn record(&mut self, record: Record) {
        if let Some(section) = self.pending.and_then(|acquisition| Section::of(&acquisition, &record)) {
            self.put_pending(Some((section.wrote, section.end.0.wrapping_sub(section.time.0))));
            return;
        }
        self.put_pending(None);
        if matches!(record.event, Event::Acquire { .. }) {
            self.pending = Some(record);
            return;
        }
        let elapsed = self.elapsed(record.time);
        if let Event::Convert { lock, order, .. } = record.event {
            self.orders.replace(lock.0, order.0);
        }
        self.put(wire::MAX_ENTRY, |bytes, at| wire::put_record(bytes, at, elapsed, record.event));
    }

    fn define(&mut self, definition: Definition<'_>) {
        self.put_pending(None);
        self.put(ROOM, |bytes, at| match definition {
            Definition::Site { id, file, line, column } => wire::put_site(bytes, at, id, file, line, column),
            Definition::String { id, text } => wire::put_string(bytes, at, id, text),
            Definition::Object { id, kind, created, type_name } => wire::put_object(bytes, at, id, kind, created, type_name),
            Definition::Frame { id, caller, module, address } => wire::put_frame(bytes, at, id, caller, module, address),
        });
    }

    /// The entries so far, and when they began. What may be folded with the next event is left for the next chunk.
    pub(crate) fn restart(&mut self) -> (Ticks, Vec<u8>) {
        self.orders.clear();
        (std::mem::replace(&mut self.start, self.time), std::mem::take(&mut self.bytes))
    }

    /// All entries that there are, and when they began.
    pub(crate) fn finish(&mut self) -> (Ticks, Vec<u8>) {
        self.put_pending(None);
        self.restart()
    }

    /// Lets `put` write an entry of at most `most` bytes at the end.
    fn put(&mut self, most: usize, put: impl FnOnce(&mut [u8], usize) -> usize) {
        let at = self.bytes.len();
        self.bytes.resize(at + most, 0);
        let end = put(&mut self.bytes, at);
        self.bytes.truncate(end);
    }

    fn elapsed(&mut self, time: Ticks) -> u64 {
        time.0.wrapping_sub(std::mem::replace(&mut self.time, time).0)
    }

    /// Writes the acquisition that waits, with the release that follows it, if it does.
    fn put_pending(&mut self, released: Option<(bool, u64)>) {
        let Some(Record { time, event: Event::Acquire { lock, site, mode, how, order } }) = self.pending.take() else { return };
        let elapsed = self.elapsed(time);
        let step = u64::from(!matches!(mode, Mode::Shared | Mode::RecursiveShared));
        let is_implied = self.orders.replace(lock.0, order.0).is_some_and(|known| known.wrapping_add(step) == order.0);
        let order = (!is_implied).then_some(order);
        self.put(wire::MAX_ENTRY, |bytes, at| {
            wire::put_acquisition(bytes, at, elapsed, (lock, site), (mode, how), order, released)
        });
    }
}
