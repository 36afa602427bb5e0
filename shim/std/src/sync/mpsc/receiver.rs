//! Instrumented [`Receiver`](real::Receiver).

use core::fmt;
use core::panic::Location;
use core::time::Duration;

use conccheck_rt::mpsc::Handle;
use real_std::sync::mpsc as real;

use super::iter::Place;
use super::{Envelope, IntoIter, Iter, RecvError, RecvTimeoutError, TryIter, TryRecvError};

/// Instrumented [`std::sync::mpsc::Receiver`](real::Receiver).
// Fields drop in this order, so the handle's end is recorded before the real one closes the channel.
pub struct Receiver<T> {
    handle: Handle,
    inner: real::Receiver<Envelope<T>>,
}

impl<T> Receiver<T> {
    pub(super) fn new(handle: Handle, inner: real::Receiver<Envelope<T>>) -> Receiver<T> {
        Receiver { handle, inner }
    }

    /// Records how a receive ended and opens the envelope. `closed` tells an error that says that all senders are gone.
    fn open<E>(
        &self,
        result: Result<Envelope<T>, E>,
        closed: impl FnOnce(&E) -> bool,
        place: &'static Location<'static>,
    ) -> Result<T, E> {
        match result {
            Ok(Envelope { stamp, message }) => {
                self.handle.received(stamp, place);
                Ok(message)
            }
            Err(error) => {
                self.handle.recv_failed(closed(&error), place);
                Err(error)
            }
        }
    }

    /// See [`std::sync::mpsc::Receiver::try_recv`](real::Receiver::try_recv).
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.try_recv_at(Location::caller())
    }

    pub(super) fn try_recv_at(&self, place: &'static Location<'static>) -> Result<T, TryRecvError> {
        self.open(self.inner.try_recv(), |error| *error == TryRecvError::Disconnected, place)
    }

    /// See [`std::sync::mpsc::Receiver::recv`](real::Receiver::recv).
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.recv_at(Location::caller())
    }

    pub(super) fn recv_at(&self, place: &'static Location<'static>) -> Result<T, RecvError> {
        let result = match self.inner.try_recv() {
            Ok(envelope) => Ok(envelope),
            Err(TryRecvError::Disconnected) => Err(RecvError),
            Err(TryRecvError::Empty) => {
                self.handle.recv_request(false, place);
                self.inner.recv()
            }
        };
        self.open(result, |_| true, place)
    }

    /// See [`std::sync::mpsc::Receiver::recv_timeout`](real::Receiver::recv_timeout).
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        let place = Location::caller();
        let result = match self.inner.try_recv() {
            Ok(envelope) => Ok(envelope),
            Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) => {
                self.handle.recv_request(true, place);
                self.inner.recv_timeout(timeout)
            }
        };
        self.open(result, |error| *error == RecvTimeoutError::Disconnected, place)
    }

    /// See [`std::sync::mpsc::Receiver::iter`](real::Receiver::iter).
    #[track_caller]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { rx: self, place: Place::new() }
    }

    /// See [`std::sync::mpsc::Receiver::try_iter`](real::Receiver::try_iter).
    #[track_caller]
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { rx: self, place: Place::new() }
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    #[track_caller]
    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    #[track_caller]
    fn into_iter(self) -> IntoIter<T> {
        IntoIter { rx: self, place: Place::new() }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
