//! What a thread knows about its own recording.
//!
//! [`Local::enter`] makes the calling thread's recording its own for one entry: until the [`Writer`] is dropped, events of the same
//! thread (a signal handler, an allocator that locks) are counted as lost instead of written into the middle of another entry.
#![expect(unsafe_code, reason = "a thread-local without a destructor is reached through a raw pointer")]

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering, compiler_fence};

use conccheck_trace::layout::chunk;
use conccheck_trace::wire::MAX_ENTRY;
use conccheck_trace::{Order, ThreadId};

use crate::clock;
use crate::entry::{Bytes, Small};
use crate::session::Budget;
use crate::slots::Slot;
use crate::sys::ThreadEnd;
use crate::writer::Writer;

/// [`Local::state`] while the thread writes.
pub(crate) const TAKEN: usize = 0;
/// [`Local::state`] when something is to be done before the next entry.
pub(crate) const PENDING: usize = 1;
/// [`Local::state`] otherwise. Anything above says so too, and is the address of the lock whose acquisition is the last entry and
/// not yet released.
pub(crate) const IDLE: usize = 2;

/// One thread's recording.
///
/// Every store counts: the locked instruction that ends a critical section waits for all of them.
pub(crate) struct Local {
    /// [`TAKEN`], [`PENDING`], [`IDLE`], or a lock's address.
    pub(crate) state: AtomicUsize,
    /// Positions from the slot's start: of the last entry if it is an acquisition, and (low half) behind the last entry.
    pub(crate) ends: Cell<u64>,
    pub(crate) base: Cell<*mut u8>,
    /// Time of the last entry.
    pub(crate) time: Cell<u64>,
    /// Number of the chunk being filled, among all of the program's.
    pub(crate) serial: Cell<u64>,
    /// Up to where the slot may be written.
    pub(crate) limit: Cell<u32>,
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
            state: AtomicUsize::new(PENDING),
            ends: Cell::new(0),
            base: Cell::new(std::ptr::null_mut()),
            time: Cell::new(0),
            serial: Cell::new(0),
            limit: Cell::new(0),
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
        local.state.store(PENDING, Ordering::Relaxed);
        local.lost.store(0, Ordering::Relaxed);
        local.budget.set(Budget::Free);
        local.base.set(std::ptr::null_mut());
        local.slot.set(None);
        local.thread.set(0);
        local.chunk.set(0);
        local.started.set(false);
    });
}

/// A place in what a thread recorded: the chunk, and the position behind the last entry in it.
pub(crate) type Position = (u64, u32);

/// Where the calling thread's last entry ends.
pub(crate) fn position() -> Position {
    with(|local| (local.serial.get(), local.ends.get() as u32))
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
const FIRST: usize = 1024;

impl Local {
    /// Takes the thread's recording for one entry.
    #[inline]
    pub(crate) fn enter(&self) -> Writer<'_> {
        let ends = self.ends.get();
        let mut state = self.take();
        if self.ends.get() != ends {
            // A signal handler came just before and wrote: the last entry is another.
            state = state.min(IDLE);
        }
        Writer::new(self, state)
    }

    /// Takes the thread's recording; returns the state to put back.
    #[inline(always)]
    fn take(&self) -> usize {
        let state = self.state.load(Ordering::Relaxed);
        self.state.store(TAKEN, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        state
    }

    /// Puts the state back.
    #[inline(always)]
    pub(crate) fn leave(&self, mut state: usize) {
        compiler_fence(Ordering::SeqCst);
        if self.lost.load(Ordering::Relaxed) != 0 && state != TAKEN {
            state = PENDING;
        }
        self.state.store(state, Ordering::Relaxed);
    }

    /// Position behind the last entry.
    #[inline(always)]
    pub(crate) fn at(&self) -> u32 {
        self.ends.get() as u32
    }

    /// Makes all up to `end` valid; an acquisition that is the last entry begins at `from`.
    #[inline(always)]
    pub(crate) fn publish(&self, from: u32, end: u32) {
        self.ends.set(u64::from(from) << 32 | u64::from(end));
        // SAFETY: a chunk lies in the slot at `base`; its fields are aligned, and other processes that map the file only read.
        unsafe { AtomicU32::from_ptr(self.base.get().add(chunk::END).cast()) }.store(end.to_le(), Ordering::Release);
    }

    /// Records an acquisition now, if it is of the frequent kind and there is room. `order` gives its order and whether that
    /// follows, for a chunk; it is told then that the acquisition is recorded.
    #[inline(always)]
    pub(crate) fn write_small(&self, address: usize, tag: u8, small: Small, order: impl FnOnce(u64) -> (Order, bool)) -> bool {
        let state = self.take();
        let at = self.at();
        if state <= PENDING || at + MAX_ENTRY as u32 > self.limit.get() {
            self.leave(state);
            return false;
        }
        let (order, follows) = order(self.serial.get());
        let elapsed = clock::now().saturating_sub(self.time.get());
        self.time.set(self.time.get() + elapsed);
        // SAFETY: the slot has room for an entry there, and only this thread writes to its slot.
        let mut bytes = unsafe { Bytes::at(self.base.get().add(at as usize)) };
        let length = bytes.small(tag, elapsed, small, order, follows);
        self.publish(at, at + length);
        self.leave(address);
        true
    }

    /// Sets bits in the tag of the last entry, if it is the acquisition of the lock at this address, the coarse clock has not moved
    /// since, and this section is not one of those to be timed. Returns whether it did.
    #[inline(always)]
    pub(crate) fn fold(&self, address: usize, bits: u8) -> bool {
        let ends = self.ends.get();
        let from = (ends >> 32) as usize;
        // The first ones of a chunk, which are all of a short program, and then one or two in 512 bytes.
        let is_sample = from < FIRST || (from >> 3).is_multiple_of(64);
        if self.state.load(Ordering::Relaxed) != address || is_sample || !clock::still_at(self.time.get()) {
            return false;
        }
        // Not taken for these two stores: a signal handler that comes between writes behind this entry, and leaves `IDLE` too.
        // SAFETY: the position of an entry in this thread's slot, which is attached as there is one.
        unsafe { *self.base.get().add(from) |= bits };
        self.state.store(IDLE, Ordering::Relaxed);
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
