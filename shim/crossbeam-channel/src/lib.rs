//! The facade of crossbeam-channel: everything that it has, with its channels and selection instrumented.
//!
//! A message travels in an [`Envelope`] with its sender's stamp, so that a receive names the very send that it got. Receivers that
//! have no sender (`after`, `at`, `tick`, `never`) pass through. A selection of several operations is recorded as a wait that may
//! end by itself, since the trace can't say that any of several ends it.
#![forbid(unsafe_code)]

use std::any::type_name;
use std::time::{Duration, Instant};

use conccheck_rt::Stamp;
use conccheck_rt::mpsc as rt;
use crossbeam_channel_orig as real;

pub use crossbeam_channel_orig::*;

mod iter;
mod receiver;
mod select;
mod select_macro;
mod sender;

pub use iter::{IntoIter, Iter, TryIter};
pub use receiver::Receiver;
pub use select::{Select, SelectedOperation};
pub use sender::Sender;

/// A message on its way.
struct Envelope<T> {
    stamp: Stamp,
    message: T,
}

/// See [`crossbeam_channel::unbounded`](real::unbounded).
#[track_caller]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = real::unbounded();
    let (at_sender, at_receiver) = rt::new_channel(None, type_name::<T>);
    (Sender::new(at_sender, sender), Receiver::new(at_receiver, receiver))
}

/// See [`crossbeam_channel::bounded`](real::bounded).
#[track_caller]
pub fn bounded<T>(cap: usize) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = real::bounded(cap);
    let (at_sender, at_receiver) = rt::new_channel(Some(cap), type_name::<T>);
    (Sender::new(at_sender, sender), Receiver::new(at_receiver, receiver))
}

/// See [`crossbeam_channel::after`](real::after).
pub fn after(duration: Duration) -> Receiver<Instant> {
    Receiver::without_sender(real::after(duration))
}

/// See [`crossbeam_channel::at`](real::at).
pub fn at(when: Instant) -> Receiver<Instant> {
    Receiver::without_sender(real::at(when))
}

/// See [`crossbeam_channel::never`](real::never).
pub const fn never<T>() -> Receiver<T> {
    Receiver::without_sender(real::never())
}

/// See [`crossbeam_channel::tick`](real::tick).
pub fn tick(duration: Duration) -> Receiver<Instant> {
    Receiver::without_sender(real::tick(duration))
}
