//! The three ways to ask for a lock, each with what it records.

use core::panic::Location;

use conccheck_rt::lock::{Held, Lock, TypeName};
use conccheck_rt::{How, Mode};

/// A lock, how it is asked for, and from where.
pub(crate) struct Attempt<'a> {
    pub(crate) lock: &'a Lock,
    pub(crate) mode: Mode,
    pub(crate) place: &'static Location<'static>,
    pub(crate) type_name: TypeName,
}

impl<'a> Attempt<'a> {
    /// That the lock was got.
    #[inline]
    pub(crate) fn acquired(&self, how: How) -> Held<'a> {
        self.lock.acquired(self.mode, how, self.place, self.type_name)
    }

    /// That the thread is about to wait.
    pub(crate) fn request(&self, how: How) {
        self.lock.request(self.mode, how, self.place, self.type_name);
    }

    /// Waits without limit, but tries before.
    #[inline]
    pub(crate) fn blocking<G>(&self, attempt: impl FnOnce() -> Option<G>, wait: impl FnOnce() -> G) -> (Held<'a>, G) {
        let inner = attempt().unwrap_or_else(|| {
            self.request(How::Blocking);
            wait()
        });
        (self.acquired(How::Blocking), inner)
    }

    /// Never waits.
    #[inline]
    pub(crate) fn once<G>(&self, attempt: impl FnOnce() -> Option<G>) -> Option<(Held<'a>, G)> {
        let Some(inner) = attempt() else {
            self.lock.try_failed(self.mode, self.place, self.type_name);
            return None;
        };
        Some((self.acquired(How::Try), inner))
    }

    /// Waits up to a limit, but tries before.
    #[inline]
    pub(crate) fn timed<G>(
        &self,
        attempt: impl FnOnce() -> Option<G>,
        wait: impl FnOnce() -> Option<G>,
    ) -> Option<(Held<'a>, G)> {
        let waited = || {
            self.request(How::Timed);
            wait()
        };
        let Some(inner) = attempt().or_else(waited) else {
            self.lock.timed_out(self.mode, self.place, self.type_name);
            return None;
        };
        Some((self.acquired(How::Timed), inner))
    }
}
