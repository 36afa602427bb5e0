//! Iterators over the messages of a [`Receiver`].

use std::fmt;
use std::iter::FusedIterator;

use crate::Receiver;

/// Stands for [`crossbeam_channel::Iter`](crossbeam_channel_orig::Iter).
pub struct Iter<'a, T> {
    pub(crate) receiver: &'a Receiver<T>,
}

/// Stands for [`crossbeam_channel::TryIter`](crossbeam_channel_orig::TryIter).
pub struct TryIter<'a, T> {
    pub(crate) receiver: &'a Receiver<T>,
}

/// Stands for [`crossbeam_channel::IntoIter`](crossbeam_channel_orig::IntoIter).
pub struct IntoIter<T> {
    pub(crate) receiver: Receiver<T>,
}

impl<T> FusedIterator for Iter<'_, T> {}
impl<T> FusedIterator for IntoIter<T> {}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Iter { .. }")
    }
}

impl<T> fmt::Debug for TryIter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("TryIter { .. }")
    }
}

impl<T> fmt::Debug for IntoIter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("IntoIter { .. }")
    }
}
