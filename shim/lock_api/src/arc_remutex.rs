//! The instrumented guard that owns its [`ReentrantMutex`].

use alloc::sync::Arc;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::panic::Location;

use conccheck_rt::Mode;
use conccheck_rt::lock::Held;
use lock_api_orig::{self as real, GetThreadId, GuardNoSend, RawMutex, RawMutexFair, RawMutexTimed};

use crate::finally::{Finally, never_unwinding};
use crate::state::Nothing;
use crate::{ReentrantMutex, ReentrantMutexGuard};

// Neither version gives who locks it anything. The raw lock within can't be asked: the count of its owner's locks is beside it.

fn try_lock<R: RawMutex, G: GetThreadId, T: ?Sized>(mutex: &real::ReentrantMutex<R, G, T>) -> Option<Nothing> {
    core::mem::forget(mutex.try_lock()?);
    Some(Nothing)
}

fn lock<R: RawMutex, G: GetThreadId, T: ?Sized>(mutex: &real::ReentrantMutex<R, G, T>) -> Nothing {
    core::mem::forget(mutex.lock());
    Nothing
}

#[expect(unsafe_code, reason = "the guards, which hold the lock, are the only callers")]
fn unlock<R: RawMutex, G: GetThreadId, T: ?Sized>(mutex: &real::ReentrantMutex<R, G, T>, Nothing: Nothing) {
    // SAFETY: called only for a guard that gives its lock up.
    unsafe { mutex.force_unlock() }
}

#[expect(unsafe_code, reason = "the guards, which hold the lock, are the only callers")]
fn unlock_fair<R: RawMutexFair, G: GetThreadId, T: ?Sized>(mutex: &real::ReentrantMutex<R, G, T>, Nothing: Nothing) {
    // SAFETY: called only for a guard that gives its lock up.
    unsafe { mutex.force_unlock_fair() }
}

arc_guard!(
    ArcReentrantMutexGuard[R: RawMutex, G: GetThreadId] remutex: ReentrantMutex, Mode::Reentrant, Nothing,
    try_lock, lock, unlock, fair [R: RawMutexFair, G: GetThreadId] unlock_fair, GuardNoSend
);

/// The hold of a guard that borrows, and nothing else of it: the lock stays locked.
fn locked<'a, R: RawMutex, G: GetThreadId, T: ?Sized>(guard: ReentrantMutexGuard<'a, R, G, T>) -> (Held<'a>, Nothing) {
    let ReentrantMutexGuard { held, inner, .. } = guard;
    core::mem::forget(inner);
    (held, Nothing)
}

impl<R: RawMutex, G: GetThreadId, T: ?Sized> ReentrantMutex<R, G, T> {
    /// See [`lock_api::ReentrantMutex::lock_arc`](real::ReentrantMutex::lock_arc).
    #[track_caller]
    pub fn lock_arc(self: &Arc<Self>) -> ArcReentrantMutexGuard<R, G, T> {
        ArcReentrantMutexGuard::owning(self, locked(self.lock()))
    }

    /// See [`lock_api::ReentrantMutex::try_lock_arc`](real::ReentrantMutex::try_lock_arc).
    #[track_caller]
    pub fn try_lock_arc(self: &Arc<Self>) -> Option<ArcReentrantMutexGuard<R, G, T>> {
        Some(ArcReentrantMutexGuard::owning(self, locked(self.try_lock()?)))
    }

    /// See [`lock_api::ReentrantMutex::make_arc_guard_unchecked`](real::ReentrantMutex::make_arc_guard_unchecked).
    ///
    /// # Safety
    /// As the original's.
    #[cfg(not(conccheck_before = "0.4.11"))]
    #[track_caller]
    #[expect(unsafe_code, reason = "as in the original")]
    pub unsafe fn make_arc_guard_unchecked(self: &Arc<Self>) -> ArcReentrantMutexGuard<R, G, T> {
        // SAFETY: as the caller promises.
        ArcReentrantMutexGuard::owning(self, locked(unsafe { self.make_guard_unchecked() }))
    }
}

impl<R: RawMutexTimed, G: GetThreadId, T: ?Sized> ReentrantMutex<R, G, T> {
    /// See [`lock_api::ReentrantMutex::try_lock_arc_for`](real::ReentrantMutex::try_lock_arc_for).
    #[track_caller]
    pub fn try_lock_arc_for(self: &Arc<Self>, timeout: R::Duration) -> Option<ArcReentrantMutexGuard<R, G, T>> {
        Some(ArcReentrantMutexGuard::owning(self, locked(self.try_lock_for(timeout)?)))
    }

    /// See [`lock_api::ReentrantMutex::try_lock_arc_until`](real::ReentrantMutex::try_lock_arc_until).
    #[track_caller]
    pub fn try_lock_arc_until(self: &Arc<Self>, timeout: R::Instant) -> Option<ArcReentrantMutexGuard<R, G, T>> {
        Some(ArcReentrantMutexGuard::owning(self, locked(self.try_lock_until(timeout)?)))
    }
}
