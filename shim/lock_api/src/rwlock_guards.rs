//! The instrumented guards of [`RwLock`](crate::RwLock), without the upgradable one.

use core::panic::Location;

use conccheck_rt::lock::Held;
use conccheck_rt::{How, Mode};
use lock_api_orig::{self as real, RawRwLock, RawRwLockDowngrade, RawRwLockFair, RawRwLockUpgradeDowngrade};

use crate::rwlock::read_mode;
use crate::{RwLock, RwLockUpgradableReadGuard};

/// Instrumented [`lock_api::RwLockReadGuard`](real::RwLockReadGuard).
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'a, R: RawRwLock, T: ?Sized> {
    pub(crate) held: Held<'a>,
    pub(crate) inner: real::RwLockReadGuard<'a, R, T>,
    pub(crate) rwlock: &'a RwLock<R, T>,
}

/// Instrumented [`lock_api::RwLockWriteGuard`](real::RwLockWriteGuard).
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'a, R: RawRwLock, T: ?Sized> {
    pub(crate) held: Held<'a>,
    pub(crate) inner: real::RwLockWriteGuard<'a, R, T>,
    pub(crate) rwlock: &'a RwLock<R, T>,
}

/// Instrumented [`lock_api::MappedRwLockReadGuard`](real::MappedRwLockReadGuard).
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MappedRwLockReadGuard<'a, R: RawRwLock, T: ?Sized> {
    held: Held<'a>,
    inner: real::MappedRwLockReadGuard<'a, R, T>,
}

/// Instrumented [`lock_api::MappedRwLockWriteGuard`](real::MappedRwLockWriteGuard).
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MappedRwLockWriteGuard<'a, R: RawRwLock, T: ?Sized> {
    held: Held<'a>,
    inner: real::MappedRwLockWriteGuard<'a, R, T>,
}

impl<'a, R: RawRwLock + 'a, T: ?Sized + 'a> RwLockReadGuard<'a, R, T> {
    /// See [`lock_api::RwLockReadGuard::rwlock`](real::RwLockReadGuard::rwlock).
    #[inline]
    pub fn rwlock(s: &Self) -> &'a RwLock<R, T> {
        s.rwlock
    }

    narrowing!(RwLockReadGuard => MappedRwLockReadGuard<R>, [&] [&], {rwlock});
    unlocking!(RwLockReadGuard rwlock, read_mode::<R>(), is_locked_to_readers, unlocked);
}

impl<'a, R: RawRwLockFair + 'a, T: ?Sized + 'a> RwLockReadGuard<'a, R, T> {
    unlocking!(fair RwLockReadGuard rwlock, read_mode::<R>(), is_locked_to_readers);
}

impl<'a, R: RawRwLock + 'a, T: ?Sized + 'a> RwLockWriteGuard<'a, R, T> {
    /// See [`lock_api::RwLockWriteGuard::rwlock`](real::RwLockWriteGuard::rwlock).
    #[inline]
    pub fn rwlock(s: &Self) -> &'a RwLock<R, T> {
        s.rwlock
    }

    narrowing!(RwLockWriteGuard => MappedRwLockWriteGuard<R>, [&mut] [&mut], {rwlock} wrote);
    unlocking!(RwLockWriteGuard rwlock, Mode::Exclusive, is_locked, unlocked);
}

impl<'a, R: RawRwLockDowngrade + 'a, T: ?Sized + 'a> RwLockWriteGuard<'a, R, T> {
    /// See [`lock_api::RwLockWriteGuard::downgrade`](real::RwLockWriteGuard::downgrade).
    #[track_caller]
    pub fn downgrade(s: Self) -> RwLockReadGuard<'a, R, T> {
        let RwLockWriteGuard { held, inner, rwlock } = s;
        // Recorded first: once readers are let in, a later event of theirs must not meet a writer.
        let held = held.convert(Mode::Shared, Location::caller());
        RwLockReadGuard { held, inner: real::RwLockWriteGuard::downgrade(inner), rwlock }
    }
}

impl<'a, R: RawRwLockUpgradeDowngrade + 'a, T: ?Sized + 'a> RwLockWriteGuard<'a, R, T> {
    /// See [`lock_api::RwLockWriteGuard::downgrade_to_upgradable`](real::RwLockWriteGuard::downgrade_to_upgradable).
    #[track_caller]
    pub fn downgrade_to_upgradable(s: Self) -> RwLockUpgradableReadGuard<'a, R, T> {
        let RwLockWriteGuard { held, inner, rwlock } = s;
        let held = held.convert(Mode::Upgradable, Location::caller());
        RwLockUpgradableReadGuard::new(rwlock, (held, real::RwLockWriteGuard::downgrade_to_upgradable(inner)))
    }
}

impl<'a, R: RawRwLockFair + 'a, T: ?Sized + 'a> RwLockWriteGuard<'a, R, T> {
    unlocking!(fair RwLockWriteGuard rwlock, Mode::Exclusive, is_locked);
}

impl<'a, R: RawRwLock + 'a, T: ?Sized + 'a> MappedRwLockReadGuard<'a, R, T> {
    narrowing!(MappedRwLockReadGuard => MappedRwLockReadGuard<R>, [&] [&], {});

    /// What `try_map_or_err` is called in some versions.
    #[inline]
    pub fn try_map_or_else<U: ?Sized, F, E>(s: Self, f: F) -> Result<MappedRwLockReadGuard<'a, R, U>, (Self, E)>
    where
        F: FnOnce(&T) -> Result<&U, E>,
    {
        Self::try_map_or_err(s, f)
    }
}

impl<'a, R: RawRwLockFair + 'a, T: ?Sized + 'a> MappedRwLockReadGuard<'a, R, T> {
    fair_unlock!(MappedRwLockReadGuard);
}

impl<'a, R: RawRwLock + 'a, T: ?Sized + 'a> MappedRwLockWriteGuard<'a, R, T> {
    narrowing!(MappedRwLockWriteGuard => MappedRwLockWriteGuard<R>, [&mut] [&mut], {} wrote);
}

impl<'a, R: RawRwLockFair + 'a, T: ?Sized + 'a> MappedRwLockWriteGuard<'a, R, T> {
    fair_unlock!(MappedRwLockWriteGuard);
}

crosses_threads!(['a, R: RawRwLock + 'a] RwLockReadGuard<'a, R, T>);
crosses_threads!(['a, R: RawRwLock + 'a] RwLockWriteGuard<'a, R, T>);
guard_traits!(['a, R: RawRwLock + 'a] RwLockReadGuard<'a, R, T>);
guard_traits!(mut ['a, R: RawRwLock + 'a] RwLockWriteGuard<'a, R, T>);
guard_traits!(['a, R: RawRwLock + 'a] MappedRwLockReadGuard<'a, R, T>);
guard_traits!(mut ['a, R: RawRwLock + 'a] MappedRwLockWriteGuard<'a, R, T>);
