//! The instrumented upgradable read guard of [`RwLock`](crate::RwLock).

use core::panic::Location;

use conccheck_rt::lock::Held;
use conccheck_rt::{How, Mode};
use lock_api_orig::{self as real, RawRwLockUpgrade, RawRwLockUpgradeDowngrade, RawRwLockUpgradeFair, RawRwLockUpgradeTimed};

use crate::attempt::Attempt;
use crate::finally::Finally;
use crate::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Instrumented [`lock_api::RwLockUpgradableReadGuard`](real::RwLockUpgradableReadGuard).
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockUpgradableReadGuard<'a, R: RawRwLockUpgrade, T: ?Sized> {
    pub(crate) held: Held<'a>,
    pub(crate) inner: real::RwLockUpgradableReadGuard<'a, R, T>,
    pub(crate) rwlock: &'a RwLock<R, T>,
}

type Upgraded<'a, R, T> = Result<RwLockWriteGuard<'a, R, T>, RwLockUpgradableReadGuard<'a, R, T>>;
type RealUpgraded<'a, R, T> = Result<real::RwLockWriteGuard<'a, R, T>, real::RwLockUpgradableReadGuard<'a, R, T>>;

impl<'a, R: RawRwLockUpgrade + 'a, T: ?Sized + 'a> RwLockUpgradableReadGuard<'a, R, T> {
    /// See [`lock_api::RwLockUpgradableReadGuard::rwlock`](real::RwLockUpgradableReadGuard::rwlock).
    #[inline]
    pub fn rwlock(s: &Self) -> &'a RwLock<R, T> {
        s.rwlock
    }

    unlocking!(RwLockUpgradableReadGuard rwlock, Mode::Upgradable, is_locked, unlocked);

    /// See [`lock_api::RwLockUpgradableReadGuard::upgrade`](real::RwLockUpgradableReadGuard::upgrade).
    #[track_caller]
    pub fn upgrade(s: Self) -> RwLockWriteGuard<'a, R, T> {
        let RwLockUpgradableReadGuard { held, inner, rwlock } = s;
        let place = Location::caller();
        let inner = real::RwLockUpgradableReadGuard::try_upgrade(inner).unwrap_or_else(|inner| {
            rwlock.attempt(Mode::Exclusive, place).request(How::Blocking);
            real::RwLockUpgradableReadGuard::upgrade(inner)
        });
        RwLockWriteGuard::new(rwlock, (held.convert(Mode::Exclusive, place), inner))
    }

    /// See [`lock_api::RwLockUpgradableReadGuard::try_upgrade`](real::RwLockUpgradableReadGuard::try_upgrade).
    #[track_caller]
    pub fn try_upgrade(s: Self) -> Result<RwLockWriteGuard<'a, R, T>, Self> {
        let place = Location::caller();
        let failed = |attempt: Attempt<'_>| attempt.lock.try_failed(attempt.mode, place, attempt.type_name);
        Self::upgraded(s, place, real::RwLockUpgradableReadGuard::try_upgrade, failed)
    }

    fn upgraded(
        s: Self,
        place: &'static Location<'static>,
        upgrade: impl FnOnce(real::RwLockUpgradableReadGuard<'a, R, T>) -> RealUpgraded<'a, R, T>,
        failed: impl FnOnce(Attempt<'_>),
    ) -> Upgraded<'a, R, T> {
        let RwLockUpgradableReadGuard { held, inner, rwlock } = s;
        match upgrade(inner) {
            Ok(inner) => Ok(RwLockWriteGuard::new(rwlock, (held.convert(Mode::Exclusive, place), inner))),
            Err(inner) => {
                failed(rwlock.attempt(Mode::Exclusive, place));
                Err(RwLockUpgradableReadGuard { held, inner, rwlock })
            }
        }
    }
}

impl<'a, R: RawRwLockUpgradeFair + 'a, T: ?Sized + 'a> RwLockUpgradableReadGuard<'a, R, T> {
    unlocking!(fair RwLockUpgradableReadGuard rwlock, Mode::Upgradable, is_locked);
}

/// The ways to upgrade for the time of a closure, which may fail.
macro_rules! upgrading {
    ($name:ident($($timeout:ident: $limit:ident)?) $failed:ident) => {
        #[doc = concat!("See [`lock_api::RwLockUpgradableReadGuard::", stringify!($name), "`](real::RwLockUpgradableReadGuard::",
            stringify!($name), ").")]
        #[track_caller]
        pub fn $name<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, $($timeout: R::$limit,)? f: F) -> Option<Ret> {
            let place = Location::caller();
            let result = self.inner.$name($($timeout,)? as_writer(&mut self.held, place, f));
            if result.is_none() {
                let attempt = self.rwlock.attempt(Mode::Exclusive, place);
                attempt.lock.$failed(attempt.mode, place, attempt.type_name);
            }
            result
        }
    };
}

/// The closure that runs `f` while the lock is upgraded, and tells when the lock is downgraded, however `f` ends.
fn as_writer<'g, 'a, T: ?Sized, Ret>(
    held: &'g mut Held<'a>,
    place: &'static Location<'static>,
    f: impl FnOnce(&mut T) -> Ret + 'g,
) -> impl FnOnce(&mut T) -> Ret {
    move |data| {
        *held = held.take().convert(Mode::Exclusive, place);
        held.wrote();
        let _downgraded = Finally::new(|| *held = held.take().convert(Mode::Upgradable, place));
        f(data)
    }
}

impl<'a, R: RawRwLockUpgradeDowngrade + 'a, T: ?Sized + 'a> RwLockUpgradableReadGuard<'a, R, T> {
    /// See [`lock_api::RwLockUpgradableReadGuard::downgrade`](real::RwLockUpgradableReadGuard::downgrade).
    #[track_caller]
    pub fn downgrade(s: Self) -> RwLockReadGuard<'a, R, T> {
        let RwLockUpgradableReadGuard { held, inner, rwlock } = s;
        let held = held.convert(Mode::Shared, Location::caller());
        RwLockReadGuard::new(rwlock, (held, real::RwLockUpgradableReadGuard::downgrade(inner)))
    }

    /// See [`lock_api::RwLockUpgradableReadGuard::with_upgraded`](real::RwLockUpgradableReadGuard::with_upgraded).
    #[cfg(not(conccheck_before = "0.4.10"))]
    #[track_caller]
    pub fn with_upgraded<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, f: F) -> Ret {
        let place = Location::caller();
        let mut f = Some(as_writer(&mut self.held, place, f));
        let mut once = |data: &mut T| f.take().map(|f| f(data));
        if let Some(done) = self.inner.try_with_upgraded(&mut once).flatten() {
            return done;
        }
        self.rwlock.attempt(Mode::Exclusive, place).request(How::Blocking);
        self.inner.with_upgraded(once).expect("it ran once")
    }

    #[cfg(not(conccheck_before = "0.4.10"))]
    upgrading!(try_with_upgraded() try_failed);
}

impl<'a, R: RawRwLockUpgradeTimed + 'a, T: ?Sized + 'a> RwLockUpgradableReadGuard<'a, R, T> {
    /// See [`lock_api::RwLockUpgradableReadGuard::try_upgrade_for`](real::RwLockUpgradableReadGuard::try_upgrade_for).
    #[track_caller]
    pub fn try_upgrade_for(s: Self, timeout: R::Duration) -> Result<RwLockWriteGuard<'a, R, T>, Self> {
        let place = Location::caller();
        let upgrade = |inner| real::RwLockUpgradableReadGuard::try_upgrade_for(inner, timeout);
        Self::upgraded(s, place, upgrade, |attempt| attempt.lock.timed_out(attempt.mode, place, attempt.type_name))
    }

    /// See [`lock_api::RwLockUpgradableReadGuard::try_upgrade_until`](real::RwLockUpgradableReadGuard::try_upgrade_until).
    #[track_caller]
    pub fn try_upgrade_until(s: Self, timeout: R::Instant) -> Result<RwLockWriteGuard<'a, R, T>, Self> {
        let place = Location::caller();
        let upgrade = |inner| real::RwLockUpgradableReadGuard::try_upgrade_until(inner, timeout);
        Self::upgraded(s, place, upgrade, |attempt| attempt.lock.timed_out(attempt.mode, place, attempt.type_name))
    }
}

#[cfg(not(conccheck_before = "0.4.10"))]
impl<'a, R: RawRwLockUpgradeTimed + RawRwLockUpgradeDowngrade + 'a, T: ?Sized + 'a> RwLockUpgradableReadGuard<'a, R, T> {
    upgrading!(try_with_upgraded_for(timeout: Duration) timed_out);
    upgrading!(try_with_upgraded_until(timeout: Instant) timed_out);
}

crosses_threads!(['a, R: RawRwLockUpgrade + 'a] RwLockUpgradableReadGuard<'a, R, T>);
guard_traits!(['a, R: RawRwLockUpgrade + 'a] RwLockUpgradableReadGuard<'a, R, T>);
