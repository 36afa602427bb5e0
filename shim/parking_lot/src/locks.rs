//! parking_lot's names for the locks of lock_api.

#[cfg(conccheck_original = "0.13")]
use parking_lot_orig::RawRwLockRecursive;
use parking_lot_orig::{RawMutex, RawRwLock, RawThreadId};

/// Instrumented [`parking_lot::Mutex`](parking_lot_orig::Mutex).
pub type Mutex<T> = lock_api::Mutex<RawMutex, T>;
/// Instrumented [`parking_lot::MutexGuard`](parking_lot_orig::MutexGuard).
pub type MutexGuard<'a, T> = lock_api::MutexGuard<'a, RawMutex, T>;
/// Instrumented [`parking_lot::MappedMutexGuard`](parking_lot_orig::MappedMutexGuard).
pub type MappedMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawMutex, T>;

/// Instrumented [`parking_lot::ReentrantMutex`](parking_lot_orig::ReentrantMutex).
pub type ReentrantMutex<T> = lock_api::ReentrantMutex<RawMutex, RawThreadId, T>;
/// Instrumented [`parking_lot::ReentrantMutexGuard`](parking_lot_orig::ReentrantMutexGuard).
pub type ReentrantMutexGuard<'a, T> = lock_api::ReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;
/// Instrumented [`parking_lot::MappedReentrantMutexGuard`](parking_lot_orig::MappedReentrantMutexGuard).
pub type MappedReentrantMutexGuard<'a, T> = lock_api::MappedReentrantMutexGuard<'a, RawMutex, RawThreadId, T>;

/// Instrumented [`parking_lot::RwLock`](parking_lot_orig::RwLock).
pub type RwLock<T> = lock_api::RwLock<RawRwLock, T>;
/// Instrumented [`parking_lot::RwLockReadGuard`](parking_lot_orig::RwLockReadGuard).
pub type RwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLock, T>;
/// Instrumented [`parking_lot::RwLockWriteGuard`](parking_lot_orig::RwLockWriteGuard).
pub type RwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLock, T>;
/// Instrumented [`parking_lot::RwLockUpgradableReadGuard`](parking_lot_orig::RwLockUpgradableReadGuard).
pub type RwLockUpgradableReadGuard<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLock, T>;
/// Instrumented [`parking_lot::MappedRwLockReadGuard`](parking_lot_orig::MappedRwLockReadGuard).
pub type MappedRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLock, T>;
/// Instrumented [`parking_lot::MappedRwLockWriteGuard`](parking_lot_orig::MappedRwLockWriteGuard).
pub type MappedRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLock, T>;

/// Instrumented `RecursiveRwLock`.
#[cfg(conccheck_original = "0.13")]
pub type RecursiveRwLock<T> = lock_api::RwLock<RawRwLockRecursive, T>;
/// Instrumented `RecursiveRwLockReadGuard`.
#[cfg(conccheck_original = "0.13")]
pub type RecursiveRwLockReadGuard<'a, T> = lock_api::RwLockReadGuard<'a, RawRwLockRecursive, T>;
/// Instrumented `RecursiveRwLockWriteGuard`.
#[cfg(conccheck_original = "0.13")]
pub type RecursiveRwLockWriteGuard<'a, T> = lock_api::RwLockWriteGuard<'a, RawRwLockRecursive, T>;
/// Instrumented `RecursiveRwLockUpgradableReadGuard`.
#[cfg(conccheck_original = "0.13")]
pub type RecursiveRwLockUpgradableReadGuard<'a, T> = lock_api::RwLockUpgradableReadGuard<'a, RawRwLockRecursive, T>;
/// Instrumented `MappedRecursiveRwLockReadGuard`.
#[cfg(conccheck_original = "0.13")]
pub type MappedRecursiveRwLockReadGuard<'a, T> = lock_api::MappedRwLockReadGuard<'a, RawRwLockRecursive, T>;
/// Instrumented `MappedRecursiveRwLockWriteGuard`.
#[cfg(conccheck_original = "0.13")]
pub type MappedRecursiveRwLockWriteGuard<'a, T> = lock_api::MappedRwLockWriteGuard<'a, RawRwLockRecursive, T>;

/// See [`parking_lot::const_mutex`](parking_lot_orig::const_mutex).
#[track_caller]
pub const fn const_mutex<T>(val: T) -> Mutex<T> {
    Mutex::new(val)
}

/// See [`parking_lot::const_reentrant_mutex`](parking_lot_orig::const_reentrant_mutex).
#[track_caller]
pub const fn const_reentrant_mutex<T>(val: T) -> ReentrantMutex<T> {
    ReentrantMutex::new(val)
}

/// See [`parking_lot::const_rwlock`](parking_lot_orig::const_rwlock).
#[track_caller]
pub const fn const_rwlock<T>(val: T) -> RwLock<T> {
    RwLock::new(val)
}
