//! The instrumented guards that own their [`RwLock`].

use alloc::sync::Arc;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::panic::Location;

use conccheck_rt::lock::Held;
use conccheck_rt::{How, Mode};
use lock_api_orig::{
    self as real, RawRwLock, RawRwLockDowngrade, RawRwLockFair, RawRwLockRecursive, RawRwLockRecursiveTimed, RawRwLockTimed,
    RawRwLockUpgrade, RawRwLockUpgradeDowngrade, RawRwLockUpgradeFair, RawRwLockUpgradeTimed,
};

use crate::finally::Finally;
use crate::{RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard};

/// A release by the raw lock's method of the same name.
macro_rules! release {
    ($($name:ident: $bound:ident),*) => {
        $(
            #[expect(unsafe_code, reason = "the guards, which hold the lock, are the only callers")]
            fn $name<R: $bound, T: ?Sized>(rwlock: &real::RwLock<R, T>) {
                // SAFETY: called only for a guard that gives its lock up.
                unsafe { rwlock.raw().$name() }
            }
        )*
    };
}

release!(
    unlock_shared: RawRwLock, unlock_shared_fair: RawRwLockFair, unlock_exclusive: RawRwLock, unlock_exclusive_fair: RawRwLockFair,
    unlock_upgradable: RawRwLockUpgrade, unlock_upgradable_fair: RawRwLockUpgradeFair
);

arc_guard!(
    ArcRwLockReadGuard[R: RawRwLock] rwlock: RwLock, RwLockReadGuard, Mode::Shared,
    try_read, read, unlock_shared, fair [R: RawRwLockFair] unlock_shared_fair, R::GuardMarker
);
arc_guard!(
    ArcRwLockWriteGuard[R: RawRwLock] rwlock: RwLock, RwLockWriteGuard, Mode::Exclusive,
    try_write, write, unlock_exclusive, fair [R: RawRwLockFair] unlock_exclusive_fair, R::GuardMarker
);
arc_guard!(mut ArcRwLockWriteGuard[R: RawRwLock] rwlock);
arc_guard!(text ArcRwLockReadGuard[R: RawRwLock]);
arc_guard!(text ArcRwLockWriteGuard[R: RawRwLock]);
arc_guard!(text ArcRwLockUpgradableReadGuard[R: RawRwLockUpgrade]);
arc_guard!(
    ArcRwLockUpgradableReadGuard[R: RawRwLockUpgrade] rwlock: RwLock, RwLockUpgradableReadGuard, Mode::Upgradable,
    try_upgradable_read, upgradable_read, unlock_upgradable, fair [R: RawRwLockUpgradeFair] unlock_upgradable_fair, R::GuardMarker
);

impl<R: RawRwLock, T: ?Sized> RwLock<R, T> {
    arc_guard!(lock ArcRwLockReadGuard, read_arc = read);
    arc_guard!(try ArcRwLockReadGuard, try_read_arc = try_read());
    arc_guard!(unchecked ArcRwLockReadGuard, make_arc_read_guard_unchecked = make_read_guard_unchecked);
    arc_guard!(lock ArcRwLockWriteGuard, write_arc = write);
    arc_guard!(try ArcRwLockWriteGuard, try_write_arc = try_write());
    arc_guard!(unchecked ArcRwLockWriteGuard, make_arc_write_guard_unchecked = make_write_guard_unchecked);
}

impl<R: RawRwLockTimed, T: ?Sized> RwLock<R, T> {
    arc_guard!(try ArcRwLockReadGuard, try_read_arc_for = try_read_for(timeout: Duration));
    arc_guard!(try ArcRwLockReadGuard, try_read_arc_until = try_read_until(timeout: Instant));
    arc_guard!(try ArcRwLockWriteGuard, try_write_arc_for = try_write_for(timeout: Duration));
    arc_guard!(try ArcRwLockWriteGuard, try_write_arc_until = try_write_until(timeout: Instant));
}

impl<R: RawRwLockRecursive, T: ?Sized> RwLock<R, T> {
    arc_guard!(lock ArcRwLockReadGuard, read_arc_recursive = read_recursive);
    arc_guard!(try ArcRwLockReadGuard, try_read_recursive_arc = try_read_recursive());
}

impl<R: RawRwLockRecursiveTimed, T: ?Sized> RwLock<R, T> {
    arc_guard!(try ArcRwLockReadGuard, try_read_arc_recursive_for = try_read_recursive_for(timeout: Duration));
    arc_guard!(try ArcRwLockReadGuard, try_read_arc_recursive_until = try_read_recursive_until(timeout: Instant));
}

impl<R: RawRwLockUpgrade, T: ?Sized> RwLock<R, T> {
    arc_guard!(lock ArcRwLockUpgradableReadGuard, upgradable_read_arc = upgradable_read);
    arc_guard!(try ArcRwLockUpgradableReadGuard, try_upgradable_read_arc = try_upgradable_read());
    arc_guard!(unchecked ArcRwLockUpgradableReadGuard, make_upgradable_arc_guard_unchecked = make_upgradable_guard_unchecked);
}

impl<R: RawRwLockUpgradeTimed, T: ?Sized> RwLock<R, T> {
    arc_guard!(try ArcRwLockUpgradableReadGuard, try_upgradable_read_arc_for = try_upgradable_read_for(timeout: Duration));
    arc_guard!(try ArcRwLockUpgradableReadGuard, try_upgradable_read_arc_until = try_upgradable_read_until(timeout: Instant));
}

/// A change of mode: into `$To`, by the raw lock's `$convert`. A downgrade is recorded before, an upgrade after.
macro_rules! converted {
    ($To:ident, $held:expr, $rwlock:expr) => {
        $To { held: ManuallyDrop::new($held), rwlock: $rwlock, marker: PhantomData }
    };
    (down $name:ident -> $To:ident, $mode:expr, $convert:ident) => {
        /// See the original.
        #[track_caller]
        #[expect(unsafe_code, reason = "as in the original")]
        pub fn $name(s: Self) -> $To<R, T> {
            let (held, rwlock) = Self::into_parts(s);
            let held = held.convert($mode, Location::caller());
            // SAFETY: the lock is held by this guard, in its mode.
            unsafe { rwlock.raw().$convert() };
            converted!($To, held, rwlock)
        }
    };
    (try $name:ident($($timeout:ident: $limit:ident)?) $failed:ident) => {
        /// See the original.
        #[track_caller]
        #[expect(unsafe_code, reason = "as in the original")]
        pub fn $name(s: Self $(, $timeout: R::$limit)?) -> Result<ArcRwLockWriteGuard<R, T>, Self> {
            let place = Location::caller();
            // SAFETY: the lock is held by this guard, upgradably.
            if unsafe { s.rwlock.raw().$name($($timeout)?) } {
                let (held, rwlock) = Self::into_parts(s);
                Ok(converted!(ArcRwLockWriteGuard, held.convert(Mode::Exclusive, place), rwlock))
            } else {
                let attempt = s.rwlock.attempt(Mode::Exclusive, place);
                attempt.lock.$failed(attempt.mode, place, attempt.type_name);
                Err(s)
            }
        }
    };
    (with $name:ident($($timeout:ident: $limit:ident)?) $upgrade:ident $failed:ident) => {
        /// See the original.
        #[track_caller]
        #[expect(unsafe_code, reason = "as in the original")]
        pub fn $name<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, $($timeout: R::$limit,)? f: F) -> Option<Ret> {
            let place = Location::caller();
            // SAFETY: the lock is held by this guard, upgradably.
            if unsafe { self.rwlock.raw().$upgrade($($timeout)?) } {
                Some(self.as_writer(place, f))
            } else {
                let attempt = self.rwlock.attempt(Mode::Exclusive, place);
                attempt.lock.$failed(attempt.mode, place, attempt.type_name);
                None
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
fn upgrade<R: RawRwLockUpgrade, T: ?Sized>(rwlock: &RwLock<R, T>, place: &'static Location<'static>) {
    // SAFETY: called only for a guard that holds the lock upgradably.
    unsafe {
        if !rwlock.raw().try_upgrade() {
            rwlock.attempt(Mode::Exclusive, place).request(How::Blocking);
            rwlock.raw().upgrade();
        }
    }
}

impl<R: RawRwLockUpgrade, T: ?Sized> ArcRwLockUpgradableReadGuard<R, T> {
    /// See [`lock_api::ArcRwLockUpgradableReadGuard::upgrade`](real::ArcRwLockUpgradableReadGuard::upgrade).
    #[track_caller]
    pub fn upgrade(s: Self) -> ArcRwLockWriteGuard<R, T> {
        let place = Location::caller();
        upgrade(&s.rwlock, place);
        let (held, rwlock) = Self::into_parts(s);
        converted!(ArcRwLockWriteGuard, held.convert(Mode::Exclusive, place), rwlock)
    }

    converted!(try try_upgrade() try_failed);
}

impl<R: RawRwLockUpgradeDowngrade, T: ?Sized> ArcRwLockUpgradableReadGuard<R, T> {
    converted!(down downgrade -> ArcRwLockReadGuard, Mode::Shared, downgrade_upgradable);

    /// See [`lock_api::ArcRwLockUpgradableReadGuard::with_upgraded`](real::ArcRwLockUpgradableReadGuard::with_upgraded).
    #[track_caller]
    pub fn with_upgraded<Ret, F: FnOnce(&mut T) -> Ret>(&mut self, f: F) -> Ret {
        let place = Location::caller();
        upgrade(&self.rwlock, place);
        self.as_writer(place, f)
    }

    converted!(with try_with_upgraded() try_upgrade try_failed);

    /// Runs `f` while the lock is upgraded, and downgrades it however `f` ends.
    #[expect(unsafe_code, reason = "as in the original")]
    fn as_writer<Ret>(&mut self, place: &'static Location<'static>, f: impl FnOnce(&mut T) -> Ret) -> Ret {
        let ArcRwLockUpgradableReadGuard { held, rwlock, .. } = self;
        **held = held.take().convert(Mode::Exclusive, place);
        held.wrote();
        let _upgradable_again = Finally::new(|| {
            **held = held.take().convert(Mode::Upgradable, place);
            // SAFETY: it was upgraded before.
            unsafe { rwlock.raw().downgrade_to_upgradable() }
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
