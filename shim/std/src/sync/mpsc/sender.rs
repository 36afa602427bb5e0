//! Instrumented [`Sender`](real::Sender) and [`SyncSender`](real::SyncSender).

use core::fmt;
use core::panic::Location;

use conccheck_rt::mpsc::Handle;
use real_std::sync::mpsc as real;

use super::{Envelope, SendError, TrySendError};

/// Instrumented [`std::sync::mpsc::Sender`](real::Sender).
// Fields drop in this order, so the handle's end is recorded before the real one can close the channel.
pub struct Sender<T> {
    handle: Handle,
    inner: real::Sender<Envelope<T>>,
}

/// Instrumented [`std::sync::mpsc::SyncSender`](real::SyncSender).
pub struct SyncSender<T> {
    handle: Handle,
    inner: real::SyncSender<Envelope<T>>,
}

impl<T> Sender<T> {
    pub(super) fn new(handle: Handle, inner: real::Sender<Envelope<T>>) -> Sender<T> {
        Sender { handle, inner }
    }

    /// See [`std::sync::mpsc::Sender::send`](real::Sender::send).
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        let place = Location::caller();
        let stamp = self.handle.stamp();
        match self.inner.send(Envelope { stamp, message: t }) {
            Ok(()) => {
                self.handle.sent(stamp, place);
                Ok(())
            }
            Err(SendError(envelope)) => {
                self.handle.send_failed(true, place);
                Err(SendError(envelope.message))
            }
        }
    }
}

impl<T> SyncSender<T> {
    pub(super) fn new(handle: Handle, inner: real::SyncSender<Envelope<T>>) -> SyncSender<T> {
        SyncSender { handle, inner }
    }

    /// See [`std::sync::mpsc::SyncSender::send`](real::SyncSender::send).
    #[track_caller]
    pub fn send(&self, t: T) -> Result<(), SendError<T>> {
        let place = Location::caller();
        let stamp = self.handle.stamp();
        let result = match self.inner.try_send(Envelope { stamp, message: t }) {
            Ok(()) => Ok(()),
            Err(TrySendError::Disconnected(envelope)) => Err(SendError(envelope)),
            Err(TrySendError::Full(envelope)) => {
                self.handle.send_request(false, place);
                self.inner.send(envelope)
            }
        };
        match result {
            Ok(()) => {
                self.handle.sent(stamp, place);
                Ok(())
            }
            Err(SendError(envelope)) => {
                self.handle.send_failed(true, place);
                Err(SendError(envelope.message))
            }
        }
    }

    /// See [`std::sync::mpsc::SyncSender::try_send`](real::SyncSender::try_send).
    #[track_caller]
    pub fn try_send(&self, t: T) -> Result<(), TrySendError<T>> {
        let place = Location::caller();
        let stamp = self.handle.stamp();
        match self.inner.try_send(Envelope { stamp, message: t }) {
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
}

impl<T> Clone for Sender<T> {
    #[track_caller]
    fn clone(&self) -> Sender<T> {
        Sender { handle: self.handle.clone(), inner: self.inner.clone() }
    }
}

impl<T> Clone for SyncSender<T> {
    #[track_caller]
    fn clone(&self) -> SyncSender<T> {
        SyncSender { handle: self.handle.clone(), inner: self.inner.clone() }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> fmt::Debug for SyncSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
