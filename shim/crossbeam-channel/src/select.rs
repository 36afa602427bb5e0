//! Instrumented [`Select`](real::Select).

use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

use conccheck_rt::Side;
use conccheck_rt::mpsc::Handle;
use crossbeam_channel_orig::{
    self as real, ReadyTimeoutError, RecvError, SelectTimeoutError, SendError, TryReadyError, TrySelectError,
};

use crate::receiver::{Flavor, opened};
use crate::{Envelope, Receiver, Sender};

/// Instrumented [`crossbeam_channel::Select`](real::Select).
pub struct Select<'a> {
    inner: real::Select<'a>,
    operations: Vec<Operation<'a>>,
}

/// One of the operations to select from. Receivers without a sender have no handle.
#[derive(Clone, Copy)]
struct Operation<'a> {
    index: usize,
    side: Side,
    handle: Option<&'a Handle>,
}

/// Instrumented [`crossbeam_channel::SelectedOperation`](real::SelectedOperation).
#[must_use]
pub struct SelectedOperation<'a> {
    inner: real::SelectedOperation<'a>,
}

impl<'a> Select<'a> {
    /// See [`crossbeam_channel::Select::new`](real::Select::new).
    pub fn new() -> Select<'a> {
        Select { inner: real::Select::new(), operations: Vec::new() }
    }

    /// See [`crossbeam_channel::Select::new_biased`](real::Select::new_biased).
    pub fn new_biased() -> Select<'a> {
        Select { inner: real::Select::new_biased(), operations: Vec::new() }
    }

    /// See [`crossbeam_channel::Select::send`](real::Select::send).
    pub fn send<T>(&mut self, s: &'a Sender<T>) -> usize {
        let index = self.inner.send(&s.inner);
        self.operations.push(Operation { index, side: Side::Sender, handle: Some(&s.handle) });
        index
    }

    /// See [`crossbeam_channel::Select::recv`](real::Select::recv).
    pub fn recv<T>(&mut self, r: &'a Receiver<T>) -> usize {
        let (index, handle) = match &r.flavor {
            Flavor::Channel(handle, inner) => (self.inner.recv(inner), Some(handle)),
            Flavor::WithoutSender(inner) => (self.inner.recv(inner), None),
        };
        self.operations.push(Operation { index, side: Side::Receiver, handle });
        index
    }

    /// See [`crossbeam_channel::Select::remove`](real::Select::remove).
    pub fn remove(&mut self, index: usize) {
        self.inner.remove(index);
        self.operations.retain(|operation| operation.index != index);
    }

    /// Records that the thread is about to wait. That any of several operations ends the wait can't be said, so that such a wait is
    /// recorded as one that may end by itself.
    fn request(&self, timed: bool, place: &'static Location<'static>) {
        let timed = timed || self.operations.len() > 1;
        for operation in &self.operations {
            match (operation.handle, operation.side) {
                (Some(handle), Side::Sender) => handle.send_request(timed, place),
                (Some(handle), Side::Receiver) => handle.recv_request(timed, place),
                (None, _) => {}
            }
        }
    }

    /// Records that a wait ended without a message: for what was waited for last, if nothing is `ready`.
    fn ended(&self, ready: Option<usize>, place: &'static Location<'static>) {
        let waited = |operation: &&Operation<'_>| ready.is_none_or(|index| operation.index == index);
        if let Some(Operation { side, handle: Some(handle), .. }) = self.operations.iter().rev().find(waited) {
            match side {
                Side::Sender => handle.send_failed(false, place),
                Side::Receiver => handle.recv_failed(false, place),
            }
        }
    }

    /// See [`crossbeam_channel::Select::try_select`](real::Select::try_select).
    pub fn try_select(&mut self) -> Result<SelectedOperation<'a>, TrySelectError> {
        self.inner.try_select().map(|inner| SelectedOperation { inner })
    }

    /// See [`crossbeam_channel::Select::select`](real::Select::select).
    #[track_caller]
    pub fn select(&mut self) -> SelectedOperation<'a> {
        if let Ok(selected) = self.try_select() {
            return selected;
        }
        self.request(false, Location::caller());
        SelectedOperation { inner: self.inner.select() }
    }

    fn select_by(
        &mut self,
        place: &'static Location<'static>,
        select: impl FnOnce(&mut real::Select<'a>) -> Result<real::SelectedOperation<'a>, SelectTimeoutError>,
    ) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        if let Ok(selected) = self.try_select() {
            return Ok(selected);
        }
        self.request(true, place);
        let selected = select(&mut self.inner).map(|inner| SelectedOperation { inner });
        if selected.is_err() {
            self.ended(None, place);
        }
        selected
    }

    /// See [`crossbeam_channel::Select::select_timeout`](real::Select::select_timeout).
    #[track_caller]
    pub fn select_timeout(&mut self, timeout: Duration) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        self.select_by(Location::caller(), |inner| inner.select_timeout(timeout))
    }

    /// See [`crossbeam_channel::Select::select_deadline`](real::Select::select_deadline).
    #[track_caller]
    pub fn select_deadline(&mut self, deadline: Instant) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        self.select_by(Location::caller(), |inner| inner.select_deadline(deadline))
    }

    /// See [`crossbeam_channel::Select::try_ready`](real::Select::try_ready).
    pub fn try_ready(&mut self) -> Result<usize, TryReadyError> {
        self.inner.try_ready()
    }

    fn ready_by<E>(
        &mut self,
        timed: bool,
        place: &'static Location<'static>,
        ready: impl FnOnce(&mut real::Select<'a>) -> Result<usize, E>,
    ) -> Result<usize, E> {
        if let Ok(index) = self.try_ready() {
            return Ok(index);
        }
        self.request(timed, place);
        let ready = ready(&mut self.inner);
        self.ended(ready.as_ref().ok().copied(), place);
        ready
    }

    /// See [`crossbeam_channel::Select::ready`](real::Select::ready).
    #[track_caller]
    pub fn ready(&mut self) -> usize {
        let ready: Result<usize, std::convert::Infallible> = self.ready_by(false, Location::caller(), |inner| Ok(inner.ready()));
        let Ok(index) = ready;
        index
    }

    /// See [`crossbeam_channel::Select::ready_timeout`](real::Select::ready_timeout).
    #[track_caller]
    pub fn ready_timeout(&mut self, timeout: Duration) -> Result<usize, ReadyTimeoutError> {
        self.ready_by(true, Location::caller(), |inner| inner.ready_timeout(timeout))
    }

    /// See [`crossbeam_channel::Select::ready_deadline`](real::Select::ready_deadline).
    #[track_caller]
    pub fn ready_deadline(&mut self, deadline: Instant) -> Result<usize, ReadyTimeoutError> {
        self.ready_by(true, Location::caller(), |inner| inner.ready_deadline(deadline))
    }
}

impl Clone for Select<'_> {
    fn clone(&self) -> Self {
        Select { inner: self.inner.clone(), operations: self.operations.clone() }
    }
}

impl Default for Select<'_> {
    fn default() -> Self {
        Select::new()
    }
}

impl fmt::Debug for Select<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl SelectedOperation<'_> {
    /// See [`crossbeam_channel::SelectedOperation::index`](real::SelectedOperation::index).
    pub fn index(&self) -> usize {
        self.inner.index()
    }

    /// See [`crossbeam_channel::SelectedOperation::send`](real::SelectedOperation::send).
    #[track_caller]
    pub fn send<T>(self, s: &Sender<T>, msg: T) -> Result<(), SendError<T>> {
        let place = Location::caller();
        let stamp = s.handle.stamp();
        match self.inner.send(&s.inner, Envelope { stamp, message: msg }) {
            Ok(()) => {
                s.handle.sent(stamp, place);
                Ok(())
            }
            Err(SendError(envelope)) => {
                s.handle.send_failed(true, place);
                Err(SendError(envelope.message))
            }
        }
    }

    /// See [`crossbeam_channel::SelectedOperation::recv`](real::SelectedOperation::recv).
    #[track_caller]
    pub fn recv<T>(self, r: &Receiver<T>) -> Result<T, RecvError> {
        match &r.flavor {
            Flavor::Channel(handle, inner) => opened(handle, self.inner.recv(inner), |_| true, Location::caller()),
            Flavor::WithoutSender(inner) => self.inner.recv(inner),
        }
    }

    /// For [`select!`](crate::select), which compares the index with every operation's before.
    #[doc(hidden)]
    pub fn conccheck_unknown(self) -> ! {
        let index = self.index();
        std::mem::forget(self.inner);
        unreachable!("operation {index} is not among those to select from")
    }
}

impl fmt::Debug for SelectedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
