//! The iterators over a channel's messages.

use core::fmt;
use core::panic::Location;
use core::ptr;

use super::Receiver;

/// See [`std::sync::mpsc::Iter`](real_std::sync::mpsc::Iter).
pub struct Iter<'a, T: 'a> {
    pub(super) rx: &'a Receiver<T>,
    pub(super) place: Place,
}

/// See [`std::sync::mpsc::TryIter`](real_std::sync::mpsc::TryIter).
pub struct TryIter<'a, T: 'a> {
    pub(super) rx: &'a Receiver<T>,
    pub(super) place: Place,
}

/// See [`std::sync::mpsc::IntoIter`](real_std::sync::mpsc::IntoIter).
pub struct IntoIter<T> {
    pub(super) rx: Receiver<T>,
    pub(super) place: Place,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.rx.recv_at(self.place.of(Location::caller())).ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.rx.try_recv_at(self.place.of(Location::caller())).ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.rx.recv_at(self.place.of(Location::caller())).ok()
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("rx", &self.rx).finish()
    }
}

impl<T> fmt::Debug for TryIter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryIter").field("rx", &self.rx).finish()
    }
}

impl<T> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoIter").field("rx", &self.rx).finish()
    }
}

/// Where in the user's source an iterator receives: where it is advanced, or, if one of std's adapters does that, where it was made.
#[derive(Clone, Copy)]
pub(super) struct Place {
    made: &'static Location<'static>,
    /// The latest caller, and the place that stands for it.
    called: &'static Location<'static>,
    shown: &'static Location<'static>,
}

impl Place {
    #[track_caller]
    pub(super) fn new() -> Place {
        let made = Location::caller();
        Place { made, called: made, shown: made }
    }

    fn of(&mut self, called: &'static Location<'static>) -> &'static Location<'static> {
        if !ptr::eq(called, self.called) {
            self.called = called;
            self.shown = if is_std(called.file()) { self.made } else { called };
        }
        self.shown
    }
}

/// Whether a file is one of the standard library's.
fn is_std(file: &str) -> bool {
    ["library/core/src/", "library/alloc/src/", "library/std/src/"].iter().any(|folder| file.contains(folder))
}
