//! Instrumented [`Mutex`](real::Mutex).

use core::any::type_name;
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::panic::{Location, RefUnwindSafe, UnwindSafe};

use conccheck_rt::lock::{Held, Lock};
use conccheck_rt::{How, Mode, ObjectKind};
use real_std::sync as real;

use super::{LockResult, PoisonError, TryLockError, TryLockResult};

/// Instrumented [`std::sync::Mutex`](real::Mutex).
pub struct Mutex<T: ?Sized> {
    lock: Lock,
    inner: real::Mutex<T>,
}

/// Instrumented [`std::sync::MutexGuard`](real::MutexGuard).
// Fields drop in this order, so the release is recorded before the real unlock.
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized + 'a> {
    held: Held<'a>,
    inner: real::MutexGuard<'a, T>,
}

impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

impl<T> Mutex<T> {
    /// See [`std::sync::Mutex::new`](real::Mutex::new).
    #[track_caller]
    #[inline]
    pub const fn new(t: T) -> Mutex<T> {
        Mutex { lock: Lock::new(ObjectKind::Mutex), inner: real::Mutex::new(t) }
    }
}

impl<T: ?Sized> Mutex<T> {
    #[inline]
    fn locked<'a>(&'a self, inner: real::MutexGuard<'a, T>, how: How, place: &'static Location<'static>) -> MutexGuard<'a, T> {
        MutexGuard { held: self.lock.acquired(Mode::Exclusive, how, place, type_name::<T>), inner }
    }

    #[cold]
    fn poisoned<'a>(
        &'a self,
        error: PoisonError<real::MutexGuard<'a, T>>,
        how: How,
        place: &'static Location<'static>,
    ) -> PoisonError<MutexGuard<'a, T>> {
        let guard = self.locked(error.into_inner(), how, place);
        self.lock.poison_seen(place, type_name::<T>);
        PoisonError::new(guard)
    }

    /// See [`std::sync::Mutex::lock`](real::Mutex::lock).
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let place = Location::caller();
        match self.inner.try_lock() {
            Ok(inner) => Ok(self.locked(inner, How::Blocking, place)),
            Err(error) => self.lock_slowly(error, place),
        }
    }

    // Out of line, so that the guard of a lock that was free stays in registers.
    #[cold]
    #[inline(never)]
    fn lock_slowly<'a>(
        &'a self,
        error: TryLockError<real::MutexGuard<'a, T>>,
        place: &'static Location<'static>,
    ) -> LockResult<MutexGuard<'a, T>> {
        let result = match error {
            TryLockError::Poisoned(error) => Err(error),
            TryLockError::WouldBlock => {
                self.lock.request(Mode::Exclusive, How::Blocking, place, type_name::<T>);
                self.inner.lock()
            }
        };
        match result {
            Ok(inner) => Ok(self.locked(inner, How::Blocking, place)),
            Err(error) => Err(self.poisoned(error, How::Blocking, place)),
        }
    }

    /// See [`std::sync::Mutex::try_lock`](real::Mutex::try_lock).
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let place = Location::caller();
        match self.inner.try_lock() {
            Ok(inner) => Ok(self.locked(inner, How::Try, place)),
            Err(TryLockError::Poisoned(error)) => Err(TryLockError::Poisoned(self.poisoned(error, How::Try, place))),
            Err(TryLockError::WouldBlock) => {
                self.lock.try_failed(Mode::Exclusive, place, type_name::<T>);
                Err(TryLockError::WouldBlock)
            }
        }
    }

    /// See [`std::sync::Mutex::is_poisoned`](real::Mutex::is_poisoned).
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// See [`std::sync::Mutex::clear_poison`](real::Mutex::clear_poison).
    #[track_caller]
    pub fn clear_poison(&self) {
        if self.inner.is_poisoned() {
            self.lock.poison_cleared(Location::caller(), type_name::<T>);
        }
        self.inner.clear_poison();
    }

    /// See [`std::sync::Mutex::into_inner`](real::Mutex::into_inner).
    pub fn into_inner(self) -> LockResult<T>
    where
        T: Sized,
    {
        self.inner.into_inner()
    }

    /// See [`std::sync::Mutex::get_mut`](real::Mutex::get_mut).
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(t: T) -> Self {
        Mutex::new(t)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Mutex<T> {
        Mutex::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    // The try by which the original looks inside is no use of the lock by the program, and is not recorded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(super) fn into_parts(self) -> (Held<'a>, real::MutexGuard<'a, T>) {
        (self.held, self.inner)
    }

    pub(super) fn from_parts(held: Held<'a>, inner: real::MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        MutexGuard { held, inner }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.held.wrote();
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
