//! Receivers whose messages come from the clock, or from nowhere.

use std::panic::Location;
use std::sync::LazyLock;
use std::time::Instant;

use conccheck_rt::select;
use crossbeam_channel_orig as real;

/// What stands for all that [`never`](crate::never) made, which are equal, in a selection.
pub(crate) static NEVER: LazyLock<real::Receiver<()>> = LazyLock::new(real::never);

/// When a message comes.
#[derive(Clone)]
pub(crate) struct Timer {
    /// Once, not after this moment; `None`: again and again.
    once: Option<Instant>,
    /// Where it comes.
    receiver: real::Receiver<Instant>,
}

impl Timer {
    pub(crate) fn new(once: Option<Instant>, receiver: &real::Receiver<Instant>) -> Timer {
        Timer { once, receiver: receiver.clone() }
    }

    /// Whether a message is there or will come.
    pub(crate) fn will_fire(&self) -> bool {
        self.once.is_none_or(|when| Instant::now() <= when) || !self.receiver.is_empty()
    }
}

/// Runs `wait`, which waits for the clock alone, between the records of its begin and its end.
pub(crate) fn recorded<R>(timed: bool, place: &'static Location<'static>, wait: impl FnOnce() -> R) -> R {
    select::request(std::iter::empty(), timed, place);
    let result = wait();
    select::selected(false, place);
    result
}
