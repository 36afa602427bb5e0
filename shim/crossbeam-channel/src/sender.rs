//! Instrumented [`Sender`](real::Sender).

use std::fmt;
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::time::{Duration, Instant};

use conccheck_rt::mpsc::Handle;
use crossbeam_channel_orig::{self as real, SendError, SendTimeoutError, TrySendError};

use crate::Envelope;

/// Instrumented [`crossbeam_channel::Sender`](real::Sender).
// Fields drop in this order, so the handle's end is recorded before the real one can close the channel.
pub struct Sender<T> {
    pub(crate) handle: Handle,
    pub(crate) inner: real::Sender<Envelope<T>>,
}

impl<T> UnwindSafe for Sender<T> {}
impl<T> RefUnwindSafe for Sender<T> {}

impl<T> Sender<T> {
    pub(crate) fn new(handle: Handle, inner: real::Sender<Envelope<T>>) -> Sender<T> {
        Sender { handle, inner }
    }

    /// Sends at once or, after noting that it is about to wait, by `wait`.
    fn send_by(
        &self,
        msg: T,
        timed: bool,
        place: &'static Location<'static>,
        wait: impl FnOnce(Envelope<T>) -> Result<(), SendTimeoutError<Envelope<T>>>,
    ) -> Result<(), SendTimeoutError<T>> {
        let stamp = self.handle.stamp();
        let result = match self.inner.try_send(Envelope { stamp, message: msg }) {
            Ok(()) => Ok(()),
            Err(TrySendError::Disconnected(envelope)) => Err(SendTimeoutError::Disconnected(envelope)),
            Err(TrySendError::Full(envelope)) => {
                self.handle.send_request(timed, place);
                wait(envelope)
            }
        };
        match result {
            Ok(()) => {
                self.handle.sent(stamp, place);
                Ok(())
            }
            Err(SendTimeoutError::Timeout(envelope)) => {
                self.handle.send_failed(false, place);
                Err(SendTimeoutError::Timeout(envelope.message))
            }
            Err(SendTimeoutError::Disconnected(envelope)) => {
                self.handle.send_failed(true, place);
                Err(SendTimeoutError::Disconnected(envelope.message))
            }
        }
    }

    /// See [`crossbeam_channel::Sender::try_send`](real::Sender::try_send).
    #[track_caller]
    pub fn try_send(&self, msg: T) -> Result<(), TrySendError<T>> {
        let place = Location::caller();
        let stamp = self.handle.stamp();
        match self.inner.try_send(Envelope { stamp, message: msg }) {
            Ok(()) => {
                self.handle.sent(stamp, place);
                Ok(())
            }
            Err(TrySendError::Full(envelope)) => {
                self.handle.send_failed(false, place);
                Err(TrySendError::Full(envelope.message))
            }
            Err(TrySendError::Disconnected(envelope)) => {
                self.handle.send_failed(true, place);
                Err(TrySendError::Disconnected(envelope.message))
            }
        }
    }

    /// See [`crossbeam_channel::Sender::send`](real::Sender::send).
    #[track_caller]
    pub fn send(&self, msg: T) -> Result<(), SendError<T>> {
        let wait = |envelope| self.inner.send(envelope).map_err(SendTimeoutError::from);
        self.send_by(msg, false, Location::caller(), wait).map_err(|error| SendError(error.into_inner()))
    }

    /// See [`crossbeam_channel::Sender::send_timeout`](real::Sender::send_timeout).
    #[track_caller]
    pub fn send_timeout(&self, msg: T, timeout: Duration) -> Result<(), SendTimeoutError<T>> {
        self.send_by(msg, true, Location::caller(), |envelope| self.inner.send_timeout(envelope, timeout))
    }

    /// See [`crossbeam_channel::Sender::send_deadline`](real::Sender::send_deadline).
    #[cfg(not(conccheck_before = "0.5.0"))]
    #[track_caller]
    pub fn send_deadline(&self, msg: T, deadline: Instant) -> Result<(), SendTimeoutError<T>> {
        self.send_by(msg, true, Location::caller(), |envelope| self.inner.send_deadline(envelope, deadline))
    }

    /// See [`crossbeam_channel::Sender::is_empty`](real::Sender::is_empty).
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// See [`crossbeam_channel::Sender::is_full`](real::Sender::is_full).
    pub fn is_full(&self) -> bool {
        self.inner.is_full()
    }

    /// See [`crossbeam_channel::Sender::len`](real::Sender::len).
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// See [`crossbeam_channel::Sender::capacity`](real::Sender::capacity).
    pub fn capacity(&self) -> Option<usize> {
        self.inner.capacity()
    }

    /// See [`crossbeam_channel::Sender::same_channel`](real::Sender::same_channel).
    pub fn same_channel(&self, other: &Sender<T>) -> bool {
        self.inner.same_channel(&other.inner)
    }
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Sender<T> {
        Sender { handle: self.handle.clone(), inner: self.inner.clone() }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
