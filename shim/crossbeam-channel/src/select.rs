//! Instrumented [`Select`](real::Select).

use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

use conccheck_rt::select as rt;
use crossbeam_channel_orig::{
    self as real, ReadyTimeoutError, RecvError, SelectTimeoutError, SendError, TryReadyError, TrySelectError,
};

use crate::operations::{Operations, Source};
use crate::receiver::{Flavor, opened};
use crate::timer::NEVER;
use crate::{Envelope, Receiver, Sender};

/// What is missing in originals before biased selection, in which nobody asks for it.
#[allow(dead_code, reason = "newer originals have a function of that name, which goes before")]
trait NewBiased: Sized {
    fn new_biased() -> Self;
}

impl NewBiased for real::Select<'_> {
    fn new_biased() -> Self {
        real::Select::new()
    }
}

/// Instrumented [`crossbeam_channel::Select`](real::Select).
#[derive(Clone)]
pub struct Select<'a> {
    inner: real::Select<'a>,
    operations: Operations<'a>,
}

/// Instrumented [`crossbeam_channel::SelectedOperation`](real::SelectedOperation).
#[must_use]
pub struct SelectedOperation<'a> {
    inner: real::SelectedOperation<'a>,
}

impl<'a> Select<'a> {
    /// See [`crossbeam_channel::Select::new`](real::Select::new).
    pub fn new() -> Select<'a> {
        Select { inner: real::Select::new(), operations: Operations::default() }
    }

    /// See [`crossbeam_channel::Select::new_biased`](real::Select::new_biased).
    pub fn new_biased() -> Select<'a> {
        Select { inner: real::Select::new_biased(), operations: Operations::default() }
    }

    /// See [`crossbeam_channel::Select::send`](real::Select::send).
    pub fn send<T>(&mut self, s: &'a Sender<T>) -> usize {
        let index = self.inner.send(&s.inner);
        self.operations.push(index, Source::Channel(&s.handle));
        index
    }

    /// See [`crossbeam_channel::Select::recv`](real::Select::recv).
    pub fn recv<T>(&mut self, r: &'a Receiver<T>) -> usize {
        let (index, source) = match &r.flavor {
            Flavor::Channel(handle, inner) => (self.inner.recv(inner), Source::Channel(handle)),
            Flavor::Timer(timer, inner) => (self.inner.recv(inner), Source::Timer(timer)),
            Flavor::Never => (self.inner.recv(&NEVER), Source::Nowhere),
        };
        self.operations.push(index, source);
        index
    }

    /// See [`crossbeam_channel::Select::remove`](real::Select::remove).
    pub fn remove(&mut self, index: usize) {
        self.inner.remove(index);
        self.operations.remove(index);
    }

    /// Runs `wait`, which waits for one of the operations, between the records of its begin and its end.
    fn recorded<R>(
        &mut self,
        timed: bool,
        place: &'static Location<'static>,
        wait: impl FnOnce(&mut real::Select<'a>) -> R,
    ) -> R {
        let timed = timed || self.operations.has_timer_that_fires();
        rt::request(self.operations.handles(), timed, place);
        let result = wait(&mut self.inner);
        rt::selected(timed || self.operations.handles().count() > 1, place);
        result
    }

    /// As `recorded`, for a wait with a limit, and tells if that ended it.
    fn limited<R, E>(
        &mut self,
        place: &'static Location<'static>,
        wait: impl FnOnce(&mut real::Select<'a>) -> Result<R, E>,
    ) -> Result<R, E> {
        let result = self.recorded(true, place, wait);
        if result.is_err() {
            rt::expired(self.operations.handles(), place);
        }
        result
    }

    /// See [`crossbeam_channel::Select::try_select`](real::Select::try_select).
    #[track_caller]
    pub fn try_select(&mut self) -> Result<SelectedOperation<'a>, TrySelectError> {
        let inner = self.inner.try_select()?;
        rt::selected(true, Location::caller());
        Ok(SelectedOperation { inner })
    }

    /// What can be done without waiting, in a selection that waits otherwise: for as long as it likes, or not (`timed`).
    fn at_once(&mut self, timed: bool, place: &'static Location<'static>) -> Option<SelectedOperation<'a>> {
        let inner = self.inner.try_select().ok()?;
        if timed || self.operations.ends_in_several_ways() {
            rt::selected(true, place);
        }
        Some(SelectedOperation { inner })
    }

    /// See [`crossbeam_channel::Select::select`](real::Select::select).
    #[track_caller]
    pub fn select(&mut self) -> SelectedOperation<'a> {
        let place = Location::caller();
        match self.at_once(false, place) {
            Some(selected) => selected,
            None => SelectedOperation { inner: self.recorded(false, place, real::Select::select) },
        }
    }

    /// See [`crossbeam_channel::Select::select_timeout`](real::Select::select_timeout).
    #[track_caller]
    pub fn select_timeout(&mut self, timeout: Duration) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        let place = Location::caller();
        match self.at_once(true, place) {
            Some(selected) => Ok(selected),
            None => self.limited(place, |inner| inner.select_timeout(timeout)).map(|inner| SelectedOperation { inner }),
        }
    }

    /// See [`crossbeam_channel::Select::select_deadline`](real::Select::select_deadline).
    #[cfg(not(conccheck_before = "0.5.0"))]
    #[track_caller]
    pub fn select_deadline(&mut self, deadline: Instant) -> Result<SelectedOperation<'a>, SelectTimeoutError> {
        let place = Location::caller();
        match self.at_once(true, place) {
            Some(selected) => Ok(selected),
            None => self.limited(place, |inner| inner.select_deadline(deadline)).map(|inner| SelectedOperation { inner }),
        }
    }

    /// See [`crossbeam_channel::Select::try_ready`](real::Select::try_ready).
    pub fn try_ready(&mut self) -> Result<usize, TryReadyError> {
        self.inner.try_ready()
    }

    /// See [`crossbeam_channel::Select::ready`](real::Select::ready).
    #[track_caller]
    pub fn ready(&mut self) -> usize {
        let place = Location::caller();
        self.try_ready().unwrap_or_else(|_| self.recorded(false, place, real::Select::ready))
    }

    /// See [`crossbeam_channel::Select::ready_timeout`](real::Select::ready_timeout).
    #[track_caller]
    pub fn ready_timeout(&mut self, timeout: Duration) -> Result<usize, ReadyTimeoutError> {
        let place = Location::caller();
        self.try_ready().or_else(|_| self.limited(place, |inner| inner.ready_timeout(timeout)))
    }

    /// See [`crossbeam_channel::Select::ready_deadline`](real::Select::ready_deadline).
    #[cfg(not(conccheck_before = "0.5.0"))]
    #[track_caller]
    pub fn ready_deadline(&mut self, deadline: Instant) -> Result<usize, ReadyTimeoutError> {
        let place = Location::caller();
        self.try_ready().or_else(|_| self.limited(place, |inner| inner.ready_deadline(deadline)))
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
            Flavor::Timer(_, inner) => self.inner.recv(inner),
            Flavor::Never => self.inner.recv(&real::never()),
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
