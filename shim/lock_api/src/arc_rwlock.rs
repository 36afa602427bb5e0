//! The instrumented guards that own their [`RwLock`].

use alloc::sync::Arc;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::panic::Location;

use conccheck_rt::lock::Held;
use conccheck_rt::{How, Mode};
use lock_api_orig::{
    self as real, RawRwLock, RawRwLockFair, RawRwLockTimed, RawRwLockUpgrade, RawRwLockUpgradeFair, RawRwLockUpgradeTimed,
};
#[cfg(not(conccheck_original = "0.5"))]
use lock_api_orig::{RawRwLockRecursive, RawRwLockRecursiveTimed};

use crate::RwLock;
use crate::finally::{Finally, never_unwinding};
use crate::rwlock::read_mode;
#[cfg(not(conccheck_original = "0.5"))]
use crate::state::Nothing;

raw_locking!(
    try_lock_shared, lock_shared: RwLock of RawRwLock gives SharedGuard,
    try_lock_exclusive, lock_exclusive: RwLock of RawRwLock gives ExclusiveGuard,
    try_lock_upgradable, lock_upgradable: RwLock of RawRwLockUpgrade gives UpgradableGuard
);
#[cfg(not(conccheck_original = "0.5"))]
raw_locking!(try_lock_shared_recursive, lock_shared_recursive: RwLock of RawRwLockRecursive gives SharedGuard);
raw_unlocking!(
    unlock_shared: RwLock of RawRwLock takes SharedGuard,
    unlock_shared_fair: RwLock of RawRwLockFair takes SharedGuard,
    unlock_exclusive: RwLock of RawRwLock takes ExclusiveGuard,
    unlock_exclusive_fair: RwLock of RawRwLockFair takes ExclusiveGuard,
    unlock_upgradable: RwLock of RawRwLockUpgrade takes UpgradableGuard,
    unlock_upgradable_fair: RwLock of RawRwLockUpgradeFair takes UpgradableGuard
);

arc_guard!(
    ArcRwLockReadGuard[R: RawRwLock] rwlock: RwLock, read_mode::<R>(), by_version!(Nothing, R::SharedGuard),
    try_lock_shared, lock_shared, unlock_shared, fair [R: RawRwLockFair] unlock_shared_fair, by_version!(R::GuardMarker, ())
);
arc_guard!(
    ArcRwLockWriteGuard[R: RawRwLock] rwlock: RwLock, Mode::Exclusive, by_version!(Nothing, R::ExclusiveGuard),
    try_lock_exclusive, lock_exclusive, unlock_exclusive, fair [R: RawRwLockFair] unlock_exclusive_fair,
    by_version!(R::GuardMarker, ())
);
arc_guard!(mut ArcRwLockWriteGuard[R: RawRwLock] rwlock);
arc_guard!(
    ArcRwLockUpgradableReadGuard[R: RawRwLockUpgrade] rwlock: RwLock, Mode::Upgradable, by_version!(Nothing, R::UpgradableGuard),
    try_lock_upgradable, lock_upgradable, unlock_upgradable, fair [R: RawRwLockUpgradeFair] unlock_upgradable_fair,
    by_version!(R::GuardMarker, ())
);
arc_guard!(text ArcRwLockReadGuard[R: RawRwLock]);
arc_guard!(text ArcRwLockWriteGuard[R: RawRwLock]);
arc_guard!(text ArcRwLockUpgradableReadGuard[R: RawRwLockUpgrade]);

impl<R: RawRwLock, T: ?Sized> RwLock<R, T> {
    arc_guard!(lock ArcRwLockReadGuard, read_mode::<R>(), read_arc = try_lock_shared, lock_shared);
    arc_guard!(try ArcRwLockReadGuard, read_mode::<R>(), try_read_arc = try_lock_shared);
    arc_guard!(unchecked ArcRwLockReadGuard, read_mode::<R>(), R::SharedGuard, make_arc_read_guard_unchecked);
    arc_guard!(lock ArcRwLockWriteGuard, Mode::Exclusive, write_arc = try_lock_exclusive, lock_exclusive);
    arc_guard!(try ArcRwLockWriteGuard, Mode::Exclusive, try_write_arc = try_lock_exclusive);
    arc_guard!(unchecked ArcRwLockWriteGuard, Mode::Exclusive, R::ExclusiveGuard, make_arc_write_guard_unchecked);
}

impl<R: RawRwLockTimed, T: ?Sized> RwLock<R, T> {
    arc_guard!(timed ArcRwLockReadGuard, read_mode::<R>(), try_read_arc_for = try_lock_shared, try_lock_shared_for Duration);
    arc_guard!(timed ArcRwLockReadGuard, read_mode::<R>(), try_read_arc_until = try_lock_shared, try_lock_shared_until Instant);
    arc_guard!(timed ArcRwLockWriteGuard, Mode::Exclusive, try_write_arc_for = try_lock_exclusive, try_lock_exclusive_for Duration);
    arc_guard!(
        timed ArcRwLockWriteGuard, Mode::Exclusive, try_write_arc_until = try_lock_exclusive, try_lock_exclusive_until Instant
    );
}

#[cfg(not(conccheck_original = "0.5"))]
impl<R: RawRwLockRecursive, T: ?Sized> RwLock<R, T> {
    arc_guard!(
        lock ArcRwLockReadGuard, Mode::RecursiveShared, read_arc_recursive = try_lock_shared_recursive, lock_shared_recursive
    );
    arc_guard!(try ArcRwLockReadGuard, Mode::RecursiveShared, try_read_recursive_arc = try_lock_shared_recursive);
}

#[cfg(not(conccheck_original = "0.5"))]
impl<R: RawRwLockRecursiveTimed, T: ?Sized> RwLock<R, T> {
    arc_guard!(
        timed ArcRwLockReadGuard, Mode::RecursiveShared, try_read_arc_recursive_for = try_lock_shared_recursive,
        try_lock_shared_recursive_for Duration
    );
    arc_guard!(
        timed ArcRwLockReadGuard, Mode::RecursiveShared, try_read_arc_recursive_until = try_lock_shared_recursive,
        try_lock_shared_recursive_until Instant
    );
}

impl<R: RawRwLockUpgrade, T: ?Sized> RwLock<R, T> {
    arc_guard!(
        lock ArcRwLockUpgradableReadGuard, Mode::Upgradable, upgradable_read_arc = try_lock_upgradable, lock_upgradable
    );
    arc_guard!(try ArcRwLockUpgradableReadGuard, Mode::Upgradable, try_upgradable_read_arc = try_lock_upgradable);
    arc_guard!(
        unchecked ArcRwLockUpgradableReadGuard, Mode::Upgradable, R::UpgradableGuard, make_upgradable_arc_guard_unchecked
    );
}

impl<R: RawRwLockUpgradeTimed, T: ?Sized> RwLock<R, T> {
    arc_guard!(
        timed ArcRwLockUpgradableReadGuard, Mode::Upgradable, try_upgradable_read_arc_for = try_lock_upgradable,
        try_lock_upgradable_for Duration
    );
    arc_guard!(
        timed ArcRwLockUpgradableReadGuard, Mode::Upgradable, try_upgradable_read_arc_until = try_lock_upgradable,
        try_lock_upgradable_until Instant
    );
}
