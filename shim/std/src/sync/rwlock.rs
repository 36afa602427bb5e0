//! Instrumented [`RwLock`](real::RwLock).

use core::any::type_name;
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::panic::{Location, RefUnwindSafe, UnwindSafe};

use conccheck_rt::lock::{Held, Lock};
use conccheck_rt::{How, Mode, ObjectKind};
use real_std::sync as real;

use super::{LockResult, PoisonError, TryLockError, TryLockResult};

/// Instrumented [`std::sync::RwLock`](real::RwLock).
pub struct RwLock<T: ?Sized> {
    lock: Lock,
    inner: real::RwLock<T>,
}

/// Instrumented [`std::sync::RwLockReadGuard`](real::RwLockReadGuard).
// Fields drop in this order, so the release is recorded before the real unlock.
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'rwlock, T: ?Sized + 'rwlock> {
    _held: Held<'rwlock>,
    inner: real::RwLockReadGuard<'rwlock, T>,
}

/// Instrumented [`std::sync::RwLockWriteGuard`](real::RwLockWriteGuard).
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'rwlock, T: ?Sized + 'rwlock> {
    held: Held<'rwlock>,
    inner: real::RwLockWriteGuard<'rwlock, T>,
}

impl<T: ?Sized> UnwindSafe for RwLock<T> {}
impl<T: ?Sized> RefUnwindSafe for RwLock<T> {}

impl<T> RwLock<T> {
    /// See [`std::sync::RwLock::new`](real::RwLock::new).
    #[track_caller]
    #[inline]
    pub const fn new(t: T) -> RwLock<T> {
        RwLock { lock: Lock::new(ObjectKind::RwLock), inner: real::RwLock::new(t) }
    }
}

impl<T: ?Sized> RwLock<T> {
    #[inline]
    fn reading<'a>(
        &'a self,
        inner: real::RwLockReadGuard<'a, T>,
        how: How,
        place: &'static Location<'static>,
    ) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard { _held: self.lock.acquired(Mode::Shared, how, place, type_name::<T>), inner }
    }

    #[inline]
    fn writing<'a>(
        &'a self,
        inner: real::RwLockWriteGuard<'a, T>,
        how: How,
        place: &'static Location<'static>,
    ) -> RwLockWriteGuard<'a, T> {
        RwLockWriteGuard { held: self.lock.acquired(Mode::Exclusive, how, place, type_name::<T>), inner }
    }

    #[cold]
    fn poisoned<Inner, Guard>(
        &self,
        error: PoisonError<Inner>,
        place: &'static Location<'static>,
        wrap: impl FnOnce(Inner) -> Guard,
    ) -> PoisonError<Guard> {
        let guard = wrap(error.into_inner());
        self.lock.poison_seen(place, type_name::<T>);
        PoisonError::new(guard)
    }

    /// See [`std::sync::RwLock::read`](real::RwLock::read).
    #[track_caller]
    #[inline]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let place = Location::caller();
        match self.inner.try_read() {
            Ok(inner) => Ok(self.reading(inner, How::Blocking, place)),
            Err(error) => self.read_slowly(error, place),
        }
    }

    // Out of line, as is `write_slowly`, so that the guard of a lock that was free stays in registers.
    #[cold]
    #[inline(never)]
    fn read_slowly<'a>(
        &'a self,
        error: TryLockError<real::RwLockReadGuard<'a, T>>,
        place: &'static Location<'static>,
    ) -> LockResult<RwLockReadGuard<'a, T>> {
        let result = match error {
            TryLockError::Poisoned(error) => Err(error),
            TryLockError::WouldBlock => {
                self.lock.request(Mode::Shared, How::Blocking, place, type_name::<T>);
                self.inner.read()
            }
        };
        let wrap = |inner| self.reading(inner, How::Blocking, place);
        result.map(wrap).map_err(|error| self.poisoned(error, place, wrap))
    }

    /// See [`std::sync::RwLock::try_read`](real::RwLock::try_read).
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let place = Location::caller();
        let wrap = |inner| self.reading(inner, How::Try, place);
        match self.inner.try_read() {
            Ok(inner) => Ok(wrap(inner)),
            Err(TryLockError::Poisoned(error)) => Err(TryLockError::Poisoned(self.poisoned(error, place, wrap))),
            Err(TryLockError::WouldBlock) => {
                self.lock.try_failed(Mode::Shared, place, type_name::<T>);
                Err(TryLockError::WouldBlock)
            }
        }
    }

    /// See [`std::sync::RwLock::write`](real::RwLock::write).
    #[track_caller]
    #[inline]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let place = Location::caller();
        match self.inner.try_write() {
            Ok(inner) => Ok(self.writing(inner, How::Blocking, place)),
            Err(error) => self.write_slowly(error, place),
        }
    }

    #[cold]
    #[inline(never)]
    fn write_slowly<'a>(
        &'a self,
        error: TryLockError<real::RwLockWriteGuard<'a, T>>,
        place: &'static Location<'static>,
    ) -> LockResult<RwLockWriteGuard<'a, T>> {
        let result = match error {
            TryLockError::Poisoned(error) => Err(error),
            TryLockError::WouldBlock => {
                self.lock.request(Mode::Exclusive, How::Blocking, place, type_name::<T>);
                self.inner.write()
            }
        };
        let wrap = |inner| self.writing(inner, How::Blocking, place);
        result.map(wrap).map_err(|error| self.poisoned(error, place, wrap))
    }

    /// See [`std::sync::RwLock::try_write`](real::RwLock::try_write).
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let place = Location::caller();
        let wrap = |inner| self.writing(inner, How::Try, place);
        match self.inner.try_write() {
            Ok(inner) => Ok(wrap(inner)),
            Err(TryLockError::Poisoned(error)) => Err(TryLockError::Poisoned(self.poisoned(error, place, wrap))),
            Err(TryLockError::WouldBlock) => {
                self.lock.try_failed(Mode::Exclusive, place, type_name::<T>);
                Err(TryLockError::WouldBlock)
            }
        }
    }

    /// See [`std::sync::RwLock::is_poisoned`](real::RwLock::is_poisoned).
    #[inline]
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// See [`std::sync::RwLock::clear_poison`](real::RwLock::clear_poison).
    #[track_caller]
    pub fn clear_poison(&self) {
        if self.inner.is_poisoned() {
            self.lock.poison_cleared(Location::caller(), type_name::<T>);
        }
        self.inner.clear_poison();
    }

    /// See [`std::sync::RwLock::into_inner`](real::RwLock::into_inner).
    pub fn into_inner(self) -> LockResult<T>
    where
        T: Sized,
    {
        self.inner.into_inner()
    }

    /// See [`std::sync::RwLock::get_mut`](real::RwLock::get_mut).
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(t: T) -> Self {
        RwLock::new(t)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> RwLock<T> {
        RwLock::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    // The try by which the original looks inside is no use of the lock by the program, and is not recorded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<'rwlock, T: ?Sized> RwLockWriteGuard<'rwlock, T> {
    /// See [`std::sync::RwLockWriteGuard::downgrade`](real::RwLockWriteGuard::downgrade).
    #[track_caller]
    pub fn downgrade(s: Self) -> RwLockReadGuard<'rwlock, T> {
        let RwLockWriteGuard { held, inner } = s;
        // Recorded first: once readers are let in, a later event of theirs must not meet a writer.
        let held = held.convert(Mode::Shared, Location::caller());
        RwLockReadGuard { _held: held, inner: real::RwLockWriteGuard::downgrade(inner) }
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.inner
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.held.wrote();
        &mut self.inner
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
