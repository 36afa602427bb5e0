//! Instrumented [`Condvar`](real::Condvar).

use core::any::type_name;
use core::fmt;
use core::panic::{Location, RefUnwindSafe, UnwindSafe};
use core::time::Duration;

use conccheck_rt::condvar as rt;
use real_std::sync as real;
use real_std::time::Instant;

use super::{LockResult, MutexGuard, PoisonError};

/// Instrumented [`std::sync::Condvar`](real::Condvar).
pub struct Condvar {
    record: rt::Condvar,
    inner: real::Condvar,
}

/// Stands for [`std::sync::WaitTimeoutResult`](real::WaitTimeoutResult), which only std can make.
#[derive(Debug, PartialEq, Eq, Copy, Clone)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// See [`std::sync::WaitTimeoutResult::timed_out`](real::WaitTimeoutResult::timed_out).
    #[must_use]
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

impl UnwindSafe for Condvar {}
impl RefUnwindSafe for Condvar {}

impl Condvar {
    /// See [`std::sync::Condvar::new`](real::Condvar::new).
    #[track_caller]
    #[must_use]
    #[inline]
    pub const fn new() -> Condvar {
        Condvar { record: rt::Condvar::new(), inner: real::Condvar::new() }
    }

    /// See [`std::sync::Condvar::wait`](real::Condvar::wait).
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let place = Location::caller();
        let (held, inner) = guard.into_parts();
        let waiting = self.record.wait(held, false, place, type_name::<T>);
        let result = self.inner.wait(inner);
        let held = waiting.woke(false);
        match result {
            Ok(inner) => Ok(MutexGuard::from_parts(held, inner)),
            Err(error) => {
                held.lock().poison_seen(place, type_name::<T>);
                Err(PoisonError::new(MutexGuard::from_parts(held, error.into_inner())))
            }
        }
    }

    /// See [`std::sync::Condvar::wait_while`](real::Condvar::wait_while).
    #[track_caller]
    pub fn wait_while<'a, T, F>(&self, mut guard: MutexGuard<'a, T>, mut condition: F) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut *guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// See [`std::sync::Condvar::wait_timeout_ms`](real::Condvar::wait_timeout_ms).
    #[track_caller]
    #[deprecated(since = "1.6.0", note = "replaced by `std::sync::Condvar::wait_timeout`")]
    pub fn wait_timeout_ms<'a, T>(&self, guard: MutexGuard<'a, T>, ms: u32) -> LockResult<(MutexGuard<'a, T>, bool)> {
        match self.wait_timeout(guard, Duration::from_millis(u64::from(ms))) {
            Ok((guard, result)) => Ok((guard, !result.timed_out())),
            Err(error) => {
                let (guard, result) = error.into_inner();
                Err(PoisonError::new((guard, !result.timed_out())))
            }
        }
    }

    /// See [`std::sync::Condvar::wait_timeout`](real::Condvar::wait_timeout).
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        dur: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let place = Location::caller();
        let (held, inner) = guard.into_parts();
        let waiting = self.record.wait(held, true, place, type_name::<T>);
        match self.inner.wait_timeout(inner, dur) {
            Ok((inner, result)) => {
                let held = waiting.woke(result.timed_out());
                Ok((MutexGuard::from_parts(held, inner), WaitTimeoutResult(result.timed_out())))
            }
            Err(error) => {
                let (inner, result) = error.into_inner();
                let held = waiting.woke(result.timed_out());
                held.lock().poison_seen(place, type_name::<T>);
                Err(PoisonError::new((MutexGuard::from_parts(held, inner), WaitTimeoutResult(result.timed_out()))))
            }
        }
    }

    /// See [`std::sync::Condvar::wait_timeout_while`](real::Condvar::wait_timeout_while).
    #[track_caller]
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        dur: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let start = Instant::now();
        loop {
            if !condition(&mut *guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            let Some(timeout) = dur.checked_sub(start.elapsed()) else {
                return Ok((guard, WaitTimeoutResult(true)));
            };
            guard = self.wait_timeout(guard, timeout)?.0;
        }
    }

    /// See [`std::sync::Condvar::notify_one`](real::Condvar::notify_one).
    #[track_caller]
    pub fn notify_one(&self) {
        self.record.notify(false, Location::caller());
        self.inner.notify_one();
    }

    /// See [`std::sync::Condvar::notify_all`](real::Condvar::notify_all).
    #[track_caller]
    pub fn notify_all(&self) {
        self.record.notify(true, Location::caller());
        self.inner.notify_all();
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}
