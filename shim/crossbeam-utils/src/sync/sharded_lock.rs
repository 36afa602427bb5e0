//! Instrumented [`ShardedLock`](real::ShardedLock).

use std::any::type_name;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::panic::{Location, RefUnwindSafe, UnwindSafe};
use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

use conccheck_rt::lock::{Held, Lock};
use conccheck_rt::{How, Mode, ObjectKind};
use crossbeam_utils_orig::sync as real;

/// Instrumented [`crossbeam_utils::sync::ShardedLock`](real::ShardedLock).
pub struct ShardedLock<T: ?Sized> {
    lock: Lock,
    inner: real::ShardedLock<T>,
}

/// Instrumented [`crossbeam_utils::sync::ShardedLockReadGuard`](real::ShardedLockReadGuard).
// Fields drop in this order, so the release is recorded before the real unlock.
#[clippy::has_significant_drop]
pub struct ShardedLockReadGuard<'a, T: ?Sized> {
    _held: Held<'a>,
    inner: real::ShardedLockReadGuard<'a, T>,
}

/// Instrumented [`crossbeam_utils::sync::ShardedLockWriteGuard`](real::ShardedLockWriteGuard).
#[clippy::has_significant_drop]
pub struct ShardedLockWriteGuard<'a, T: ?Sized> {
    held: Held<'a>,
    inner: real::ShardedLockWriteGuard<'a, T>,
}

impl<T: ?Sized> UnwindSafe for ShardedLock<T> {}
impl<T: ?Sized> RefUnwindSafe for ShardedLock<T> {}

impl<T> ShardedLock<T> {
    /// See [`crossbeam_utils::sync::ShardedLock::new`](real::ShardedLock::new).
    #[track_caller]
    pub fn new(value: T) -> ShardedLock<T> {
        ShardedLock { lock: Lock::new(ObjectKind::RwLock), inner: real::ShardedLock::new(value) }
    }

    /// See [`crossbeam_utils::sync::ShardedLock::into_inner`](real::ShardedLock::into_inner).
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

/// Asking for the lock in one mode: without waiting, and with.
macro_rules! acquisitions {
    ($guard:ident { $held:ident }, $mode:expr, $attempt:ident, $wait:ident) => {
        #[doc = concat!("See [`crossbeam_utils::sync::ShardedLock::", stringify!($attempt), "`](real::ShardedLock::", stringify!($attempt), ").")]
        #[track_caller]
        pub fn $attempt(&self) -> TryLockResult<$guard<'_, T>> {
            let place = Location::caller();
            let wrap = |inner| $guard { $held: self.held($mode, How::Try, place), inner };
            match self.inner.$attempt() {
                Ok(inner) => Ok(wrap(inner)),
                Err(TryLockError::Poisoned(error)) => Err(TryLockError::Poisoned(self.poisoned(error, place, wrap))),
                Err(TryLockError::WouldBlock) => {
                    self.lock.try_failed($mode, place, type_name::<T>);
                    Err(TryLockError::WouldBlock)
                }
            }
        }

        #[doc = concat!("See [`crossbeam_utils::sync::ShardedLock::", stringify!($wait), "`](real::ShardedLock::", stringify!($wait), ").")]
        #[track_caller]
        pub fn $wait(&self) -> LockResult<$guard<'_, T>> {
            let place = Location::caller();
            let wrap = |inner| $guard { $held: self.held($mode, How::Blocking, place), inner };
            let result = match self.inner.$attempt() {
                Ok(inner) => Ok(inner),
                Err(TryLockError::Poisoned(error)) => Err(error),
                Err(TryLockError::WouldBlock) => {
                    self.lock.request($mode, How::Blocking, place, type_name::<T>);
                    self.inner.$wait()
                }
            };
            result.map(wrap).map_err(|error| self.poisoned(error, place, wrap))
        }
    };
}

impl<T: ?Sized> ShardedLock<T> {
    fn held(&self, mode: Mode, how: How, place: &'static Location<'static>) -> Held<'_> {
        self.lock.acquired(mode, how, place, type_name::<T>)
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

    acquisitions!(ShardedLockReadGuard { _held }, Mode::Shared, try_read, read);
    acquisitions!(ShardedLockWriteGuard { held }, Mode::Exclusive, try_write, write);

    /// See [`crossbeam_utils::sync::ShardedLock::is_poisoned`](real::ShardedLock::is_poisoned).
    pub fn is_poisoned(&self) -> bool {
        self.inner.is_poisoned()
    }

    /// See [`crossbeam_utils::sync::ShardedLock::get_mut`](real::ShardedLock::get_mut).
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

impl<T: Default> Default for ShardedLock<T> {
    #[track_caller]
    fn default() -> ShardedLock<T> {
        ShardedLock::new(T::default())
    }
}

impl<T> From<T> for ShardedLock<T> {
    #[track_caller]
    fn from(t: T) -> Self {
        ShardedLock::new(t)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for ShardedLock<T> {
    // The try by which the original looks inside is no use of the lock by the program, and is not recorded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// What both guards can do.
macro_rules! guard_traits {
    ($guard:ident) => {
        impl<T: ?Sized> Deref for $guard<'_, T> {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                &self.inner
            }
        }

        impl<T: fmt::Debug> fmt::Debug for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }

        impl<T: ?Sized + fmt::Display> fmt::Display for $guard<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}
guard_traits!(ShardedLockReadGuard);
guard_traits!(ShardedLockWriteGuard);

impl<T: ?Sized> DerefMut for ShardedLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.held.wrote();
        &mut self.inner
    }
}
