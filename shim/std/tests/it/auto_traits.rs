//! The facade's types implement what the originals implement, whatever is in them.

use std::cell::Cell;
use std::fmt::Debug;
use std::rc::Rc;

macro_rules! same {
    ($($path:tt)+) => {
        assert_eq!(traits_of!(conccheck_std::$($path)+), traits_of!(std::$($path)+), stringify!($($path)+));
    };
}

macro_rules! same_around {
    ($($inner:ty),+) => {$(
        same!(sync::Mutex<$inner>);
        same!(sync::MutexGuard<'static, $inner>);
        same!(sync::RwLock<$inner>);
        same!(sync::RwLockReadGuard<'static, $inner>);
        same!(sync::RwLockWriteGuard<'static, $inner>);
        same!(sync::OnceLock<$inner>);
        same!(sync::LazyLock<$inner>);
        same!(sync::LazyLock<u8, $inner>);
        same!(sync::mpsc::Sender<$inner>);
        same!(sync::mpsc::SyncSender<$inner>);
        same!(sync::mpsc::Receiver<$inner>);
        same!(sync::mpsc::Iter<'static, $inner>);
        same!(sync::mpsc::TryIter<'static, $inner>);
        same!(sync::mpsc::IntoIter<$inner>);
        same!(thread::JoinHandle<$inner>);
        same!(thread::ScopedJoinHandle<'static, $inner>);
    )+};
}

#[test]
fn generic_types_have_the_originals_traits() {
    same_around!(u8, Cell<u8>, Rc<u8>, *const u8, &'static mut u8, std::sync::MutexGuard<'static, u8>);
}

#[test]
fn unsized_locks_have_the_originals_traits() {
    same!(sync::Mutex<[u8]>);
    same!(sync::Mutex<dyn Debug>);
    same!(sync::Mutex<dyn Debug + Send>);
    same!(sync::MutexGuard<'static, str>);
    same!(sync::RwLock<dyn Debug + Send + Sync>);
    same!(sync::RwLockReadGuard<'static, str>);
    same!(sync::RwLockWriteGuard<'static, dyn Debug>);
}

#[test]
fn plain_types_have_the_originals_traits() {
    same!(sync::Condvar);
    same!(sync::WaitTimeoutResult);
    same!(sync::Once);
    same!(sync::OnceState);
    same!(sync::Barrier);
    same!(sync::BarrierWaitResult);
    same!(thread::Builder);
    same!(thread::Thread);
    same!(thread::Scope<'static, 'static>);
}

#[test]
fn constants_may_refer_to_what_only_holds_pointers() {
    use conccheck_std::{sync, thread};

    constants_refer_to!(
        sync::mpsc::Sender<Cell<u8>>,
        sync::mpsc::SyncSender<Cell<u8>>,
        sync::mpsc::Receiver<Cell<u8>>,
        sync::mpsc::Iter<'static, Cell<u8>>,
        sync::mpsc::TryIter<'static, Cell<u8>>,
        sync::mpsc::IntoIter<Cell<u8>>,
        sync::MutexGuard<'static, Cell<u8>>,
        sync::RwLockReadGuard<'static, Cell<u8>>,
        sync::RwLockWriteGuard<'static, Cell<u8>>,
        thread::JoinHandle<Cell<u8>>,
        thread::ScopedJoinHandle<'static, Cell<u8>>,
        thread::Thread,
    );
}
