//! What a thread knows about its own recording, and the way to write into its slot.
//!
//! [`Local::enter`] makes the calling thread's recording its own for one entry: until the [`Writer`] is dropped, events of the same
//! thread (a signal handler, an allocator that locks) are counted as lost instead of written into the middle of another entry.
#![expect(unsafe_code, reason = "a thread's slot is reached through a raw pointer in a thread-local that needs no destructor")]

use std::cell::Cell;
use std::ffi::c_void;
use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, compiler_fence};

use conccheck_trace::layout::{CHUNK_MAGIC, SLOT_SIZE, chunk};
use conccheck_trace::wire::{self, MAX_ENTRY};
use conccheck_trace::{Event, ObjectId, Order, SiteId, StringId, ThreadId, Ticks};

use crate::clock::{self, Pair};
use crate::recorder;
use crate::session::Session;
use crate::slots::Slot;
use crate::sys::ThreadEnd;

/// [`Local::limit`] while the thread writes.
const TAKEN: u32 = 0;
/// [`Local::limit`] when something is to be done before the next entry.
const PENDING: u32 = 1;

/// The tag of a release that is an entry of its own; its low bits say how.
const RELEASE: u8 = 0x60;

/// One thread's recording.
pub(crate) struct Local {
    /// Up to where the slot may be written; [`TAKEN`] and [`PENDING`] are less than any entry needs.
    limit: AtomicU32,
    /// Events lost since the last entry.
    lost: AtomicU32,
    /// Position behind the last entry, from the slot's start.
    at: Cell<u32>,
    /// Position of the tag of the acquisition that is the last entry, if [`open`](Self::open) says whose.
    open_at: Cell<u32>,
    /// The address of the lock whose acquisition is the last entry, still not released.
    open: Cell<usize>,
    base: Cell<*mut u8>,
    /// Time of the last entry.
    time: Cell<u64>,
    /// Number of the chunk being filled, among all of the program's.
    serial: Cell<u64>,
    /// Leaf sections so far, to time some of them.
    leaves: Cell<u32>,
    thread: Cell<u32>,
    chunk: Cell<u32>,
    messages: Cell<u32>,
    started: Cell<bool>,
    slot: Cell<Option<&'static Slot>>,
}

thread_local! {
    static LOCAL: Local = const {
        Local {
            limit: AtomicU32::new(PENDING),
            lost: AtomicU32::new(0),
            at: Cell::new(0),
            open_at: Cell::new(0),
            open: Cell::new(0),
            base: Cell::new(std::ptr::null_mut()),
            time: Cell::new(0),
            serial: Cell::new(0),
            leaves: Cell::new(0),
            thread: Cell::new(0),
            chunk: Cell::new(0),
            messages: Cell::new(0),
            started: Cell::new(false),
            slot: Cell::new(None),
        }
    };
}

static NEXT_THREAD: AtomicU32 = AtomicU32::new(0);
/// Numbers chunks across threads and forks.
static SERIAL: AtomicU64 = AtomicU64::new(0);
/// Hands a thread's slot back when it ends.
pub(crate) static THREAD_END: ThreadEnd = ThreadEnd::new();

/// Runs `body` with the calling thread's recording. Works at any stage of a thread, since nothing in there has a destructor.
#[inline(always)]
pub(crate) fn with<R>(body: impl FnOnce(&Local) -> R) -> R {
    // Only this much within `LocalKey::with`: the compiler does not inline it around a large body.
    let local = LOCAL.with(std::ptr::from_ref);
    // SAFETY: without a destructor a thread-local lives as long as its thread runs.
    body(unsafe { &*local })
}

/// A number for a thread.
pub(crate) fn new_thread() -> u32 {
    NEXT_THREAD.fetch_add(1, Ordering::Relaxed) + 1
}

/// In a forked child: the parent's slot is not this process's.
pub(crate) fn forget() {
    NEXT_THREAD.store(0, Ordering::Relaxed);
    with(|local| {
        local.limit.store(PENDING, Ordering::Relaxed);
        local.lost.store(0, Ordering::Relaxed);
        local.open.set(0);
        local.base.set(std::ptr::null_mut());
        local.slot.set(None);
        local.thread.set(0);
        local.chunk.set(0);
        local.started.set(false);
    });
}

/// Runs at the end of a thread that recorded something.
pub(crate) extern "C" fn thread_ended(_: *mut c_void) {
    with(|local| local.enter().retire());
}

/// Writes what the calling thread has counted so far.
pub(crate) fn flush() {
    with(|local| drop(local.enter()));
}

impl Local {
    /// Takes the thread's recording for one entry.
    #[inline]
    pub(crate) fn enter(&self) -> Writer<'_> {
        let limit = self.limit.load(Ordering::Relaxed);
        self.limit.store(TAKEN, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        Writer { local: self, limit }
    }

    /// The thread's number; a new one if it has none.
    pub(crate) fn number(&self) -> ThreadId {
        if self.thread.get() == 0 {
            self.thread.set(new_thread());
        }
        ThreadId(self.thread.get())
    }

    /// Counts a message sent.
    pub(crate) fn next_message(&self) -> u32 {
        let number = self.messages.get().wrapping_add(1);
        self.messages.set(number);
        number
    }
}

/// Writes an entry that is frequent: at most [`MAX_ENTRY`] bytes in all. What it writes is what `wire::put` does, but for a time of
/// fixed length, so that no address hangs on the clock, and without the count of leading zeros that many processors are slow at.
struct Bytes(*mut u8);

impl Bytes {
    #[inline(always)]
    fn store<const N: usize>(&mut self, bytes: [u8; N], advance: usize) {
        // SAFETY: whoever makes a `Bytes` has room for an entry, of which this is a part.
        unsafe {
            self.0.cast::<[u8; N]>().write_unaligned(bytes);
            self.0 = self.0.add(advance);
        }
    }

    /// The tag and the time, which takes three bytes where it can.
    #[inline(always)]
    fn head(&mut self, tag: u8, elapsed: u64) {
        if elapsed < 1 << 21 {
            let word = u32::from(tag) | ((elapsed as u32) << 11) | (0b100 << 8);
            self.store(word.to_le_bytes(), 4);
        } else {
            self.store([tag], 1);
            self.long_number(elapsed);
        }
    }

    #[inline(always)]
    fn number(&mut self, value: u32) {
        let longer = u32::from(value >= 1 << 7) + u32::from(value >= 1 << 14) + u32::from(value >= 1 << 21) + u32::from(value >= 1 << 28);
        let word = (u64::from(value) << (longer + 1)) | (1 << longer);
        self.store(word.to_le_bytes(), longer as usize + 1);
    }

    #[inline]
    fn long_number(&mut self, value: u64) {
        let mut bytes = [0; wire::MAX_VARINT];
        let length = wire::put(&mut bytes, 0, value);
        self.store(bytes, length);
    }

    /// Where it ends, from `base` on.
    #[inline(always)]
    fn end(self, base: *mut u8) -> u32 {
        (self.0 as usize - base as usize) as u32
    }
}

/// The right to write the calling thread's next entry.
pub(crate) struct Writer<'a> {
    local: &'a Local,
    limit: u32,
}

impl Drop for Writer<'_> {
    #[inline]
    fn drop(&mut self) {
        compiler_fence(Ordering::SeqCst);
        let lost = self.local.lost.load(Ordering::Relaxed) != 0 && self.limit != TAKEN;
        self.local.limit.store(if lost { PENDING } else { self.limit }, Ordering::Relaxed);
    }
}

impl Writer<'_> {
    /// Whether the thread was within the recorder already.
    pub(crate) fn is_nested(&self) -> bool {
        self.limit == TAKEN
    }

    /// Makes room for one entry without a string. `false`: the event is lost, and counted as such.
    #[inline]
    pub(crate) fn ready(&mut self) -> bool {
        self.local.at.get() + MAX_ENTRY as u32 <= self.limit || self.prepare(MAX_ENTRY)
    }

    /// Makes room for `room` bytes. `false` as for [`ready`](Self::ready).
    #[cold]
    #[inline(never)]
    pub(crate) fn prepare(&mut self, room: usize) -> bool {
        if self.is_nested() {
            self.local.lost.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        let Some(session) = recorder::session() else { return false };
        let result = self.make_room(session, room);
        if let Err(error) = &result {
            session.lose(1, error);
        }
        result.is_ok()
    }

    fn make_room(&mut self, session: &'static Session, room: usize) -> io::Result<()> {
        let slot = match self.local.slot.get() {
            Some(slot) => slot,
            None => self.attach(session)?,
        };
        while self.local.at.get() as usize + room + MAX_ENTRY > slot.extent() as usize {
            if slot.extent() as usize >= SLOT_SIZE || !session.slots.extend(slot) {
                self.roll(session);
            }
        }
        self.limit = slot.extent();
        let lost = self.local.lost.swap(0, Ordering::Relaxed);
        if lost != 0 {
            self.write(Event::Lost { count: u64::from(lost) });
        }
        Ok(())
    }

    /// Gives the thread a slot, and its `Start` if this is its first.
    fn attach(&mut self, session: &'static Session) -> io::Result<&'static Slot> {
        let slot = session.slots.take()?;
        let local = self.local;
        local.number();
        local.slot.set(Some(slot));
        local.base.set(slot.base());
        self.begin_chunk(session);
        THREAD_END.watch();
        if !local.started.get() {
            let thread = std::thread::current();
            self.start(ThreadId::NONE, thread.name());
        }
        Ok(slot)
    }

    /// Writes the thread's `Start`. There is room: the chunk has just begun.
    fn start(&mut self, parent: ThreadId, name: Option<&str>) {
        self.local.started.set(true);
        let name = name.map_or(StringId::NONE, |name| {
            let id = crate::site::fresh_string();
            self.put(|window| wire::put_string(window, 0, id, name), wire::string_room(name.len()));
            id
        });
        self.write(Event::Start { parent, name });
    }

    /// Makes the thread the one numbered `thread` and records its `Start`, unless it has recorded something before.
    pub(crate) fn adopt(&mut self, thread: ThreadId, parent: ThreadId, name: Option<&str>) {
        let local = self.local;
        if self.is_nested() || local.started.get() || local.slot.get().is_some() {
            return;
        }
        local.thread.set(thread.0);
        local.started.set(true);
        if self.prepare(wire::string_room(name.map_or(0, str::len)) + MAX_ENTRY) {
            self.start(parent, name);
        }
    }

    fn header(&self, at: usize) -> *mut u8 {
        // SAFETY: `at` is an offset of the chunk's header, and a chunk lies in the slot at `base`.
        unsafe { self.local.base.get().add(at) }
    }

    fn set_header(&self, at: usize, value: u32) {
        // SAFETY: the slot's fields of 32 bits are aligned, and other processes that map the file only read.
        unsafe { AtomicU32::from_ptr(self.header(at).cast()) }.store(value.to_le(), Ordering::Release);
    }

    /// Starts the thread's next chunk in its slot.
    fn begin_chunk(&mut self, session: &Session) {
        let local = self.local;
        let pair = Pair::now();
        self.set_header(chunk::MAGIC, 0);
        self.set_header(chunk::THREAD, local.thread.get());
        self.set_header(chunk::NUMBER, local.chunk.get());
        let nanos = pair.nanos.saturating_sub(session.first.nanos);
        for (at, value) in [(chunk::START, pair.ticks), (chunk::START_NANOS, nanos)] {
            self.set_header(at, value as u32);
            self.set_header(at + 4, (value >> 32) as u32);
        }
        self.set_header(chunk::END, chunk::ENTRIES as u32);
        self.set_header(chunk::MAGIC, CHUNK_MAGIC);
        local.at.set(chunk::ENTRIES as u32);
        local.open.set(0);
        local.time.set(pair.ticks);
        local.serial.set(SERIAL.fetch_add(1, Ordering::Relaxed) + 1);
    }

    /// The chunk so far.
    fn chunk(&self) -> &[u8] {
        // SAFETY: the slot's first `at` bytes are initialised, and only this thread writes to them.
        unsafe { std::slice::from_raw_parts(self.local.base.get(), self.local.at.get() as usize) }
    }

    /// Appends the chunk to the log; if that fails, counts what is lost.
    fn save(&self, session: &Session) {
        if let Err(error) = session.append(self.chunk()) {
            let mut entries = wire::Decoder::new(&self.chunk()[chunk::ENTRIES..], Ticks(0));
            let events = std::iter::from_fn(|| entries.next_record(|_| {})).count();
            session.lose(events as u64, &error);
        }
    }

    /// Appends the full chunk to the log and starts the next.
    fn roll(&mut self, session: &Session) {
        self.save(session);
        self.local.chunk.set(self.local.chunk.get() + 1);
        self.begin_chunk(session);
    }

    /// Appends what there is and hands the slot back.
    fn retire(&mut self) {
        let local = self.local;
        if self.is_nested() {
            return;
        }
        if let (Some(session), Some(slot)) = (recorder::session(), local.slot.take()) {
            self.save(session);
            self.set_header(chunk::MAGIC, 0);
            local.base.set(std::ptr::null_mut());
            local.open.set(0);
            local.chunk.set(local.chunk.get() + 1);
            session.slots.give_back(slot);
            self.limit = PENDING;
        }
    }

    /// The next `room` bytes of the slot, of which at least so many must be left. Writes what `put` puts there.
    #[inline]
    fn put(&mut self, put: impl FnOnce(&mut [u8]) -> usize, room: usize) {
        let at = self.local.at.get();
        // SAFETY: the caller made sure of the room, by `ready` or `prepare`; only this thread writes to its slot.
        let window = unsafe { std::slice::from_raw_parts_mut(self.local.base.get().add(at as usize), room) };
        let end = at + put(window) as u32;
        self.local.open.set(0);
        self.publish(end);
    }

    #[inline]
    fn publish(&self, end: u32) {
        self.local.at.set(end);
        self.set_header(chunk::END, end);
    }

    /// Puts a definition. `text` is the length of its string.
    pub(crate) fn define(&mut self, text: usize, put: impl FnOnce(&mut [u8]) -> usize) -> bool {
        let room = wire::string_room(text);
        let done = self.prepare(room);
        if done {
            self.put(put, room);
        }
        done
    }

    /// Records an event now. There must be room.
    #[inline]
    pub(crate) fn write(&mut self, event: Event) {
        let elapsed = self.advance(clock::now());
        self.put(|window| wire::put_record(window, 0, elapsed, event), MAX_ENTRY);
    }

    /// Moves the thread's time on to `now`. Returns by how much.
    #[inline]
    fn advance(&mut self, now: u64) -> u64 {
        let elapsed = now.saturating_sub(self.local.time.get());
        self.local.time.set(self.local.time.get() + elapsed);
        elapsed
    }

    /// Number of the chunk being filled, among all of the program's; changes in [`ready`](Self::ready) and [`prepare`](Self::prepare).
    #[inline]
    pub(crate) fn serial(&self) -> u64 {
        self.local.serial.get()
    }

    /// Writes the acquisition of the lock at address `address` now: its tag, and what stands behind the time. There must be room.
    #[inline(always)]
    pub(crate) fn write_open(&mut self, address: usize, tag: u8, lock: ObjectId, site: SiteId, order: Option<Order>) {
        let local = self.local;
        let at = local.at.get();
        let mut bytes = self.bytes();
        bytes.head(tag, self.advance(clock::now()));
        bytes.number(lock.0);
        bytes.number(site.0);
        if let Some(order) = order {
            bytes.long_number(order.0);
        }
        let end = bytes.end(local.base.get());
        local.open.set(address);
        local.open_at.set(at);
        self.publish(end);
    }

    /// Writes a release now. There must be room.
    #[inline]
    pub(crate) fn write_release(&mut self, lock: ObjectId, wrote: bool, unwinding: bool) {
        let mut bytes = self.bytes();
        bytes.head(RELEASE | u8::from(wrote) | (u8::from(unwinding) << 1), self.advance(clock::now()));
        bytes.number(lock.0);
        let end = bytes.end(self.local.base.get());
        self.local.open.set(0);
        self.publish(end);
    }

    /// The place of the next entry, with room for it.
    #[inline(always)]
    fn bytes(&self) -> Bytes {
        // SAFETY: the caller made sure of the room, by `ready`; only this thread writes to its slot.
        Bytes(unsafe { self.local.base.get().add(self.local.at.get() as usize) })
    }

    /// Sets bits in the tag of the last entry, if it is the acquisition of the lock at address `lock`, the coarse clock has not
    /// moved since, and this section is not one of those to be timed. Returns whether it did.
    #[inline]
    pub(crate) fn fold(&mut self, lock: usize, bits: u8) -> bool {
        let local = self.local;
        if local.open.get() != lock || self.limit <= PENDING || !clock::still_at(local.time.get()) {
            return false;
        }
        let leaves = local.leaves.get().wrapping_add(1);
        local.leaves.set(leaves);
        if leaves.is_multiple_of(64) {
            return false;
        }
        local.open.set(0);
        // SAFETY: `open_at` is the position of an entry in this thread's slot, which is attached as `open` is set.
        unsafe { *local.base.get().add(local.open_at.get() as usize) |= bits };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(expected: Event, write: impl FnOnce(&mut Bytes)) {
        let mut buf = [0; 2 * MAX_ENTRY];
        let mut bytes = Bytes(buf.as_mut_ptr());
        write(&mut bytes);
        let end = bytes.end(buf.as_mut_ptr()) as usize;
        let mut decoder = wire::Decoder::new(&buf[..end], Ticks(0));
        let record = decoder.next_record(|_| {}).expect("an event").expect("well-formed");
        assert_eq!(record.event, expected);
        assert!(decoder.next_record(|_| {}).is_none());
    }

    #[test]
    fn frequent_entries_are_written_as_the_format_says() {
        for shift in 0..32 {
            for lock in [1_u32 << shift, (1 << shift) - 1, u32::MAX >> shift] {
                let lock = ObjectId(lock);
                same(Event::Release { lock, wrote: true, unwinding: false }, |bytes| {
                    bytes.head(RELEASE | 1, 1 << shift);
                    bytes.number(lock.0);
                });
            }
        }
    }
}
