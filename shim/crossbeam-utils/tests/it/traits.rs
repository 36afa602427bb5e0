//! The facade's types implement what the originals implement, whatever is in them.

use std::cell::Cell;
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::MutexGuard;

macro_rules! same {
    ($($types:tt)+) => {
        same_traits!(conccheck_crossbeam_utils, crossbeam_utils_orig: $($types)+);
    };
}

macro_rules! same_around {
    ($($inner:ty),+) => {$(
        same!(sync::ShardedLock<$inner>, thread::ScopedJoinHandle<$inner>);
    )+};
}

#[test]
fn generic_types_have_the_originals_traits() {
    same_around!(u8, Cell<u8>, Rc<u8>, *const u8, &'static mut u8, MutexGuard<'static, u8>);
    same!(sync::ShardedLock<[u8]>, sync::ShardedLock<dyn Debug + Send>, sync::ShardedLock<dyn Debug>);
}

#[test]
fn plain_types_have_the_originals_traits() {
    same!(Backoff, sync::Parker, sync::Unparker, sync::WaitGroup, thread::Scope, thread::ScopedThreadBuilder);
}

#[test]
fn constants_may_refer_to_what_only_holds_pointers() {
    use conccheck_crossbeam_utils::{sync, thread};

    constants_refer_to!(sync::Parker, sync::Unparker, sync::WaitGroup, thread::ScopedJoinHandle<'static, Cell<u8>>);
}
