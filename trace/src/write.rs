//! Writes logs: what the recorder does while a program runs, for events that are there already.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use crate::event::{Event, Mode, Record};
use crate::header::Header;
use crate::ids::{Order, ThreadId, Ticks};
use crate::layout::{CHUNK_MAGIC, MAGIC, PREAMBLE, SLOT_SIZE, chunk};
use crate::version::CURRENT;
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
    bytes: Vec<u8>,
    time: Ticks,
    /// The order that a decoder of this chunk knows, by lock.
    orders: HashMap<u32, u64>,
    /// An acquisition that the next event may be folded into.
    pending: Option<Record>,
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
        let open = self.open(thread)?;
        open.put_pending(None);
        open.room(|bytes, at| match definition {
            Definition::Site { id, file, line, column } => wire::put_site(bytes, at, id, file, line, column),
            Definition::String { id, text } => wire::put_string(bytes, at, id, text),
            Definition::Object { id, kind, created, type_name } => wire::put_object(bytes, at, id, kind, created, type_name),
            Definition::Frame { id, caller, module, address } => wire::put_frame(bytes, at, id, caller, module, address),
        });
        Ok(())
    }

    /// Writes the next event of `thread`, which is not [`ThreadId::NONE`].
    ///
    /// # Errors
    /// What `out` says.
    pub fn record(&mut self, thread: ThreadId, record: Record) -> io::Result<()> {
        let open = self.open(thread)?;
        if let (Some(pending), Event::Release { lock, wrote, unwinding: false }) = (open.pending, record.event)
            && matches!(pending.event, Event::Acquire { lock: acquired, .. } if acquired == lock)
        {
            open.put_pending(Some((wrote, record.time.0.wrapping_sub(pending.time.0))));
            return Ok(());
        }
        open.put_pending(None);
        if matches!(record.event, Event::Acquire { .. }) {
            open.pending = Some(record);
            return Ok(());
        }
        let elapsed = open.elapsed(record.time);
        if let Event::Convert { lock, order, .. } = record.event {
            open.orders.insert(lock.0, order.0);
        }
        open.room(|bytes, at| wire::put_record(bytes, at, elapsed, record.event));
        Ok(())
    }

    /// Writes what is left and returns the output.
    ///
    /// # Errors
    /// What `out` says.
    pub fn finish(mut self) -> io::Result<W> {
        for (thread, open) in &mut self.threads {
            open.put_pending(None);
            self.out.write_all(open.close(*thread))?;
        }
        self.out.flush()?;
        Ok(self.out)
    }

    /// The thread's chunk, with room for the largest entry and an acquisition before it.
    fn open(&mut self, thread: ThreadId) -> io::Result<&mut Open> {
        let header = &self.header;
        let open = self.threads.entry(thread).or_insert_with(|| Open::new(0, header.start_ticks, 0));
        if open.bytes.len() + wire::string_room(wire::MAX_STRING) + wire::MAX_ENTRY > SLOT_SIZE {
            let pending = open.pending.take();
            self.out.write_all(open.close(thread))?;
            *open = Open { pending, ..Open::new(open.number + 1, open.time, header.nanos(open.time).0) };
        }
        Ok(open)
    }
}

impl Open {
    fn new(number: u32, start: Ticks, start_nanos: u64) -> Open {
        let mut bytes = vec![0; chunk::ENTRIES];
        bytes[chunk::START..chunk::START + 8].copy_from_slice(&start.0.to_le_bytes());
        bytes[chunk::START_NANOS..chunk::START_NANOS + 8].copy_from_slice(&start_nanos.to_le_bytes());
        Open { number, bytes, time: start, orders: HashMap::new(), pending: None }
    }

    /// The whole chunk.
    fn close(&mut self, thread: ThreadId) -> &[u8] {
        let end = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        for (at, value) in
            [(chunk::MAGIC, CHUNK_MAGIC), (chunk::THREAD, thread.0), (chunk::NUMBER, self.number), (chunk::END, end)]
        {
            self.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        &self.bytes
    }

    /// Lets `put` write an entry at the end.
    fn room(&mut self, put: impl FnOnce(&mut [u8], usize) -> usize) {
        let at = self.bytes.len();
        self.bytes.resize(at + wire::string_room(wire::MAX_STRING), 0);
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
        let known = self.orders.insert(lock.0, order.0).filter(|_| lock.is_some());
        let is_implied = known.is_some_and(|known| known.wrapping_add(step) == order.0);
        let order: Option<Order> = (!is_implied).then_some(order);
        self.room(|bytes, at| wire::put_acquisition(bytes, at, elapsed, (lock, site), (mode, how), order, released));
    }
}
