//! Full slots on their way to the log: the runtime's own thread appends them, so that the program need not wait for the system.

use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use crate::session::Session;
use crate::slots::Slot;
use crate::spin::Spin;
use crate::ticker;

/// Slots that may wait at once. Where more come, their threads append them, as they do where the runtime's thread is not there.
const ROOM: usize = 16;

/// First in, first out: a thread's chunks come into the log in their order.
pub(crate) struct Backlog {
    slots: [AtomicPtr<Slot>; ROOM],
    first: AtomicUsize,
    length: AtomicUsize,
    /// Held while the three above are changed.
    turn: Spin,
    /// Held while a chunk is taken out and appended.
    appending: Spin,
}

impl Backlog {
    pub(crate) const fn new() -> Backlog {
        Backlog {
            slots: [const { AtomicPtr::new(std::ptr::null_mut()) }; ROOM],
            first: AtomicUsize::new(0),
            length: AtomicUsize::new(0),
            turn: Spin::new(),
            appending: Spin::new(),
        }
    }

    /// Takes a slot over that is no thread's any more. `false` if it is still the caller's to append.
    fn push(&self, slot: &'static Slot) -> bool {
        self.turn.with(|| {
            let length = self.length.load(Ordering::Relaxed);
            let has_room = length < ROOM;
            if has_room {
                let place = (self.first.load(Ordering::Relaxed) + length) % ROOM;
                self.slots[place].store(std::ptr::from_ref(slot).cast_mut(), Ordering::Relaxed);
                self.length.store(length + 1, Ordering::Relaxed);
            }
            has_room
        })
    }

    #[expect(unsafe_code, reason = "slots are kept as raw pointers")]
    fn pop(&self) -> Option<&'static Slot> {
        if self.length.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.turn.with(|| {
            let length = self.length.load(Ordering::Relaxed).checked_sub(1)?;
            let place = self.first.load(Ordering::Relaxed);
            self.first.store((place + 1) % ROOM, Ordering::Relaxed);
            self.length.store(length, Ordering::Relaxed);
            // SAFETY: put there by `push`, and slots live for good.
            Some(unsafe { &*self.slots[place].load(Ordering::Relaxed) })
        })
    }
}

impl Session {
    /// Takes a slot whose thread is done with it, and sees to it that its chunk comes into the log. `false` if it is still the caller's:
    /// nobody is there to do so soon.
    pub(crate) fn hand_over(&self, slot: &'static Slot) -> bool {
        // Asked first: once the slot is taken over, it may be another thread's.
        let length = slot.chunk().len();
        let taken = ticker::is_there() && self.backlog.push(slot);
        if taken {
            // Before it is in the log, so that the trace stays as small as it is to be.
            self.count(length);
            ticker::wake();
        }
        taken
    }

    /// Appends all chunks that wait. Whether there were any.
    pub(crate) fn drain(&self) -> bool {
        let any_waits = self.backlog.length.load(Ordering::Relaxed) > 0;
        if any_waits {
            self.backlog.appending.with(|| self.append_waiting());
        }
        any_waits
    }

    /// Appends all chunks that wait, and then this one.
    pub(crate) fn append_last(&self, chunk: &[u8]) {
        self.count(chunk.len());
        self.backlog.appending.with(|| {
            self.append_waiting();
            self.append(chunk);
        });
    }

    fn append_waiting(&self) {
        while let Some(slot) = self.backlog.pop() {
            self.append(slot.chunk());
            slot.clear();
            self.slots.give_back(slot);
        }
    }
}
