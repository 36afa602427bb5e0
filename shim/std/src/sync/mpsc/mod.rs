//! Instrumented [`std::sync::mpsc`](real): all three kinds of channel.
//!
//! A message travels in an [`Envelope`] with its sender's stamp, so that a receive names the very send that it got.

use core::any::type_name;

use conccheck_rt::Stamp;
use conccheck_rt::mpsc as rt;
use real_std::sync::mpsc as real;

pub use real_std::sync::mpsc::*;

mod iter;
mod receiver;
mod sender;

pub use iter::{IntoIter, Iter, TryIter};
pub use receiver::Receiver;
pub use sender::{Sender, SyncSender};

/// A message on its way.
struct Envelope<T> {
    stamp: Stamp,
    message: T,
}

/// See [`std::sync::mpsc::channel`](real::channel).
#[track_caller]
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = real::channel();
    let (at_sender, at_receiver) = rt::new_channel(None, type_name::<T>);
    (Sender::new(at_sender, sender), Receiver::new(at_receiver, receiver))
}

/// See [`std::sync::mpsc::sync_channel`](real::sync_channel).
#[track_caller]
#[must_use]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let (sender, receiver) = real::sync_channel(bound);
    let (at_sender, at_receiver) = rt::new_channel(Some(bound), type_name::<T>);
    (SyncSender::new(at_sender, sender), Receiver::new(at_receiver, receiver))
}
