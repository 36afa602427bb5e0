//! What a thread knows about its own recording.
//!
//! [`Local::enter`] makes the calling thread's recording its own for one entry: until the [`Writer`] is dropped, events of the same
//! thread (a signal handler, an allocator that locks) are counted as lost instead of written into the middle of another entry.
#![expect(unsafe_code, reason = "a thread-local without a destructor is reached through a raw pointer")]

use std::cell::Cell;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, Ordering, compiler_fence};

use conccheck_trace::ThreadId;

use crate::session::Budget;
use crate::slots::Slot;
use crate::sys::ThreadEnd;
use crate::writer::Writer;

/// [`Local::limit`] while the thread writes.
pub(crate) const TAKEN: u32 = 0;
/// [`Local::limit`] when something is to be done before the next entry.
pub(crate) const PENDING: u32 = 1;

/// One thread's recording.
pub(crate) struct Local {
    /// Up to where the slot may be written; [`TAKEN`] and [`PENDING`] are less than any entry needs.
    pub(crate) limit: AtomicU32,
    /// Events lost since the last entry because the thread was within the recorder.
    pub(crate) lost: AtomicU32,
    /// Position behind the last entry, from the slot's start.
    pub(crate) at: Cell<u32>,
    /// The address of the lock whose acquisition is the last entry, still not released.
    pub(crate) open: Cell<usize>,
    /// Position of that entry.
    pub(crate) open_at: Cell<u32>,
    /// Leaf sections so far, to time some of them.
    pub(crate) leaves: Cell<u32>,
    pub(crate) base: Cell<*mut u8>,
    /// Time of the last entry.
    pub(crate) time: Cell<u64>,
    /// Number of the chunk being filled, among all of the program's.
    pub(crate) serial: Cell<u64>,
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
            limit: AtomicU32::new(PENDING),
            lost: AtomicU32::new(0),
            at: Cell::new(0),
            open: Cell::new(0),
            open_at: Cell::new(0),
            leaves: Cell::new(0),
            base: Cell::new(std::ptr::null_mut()),
            time: Cell::new(0),
            serial: Cell::new(0),
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
        local.limit.store(PENDING, Ordering::Relaxed);
        local.lost.store(0, Ordering::Relaxed);
        local.open.set(0);
        local.budget.set(Budget::Free);
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
    with(|local| local.enter().write_counts());
}

impl Local {
    /// Takes the thread's recording for one entry.
    #[inline]
    pub(crate) fn enter(&self) -> Writer<'_> {
        let limit = self.limit.load(Ordering::Relaxed);
        self.limit.store(TAKEN, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        Writer::new(self, limit)
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
