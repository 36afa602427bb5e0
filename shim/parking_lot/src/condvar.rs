//! Instrumented [`Condvar`](real::Condvar).

use std::any::type_name;
use std::fmt;
use std::panic::Location;
use std::time::{Duration, Instant};

use conccheck_rt::condvar as rt;
use parking_lot_orig::{self as real, WaitTimeoutResult};

use crate::MutexGuard;

/// Instrumented [`parking_lot::Condvar`](real::Condvar).
pub struct Condvar {
    record: rt::Condvar,
    inner: real::Condvar,
}

impl Condvar {
    /// See [`parking_lot::Condvar::new`](real::Condvar::new).
    #[track_caller]
    #[inline]
    pub const fn new() -> Condvar {
        Condvar { record: rt::Condvar::new(), inner: real::Condvar::new() }
    }

    /// See [`parking_lot::Condvar::notify_one`](real::Condvar::notify_one).
    #[track_caller]
    pub fn notify_one(&self) -> bool {
        self.record.notify(false, Location::caller());
        self.inner.notify_one()
    }

    /// See [`parking_lot::Condvar::notify_all`](real::Condvar::notify_all).
    #[track_caller]
    pub fn notify_all(&self) -> usize {
        self.record.notify(true, Location::caller());
        self.inner.notify_all()
    }

    fn wait_by<T: ?Sized, Woken>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        timed: bool,
        place: &'static Location<'static>,
        wait: impl FnOnce(&mut real::MutexGuard<'_, T>) -> Woken,
        timed_out: impl FnOnce(&Woken) -> bool,
    ) -> Woken {
        let (held, inner) = MutexGuard::conccheck_parts(mutex_guard);
        self.record.wait_by(held, timed, place, type_name::<T>, || wait(inner), timed_out)
    }

    /// See [`parking_lot::Condvar::wait`](real::Condvar::wait).
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>) {
        self.wait_by(mutex_guard, false, Location::caller(), |inner| self.inner.wait(inner), |()| false);
    }

    /// See [`parking_lot::Condvar::wait_until`](real::Condvar::wait_until).
    #[track_caller]
    pub fn wait_until<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>, timeout: Instant) -> WaitTimeoutResult {
        let wait = |inner: &mut real::MutexGuard<'_, T>| self.inner.wait_until(inner, timeout);
        self.wait_by(mutex_guard, true, Location::caller(), wait, |woken| woken.timed_out())
    }

    /// See [`parking_lot::Condvar::wait_for`](real::Condvar::wait_for).
    #[track_caller]
    pub fn wait_for<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, T>, timeout: Duration) -> WaitTimeoutResult {
        let wait = |inner: &mut real::MutexGuard<'_, T>| self.inner.wait_for(inner, timeout);
        self.wait_by(mutex_guard, true, Location::caller(), wait, |woken| woken.timed_out())
    }

    /// See [`parking_lot::Condvar::wait_while`](real::Condvar::wait_while).
    #[track_caller]
    pub fn wait_while<T, F>(&self, mutex_guard: &mut MutexGuard<'_, T>, mut condition: F)
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut **mutex_guard) {
            self.wait(mutex_guard);
        }
    }
}

#[cfg(not(conccheck_before = "0.12.1"))]
impl Condvar {
    /// See [`parking_lot::Condvar::wait_while_until`](real::Condvar::wait_while_until).
    #[track_caller]
    pub fn wait_while_until<T, F>(&self, mutex_guard: &mut MutexGuard<'_, T>, condition: F, timeout: Instant) -> WaitTimeoutResult
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        self.wait_while_by(mutex_guard, condition, |mutex_guard| self.wait_until(mutex_guard, timeout))
    }

    /// See [`parking_lot::Condvar::wait_while_for`](real::Condvar::wait_while_for).
    #[track_caller]
    pub fn wait_while_for<T: ?Sized, F>(
        &self,
        mutex_guard: &mut MutexGuard<'_, T>,
        condition: F,
        timeout: Duration,
    ) -> WaitTimeoutResult
    where
        F: FnMut(&mut T) -> bool,
    {
        let deadline = Instant::now().checked_add(timeout);
        let place = Location::caller();
        self.wait_while_by(mutex_guard, condition, |mutex_guard| {
            let wait = |inner: &mut real::MutexGuard<'_, T>| match deadline {
                Some(deadline) => self.inner.wait_until(inner, deadline),
                None => self.inner.wait_for(inner, timeout),
            };
            self.wait_by(mutex_guard, true, place, wait, |woken| woken.timed_out())
        })
    }

    fn wait_while_by<'a, T: ?Sized>(
        &self,
        mutex_guard: &mut MutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
        mut wait: impl FnMut(&mut MutexGuard<'a, T>) -> WaitTimeoutResult,
    ) -> WaitTimeoutResult {
        let mut result = None;
        while result.is_none_or(|result: WaitTimeoutResult| !result.timed_out()) && condition(&mut **mutex_guard) {
            result = Some(wait(mutex_guard));
        }
        result.unwrap_or_else(|| {
            // Only the original can make one that says that there was no wait: it does so where the condition is met.
            let (_, inner) = MutexGuard::conccheck_parts(mutex_guard);
            self.inner.wait_while_for(inner, |_| false, Duration::ZERO)
        })
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
