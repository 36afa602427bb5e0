//! The facade's types implement what the originals implement, whatever is in them.

use std::cell::Cell;
use std::fmt::Debug;
use std::rc::Rc;

macro_rules! same {
    ($($types:tt)+) => {
        same_traits!(conccheck_parking_lot, parking_lot_orig: $($types)+);
    };
}

macro_rules! same_around {
    ($($inner:ty),+) => {$(
        same!(
            Mutex<$inner>, MutexGuard<$inner>, MappedMutexGuard<$inner>, FairMutex<$inner>, FairMutexGuard<$inner>,
            ReentrantMutex<$inner>, ReentrantMutexGuard<$inner>, MappedReentrantMutexGuard<$inner>,
            RwLock<$inner>, RwLockReadGuard<$inner>, RwLockWriteGuard<$inner>, RwLockUpgradableReadGuard<$inner>,
            MappedRwLockReadGuard<$inner>, MappedRwLockWriteGuard<$inner>,
        );
        same!(
            lock_api::ArcMutexGuard<parking_lot_orig::RawMutex, $inner>,
            lock_api::ArcReentrantMutexGuard<parking_lot_orig::RawMutex, parking_lot_orig::RawThreadId, $inner>,
            lock_api::ArcRwLockReadGuard<parking_lot_orig::RawRwLock, $inner>,
            lock_api::ArcRwLockWriteGuard<parking_lot_orig::RawRwLock, $inner>,
            lock_api::ArcRwLockUpgradableReadGuard<parking_lot_orig::RawRwLock, $inner>,
        );
    )+};
}

#[test]
fn locks_and_guards_have_the_originals_traits() {
    same_around!(u8, Cell<u8>, Rc<u8>, *const u8, std::sync::MutexGuard<'static, u8>);
    same!(Mutex<[u8]>, Mutex<dyn Debug>, RwLock<dyn Debug + Send>, MutexGuard<str>, RwLockReadGuard<dyn Debug>);
}

#[test]
fn plain_types_have_the_originals_traits() {
    same!(Condvar, Once, OnceState, WaitTimeoutResult);
}
