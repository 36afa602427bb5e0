//! Locks that are given up while their guard lives, or held without one: raw access, forgotten guards, guards that own their lock.
#![expect(unsafe_code, reason = "extends a lifetime that the caller vouches for")]

use conccheck_trace::{How, Mode, ObjectId};

use super::{Held, Kind, Lock, State, TypeName};
use crate::recorder;

impl Lock {
    /// Stands in a guard for a lock that is not held right now, and records nothing.
    #[inline]
    pub fn unheld(&self) -> Held<'_> {
        Held { lock: self, state: State::new(ObjectId::NONE, Kind::new(Mode::Exclusive, How::Blocking)), wrote: false }
    }

    /// The hold of a guard that was forgotten, as the thread's own: dropping it records the release.
    pub fn forgotten(&self, mode: Mode, type_name: TypeName) -> Held<'_> {
        let lock = if recorder::is_on() { self.id(type_name) } else { ObjectId::NONE };
        let mut held = Held { lock: self, state: State::new(lock, Kind::new(mode, How::Blocking)), wrote: false };
        held.wrote();
        held
    }
}

impl<'a> Held<'a> {
    /// Takes the hold out of a guard that goes on to live without it.
    #[inline]
    pub fn take(&mut self) -> Held<'a> {
        std::mem::replace(self, self.lock().unheld())
    }

    /// Records the release, and stands for a lock that is not held from then on.
    pub fn give_up(&mut self) {
        drop(self.take());
    }

    /// Frees it from the borrow, for a guard that owns its lock.
    ///
    /// # Safety
    /// It must be dropped before the lock is.
    pub unsafe fn into_owned(self) -> Held<'static> {
        // SAFETY: only the lifetime changes, and the caller keeps the lock alive.
        unsafe { std::mem::transmute::<Held<'a>, Held<'static>>(self) }
    }
}
