//! The facade of lock_api: everything that it has, with [`Mutex`], [`ReentrantMutex`] and [`RwLock`] instrumented.
//!
//! `cargo conccheck` compiles this crate in the place of lock_api, so that all locks made from it are recorded: parking_lot's,
//! dashmap's, spin's and everybody's own. A type of the facade has the API of the type that it stands for, wraps that type, and
//! leaves every outcome to it. What goes on behind [`Mutex::raw`] can't be seen.
#![no_std]

#[cfg(feature = "arc_lock")]
extern crate alloc;

pub use lock_api_orig::*;

#[macro_use]
mod guard;
#[macro_use]
#[cfg(feature = "arc_lock")]
mod state;
#[macro_use]
#[cfg(feature = "arc_lock")]
mod arc_guard;
#[cfg(feature = "arc_lock")]
mod arc_convert;
#[cfg(feature = "arc_lock")]
mod arc_mutex;
#[cfg(all(feature = "arc_lock", any(feature = "atomic_usize", conccheck_before = "0.4.10")))]
mod arc_remutex;
#[cfg(feature = "arc_lock")]
mod arc_rwlock;
mod attempt;
#[cfg(conccheck_original = "0.5")]
mod condvar;
mod finally;
mod mutex;
#[cfg(any(feature = "atomic_usize", conccheck_before = "0.4.10"))]
mod remutex;
mod rwlock;
mod rwlock_guards;
mod upgradable;

#[cfg(feature = "arc_lock")]
pub use arc_mutex::ArcMutexGuard;
#[cfg(all(feature = "arc_lock", any(feature = "atomic_usize", conccheck_before = "0.4.10")))]
pub use arc_remutex::ArcReentrantMutexGuard;
#[cfg(feature = "arc_lock")]
pub use arc_rwlock::{ArcRwLockReadGuard, ArcRwLockUpgradableReadGuard, ArcRwLockWriteGuard};
#[cfg(conccheck_original = "0.5")]
pub use condvar::Condvar;
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard};
#[cfg(any(feature = "atomic_usize", conccheck_before = "0.4.10"))]
pub use remutex::{MappedReentrantMutexGuard, ReentrantMutex, ReentrantMutexGuard};
pub use rwlock::RwLock;
pub use rwlock_guards::{MappedRwLockReadGuard, MappedRwLockWriteGuard, RwLockReadGuard, RwLockWriteGuard};
pub use upgradable::RwLockUpgradableReadGuard;
