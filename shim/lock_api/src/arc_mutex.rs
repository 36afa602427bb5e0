//! The instrumented guard that owns its [`Mutex`].

use alloc::sync::Arc;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::panic::Location;

use conccheck_rt::Mode;
use conccheck_rt::lock::Held;
use lock_api_orig::{self as real, RawMutex, RawMutexFair, RawMutexTimed};

use crate::Mutex;
use crate::finally::{Finally, never_unwinding};
#[cfg(not(conccheck_original = "0.5"))]
use crate::state::Nothing;

raw_locking!(try_lock, lock: Mutex of RawMutex gives Guard);
raw_unlocking!(unlock: Mutex of RawMutex takes Guard, unlock_fair: Mutex of RawMutexFair takes Guard);

arc_guard!(
    ArcMutexGuard[R: RawMutex] mutex: Mutex, Mode::Exclusive, by_version!(Nothing, R::Guard),
    try_lock, lock, unlock, fair [R: RawMutexFair] unlock_fair, by_version!(*const (), T)
);
arc_guard!(mut ArcMutexGuard[R: RawMutex] mutex);

#[cfg(not(conccheck_original = "0.5"))]
#[expect(unsafe_code, reason = "as in the original")]
// SAFETY: the guard may be sent where the raw lock may be unlocked from another thread.
unsafe impl<R: RawMutex + Send + Sync, T: Send + ?Sized> Send for ArcMutexGuard<R, T> where R::GuardMarker: Send {}
#[cfg(not(conccheck_original = "0.5"))]
#[expect(unsafe_code, reason = "as in the original")]
// SAFETY: shared, it only gives shared access to what the lock protects.
unsafe impl<R: RawMutex + Sync, T: Sync + ?Sized> Sync for ArcMutexGuard<R, T> where R::GuardMarker: Sync {}

impl<R: RawMutex, T: ?Sized> Mutex<R, T> {
    arc_guard!(lock ArcMutexGuard, Mode::Exclusive, lock_arc = try_lock, lock);
    arc_guard!(try ArcMutexGuard, Mode::Exclusive, try_lock_arc = try_lock);
}

impl<R: RawMutexTimed, T: ?Sized> Mutex<R, T> {
    arc_guard!(timed ArcMutexGuard, Mode::Exclusive, try_lock_arc_for = try_lock, try_lock_for Duration);
    arc_guard!(timed ArcMutexGuard, Mode::Exclusive, try_lock_arc_until = try_lock, try_lock_until Instant);
}
