//! Instrumented [`Condvar`](real::Condvar).

use core::any::type_name;
use core::fmt;
use core::panic::Location;

use conccheck_rt::condvar as rt;
use lock_api_orig::{self as real, RawCondvar, RawCondvarTimed, RawMutexTimed, WaitTimeoutResult};

use crate::MutexGuard;

/// Instrumented [`lock_api::Condvar`](real::Condvar).
pub struct Condvar<C> {
    record: rt::Condvar,
    inner: real::Condvar<C>,
}

impl<C: RawCondvar> Condvar<C> {
    /// See [`lock_api::Condvar::new`](real::Condvar::new).
    #[track_caller]
    #[inline]
    pub const fn new() -> Condvar<C> {
        Condvar { record: rt::Condvar::new(), inner: real::Condvar::new() }
    }

    /// See [`lock_api::Condvar::raw`](real::Condvar::raw).
    #[inline]
    pub fn raw(&self) -> &C {
        self.inner.raw()
    }

    /// See [`lock_api::Condvar::notify_one`](real::Condvar::notify_one).
    #[track_caller]
    pub fn notify_one(&self) -> bool {
        self.record.notify(false, Location::caller());
        self.inner.notify_one()
    }

    /// See [`lock_api::Condvar::notify_all`](real::Condvar::notify_all).
    #[track_caller]
    pub fn notify_all(&self) -> usize {
        self.record.notify(true, Location::caller());
        self.inner.notify_all()
    }

    fn wait_by<T: ?Sized, Woken>(
        &self,
        mutex_guard: &mut MutexGuard<'_, C::RawMutex, T>,
        timed: bool,
        place: &'static Location<'static>,
        wait: impl FnOnce(&mut real::MutexGuard<'_, C::RawMutex, T>) -> Woken,
        timed_out: impl FnOnce(&Woken) -> bool,
    ) -> Woken {
        let (held, inner) = MutexGuard::conccheck_parts(mutex_guard);
        self.record.wait_by(held, timed, place, type_name::<T>, || wait(inner), timed_out)
    }

    /// See [`lock_api::Condvar::wait`](real::Condvar::wait).
    #[track_caller]
    pub fn wait<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, C::RawMutex, T>) {
        self.wait_by(mutex_guard, false, Location::caller(), |inner| self.inner.wait(inner), |()| false);
    }

    /// See [`lock_api::Condvar::wait_while`](real::Condvar::wait_while).
    #[track_caller]
    pub fn wait_while<T, F>(&self, mutex_guard: &mut MutexGuard<'_, C::RawMutex, T>, mut condition: F)
    where
        T: ?Sized,
        F: FnMut(&mut T) -> bool,
    {
        while condition(&mut **mutex_guard) {
            self.wait(mutex_guard);
        }
    }
}

impl<R: RawMutexTimed, C: RawCondvarTimed<RawMutex = R>> Condvar<C> {
    /// See [`lock_api::Condvar::wait_until`](real::Condvar::wait_until).
    #[track_caller]
    pub fn wait_until<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, R, T>, timeout: R::Instant) -> WaitTimeoutResult {
        let wait = |inner: &mut real::MutexGuard<'_, R, T>| self.inner.wait_until(inner, timeout);
        self.wait_by(mutex_guard, true, Location::caller(), wait, |woken| woken.timed_out())
    }

    /// See [`lock_api::Condvar::wait_for`](real::Condvar::wait_for).
    #[track_caller]
    pub fn wait_for<T: ?Sized>(&self, mutex_guard: &mut MutexGuard<'_, R, T>, timeout: R::Duration) -> WaitTimeoutResult {
        let wait = |inner: &mut real::MutexGuard<'_, R, T>| self.inner.wait_for(inner, timeout);
        self.wait_by(mutex_guard, true, Location::caller(), wait, |woken| woken.timed_out())
    }
}

/// The waits for a condition with a limit: the original's loop, between whose waits the lock is held.
macro_rules! wait_while_timed {
    ($name:ident $limit:ident) => {
        #[doc = concat!("See [`lock_api::Condvar::", stringify!($name), "`](real::Condvar::", stringify!($name), ").")]
        #[track_caller]
        pub fn $name<T, F>(
            &self,
            mutex_guard: &mut MutexGuard<'_, R, T>,
            mut condition: F,
            timeout: R::$limit,
        ) -> WaitTimeoutResult
        where
            T: ?Sized,
            F: FnMut(&mut T) -> bool,
        {
            let place = Location::caller();
            let (held, inner) = MutexGuard::conccheck_parts(mutex_guard);
            let mut waiting = None;
            let result = self.inner.$name(
                inner,
                |data| {
                    // Called with the lock held, so behind a wait if there was one.
                    if let Some(waiting) = waiting.take() {
                        *held = rt::Waiting::woke(waiting, false);
                    }
                    held.wrote();
                    let waits = condition(data);
                    if waits {
                        waiting = Some(self.record.wait(held.take(), true, place, type_name::<T>));
                    }
                    waits
                },
                timeout,
            );
            if let Some(waiting) = waiting.take() {
                *held = rt::Waiting::woke(waiting, true);
            }
            result
        }
    };
}

impl<R: RawMutexTimed, C: RawCondvarTimed<RawMutex = R>> Condvar<C> {
    wait_while_timed!(wait_while_until Instant);
    wait_while_timed!(wait_while_for Duration);
}

impl<C: RawCondvar> Default for Condvar<C> {
    #[track_caller]
    fn default() -> Condvar<C> {
        Condvar::new()
    }
}

impl<C> fmt::Debug for Condvar<C>
where
    real::Condvar<C>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
