//! How the guards that own their [`RwLock`](crate::RwLock) change their mode.
#![expect(clippy::needless_pass_by_value, reason = "the state that is given away is nothing in 0.4 and a value in 0.5")]

use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::panic::Location;

use conccheck_rt::{How, Mode};
use lock_api_orig::{RawRwLockDowngrade, RawRwLockUpgrade, RawRwLockUpgradeDowngrade, RawRwLockUpgradeTimed};

use crate::finally::{Finally, never_unwinding};
#[cfg(not(conccheck_original = "0.5"))]
use crate::state::Nothing;
use crate::{ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard, RwLock};

/// A guard of another mode, from the parts of one.
macro_rules! from_parts {
    ($To:ident, $held:expr, $state:expr, $rwlock:expr) => {
        $To { held: ManuallyDrop::new($held), state: ManuallyDrop::new($state), rwlock: $rwlock, marker: PhantomData }
    };
}

/// A change of mode by the raw lock's `$convert`. A downgrade is recorded before, an upgrade after.
macro_rules! converted {
    (down $name:ident -> $To:ident, $mode:expr, $convert:ident) => {
        /// See the original.
        #[track_caller]
        #[expect(unsafe_code, reason = "as in the original")]
        pub fn $name(s: Self) -> $To<R, T> {
            let (held, state, rwlock) = Self::into_parts(s);
            let held = held.convert($mode, Location::caller());
            // SAFETY: the lock is held by this guard, in its mode.
            let state = unsafe { given!(rwlock.raw(), $convert, state) };
            from_parts!($To, held, state, rwlock)
        }
    };
    (try $name:ident($($timeout:ident: $limit:ident)?) $failed:ident) => {
        /// See the original.
        #[track_caller]
        #[expect(unsafe_code, reason = "as in the original")]
        pub fn $name(s: Self $(, $timeout: R::$limit)?) -> Result<ArcRwLockWriteGuard<R, T>, Self> {
            let place = Location::caller();
            let (held, state, rwlock) = Self::into_parts(s);
            // SAFETY: the lock is held by this guard, upgradably.
            match unsafe { tried!(rwlock.raw(), $name, state $(, $timeout)?) } {
                Ok(state) => Ok(from_parts!(ArcRwLockWriteGuard, held.convert(Mode::Exclusive, place), state, rwlock)),
                Err(state) => {
                    let attempt = rwlock.attempt(Mode::Exclusive, place);
                    attempt.lock.$failed(attempt.mode, place, attempt.type_name);
                    Err(from_parts!(Self, held, state, rwlock))
                }
            }
        }
    };
    (with $name:ident($($timeout:ident: $limit:ident)?) $upgrade:ident $failed:ident) => {
        /// See the original.
        #[track_caller]
        #[expect(unsafe_code, reason = "as in the original")]
        pub fn $name<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, $($timeout: R::$limit,)? f: F) -> Option<Ret> {
            let place = Location::caller();
            // SAFETY: the lock is held by this guard, upgradably, and what it gave for it is put back before it is used again.
            let upgraded = never_unwinding(|| unsafe {
                tried!(self.rwlock.raw(), $upgrade, ManuallyDrop::take(&mut self.state) $(, $timeout)?)
            });
            match upgraded {
                Ok(writing) => Some(self.as_writer(writing, place, f)),
                Err(state) => {
                    self.state = ManuallyDrop::new(state);
                    let attempt = self.rwlock.attempt(Mode::Exclusive, place);
                    attempt.lock.$failed(attempt.mode, place, attempt.type_name);
                    None
                }
            }
        }
    };
}

impl<R: RawRwLockDowngrade, T: ?Sized> ArcRwLockWriteGuard<R, T> {
    converted!(down downgrade -> ArcRwLockReadGuard, Mode::Shared, downgrade);
}

impl<R: RawRwLockUpgradeDowngrade, T: ?Sized> ArcRwLockWriteGuard<R, T> {
    converted!(down downgrade_to_upgradable -> ArcRwLockUpgradableReadGuard, Mode::Upgradable, downgrade_to_upgradable);
}

/// Upgrades a lock that is held upgradably, however long it takes.
#[expect(unsafe_code, reason = "as in the original")]
fn upgrade<R: RawRwLockUpgrade, T: ?Sized>(
    rwlock: &RwLock<R, T>,
    state: by_version!(Nothing, R::UpgradableGuard),
    place: &'static Location<'static>,
) -> by_version!(Nothing, R::ExclusiveGuard) {
    // SAFETY: called only for a guard that holds the lock upgradably.
    unsafe {
        tried!(rwlock.raw(), try_upgrade, state).unwrap_or_else(|state| {
            rwlock.attempt(Mode::Exclusive, place).request(How::Blocking);
            given!(rwlock.raw(), upgrade, state)
        })
    }
}

impl<R: RawRwLockUpgrade, T: ?Sized> ArcRwLockUpgradableReadGuard<R, T> {
    /// See [`lock_api::ArcRwLockUpgradableReadGuard::upgrade`](lock_api_orig::ArcRwLockUpgradableReadGuard::upgrade).
    #[track_caller]
    pub fn upgrade(s: Self) -> ArcRwLockWriteGuard<R, T> {
        let place = Location::caller();
        let (held, state, rwlock) = Self::into_parts(s);
        let state = upgrade(&rwlock, state, place);
        from_parts!(ArcRwLockWriteGuard, held.convert(Mode::Exclusive, place), state, rwlock)
    }

    converted!(try try_upgrade() try_failed);
}

impl<R: RawRwLockUpgradeDowngrade, T: ?Sized> ArcRwLockUpgradableReadGuard<R, T> {
    converted!(down downgrade -> ArcRwLockReadGuard, Mode::Shared, downgrade_upgradable);

    /// See [`lock_api::ArcRwLockUpgradableReadGuard::with_upgraded`](lock_api_orig::ArcRwLockUpgradableReadGuard::with_upgraded).
    #[track_caller]
    #[expect(unsafe_code, reason = "as in the original")]
    pub fn with_upgraded<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, f: F) -> Ret {
        let place = Location::caller();
        // SAFETY: `as_writer` puts it back.
        let state = unsafe { ManuallyDrop::take(&mut self.state) };
        let writing = never_unwinding(|| upgrade(&self.rwlock, state, place));
        self.as_writer(writing, place, f)
    }

    converted!(with try_with_upgraded() try_upgrade try_failed);

    /// Runs `f` while the lock is upgraded, and downgrades it however `f` ends.
    #[expect(unsafe_code, reason = "as in the original")]
    fn as_writer<Ret>(
        &mut self,
        writing: by_version!(Nothing, R::ExclusiveGuard),
        place: &'static Location<'static>,
        f: impl FnOnce(&mut T) -> Ret,
    ) -> Ret {
        let ArcRwLockUpgradableReadGuard { held, state, rwlock, .. } = self;
        **held = held.take().convert(Mode::Exclusive, place);
        held.wrote();
        let _upgradable_again = Finally::new(|| {
            **held = held.take().convert(Mode::Upgradable, place);
            // SAFETY: it was upgraded before.
            *state = ManuallyDrop::new(never_unwinding(|| unsafe { given!(rwlock.raw(), downgrade_to_upgradable, writing) }));
        });
        // SAFETY: nobody else has the lock, and the guard that would give access is borrowed.
        f(unsafe { &mut *rwlock.data_ptr() })
    }
}

impl<R: RawRwLockUpgradeTimed, T: ?Sized> ArcRwLockUpgradableReadGuard<R, T> {
    converted!(try try_upgrade_for(timeout: Duration) timed_out);
    converted!(try try_upgrade_until(timeout: Instant) timed_out);
}

impl<R: RawRwLockUpgradeTimed + RawRwLockUpgradeDowngrade, T: ?Sized> ArcRwLockUpgradableReadGuard<R, T> {
    converted!(with try_with_upgraded_for(timeout: Duration) try_upgrade_for timed_out);
    converted!(with try_with_upgraded_until(timeout: Instant) try_upgrade_until timed_out);
}
