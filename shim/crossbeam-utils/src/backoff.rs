//! Instrumented [`Backoff`](real::Backoff).

use core::fmt;
use core::panic::Location;

use conccheck_rt::thread as rt;
use crossbeam_utils_orig as real;

/// Instrumented [`crossbeam_utils::Backoff`](real::Backoff).
///
/// [`snooze`](Backoff::snooze) is for waiting until another thread gets on, so it is recorded as a turn that is given up, once a
/// loop. [`spin`](Backoff::spin) is for trying again what another thread has just done, which is no wait.
pub struct Backoff {
    inner: real::Backoff,
}

impl Backoff {
    /// See [`crossbeam_utils::Backoff::new`](real::Backoff::new).
    #[inline]
    pub fn new() -> Self {
        Backoff { inner: real::Backoff::new() }
    }

    /// See [`crossbeam_utils::Backoff::reset`](real::Backoff::reset).
    #[inline]
    pub fn reset(&self) {
        self.inner.reset();
    }

    /// See [`crossbeam_utils::Backoff::spin`](real::Backoff::spin).
    #[inline]
    pub fn spin(&self) {
        self.inner.spin();
    }

    /// See [`crossbeam_utils::Backoff::snooze`](real::Backoff::snooze).
    #[track_caller]
    #[inline]
    pub fn snooze(&self) {
        rt::yields(Location::caller());
        self.inner.snooze();
    }

    /// See [`crossbeam_utils::Backoff::is_completed`](real::Backoff::is_completed).
    #[inline]
    pub fn is_completed(&self) -> bool {
        self.inner.is_completed()
    }
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff::new()
    }
}

impl fmt::Debug for Backoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
