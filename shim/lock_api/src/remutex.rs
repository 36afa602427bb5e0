//! Instrumented [`ReentrantMutex`](real::ReentrantMutex).

use core::any::type_name;
use core::fmt;
use core::panic::Location;

use conccheck_rt::lock::{Held, Lock};
use conccheck_rt::{How, Mode, ObjectKind};
use lock_api_orig::{self as real, GetThreadId, RawMutex, RawMutexFair, RawMutexTimed};

use crate::attempt::Attempt;

/// Instrumented [`lock_api::ReentrantMutex`](real::ReentrantMutex).
pub struct ReentrantMutex<R: RawMutex, G, T: ?Sized> {
    pub(crate) lock: Lock,
    pub(crate) inner: real::ReentrantMutex<R, G, T>,
}

/// Instrumented [`lock_api::ReentrantMutexGuard`](real::ReentrantMutexGuard).
#[must_use = "if unused the ReentrantMutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct ReentrantMutexGuard<'a, R: RawMutex, G: GetThreadId, T: ?Sized> {
    pub(crate) held: Held<'a>,
    pub(crate) inner: real::ReentrantMutexGuard<'a, R, G, T>,
    pub(crate) remutex: &'a ReentrantMutex<R, G, T>,
}

/// Instrumented [`lock_api::MappedReentrantMutexGuard`](real::MappedReentrantMutexGuard).
#[must_use = "if unused the ReentrantMutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MappedReentrantMutexGuard<'a, R: RawMutex, G: GetThreadId, T: ?Sized> {
    held: Held<'a>,
    inner: real::MappedReentrantMutexGuard<'a, R, G, T>,
}

impl<R: RawMutex, G: GetThreadId, T> ReentrantMutex<R, G, T> {
    /// See [`lock_api::ReentrantMutex::new`](real::ReentrantMutex::new).
    #[track_caller]
    #[inline]
    pub const fn new(val: T) -> ReentrantMutex<R, G, T> {
        ReentrantMutex::from_raw(R::INIT, G::INIT, val)
    }

    /// See [`lock_api::ReentrantMutex::into_inner`](real::ReentrantMutex::into_inner).
    #[inline]
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
}

impl<R: RawMutex, G, T> ReentrantMutex<R, G, T> {
    /// See [`lock_api::ReentrantMutex::from_raw`](real::ReentrantMutex).
    #[track_caller]
    #[inline]
    pub const fn from_raw(raw_mutex: R, get_thread_id: G, val: T) -> ReentrantMutex<R, G, T> {
        #[cfg(conccheck_original = "0.5")]
        let inner = real::ReentrantMutex::from_raw(raw_mutex, get_thread_id, val);
        #[cfg(not(conccheck_original = "0.5"))]
        let inner = real::ReentrantMutex::const_new(raw_mutex, get_thread_id, val);
        ReentrantMutex { lock: Lock::new(ObjectKind::ReentrantMutex), inner }
    }

    /// See [`lock_api::ReentrantMutex::into_inner_with_raw`](real::ReentrantMutex).
    #[cfg(conccheck_original = "0.5")]
    #[inline]
    pub fn into_inner_with_raw(self) -> (R, G, T) {
        self.inner.into_inner_with_raw()
    }

    /// See [`lock_api::ReentrantMutex::const_new`](real::ReentrantMutex).
    #[cfg(not(conccheck_original = "0.5"))]
    #[track_caller]
    #[inline]
    pub const fn const_new(raw_mutex: R, get_thread_id: G, val: T) -> ReentrantMutex<R, G, T> {
        ReentrantMutex::from_raw(raw_mutex, get_thread_id, val)
    }
}

impl<R: RawMutex, G: GetThreadId, T: ?Sized> ReentrantMutex<R, G, T> {
    pub(crate) fn attempt(&self, mode: Mode, place: &'static Location<'static>) -> Attempt<'_> {
        Attempt { lock: &self.lock, mode, place, type_name: type_name::<T> }
    }

    #[inline]
    fn guard<'a>(
        &'a self,
        (held, inner): (Held<'a>, real::ReentrantMutexGuard<'a, R, G, T>),
    ) -> ReentrantMutexGuard<'a, R, G, T> {
        ReentrantMutexGuard { held, inner, remutex: self }
    }

    /// See [`lock_api::ReentrantMutex::make_guard_unchecked`](real::ReentrantMutex::make_guard_unchecked). Recorded as an acquisition that was tried,
    /// since it did not wait here.
    ///
    /// # Safety
    /// As the original's.
    #[cfg(not(conccheck_before = "0.4.11"))]
    #[track_caller]
    #[expect(unsafe_code, reason = "as in the original")]
    pub unsafe fn make_guard_unchecked(&self) -> ReentrantMutexGuard<'_, R, G, T> {
        // SAFETY: as the caller promises.
        let inner = unsafe { self.inner.make_guard_unchecked() };
        self.guard((self.attempt(Mode::Reentrant, Location::caller()).acquired(How::Try), inner))
    }

    /// See [`lock_api::ReentrantMutex::lock`](real::ReentrantMutex::lock).
    #[track_caller]
    pub fn lock(&self) -> ReentrantMutexGuard<'_, R, G, T> {
        let attempt = self.attempt(Mode::Reentrant, Location::caller());
        self.guard(attempt.blocking(|| self.inner.try_lock(), || self.inner.lock()))
    }

    /// See [`lock_api::ReentrantMutex::try_lock`](real::ReentrantMutex::try_lock).
    #[track_caller]
    pub fn try_lock(&self) -> Option<ReentrantMutexGuard<'_, R, G, T>> {
        let attempt = self.attempt(Mode::Reentrant, Location::caller());
        attempt.once(|| self.inner.try_lock()).map(|got| self.guard(got))
    }

    /// See [`lock_api::ReentrantMutex::get_mut`](real::ReentrantMutex::get_mut).
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }

    /// See [`lock_api::ReentrantMutex::is_locked`](real::ReentrantMutex::is_locked).
    #[inline]
    pub fn is_locked(&self) -> bool {
        #[cfg(not(conccheck_before = "0.4.0"))]
        let is_locked = self.inner.is_locked();
        #[cfg(conccheck_before = "0.4.0")]
        let is_locked = self.inner.try_lock().is_none();
        is_locked
    }

    /// See [`lock_api::ReentrantMutex::is_owned_by_current_thread`](real::ReentrantMutex::is_owned_by_current_thread).
    #[cfg(not(conccheck_before = "0.4.3"))]
    #[inline]
    pub fn is_owned_by_current_thread(&self) -> bool {
        self.inner.is_owned_by_current_thread()
    }

    /// See [`lock_api::ReentrantMutex::force_unlock`](real::ReentrantMutex::force_unlock).
    ///
    /// # Safety
    /// As the original's.
    #[track_caller]
    #[expect(unsafe_code, reason = "as in the original")]
    pub unsafe fn force_unlock(&self) {
        drop(self.lock.forgotten(Mode::Reentrant, type_name::<T>));
        // SAFETY: as the caller promises.
        unsafe { self.inner.force_unlock() }
    }

    /// See [`lock_api::ReentrantMutex::raw`](real::ReentrantMutex::raw).
    ///
    /// # Safety
    /// As the original's.
    #[inline]
    #[expect(unsafe_code, reason = "as in the original")]
    pub unsafe fn raw(&self) -> &R {
        // SAFETY: as the caller promises.
        unsafe { self.inner.raw() }
    }

    /// See [`lock_api::ReentrantMutex::data_ptr`](real::ReentrantMutex::data_ptr).
    #[cfg(not(conccheck_before = "0.4.1"))]
    #[inline]
    pub fn data_ptr(&self) -> *mut T {
        self.inner.data_ptr()
    }
}

impl<R: RawMutexFair, G: GetThreadId, T: ?Sized> ReentrantMutex<R, G, T> {
    /// See [`lock_api::ReentrantMutex::force_unlock_fair`](real::ReentrantMutex::force_unlock_fair).
    ///
    /// # Safety
    /// As the original's.
    #[track_caller]
    #[expect(unsafe_code, reason = "as in the original")]
    pub unsafe fn force_unlock_fair(&self) {
        drop(self.lock.forgotten(Mode::Reentrant, type_name::<T>));
        // SAFETY: as the caller promises.
        unsafe { self.inner.force_unlock_fair() }
    }
}

impl<R: RawMutexTimed, G: GetThreadId, T: ?Sized> ReentrantMutex<R, G, T> {
    /// See [`lock_api::ReentrantMutex::try_lock_for`](real::ReentrantMutex::try_lock_for).
    #[track_caller]
    pub fn try_lock_for(&self, timeout: R::Duration) -> Option<ReentrantMutexGuard<'_, R, G, T>> {
        let attempt = self.attempt(Mode::Reentrant, Location::caller());
        attempt.timed(|| self.inner.try_lock(), || self.inner.try_lock_for(timeout)).map(|got| self.guard(got))
    }

    /// See [`lock_api::ReentrantMutex::try_lock_until`](real::ReentrantMutex::try_lock_until).
    #[track_caller]
    pub fn try_lock_until(&self, timeout: R::Instant) -> Option<ReentrantMutexGuard<'_, R, G, T>> {
        let attempt = self.attempt(Mode::Reentrant, Location::caller());
        attempt.timed(|| self.inner.try_lock(), || self.inner.try_lock_until(timeout)).map(|got| self.guard(got))
    }
}

impl<R: RawMutex, G: GetThreadId, T: Default> Default for ReentrantMutex<R, G, T> {
    #[track_caller]
    fn default() -> ReentrantMutex<R, G, T> {
        ReentrantMutex::new(T::default())
    }
}

impl<R: RawMutex, G: GetThreadId, T> From<T> for ReentrantMutex<R, G, T> {
    #[track_caller]
    fn from(t: T) -> ReentrantMutex<R, G, T> {
        ReentrantMutex::new(t)
    }
}

impl<R: RawMutex, G: GetThreadId, T: ?Sized + fmt::Debug> fmt::Debug for ReentrantMutex<R, G, T> {
    // The try by which the original looks inside is no use of the lock by the program, and is not recorded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[cfg(feature = "serde")]
impl<R: RawMutex, G: GetThreadId, T: serde::Serialize + ?Sized> serde::Serialize for ReentrantMutex<R, G, T> {
    #[track_caller]
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.lock().serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de, R: RawMutex, G: GetThreadId, T: serde::Deserialize<'de>> serde::Deserialize<'de> for ReentrantMutex<R, G, T> {
    #[track_caller]
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(ReentrantMutex::new)
    }
}

impl<'a, R: RawMutex + 'a, G: GetThreadId + 'a, T: ?Sized + 'a> ReentrantMutexGuard<'a, R, G, T> {
    /// See [`lock_api::ReentrantMutexGuard::remutex`](real::ReentrantMutexGuard::remutex).
    #[inline]
    pub fn remutex(s: &Self) -> &'a ReentrantMutex<R, G, T> {
        s.remutex
    }

    #[cfg(not(conccheck_before = "0.4.9"))]
    narrowing!(ReentrantMutexGuard => MappedReentrantMutexGuard<R, G>, [&] [&], {remutex});
    #[cfg(conccheck_before = "0.4.9")]
    narrowing!(ReentrantMutexGuard => MappedReentrantMutexGuard<R, G>, [&] [&mut], {remutex});
    unlocking!(ReentrantMutexGuard remutex, Mode::Reentrant, is_locked, unlocked);
}

impl<'a, R: RawMutexFair + 'a, G: GetThreadId + 'a, T: ?Sized + 'a> ReentrantMutexGuard<'a, R, G, T> {
    unlocking!(fair ReentrantMutexGuard remutex, Mode::Reentrant, is_locked);
}

impl<'a, R: RawMutex + 'a, G: GetThreadId + 'a, T: ?Sized + 'a> MappedReentrantMutexGuard<'a, R, G, T> {
    narrowing!(MappedReentrantMutexGuard => MappedReentrantMutexGuard<R, G>, [&] [&], {});
}

impl<'a, R: RawMutexFair + 'a, G: GetThreadId + 'a, T: ?Sized + 'a> MappedReentrantMutexGuard<'a, R, G, T> {
    fair_unlock!(MappedReentrantMutexGuard);
}

crosses_threads!(['a, R: RawMutex + 'a, G: GetThreadId + 'a] ReentrantMutexGuard<'a, R, G, T>);
guard_traits!(['a, R: RawMutex + 'a, G: GetThreadId + 'a] ReentrantMutexGuard<'a, R, G, T>);
guard_traits!(['a, R: RawMutex + 'a, G: GetThreadId + 'a] MappedReentrantMutexGuard<'a, R, G, T>);
