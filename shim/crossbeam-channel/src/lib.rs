//! The facade of crossbeam-channel: everything that it has, with its channels and selections instrumented.
//!
//! A message travels in an [`Envelope`] with its sender's stamp, so that a receive names the very send that it got. A selection that
//! has to wait is recorded with all its operations. Receivers without a sender (`after`, `at`, `tick`, `never`) are no channels in the
//! trace: a wait for them is one with a limit, or without an end.
#![forbid(unsafe_code)]

use std::any::type_name;
use std::time::{Duration, Instant};

use conccheck_rt::Stamp;
use conccheck_rt::mpsc as rt;
use crossbeam_channel_orig as real;

pub use crossbeam_channel_orig::*;

mod iter;
mod operations;
mod receiver;
mod select;
mod select_macro;
mod sender;
mod timer;

pub use iter::{IntoIter, Iter, TryIter};
pub use receiver::Receiver;
pub use select::{Select, SelectedOperation};
pub use sender::Sender;
use timer::Timer;

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
    let receiver = real::after(duration);
    match Instant::now().checked_add(duration) {
        Some(when) => Receiver::of_timer(Timer::new(Some(when), &receiver), receiver),
        None => never(),
    }
}

/// See [`crossbeam_channel::at`](real::at).
#[cfg(not(conccheck_before = "0.5.0"))]
pub fn at(when: Instant) -> Receiver<Instant> {
    let receiver = real::at(when);
    Receiver::of_timer(Timer::new(Some(when), &receiver), receiver)
}

/// See [`crossbeam_channel::never`](real::never).
pub const fn never<T>() -> Receiver<T> {
    Receiver::never()
}

/// See [`crossbeam_channel::tick`](real::tick).
pub fn tick(duration: Duration) -> Receiver<Instant> {
    let receiver = real::tick(duration);
    Receiver::of_timer(Timer::new(None, &receiver), receiver)
}
