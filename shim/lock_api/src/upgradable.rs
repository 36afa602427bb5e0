//! The instrumented upgradable read guard of [`RwLock`](crate::RwLock).

use core::panic::Location;

use conccheck_rt::lock::Held;
use conccheck_rt::{How, Mode};
use lock_api_orig::{self as real, RawRwLockUpgrade, RawRwLockUpgradeDowngrade, RawRwLockUpgradeFair, RawRwLockUpgradeTimed};

use crate::attempt::Attempt;
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

/// The ways to upgrade for the time of a closure.
macro_rules! upgrading {
    ($name:ident($($timeout:ident: $limit:ident)?) $how:expr, $upgrade:ident) => {
        #[doc = concat!("See [`lock_api::RwLockUpgradableReadGuard::", stringify!($name), "`](real::RwLockUpgradableReadGuard::",
            stringify!($name), ").")]
        #[track_caller]
        pub fn $name<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, $($timeout: R::$limit,)? f: F) -> Option<Ret> {
            let place = Location::caller();
            // SAFETY: the lock is held upgradably.
            #[expect(unsafe_code, reason = "as in the original")]
            let upgraded = unsafe { self.rwlock.raw().$upgrade($($timeout)?) };
            if upgraded {
                Some(self.as_writer(place, f))
            } else {
                let attempt = self.rwlock.attempt(Mode::Exclusive, place);
                match $how {
                    How::Timed => attempt.lock.timed_out(attempt.mode, place, attempt.type_name),
                    _ => attempt.lock.try_failed(attempt.mode, place, attempt.type_name),
                }
                None
            }
        }
    };
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
    #[track_caller]
    #[expect(unsafe_code, reason = "as in the original")]
    pub fn with_upgraded<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, f: F) -> Ret {
        let place = Location::caller();
        // SAFETY: the lock is held upgradably.
        unsafe {
            if !self.rwlock.raw().try_upgrade() {
                self.rwlock.attempt(Mode::Exclusive, place).request(How::Blocking);
                self.rwlock.raw().upgrade();
            }
        }
        self.as_writer(place, f)
    }

    upgrading!(try_with_upgraded() How::Try, try_upgrade);

    /// Runs `f` while the lock is upgraded, and downgrades it however `f` ends.
    #[expect(unsafe_code, reason = "as in the original")]
    fn as_writer<Ret>(&mut self, place: &'static Location<'static>, f: impl FnOnce(&mut T) -> Ret) -> Ret {
        struct Downgrade<'g, 'a, R: RawRwLockUpgradeDowngrade, T: ?Sized> {
            guard: &'g mut RwLockUpgradableReadGuard<'a, R, T>,
            place: &'static Location<'static>,
        }

        impl<R: RawRwLockUpgradeDowngrade, T: ?Sized> Drop for Downgrade<'_, '_, R, T> {
            fn drop(&mut self) {
                self.guard.held = self.guard.held.take().convert(Mode::Upgradable, self.place);
                // SAFETY: it was upgraded before.
                unsafe { self.guard.rwlock.raw().downgrade_to_upgradable() }
            }
        }

        self.held = self.held.take().convert(Mode::Exclusive, place);
        self.held.wrote();
        let upgraded = Downgrade { guard: self, place };
        // SAFETY: nobody else has the lock, and the guard that would give access is borrowed.
        f(unsafe { &mut *upgraded.guard.rwlock.data_ptr() })
    }
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

impl<'a, R: RawRwLockUpgradeTimed + RawRwLockUpgradeDowngrade + 'a, T: ?Sized + 'a> RwLockUpgradableReadGuard<'a, R, T> {
    upgrading!(try_with_upgraded_for(timeout: Duration) How::Timed, try_upgrade_for);
    upgrading!(try_with_upgraded_until(timeout: Instant) How::Timed, try_upgrade_until);
}

guard_traits!(['a, R: RawRwLockUpgrade + 'a] RwLockUpgradableReadGuard<'a, R, T>);
