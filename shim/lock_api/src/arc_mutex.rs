//! The instrumented guard that owns its [`Mutex`].

use alloc::sync::Arc;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::panic::Location;

use conccheck_rt::Mode;
use conccheck_rt::lock::Held;
use lock_api_orig::{self as real, RawMutex, RawMutexFair, RawMutexTimed};

use crate::finally::Finally;
use crate::{Mutex, MutexGuard};

#[expect(unsafe_code, reason = "the guards, which hold the lock, are the only callers")]
fn unlock<R: RawMutex, T: ?Sized>(mutex: &real::Mutex<R, T>) {
    // SAFETY: called only for a guard that gives its lock up.
    unsafe { mutex.force_unlock() }
}

#[expect(unsafe_code, reason = "the guards, which hold the lock, are the only callers")]
fn unlock_fair<R: RawMutexFair, T: ?Sized>(mutex: &real::Mutex<R, T>) {
    // SAFETY: called only for a guard that gives its lock up.
    unsafe { mutex.force_unlock_fair() }
}

arc_guard!(
    ArcMutexGuard[R: RawMutex] mutex: Mutex, MutexGuard, Mode::Exclusive,
    try_lock, lock, unlock, fair [R: RawMutexFair] unlock_fair, *const ()
);
arc_guard!(mut ArcMutexGuard[R: RawMutex] mutex);

#[expect(unsafe_code, reason = "as in the original")]
// SAFETY: the guard may be sent where the raw lock may be unlocked from another thread.
unsafe impl<R: RawMutex + Send + Sync, T: Send + ?Sized> Send for ArcMutexGuard<R, T> where R::GuardMarker: Send {}
#[expect(unsafe_code, reason = "as in the original")]
// SAFETY: shared, it only gives shared access to what the lock protects.
unsafe impl<R: RawMutex + Sync, T: Sync + ?Sized> Sync for ArcMutexGuard<R, T> where R::GuardMarker: Sync {}

impl<R: RawMutex, T: ?Sized> Mutex<R, T> {
    arc_guard!(lock ArcMutexGuard, lock_arc = lock);
    arc_guard!(try ArcMutexGuard, try_lock_arc = try_lock());
}

impl<R: RawMutexTimed, T: ?Sized> Mutex<R, T> {
    arc_guard!(try ArcMutexGuard, try_lock_arc_for = try_lock_for(timeout: Duration));
    arc_guard!(try ArcMutexGuard, try_lock_arc_until = try_lock_until(timeout: Instant));
}
