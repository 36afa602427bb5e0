//! Instrumented [`Receiver`](real::Receiver).

use std::fmt;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::time::{Duration, Instant};

use conccheck_rt::mpsc::Handle;
use crossbeam_channel_orig::{self as real, RecvError, RecvTimeoutError, TryRecvError};

use crate::timer::{Timer, recorded};
use crate::{Envelope, IntoIter, Iter, TryIter};

/// Instrumented [`crossbeam_channel::Receiver`](real::Receiver).
pub struct Receiver<T> {
    pub(crate) flavor: Flavor<T>,
}

/// Where the messages come from.
pub(crate) enum Flavor<T> {
    /// A sender. The handle drops first, so that its end is recorded before the real one can close the channel.
    Channel(Handle, real::Receiver<Envelope<T>>),
    /// The clock.
    Timer(Timer, real::Receiver<T>),
    /// Nowhere.
    Never,
}

impl<T> UnwindSafe for Receiver<T> {}
impl<T> RefUnwindSafe for Receiver<T> {}

/// Calls a method of the original that does not hang on the type of the message.
macro_rules! plain {
    ($receiver:expr, $method:ident) => {
        match &$receiver.flavor {
            Flavor::Channel(_, inner) => inner.$method(),
            Flavor::Timer(_, inner) => inner.$method(),
            Flavor::Never => real::never::<T>().$method(),
        }
    };
}

impl<T> Receiver<T> {
    pub(crate) fn new(handle: Handle, inner: real::Receiver<Envelope<T>>) -> Receiver<T> {
        Receiver { flavor: Flavor::Channel(handle, inner) }
    }

    pub(crate) fn of_timer(timer: Timer, inner: real::Receiver<T>) -> Receiver<T> {
        Receiver { flavor: Flavor::Timer(timer, inner) }
    }

    pub(crate) const fn never() -> Receiver<T> {
        Receiver { flavor: Flavor::Never }
    }

    /// See [`crossbeam_channel::Receiver::try_recv`](real::Receiver::try_recv).
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        match &self.flavor {
            Flavor::Channel(handle, inner) => opened(handle, inner.try_recv(), TryRecvError::is_disconnected, Location::caller()),
            Flavor::Timer(_, inner) => inner.try_recv(),
            Flavor::Never => Err(TryRecvError::Empty),
        }
    }

    /// See [`crossbeam_channel::Receiver::recv`](real::Receiver::recv).
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        match &self.flavor {
            Flavor::Channel(handle, inner) => {
                let place = Location::caller();
                let result = match inner.try_recv() {
                    Ok(envelope) => Ok(envelope),
                    Err(TryRecvError::Disconnected) => Err(RecvError),
                    Err(TryRecvError::Empty) => {
                        handle.recv_request(false, place);
                        inner.recv()
                    }
                };
                opened(handle, result, |_| true, place)
            }
            Flavor::Timer(timer, inner) => recorded(timer.will_fire(), Location::caller(), || inner.recv()),
            Flavor::Never => recorded(false, Location::caller(), || real::never().recv()),
        }
    }

    /// See [`crossbeam_channel::Receiver::recv_timeout`](real::Receiver::recv_timeout).
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        match &self.flavor {
            Flavor::Channel(handle, inner) => timed(handle, inner, || inner.recv_timeout(timeout), Location::caller()),
            Flavor::Timer(_, inner) => recorded(true, Location::caller(), || inner.recv_timeout(timeout)),
            Flavor::Never => recorded(true, Location::caller(), || real::never().recv_timeout(timeout)),
        }
    }

    /// See [`crossbeam_channel::Receiver::recv_deadline`](real::Receiver::recv_deadline).
    #[cfg(not(conccheck_before = "0.5.0"))]
    #[track_caller]
    pub fn recv_deadline(&self, deadline: Instant) -> Result<T, RecvTimeoutError> {
        match &self.flavor {
            Flavor::Channel(handle, inner) => timed(handle, inner, || inner.recv_deadline(deadline), Location::caller()),
            Flavor::Timer(_, inner) => recorded(true, Location::caller(), || inner.recv_deadline(deadline)),
            Flavor::Never => recorded(true, Location::caller(), || real::never().recv_deadline(deadline)),
        }
    }

    /// See [`crossbeam_channel::Receiver::is_empty`](real::Receiver::is_empty).
    pub fn is_empty(&self) -> bool {
        plain!(self, is_empty)
    }

    /// See [`crossbeam_channel::Receiver::is_full`](real::Receiver::is_full).
    pub fn is_full(&self) -> bool {
        plain!(self, is_full)
    }

    /// See [`crossbeam_channel::Receiver::len`](real::Receiver::len).
    pub fn len(&self) -> usize {
        plain!(self, len)
    }

    /// See [`crossbeam_channel::Receiver::capacity`](real::Receiver::capacity).
    pub fn capacity(&self) -> Option<usize> {
        plain!(self, capacity)
    }

    /// See [`crossbeam_channel::Receiver::iter`](real::Receiver::iter).
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// See [`crossbeam_channel::Receiver::try_iter`](real::Receiver::try_iter).
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }

    /// See [`crossbeam_channel::Receiver::same_channel`](real::Receiver::same_channel).
    pub fn same_channel(&self, other: &Receiver<T>) -> bool {
        match (&self.flavor, &other.flavor) {
            (Flavor::Channel(_, one), Flavor::Channel(_, other)) => one.same_channel(other),
            (Flavor::Timer(_, one), Flavor::Timer(_, other)) => one.same_channel(other),
            (Flavor::Never, Flavor::Never) => true,
            _ => false,
        }
    }
}

/// Records how a receive ended and opens the envelope. `closed` tells an error that says that all senders are gone.
pub(crate) fn opened<T, E>(
    handle: &Handle,
    result: Result<Envelope<T>, E>,
    closed: impl FnOnce(&E) -> bool,
    place: &'static Location<'static>,
) -> Result<T, E> {
    match result {
        Ok(Envelope { stamp, message }) => {
            handle.received(stamp, place);
            Ok(message)
        }
        Err(error) => {
            handle.recv_failed(closed(&error), place);
            Err(error)
        }
    }
}

fn timed<T>(
    handle: &Handle,
    inner: &real::Receiver<Envelope<T>>,
    wait: impl FnOnce() -> Result<Envelope<T>, RecvTimeoutError>,
    place: &'static Location<'static>,
) -> Result<T, RecvTimeoutError> {
    let result = match inner.try_recv() {
        Ok(envelope) => Ok(envelope),
        Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
        Err(TryRecvError::Empty) => {
            handle.recv_request(true, place);
            wait()
        }
    };
    opened(handle, result, RecvTimeoutError::is_disconnected, place)
}

impl<T> Clone for Receiver<T> {
    #[track_caller]
    fn clone(&self) -> Receiver<T> {
        let flavor = match &self.flavor {
            Flavor::Channel(handle, inner) => Flavor::Channel(handle.clone(), inner.clone()),
            Flavor::Timer(timer, inner) => Flavor::Timer(timer.clone(), inner.clone()),
            Flavor::Never => Flavor::Never,
        };
        Receiver { flavor }
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("Receiver { .. }")
    }
}
