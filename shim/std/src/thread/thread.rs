//! Instrumented [`Thread`](real::Thread), the handle by which a thread is named and unparked.

use core::fmt;
use core::panic::Location;

use conccheck_rt::{recorder, thread as rt};
use real_std::thread as real;

use super::ThreadId;

/// Instrumented [`std::thread::Thread`](real::Thread).
#[derive(Clone)]
pub struct Thread {
    inner: real::Thread,
    number: conccheck_rt::ThreadId,
}

/// See [`std::thread::current`](real::current).
#[must_use]
pub fn current() -> Thread {
    let number = if recorder::is_on() { recorder::thread() } else { conccheck_rt::ThreadId::NONE };
    Thread { inner: real::current(), number }
}

impl Thread {
    /// For the facades of crates that give out handles of threads.
    #[doc(hidden)]
    pub fn conccheck_new(inner: real::Thread, number: conccheck_rt::ThreadId) -> Thread {
        Thread { inner, number }
    }

    /// See [`std::thread::Thread::unpark`](real::Thread::unpark).
    #[track_caller]
    #[inline]
    pub fn unpark(&self) {
        rt::unpark(self.number, Location::caller());
        self.inner.unpark();
    }

    /// See [`std::thread::Thread::id`](real::Thread::id).
    #[must_use]
    pub fn id(&self) -> ThreadId {
        self.inner.id()
    }

    /// See [`std::thread::Thread::name`](real::Thread::name).
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.inner.name()
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
