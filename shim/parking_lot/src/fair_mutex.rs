//! parking_lot's names for its mutex that is always handed on.

use parking_lot_orig::RawFairMutex;

/// Instrumented [`parking_lot::FairMutex`](parking_lot_orig::FairMutex).
pub type FairMutex<T> = lock_api::Mutex<RawFairMutex, T>;
/// Instrumented [`parking_lot::FairMutexGuard`](parking_lot_orig::FairMutexGuard).
pub type FairMutexGuard<'a, T> = lock_api::MutexGuard<'a, RawFairMutex, T>;
/// Instrumented [`parking_lot::MappedFairMutexGuard`](parking_lot_orig::MappedFairMutexGuard).
pub type MappedFairMutexGuard<'a, T> = lock_api::MappedMutexGuard<'a, RawFairMutex, T>;

/// See [`parking_lot::const_fair_mutex`](parking_lot_orig::const_fair_mutex).
#[track_caller]
pub const fn const_fair_mutex<T>(val: T) -> FairMutex<T> {
    FairMutex::new(val)
}
