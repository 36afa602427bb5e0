//! Instrumented [`RwLock`](real::RwLock).

use core::any::type_name;
use core::fmt;
use core::panic::Location;

use conccheck_rt::lock::{Held, Lock};
use conccheck_rt::{How, Mode, ObjectKind};
use lock_api_orig::{self as real, RawRwLock, RawRwLockFair, RawRwLockTimed, RawRwLockUpgrade, RawRwLockUpgradeTimed};
#[cfg(not(conccheck_original = "0.5"))]
use lock_api_orig::{RawRwLockRecursive, RawRwLockRecursiveTimed};

use crate::attempt::Attempt;
use crate::{RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard};

/// Instrumented [`lock_api::RwLock`](real::RwLock).
pub struct RwLock<R, T: ?Sized> {
    pub(crate) lock: Lock,
    pub(crate) inner: real::RwLock<R, T>,
}

impl<R: RawRwLock, T> RwLock<R, T> {
    /// See [`lock_api::RwLock::new`](real::RwLock::new).
    #[track_caller]
    #[inline]
    pub const fn new(val: T) -> RwLock<R, T> {
        RwLock::from_raw(R::INIT, val)
    }

    /// See [`lock_api::RwLock::into_inner`](real::RwLock::into_inner).
    #[inline]
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
}

impl<R, T> RwLock<R, T> {
    /// See [`lock_api::RwLock::from_raw`](real::RwLock).
    #[track_caller]
    #[inline]
    pub const fn from_raw(raw_rwlock: R, val: T) -> RwLock<R, T> {
        #[cfg(conccheck_original = "0.5")]
        let inner = real::RwLock::from_raw(raw_rwlock, val);
        #[cfg(not(conccheck_original = "0.5"))]
        let inner = real::RwLock::const_new(raw_rwlock, val);
        RwLock { lock: Lock::new(ObjectKind::RwLock), inner }
    }

    /// See [`lock_api::RwLock::into_inner_with_raw`](real::RwLock).
    #[cfg(conccheck_original = "0.5")]
    #[inline]
    pub fn into_inner_with_raw(self) -> (R, T) {
        self.inner.into_inner_with_raw()
    }

    /// See [`lock_api::RwLock::const_new`](real::RwLock).
    #[cfg(not(conccheck_original = "0.5"))]
    #[track_caller]
    #[inline]
    pub const fn const_new(raw_rwlock: R, val: T) -> RwLock<R, T> {
        RwLock::from_raw(raw_rwlock, val)
    }
}

/// How a raw lock reads. In 0.5, raw locks whose readers pass queued writers are types of their own.
pub(crate) fn read_mode<R>() -> Mode {
    if cfg!(conccheck_original = "0.5") && is_recursive(type_name::<R>()) { Mode::RecursiveShared } else { Mode::Shared }
}

/// Whether readers pass queued writers of this type of raw lock, which only its name tells: parking_lot's is made so by a parameter.
fn is_recursive(raw_lock: &str) -> bool {
    raw_lock.ends_with("::RawRwLock<true>") || raw_lock.ends_with("Recursive")
}

/// The ways to ask for a lock in one mode. `$attempt` is the original's that never waits.
macro_rules! acquisitions {
    ($guard:ident, $mode:expr, $attempt:ident, $wait:ident) => {
        #[doc = concat!("See [`lock_api::RwLock::", stringify!($wait), "`](real::RwLock::", stringify!($wait), ").")]
        #[track_caller]
        pub fn $wait(&self) -> $guard<'_, R, T> {
            let attempt = self.attempt($mode, Location::caller());
            $guard::new(self, attempt.blocking(|| self.inner.$attempt(), || self.inner.$wait()))
        }

        #[doc = concat!("See [`lock_api::RwLock::", stringify!($attempt), "`](real::RwLock::", stringify!($attempt), ").")]
        #[track_caller]
        pub fn $attempt(&self) -> Option<$guard<'_, R, T>> {
            let attempt = self.attempt($mode, Location::caller());
            attempt.once(|| self.inner.$attempt()).map(|got| $guard::new(self, got))
        }
    };
    (timed $guard:ident, $mode:expr, $attempt:ident, $wait:ident $limit:ident) => {
        #[doc = concat!("See [`lock_api::RwLock::", stringify!($wait), "`](real::RwLock::", stringify!($wait), ").")]
        #[track_caller]
        pub fn $wait(&self, timeout: R::$limit) -> Option<$guard<'_, R, T>> {
            let attempt = self.attempt($mode, Location::caller());
            attempt.timed(|| self.inner.$attempt(), || self.inner.$wait(timeout)).map(|got| $guard::new(self, got))
        }
    };
    // A guard for a lock that was got behind the facade, which did not wait here.
    (unchecked $guard:ident, $mode:expr, $make:ident $state:ident) => {
        #[doc = concat!("See [`lock_api::RwLock::", stringify!($make), "`](real::RwLock::", stringify!($make), ").")]
        ///
        /// # Safety
        /// As the original's.
        #[cfg(not(conccheck_before = "0.4.11"))]
        #[track_caller]
        #[expect(unsafe_code, reason = "as in the original")]
        pub unsafe fn $make(&self, #[cfg(conccheck_original = "0.5")] guard: R::$state) -> $guard<'_, R, T> {
            // SAFETY: as the caller promises.
            let inner = unsafe {
                self.inner.$make(
                    #[cfg(conccheck_original = "0.5")]
                    guard,
                )
            };
            $guard::new(self, (self.attempt($mode, Location::caller()).acquired(How::Try), inner))
        }
    };
    // The end of the hold of a guard that was forgotten.
    (force $mode:expr, $unlock:ident $state:ident) => {
        #[doc = concat!("See [`lock_api::RwLock::", stringify!($unlock), "`](real::RwLock::", stringify!($unlock), ").")]
        ///
        /// # Safety
        /// As the original's.
        #[track_caller]
        #[expect(unsafe_code, reason = "as in the original")]
        pub unsafe fn $unlock(&self, #[cfg(conccheck_original = "0.5")] guard: R::$state) {
            drop(self.lock.forgotten($mode, type_name::<T>));
            // SAFETY: as the caller promises.
            unsafe {
                self.inner.$unlock(
                    #[cfg(conccheck_original = "0.5")]
                    guard,
                );
            }
        }
    };
}

impl<R: RawRwLock, T: ?Sized> RwLock<R, T> {
    pub(crate) fn attempt(&self, mode: Mode, place: &'static Location<'static>) -> Attempt<'_> {
        Attempt { lock: &self.lock, mode, place, type_name: type_name::<T> }
    }

    /// Whether the lock is taken in a way that a reader waits for. Older versions can't tell in which way it is taken.
    pub(crate) fn is_locked_to_readers(&self) -> bool {
        #[cfg(not(conccheck_before = "0.4.6"))]
        let is_locked = self.inner.is_locked_exclusive();
        #[cfg(conccheck_before = "0.4.6")]
        let is_locked = self.is_locked();
        is_locked
    }

    acquisitions!(RwLockReadGuard, read_mode::<R>(), try_read, read);
    acquisitions!(RwLockWriteGuard, Mode::Exclusive, try_write, write);
    acquisitions!(unchecked RwLockReadGuard, read_mode::<R>(), make_read_guard_unchecked SharedGuard);
    acquisitions!(unchecked RwLockWriteGuard, Mode::Exclusive, make_write_guard_unchecked ExclusiveGuard);
    acquisitions!(force Mode::Shared, force_unlock_read SharedGuard);
    acquisitions!(force Mode::Exclusive, force_unlock_write ExclusiveGuard);

    /// See [`lock_api::RwLock::get_mut`](real::RwLock::get_mut).
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }

    /// See [`lock_api::RwLock::is_locked`](real::RwLock::is_locked).
    #[inline]
    pub fn is_locked(&self) -> bool {
        #[cfg(not(conccheck_before = "0.4.0"))]
        let is_locked = self.inner.is_locked();
        #[cfg(conccheck_before = "0.4.0")]
        let is_locked = self.inner.try_write().is_none();
        is_locked
    }

    /// See [`lock_api::RwLock::is_locked_exclusive`](real::RwLock::is_locked_exclusive).
    #[cfg(not(conccheck_before = "0.4.6"))]
    #[inline]
    pub fn is_locked_exclusive(&self) -> bool {
        self.inner.is_locked_exclusive()
    }

    /// See [`lock_api::RwLock::raw`](real::RwLock::raw).
    ///
    /// # Safety
    /// As the original's.
    #[inline]
    #[expect(unsafe_code, reason = "as in the original")]
    pub unsafe fn raw(&self) -> &R {
        // SAFETY: as the caller promises.
        unsafe { self.inner.raw() }
    }

    /// See [`lock_api::RwLock::data_ptr`](real::RwLock::data_ptr).
    #[cfg(not(conccheck_before = "0.4.1"))]
    #[inline]
    pub fn data_ptr(&self) -> *mut T {
        self.inner.data_ptr()
    }
}

impl<R: RawRwLockFair, T: ?Sized> RwLock<R, T> {
    acquisitions!(force Mode::Shared, force_unlock_read_fair SharedGuard);
    acquisitions!(force Mode::Exclusive, force_unlock_write_fair ExclusiveGuard);
}

impl<R: RawRwLockTimed, T: ?Sized> RwLock<R, T> {
    acquisitions!(timed RwLockReadGuard, read_mode::<R>(), try_read, try_read_for Duration);
    acquisitions!(timed RwLockReadGuard, read_mode::<R>(), try_read, try_read_until Instant);
    acquisitions!(timed RwLockWriteGuard, Mode::Exclusive, try_write, try_write_for Duration);
    acquisitions!(timed RwLockWriteGuard, Mode::Exclusive, try_write, try_write_until Instant);
}

#[cfg(not(conccheck_original = "0.5"))]
impl<R: RawRwLockRecursive, T: ?Sized> RwLock<R, T> {
    acquisitions!(RwLockReadGuard, Mode::RecursiveShared, try_read_recursive, read_recursive);
}

#[cfg(not(conccheck_original = "0.5"))]
impl<R: RawRwLockRecursiveTimed, T: ?Sized> RwLock<R, T> {
    acquisitions!(timed RwLockReadGuard, Mode::RecursiveShared, try_read_recursive, try_read_recursive_for Duration);
    acquisitions!(timed RwLockReadGuard, Mode::RecursiveShared, try_read_recursive, try_read_recursive_until Instant);
}

impl<R: RawRwLockUpgrade, T: ?Sized> RwLock<R, T> {
    acquisitions!(RwLockUpgradableReadGuard, Mode::Upgradable, try_upgradable_read, upgradable_read);
    acquisitions!(unchecked RwLockUpgradableReadGuard, Mode::Upgradable, make_upgradable_guard_unchecked UpgradableGuard);
}

impl<R: RawRwLockUpgradeTimed, T: ?Sized> RwLock<R, T> {
    acquisitions!(timed RwLockUpgradableReadGuard, Mode::Upgradable, try_upgradable_read, try_upgradable_read_for Duration);
    acquisitions!(timed RwLockUpgradableReadGuard, Mode::Upgradable, try_upgradable_read, try_upgradable_read_until Instant);
}

impl<R: RawRwLock, T: Default> Default for RwLock<R, T> {
    #[track_caller]
    fn default() -> RwLock<R, T> {
        RwLock::new(T::default())
    }
}

impl<R: RawRwLock, T> From<T> for RwLock<R, T> {
    #[track_caller]
    fn from(t: T) -> RwLock<R, T> {
        RwLock::new(t)
    }
}

impl<R: RawRwLock, T: ?Sized + fmt::Debug> fmt::Debug for RwLock<R, T> {
    // The try by which the original looks inside is no use of the lock by the program, and is not recorded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[cfg(feature = "serde")]
impl<R: RawRwLock, T: serde::Serialize + ?Sized> serde::Serialize for RwLock<R, T> {
    #[track_caller]
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.read().serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de, R: RawRwLock, T: serde::Deserialize<'de>> serde::Deserialize<'de> for RwLock<R, T> {
    #[track_caller]
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(RwLock::new)
    }
}

impl<'a, R: RawRwLock, T: ?Sized> RwLockReadGuard<'a, R, T> {
    #[inline]
    pub(crate) fn new(rwlock: &'a RwLock<R, T>, (held, inner): (Held<'a>, real::RwLockReadGuard<'a, R, T>)) -> Self {
        RwLockReadGuard { held, inner, rwlock }
    }
}

impl<'a, R: RawRwLock, T: ?Sized> RwLockWriteGuard<'a, R, T> {
    #[inline]
    pub(crate) fn new(rwlock: &'a RwLock<R, T>, (held, inner): (Held<'a>, real::RwLockWriteGuard<'a, R, T>)) -> Self {
        RwLockWriteGuard { held, inner, rwlock }
    }
}

impl<'a, R: RawRwLockUpgrade, T: ?Sized> RwLockUpgradableReadGuard<'a, R, T> {
    #[inline]
    pub(crate) fn new(rwlock: &'a RwLock<R, T>, (held, inner): (Held<'a>, real::RwLockUpgradableReadGuard<'a, R, T>)) -> Self {
        RwLockUpgradableReadGuard { held, inner, rwlock }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readers_of_parking_lot_wait_for_queued_writers_unless_they_are_recursive() {
        assert!(is_recursive(type_name::<parking_lot_13::RawRwLockRecursive>()));
        assert!(!is_recursive(type_name::<parking_lot_13::RawRwLock>()));
    }
}
