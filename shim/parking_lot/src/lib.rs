//! The facade of parking_lot: everything that it has, with all its locks, [`Condvar`] and [`Once`] instrumented.
//!
//! The locks are those of the facade of lock_api over parking_lot's own raw locks.
#![forbid(unsafe_code)]

pub use parking_lot_orig::*;

#[cfg(not(conccheck_original = "0.13"))]
mod condvar;
#[cfg(not(conccheck_before = "0.10.1"))]
mod fair_mutex;
mod locks;
mod once;

pub use ::lock_api;
#[cfg(feature = "arc_lock")]
pub use ::lock_api::{
    ArcMutexGuard, ArcReentrantMutexGuard, ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard,
};
#[cfg(not(conccheck_original = "0.13"))]
pub use condvar::Condvar;
/// Instrumented [`parking_lot::Condvar`](parking_lot_orig::Condvar).
#[cfg(conccheck_original = "0.13")]
pub type Condvar = ::lock_api::Condvar<RawCondvar>;
#[cfg(not(conccheck_before = "0.10.1"))]
pub use fair_mutex::{FairMutex, FairMutexGuard, MappedFairMutexGuard, const_fair_mutex};
pub use locks::{
    MappedMutexGuard, MappedReentrantMutexGuard, MappedRwLockReadGuard, MappedRwLockWriteGuard, Mutex, MutexGuard,
    ReentrantMutex, ReentrantMutexGuard, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard, const_mutex,
    const_reentrant_mutex, const_rwlock,
};
#[cfg(conccheck_original = "0.13")]
pub use locks::{
    MappedRecursiveRwLockReadGuard, MappedRecursiveRwLockWriteGuard, RecursiveRwLock, RecursiveRwLockReadGuard,
    RecursiveRwLockUpgradableReadGuard, RecursiveRwLockWriteGuard,
};
pub use once::Once;
