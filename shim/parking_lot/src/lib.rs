//! The facade of parking_lot: everything that it has, with all its locks, [`Condvar`] and [`Once`] instrumented.
//!
//! The locks are those of the facade of lock_api over parking_lot's own raw locks.
#![forbid(unsafe_code)]

pub use parking_lot_orig::*;

mod condvar;
mod locks;
mod once;

pub use ::lock_api;
#[cfg(feature = "arc_lock")]
pub use ::lock_api::{
    ArcMutexGuard, ArcReentrantMutexGuard, ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard,
};
pub use condvar::Condvar;
pub use locks::{
    FairMutex, FairMutexGuard, MappedFairMutexGuard, MappedMutexGuard, MappedReentrantMutexGuard, MappedRwLockReadGuard,
    MappedRwLockWriteGuard, Mutex, MutexGuard, ReentrantMutex, ReentrantMutexGuard, RwLock, RwLockReadGuard,
    RwLockUpgradableReadGuard, RwLockWriteGuard, const_fair_mutex, const_mutex, const_reentrant_mutex, const_rwlock,
};
pub use once::Once;
