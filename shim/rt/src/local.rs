//! What a thread knows about its own recording.
//!
//! [`Local::enter`] makes the calling thread's recording its own for one entry: until the [`Writer`] is dropped, events of the same
//! thread (a signal handler, an allocator that locks) are counted as lost instead of written into the middle of another entry.
#![expect(unsafe_code, reason = "a thread-local without a destructor is reached through a raw pointer")]

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, compiler_fence};

use conccheck_trace::layout::chunk;
use conccheck_trace::wire::MAX_ENTRY;
use conccheck_trace::{ObjectId, Order, SiteId, ThreadId};

use crate::entry::Place;
use crate::session::Budget;
use crate::slots::Slot;
use crate::sys::ThreadEnd;
use crate::writer::Writer;
use crate::{clock, object, stack};

/// What stands for a slot's header while a thread has none: whatever is asked for, there is no room.
static NOWHERE: [AtomicU32; chunk::ENTRIES / 4] = {
    let mut header = [const { AtomicU32::new(0) }; chunk::ENTRIES / 4];
    header[chunk::END / 4] = AtomicU32::new(u32::MAX);
    header
};

/// One thread's recording.
///
/// Every store counts: the locked instruction that ends a critical section waits for all of them.
pub(crate) struct Local {
    /// The thread's slot, or [`NOWHERE`].
    base: Cell<*mut u8>,
    /// An entry may begin before this position, from the slot's start; 0 when something is to be done before the next one.
    limit: AtomicU32,
    /// Whether the thread is writing an entry.
    taken: AtomicBool,
    /// Time of the last entry.
    pub(crate) time: Cell<u64>,
    /// Number of the chunk being filled, among all of the program's.
    pub(crate) serial: Cell<u64>,
    /// The lock that was read last and its order then, if that stands in this chunk; 0 if there is none.
    seen: Cell<u64>,
    /// Which locks the thread holds, as the sum of their numbers.
    held: Cell<u32>,
    /// Objects up to this number are those of the process that this one was forked from.
    foreign: Cell<u32>,
    /// Events lost since the last entry because the thread was within the recorder.
    pub(crate) lost: AtomicU32,
    /// The last entry, if it is one that is to be taken back when what follows it is not recorded.
    pub(crate) provisional: Cell<Provisional>,
    pub(crate) budget: Cell<Budget>,
    pub(crate) slot: Cell<Option<&'static Slot>>,
    pub(crate) thread: Cell<u32>,
    pub(crate) chunk: Cell<u32>,
    pub(crate) messages: Cell<u32>,
    /// Whether its `Start` is recorded.
    pub(crate) started: Cell<bool>,
}

/// An entry that can be taken back: from where to where it goes, and the time of the entry before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Provisional {
    pub(crate) from: u32,
    pub(crate) end: u32,
    pub(crate) time: u64,
}

impl Provisional {
    pub(crate) const NONE: Provisional = Provisional { from: 0, end: 0, time: 0 };
}

thread_local! {
    static LOCAL: Local = const {
        Local {
            base: Cell::new((&raw const NOWHERE).cast_mut().cast()),
            limit: AtomicU32::new(0),
            taken: AtomicBool::new(false),
            time: Cell::new(0),
            serial: Cell::new(0),
            seen: Cell::new(0),
            held: Cell::new(0),
            foreign: Cell::new(0),
            lost: AtomicU32::new(0),
            provisional: Cell::new(Provisional::NONE),
            budget: Cell::new(Budget::Free),
            slot: Cell::new(None),
            thread: Cell::new(0),
            chunk: Cell::new(0),
            messages: Cell::new(0),
            started: Cell::new(false),
        }
    };
}

static NEXT_THREAD: AtomicU32 = AtomicU32::new(0);
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
        local.taken.store(false, Ordering::Relaxed);
        local.lost.store(0, Ordering::Relaxed);
        local.budget.set(Budget::Free);
        local.held.set(0);
        local.detach();
        local.thread.set(0);
        local.chunk.set(0);
        local.started.set(false);
    });
}

/// A place in what a thread recorded: the chunk, and the position behind the last entry in it.
pub(crate) type Position = (u64, u32);

/// Where the calling thread's last entry ends.
pub(crate) fn position() -> Position {
    with(|local| (local.serial.get(), local.at()))
}

/// Runs at the end of a thread that recorded something.
pub(crate) extern "C" fn thread_ended(_: *mut c_void) {
    with(|local| local.enter().retire());
}

/// Writes what the calling thread has counted so far.
pub(crate) fn flush() {
    with(|local| local.enter().write_counts());
}

/// Sections that begin before this position of a chunk are timed by the true clock.
const FIRST: u32 = 1024;

impl Local {
    /// Takes the thread's recording for one entry.
    #[inline]
    pub(crate) fn enter(&self) -> Writer<'_> {
        Writer::new(self, !self.take())
    }

    /// Takes the thread's recording. `false` if it is taken already.
    #[inline(always)]
    pub(crate) fn take(&self) -> bool {
        // A signal handler that comes between these two leaves things as it finds them.
        let free = !self.taken.load(Ordering::Relaxed);
        self.taken.store(true, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        free
    }

    /// Puts it back.
    #[inline(always)]
    pub(crate) fn leave(&self) {
        compiler_fence(Ordering::SeqCst);
        self.taken.store(false, Ordering::Relaxed);
    }

    /// The slot, or what stands for it.
    #[inline(always)]
    pub(crate) fn base(&self) -> *mut u8 {
        self.base.get()
    }

    /// Makes the thread's entries go into this slot.
    pub(crate) fn attach(&self, slot: &'static Slot) {
        self.slot.set(Some(slot));
        self.base.set(slot.base());
        self.foreign.set(object::foreign());
        if self.held.get() == 0 {
            self.held.set(stack::start_of_held());
        }
    }

    /// Notes that the lock is held.
    #[inline(always)]
    pub(crate) fn hold(&self, lock: ObjectId) {
        self.held.set(self.held.get().wrapping_add(lock.0));
    }

    /// Whether the thread holds locks, as far as it recorded that; where all calls are wanted, whether it recorded anything.
    pub(crate) fn holds(&self) -> bool {
        self.held.get() != 0
    }

    /// Records the calls that led to the acquisition of this lock, which is held now and was just recorded, if that is new.
    #[inline(always)]
    pub(crate) fn say_calls(&self, lock: ObjectId, site: SiteId) {
        stack::first_context(self.held.get().wrapping_sub(lock.0), lock, site);
    }

    /// Notes that the lock is about to be released.
    #[inline(always)]
    pub(crate) fn unhold(&self, lock: ObjectId) {
        self.held.set(self.held.get().wrapping_sub(lock.0));
    }

    /// Makes the thread's next entry ask for a slot.
    pub(crate) fn detach(&self) {
        self.limit.store(0, Ordering::Relaxed);
        self.base.set((&raw const NOWHERE).cast_mut().cast());
        self.slot.set(None);
    }

    /// Whether an entry can be written right away by who has taken the recording.
    #[inline(always)]
    pub(crate) fn has_room(&self) -> bool {
        self.at() < self.limit.load(Ordering::Relaxed)
    }

    /// Allows entries up to this position, or none before the writer was asked (0).
    pub(crate) fn set_limit(&self, end: u32) {
        self.limit.store((end + 1).saturating_sub(MAX_ENTRY as u32), Ordering::Relaxed);
    }

    #[inline(always)]
    fn end(&self) -> &AtomicU32 {
        // SAFETY: at `base` lies a chunk in a slot, or what stands for one; its fields are aligned, and other processes that map the
        // file only read.
        unsafe { AtomicU32::from_ptr(self.base.get().add(chunk::END).cast()) }
    }

    /// Position behind the last entry.
    #[inline(always)]
    pub(crate) fn at(&self) -> u32 {
        u32::from_le(self.end().load(Ordering::Relaxed))
    }

    /// Makes all up to `end` valid.
    #[inline(always)]
    pub(crate) fn publish(&self, end: u32) {
        self.end().store(end.to_le(), Ordering::Release);
    }

    /// Begins the next chunk.
    pub(crate) fn begin_chunk(&self, serial: u64) {
        self.serial.set(serial);
        self.seen.set(0);
    }

    /// Notes a read of this lock. Whether the chunk says already that the lock's order is this one.
    #[inline(always)]
    pub(crate) fn sees(&self, lock: ObjectId, order: Order) -> bool {
        // An order's low half tells it apart from all that come within a chunk.
        let seen = u64::from(lock.0) << 32 | u64::from(order.0 as u32);
        self.seen.replace(seen) == seen
    }

    /// Whether the object's number was given out by this process, as far as a thread knows that has a slot.
    #[inline(always)]
    pub(crate) fn is_ours(&self, object: ObjectId) -> bool {
        object.0 > self.foreign.get()
    }

    /// Writes a frequent entry now, if there is nothing else to be done before. `write` gets the ticks since the last one and returns
    /// its length. Returns where it ends, and its length.
    #[inline(always)]
    pub(crate) fn write_frequent(&self, write: impl FnOnce(Place, u64) -> u32) -> Option<(u32, u32)> {
        if !self.take() {
            return None;
        }
        if !self.has_room() {
            self.leave();
            return None;
        }
        let at = self.at();
        let elapsed = clock::now().saturating_sub(self.time.get());
        // SAFETY: the slot has room for an entry there, and only this thread writes to its slot.
        let length = write(unsafe { Place::at(self.base.get().add(at as usize)) }, elapsed);
        self.time.set(self.time.get() + elapsed);
        self.publish(at + length);
        self.leave();
        Some((at + length, length))
    }

    /// Sets bits in the tag of the acquisition of this lock that ended at `end` and is `length` bytes long, if it is the last entry, the
    /// coarse clock has not moved since, and this section is not one of those to be timed. Returns whether it did.
    #[inline(always)]
    pub(crate) fn fold(&self, end: u32, length: u32, lock: ObjectId, bits: u8) -> bool {
        if self.at() != end || !Place::is_short(length) {
            return false;
        }
        let from = end - length;
        // The first ones of a chunk, which are all of a short program, and then one or two in 512 bytes.
        let is_sample = from < FIRST || (from >> 3).is_multiple_of(64);
        // SAFETY: there is an entry in this thread's slot that ends there, and an acquisition is at least as long as what is read.
        let mut place = unsafe { Place::at(self.base.get().add(from as usize)) };
        // It may be that of another chunk.
        let Some(tag) = place.open_acquisition(lock) else { return false };
        if is_sample || !clock::still_at(self.time.get()) {
            return false;
        }
        // Not taken for this store: a signal handler that comes between writes behind this entry.
        place.set_tag(tag | bits);
        true
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
