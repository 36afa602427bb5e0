//! Instrumented [`Mutex`](real::Mutex).

use core::any::type_name;
use core::fmt;
use core::panic::Location;

use conccheck_rt::lock::{Held, Lock};
use conccheck_rt::{How, Mode, ObjectKind};
use lock_api_orig::{self as real, RawMutex, RawMutexFair, RawMutexTimed};

use crate::attempt::Attempt;

/// Instrumented [`lock_api::Mutex`](real::Mutex).
pub struct Mutex<R, T: ?Sized> {
    pub(crate) lock: Lock,
    pub(crate) inner: real::Mutex<R, T>,
}

/// Instrumented [`lock_api::MutexGuard`](real::MutexGuard).
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, R: RawMutex, T: ?Sized> {
    pub(crate) held: Held<'a>,
    pub(crate) inner: real::MutexGuard<'a, R, T>,
    pub(crate) mutex: &'a Mutex<R, T>,
}

/// Instrumented [`lock_api::MappedMutexGuard`](real::MappedMutexGuard).
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MappedMutexGuard<'a, R: RawMutex, T: ?Sized> {
    held: Held<'a>,
    inner: real::MappedMutexGuard<'a, R, T>,
}

impl<R: RawMutex, T> Mutex<R, T> {
    /// See [`lock_api::Mutex::new`](real::Mutex::new).
    #[track_caller]
    #[inline]
    pub const fn new(val: T) -> Mutex<R, T> {
        Mutex::from_raw(R::INIT, val)
    }

    /// See [`lock_api::Mutex::into_inner`](real::Mutex::into_inner).
    #[inline]
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
}

impl<R, T> Mutex<R, T> {
    /// See [`lock_api::Mutex::from_raw`](real::Mutex).
    #[track_caller]
    #[inline]
    pub const fn from_raw(raw_mutex: R, val: T) -> Mutex<R, T> {
        #[cfg(conccheck_original = "0.5")]
        let inner = real::Mutex::from_raw(raw_mutex, val);
        #[cfg(not(conccheck_original = "0.5"))]
        let inner = real::Mutex::const_new(raw_mutex, val);
        Mutex { lock: Lock::new(ObjectKind::Mutex), inner }
    }

    /// See [`lock_api::Mutex::into_inner_with_raw`](real::Mutex).
    #[cfg(conccheck_original = "0.5")]
    #[inline]
    pub fn into_inner_with_raw(self) -> (R, T) {
        self.inner.into_inner_with_raw()
    }

    /// See [`lock_api::Mutex::const_new`](real::Mutex).
    #[cfg(not(conccheck_original = "0.5"))]
    #[track_caller]
    #[inline]
    pub const fn const_new(raw_mutex: R, val: T) -> Mutex<R, T> {
        Mutex::from_raw(raw_mutex, val)
    }
}

impl<R: RawMutex, T: ?Sized> Mutex<R, T> {
    pub(crate) fn attempt(&self, mode: Mode, place: &'static Location<'static>) -> Attempt<'_> {
        Attempt { lock: &self.lock, mode, place, type_name: type_name::<T> }
    }

    #[inline]
    fn guard<'a>(&'a self, (held, inner): (Held<'a>, real::MutexGuard<'a, R, T>)) -> MutexGuard<'a, R, T> {
        MutexGuard { held, inner, mutex: self }
    }

    /// See [`lock_api::Mutex::make_guard_unchecked`](real::Mutex::make_guard_unchecked). Recorded as an acquisition that was tried,
    /// since it did not wait here.
    ///
    /// # Safety
    /// As the original's.
    #[cfg(not(conccheck_before = "0.4.11"))]
    #[track_caller]
    #[expect(unsafe_code, reason = "as in the original")]
    pub unsafe fn make_guard_unchecked(&self, #[cfg(conccheck_original = "0.5")] guard: R::Guard) -> MutexGuard<'_, R, T> {
        // SAFETY: as the caller promises.
        let inner = unsafe {
            self.inner.make_guard_unchecked(
                #[cfg(conccheck_original = "0.5")]
                guard,
            )
        };
        self.guard((self.attempt(Mode::Exclusive, Location::caller()).acquired(How::Try), inner))
    }

    /// See [`lock_api::Mutex::lock`](real::Mutex::lock).
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, R, T> {
        let attempt = self.attempt(Mode::Exclusive, Location::caller());
        self.guard(attempt.blocking(|| self.inner.try_lock(), || self.inner.lock()))
    }

    /// See [`lock_api::Mutex::try_lock`](real::Mutex::try_lock).
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, R, T>> {
        let attempt = self.attempt(Mode::Exclusive, Location::caller());
        attempt.once(|| self.inner.try_lock()).map(|got| self.guard(got))
    }

    /// See [`lock_api::Mutex::get_mut`](real::Mutex::get_mut).
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }

    /// See [`lock_api::Mutex::is_locked`](real::Mutex::is_locked).
    #[inline]
    pub fn is_locked(&self) -> bool {
        #[cfg(not(conccheck_before = "0.4.0"))]
        let is_locked = self.inner.is_locked();
        #[cfg(conccheck_before = "0.4.0")]
        let is_locked = self.inner.try_lock().is_none();
        is_locked
    }

    /// See [`lock_api::Mutex::force_unlock`](real::Mutex::force_unlock).
    ///
    /// # Safety
    /// As the original's.
    #[track_caller]
    #[expect(unsafe_code, reason = "as in the original")]
    pub unsafe fn force_unlock(&self, #[cfg(conccheck_original = "0.5")] guard: R::Guard) {
        drop(self.lock.forgotten(Mode::Exclusive, type_name::<T>));
        // SAFETY: as the caller promises.
        unsafe {
            self.inner.force_unlock(
                #[cfg(conccheck_original = "0.5")]
                guard,
            );
        }
    }

    /// See [`lock_api::Mutex::raw`](real::Mutex::raw).
    ///
    /// # Safety
    /// As the original's.
    #[inline]
    #[expect(unsafe_code, reason = "as in the original")]
    pub unsafe fn raw(&self) -> &R {
        // SAFETY: as the caller promises.
        unsafe { self.inner.raw() }
    }

    /// See [`lock_api::Mutex::data_ptr`](real::Mutex::data_ptr).
    #[cfg(not(conccheck_before = "0.4.1"))]
    #[inline]
    pub fn data_ptr(&self) -> *mut T {
        self.inner.data_ptr()
    }
}

impl<R: RawMutexFair, T: ?Sized> Mutex<R, T> {
    /// See [`lock_api::Mutex::force_unlock_fair`](real::Mutex::force_unlock_fair).
    ///
    /// # Safety
    /// As the original's.
    #[track_caller]
    #[expect(unsafe_code, reason = "as in the original")]
    pub unsafe fn force_unlock_fair(&self, #[cfg(conccheck_original = "0.5")] guard: R::Guard) {
        drop(self.lock.forgotten(Mode::Exclusive, type_name::<T>));
        // SAFETY: as the caller promises.
        unsafe {
            self.inner.force_unlock_fair(
                #[cfg(conccheck_original = "0.5")]
                guard,
            );
        }
    }
}

impl<R: RawMutexTimed, T: ?Sized> Mutex<R, T> {
    /// See [`lock_api::Mutex::try_lock_for`](real::Mutex::try_lock_for).
    #[track_caller]
    pub fn try_lock_for(&self, timeout: R::Duration) -> Option<MutexGuard<'_, R, T>> {
        let attempt = self.attempt(Mode::Exclusive, Location::caller());
        attempt.timed(|| self.inner.try_lock(), || self.inner.try_lock_for(timeout)).map(|got| self.guard(got))
    }

    /// See [`lock_api::Mutex::try_lock_until`](real::Mutex::try_lock_until).
    #[track_caller]
    pub fn try_lock_until(&self, timeout: R::Instant) -> Option<MutexGuard<'_, R, T>> {
        let attempt = self.attempt(Mode::Exclusive, Location::caller());
        attempt.timed(|| self.inner.try_lock(), || self.inner.try_lock_until(timeout)).map(|got| self.guard(got))
    }
}

impl<R: RawMutex, T: Default> Default for Mutex<R, T> {
    #[track_caller]
    fn default() -> Mutex<R, T> {
        Mutex::new(T::default())
    }
}

impl<R: RawMutex, T> From<T> for Mutex<R, T> {
    #[track_caller]
    fn from(t: T) -> Mutex<R, T> {
        Mutex::new(t)
    }
}

impl<R: RawMutex, T: ?Sized + fmt::Debug> fmt::Debug for Mutex<R, T> {
    // The try by which the original looks inside is no use of the lock by the program, and is not recorded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[cfg(feature = "serde")]
impl<R: RawMutex, T: serde::Serialize + ?Sized> serde::Serialize for Mutex<R, T> {
    #[track_caller]
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.lock().serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de, R: RawMutex, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Mutex<R, T> {
    #[track_caller]
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Mutex::new)
    }
}

impl<'a, R: RawMutex + 'a, T: ?Sized + 'a> MutexGuard<'a, R, T> {
    /// See [`lock_api::MutexGuard::mutex`](real::MutexGuard::mutex).
    #[inline]
    pub fn mutex(s: &Self) -> &'a Mutex<R, T> {
        s.mutex
    }

    /// See [`lock_api::MutexGuard::leak`](real::MutexGuard::leak).
    #[cfg(not(conccheck_before = "0.4.7"))]
    #[inline]
    pub fn leak(s: Self) -> &'a mut T {
        let MutexGuard { mut held, inner, .. } = s;
        held.wrote();
        core::mem::forget(held);
        real::MutexGuard::leak(inner)
    }

    /// For condition variables, which give the lock up while its guard lives: the hold, and the original guard.
    #[doc(hidden)]
    pub fn conccheck_parts(s: &mut Self) -> (&mut Held<'a>, &mut real::MutexGuard<'a, R, T>) {
        (&mut s.held, &mut s.inner)
    }

    narrowing!(MutexGuard => MappedMutexGuard<R>, [&mut] [&mut], {mutex} wrote);
    unlocking!(MutexGuard mutex, Mode::Exclusive, is_locked, unlocked);
}

impl<'a, R: RawMutexFair + 'a, T: ?Sized + 'a> MutexGuard<'a, R, T> {
    unlocking!(fair MutexGuard mutex, Mode::Exclusive, is_locked);
}

impl<'a, R: RawMutex + 'a, T: ?Sized + 'a> MappedMutexGuard<'a, R, T> {
    narrowing!(MappedMutexGuard => MappedMutexGuard<R>, [&mut] [&mut], {} wrote);
}

impl<'a, R: RawMutexFair + 'a, T: ?Sized + 'a> MappedMutexGuard<'a, R, T> {
    fair_unlock!(MappedMutexGuard);
}

crosses_threads!(['a, R: RawMutex + 'a] MutexGuard<'a, R, T>);
guard_traits!(mut ['a, R: RawMutex + 'a] MutexGuard<'a, R, T>);
guard_traits!(mut ['a, R: RawMutex + 'a] MappedMutexGuard<'a, R, T>);
