//! The way to write into the calling thread's slot.
#![expect(unsafe_code, reason = "a slot is raw mapped memory")]

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use conccheck_trace::layout::{CHUNK_MAGIC, SLOT_SIZE, chunk};
use conccheck_trace::wire::{self, MAX_ENTRY};
use conccheck_trace::{Event, How, Mode, ObjectId, Order, SiteId, StringId, ThreadId};

use crate::clock::{self, Pair};
use crate::local::{Local, Provisional, THREAD_END};
use crate::perturb;
use crate::recorder;
use crate::saving::Saving;
use crate::session::{Budget, Session};
use crate::slots::Slot;

/// Numbers chunks across threads and forks.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// The right to write the calling thread's next entry.
pub(crate) struct Writer<'a> {
    pub(crate) local: &'a Local,
    /// Whether the thread was within the recorder already.
    nested: bool,
}

impl Drop for Writer<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if !self.nested {
            self.local.leave();
        }
    }
}

impl<'a> Writer<'a> {
    /// `nested`: whether the thread was within the recorder already.
    #[inline(always)]
    pub(crate) fn new(local: &'a Local, nested: bool) -> Writer<'a> {
        Writer { local, nested }
    }

    /// Whether the thread was within the recorder already.
    #[inline]
    pub(crate) fn is_nested(&self) -> bool {
        self.nested
    }

    /// Whether an entry can be written right away: always so but for the first one, at the end of a chunk, while the trace must be
    /// kept small, and where schedules are perturbed.
    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        !self.nested && self.local.has_room()
    }

    /// Counts events that can't be recorded.
    #[cold]
    pub(crate) fn lose(&self, events: u32, reason: &io::Error) {
        if self.is_nested() {
            // In this order: the limit is what makes the next entry look at the count.
            self.local.lost.fetch_add(events, Ordering::Relaxed);
            self.local.set_limit(0);
        } else if let Some(session) = recorder::session() {
            session.lose(u64::from(events), reason);
        }
    }

    /// Lets the thread pause before what it is about to record, where schedules are perturbed. Meanwhile it is not within the recorder.
    pub(crate) fn pause(&self) {
        if perturb::is_on() && !self.nested {
            self.local.leave();
            perturb::pause();
            self.local.take();
        }
    }

    /// Makes room for `room` bytes.
    ///
    /// # Errors
    /// If that is not possible: within the recorder, after the end of the recording, on a full disk.
    #[cold]
    #[inline(never)]
    pub(crate) fn make_room(&mut self, room: usize) -> io::Result<()> {
        if self.is_nested() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let session = recorder::session().ok_or(io::ErrorKind::NotFound)?;
        let mut slot = match self.local.slot.get() {
            Some(slot) => slot,
            None => self.attach(session)?,
        };
        while self.local.at() as usize + room + MAX_ENTRY > slot.extent() as usize {
            if slot.extent() as usize >= SLOT_SIZE || !session.slots.extend(slot) {
                slot = self.roll(session, slot)?;
            }
        }
        // Before the count of what was lost is looked at, since a signal handler adds to the count and then takes the limit back.
        let is_free = self.local.budget.get() == Budget::Free && !perturb::is_on();
        self.local.set_limit(if is_free { slot.extent() } else { 0 });
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
        local.attach(slot);
        self.begin_chunk(session, slot);
        THREAD_END.watch();
        if !local.started.get() {
            let thread = std::thread::current();
            self.start(ThreadId::NONE, thread.name());
        }
        Ok(slot)
    }

    /// Writes the thread's `Start`. There must be room.
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
        match self.make_room(wire::string_room(name.map_or(0, str::len)) + MAX_ENTRY) {
            Ok(()) => self.start(parent, name),
            Err(error) => self.lose(1, &error),
        }
    }

    /// Starts the thread's next chunk, in its slot.
    fn begin_chunk(&mut self, session: &Session, slot: &Slot) {
        let local = self.local;
        let pair = Pair::now();
        slot.clear();
        slot.set(chunk::THREAD, local.thread.get());
        slot.set(chunk::NUMBER, local.chunk.get());
        let nanos = pair.nanos.saturating_sub(session.first.nanos);
        for (at, value) in [(chunk::START, pair.ticks), (chunk::START_NANOS, nanos)] {
            slot.set(at, value as u32);
            slot.set(at + 4, (value >> 32) as u32);
        }
        local.publish(chunk::ENTRIES as u32);
        slot.set(chunk::MAGIC, CHUNK_MAGIC);
        local.provisional.set(Provisional::NONE);
        local.time.set(pair.ticks);
        local.begin_chunk(SERIAL.fetch_add(1, Ordering::Relaxed) + 1);
        local.budget.set(session.budget());
    }

    /// Sees to it that the full chunk comes into the log, and starts the next. Returns where.
    fn roll(&mut self, session: &'static Session, full: &'static Slot) -> io::Result<&'static Slot> {
        let local = self.local;
        // While the trace must be kept small, a slot has its thread's counts.
        let mut slot = full;
        let is_handed_over = local.budget.get() == Budget::Free && session.hand_over(full);
        local.chunk.set(local.chunk.get() + 1);
        if is_handed_over {
            local.detach();
            slot = session.slots.take()?;
            local.attach(slot);
        } else {
            session.append_last(full.chunk());
        }
        self.begin_chunk(session, slot);
        Ok(slot)
    }

    /// Appends what there is and hands the slot back.
    pub(crate) fn retire(&mut self) {
        let local = self.local;
        if self.is_nested() {
            return;
        }
        self.write_counts();
        if let (Some(session), Some(slot)) = (recorder::session(), local.slot.take()) {
            local.detach();
            local.chunk.set(local.chunk.get() + 1);
            slot.forget_counts();
            session.append_last(slot.chunk());
            slot.clear();
            session.slots.give_back(slot);
        }
    }

    /// The thread's counts, while the trace must be kept small.
    pub(crate) fn saving(&mut self) -> Option<&mut Saving> {
        if self.is_nested() || self.local.budget.get() == Budget::Free {
            return None;
        }
        self.local.slot.get()?.counts()
    }

    /// Writes `put` behind the last entry. There must be room for `room` bytes.
    #[inline]
    fn put(&mut self, put: impl FnOnce(&mut [u8]) -> usize, room: usize) {
        let at = self.local.at();
        // SAFETY: the caller made sure of the room; only this thread writes to its slot.
        let window = unsafe { std::slice::from_raw_parts_mut(self.local.base().add(at as usize), room) };
        let end = at + put(window) as u32;
        self.local.publish(end);
    }

    /// Writes a definition. `text` is the length of its string. `false` if there is no room.
    pub(crate) fn define(&mut self, text: usize, put: impl FnOnce(&mut [u8]) -> usize) -> bool {
        let room = wire::string_room(text);
        let possible = self.make_room(room).is_ok();
        if possible {
            self.put(put, room);
        }
        possible
    }

    /// Writes an event now. There must be room.
    #[inline]
    pub(crate) fn write(&mut self, event: Event) {
        let elapsed = self.advance(clock::now());
        self.put(|window| wire::put_record(window, 0, elapsed, event), MAX_ENTRY);
    }

    /// Moves the thread's time on to `now`. Returns by how much.
    #[inline(always)]
    fn advance(&mut self, now: u64) -> u64 {
        let elapsed = now.saturating_sub(self.local.time.get());
        self.local.time.set(self.local.time.get() + elapsed);
        elapsed
    }

    /// Number of the chunk being filled, among all of the program's.
    #[inline]
    pub(crate) fn serial(&self) -> u64 {
        self.local.serial.get()
    }

    /// Writes an acquisition now, without its order where that follows. There must be room.
    pub(crate) fn write_acquisition(&mut self, (lock, site): (ObjectId, SiteId), kind: (Mode, How), order: Option<Order>) {
        let elapsed = self.advance(clock::now());
        self.put(|window| wire::put_acquisition(window, 0, elapsed, (lock, site), kind, order, None), MAX_ENTRY);
    }
}
