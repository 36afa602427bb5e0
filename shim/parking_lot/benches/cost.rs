//! What recording costs: each operation of parking_lot, and of its facade while that records, in turns in one process.
//!
//! `cargo bench -p conccheck-parking_lot`.

#[path = "../../std/benches/compare/mod.rs"]
mod compare;

use std::hint::black_box;

use compare::{compare, while_recording};

/// The same operations for any of the two, since their types have the same names.
macro_rules! operations {
    ($name:ident, $parking_lot:ident) => {
        mod $name {
            use std::thread;

            use super::black_box;
            use $parking_lot::{Condvar, FairMutex, Mutex, ReentrantMutex, RwLock};

            pub(super) fn mutex() -> impl FnMut(u32) {
                let mutex = Mutex::new(0_u64);
                move |times| (0..times).for_each(|_| *black_box(&mutex).lock() += 1)
            }

            pub(super) fn two_nested() -> impl FnMut(u32) {
                let (outer, inner) = (Mutex::new(0_u64), Mutex::new(0_u64));
                move |times| {
                    for _ in 0..times {
                        let mut guard = black_box(&outer).lock();
                        *black_box(&inner).lock() += 1;
                        *guard += 1;
                    }
                }
            }

            pub(super) fn fair_mutex() -> impl FnMut(u32) {
                let mutex = FairMutex::new(0_u64);
                move |times| (0..times).for_each(|_| *black_box(&mutex).lock() += 1)
            }

            pub(super) fn reentrant_mutex() -> impl FnMut(u32) {
                let mutex = ReentrantMutex::new(1_u64);
                move |times| (0..times).for_each(|_| assert_eq!(*black_box(&mutex).lock(), 1))
            }

            pub(super) fn read() -> impl FnMut(u32) {
                let lock = RwLock::new(1_u64);
                move |times| (0..times).for_each(|_| assert_eq!(*black_box(&lock).read(), 1))
            }

            pub(super) fn upgradable_read() -> impl FnMut(u32) {
                let lock = RwLock::new(1_u64);
                move |times| (0..times).for_each(|_| assert_eq!(*black_box(&lock).upgradable_read(), 1))
            }

            pub(super) fn write() -> impl FnMut(u32) {
                let lock = RwLock::new(1_u64);
                move |times| (0..times).for_each(|_| *black_box(&lock).write() += 1)
            }

            pub(super) fn contended() -> impl FnMut(u32) {
                let mutex = Mutex::new(0_u64);
                move |times| {
                    thread::scope(|scope| {
                        for _ in 0..2 {
                            scope.spawn(|| (0..times).for_each(|_| *black_box(&mutex).lock() += 1));
                        }
                    });
                }
            }

            pub(super) fn ping_pong() -> impl FnMut(u32) {
                let (turn, changed) = (Mutex::new(0_u32), Condvar::new());
                move |times| {
                    *turn.lock() = 0;
                    let play = |mine: u32| {
                        for _ in 0..times {
                            let mut turn = turn.lock();
                            changed.wait_while(&mut turn, |turn| *turn % 2 != mine);
                            *turn += 1;
                            changed.notify_one();
                        }
                    };
                    thread::scope(|scope| {
                        scope.spawn(|| play(0));
                        play(1);
                    });
                }
            }
        }
    };
}
operations!(raw, parking_lot_orig);
operations!(recorded, conccheck_parking_lot);

fn main() {
    while_recording(|| {
        compare("Mutex", 20_000, &mut raw::mutex(), &mut recorded::mutex());
        compare("Mutex, 2 nested", 10_000, &mut raw::two_nested(), &mut recorded::two_nested());
        compare("FairMutex", 20_000, &mut raw::fair_mutex(), &mut recorded::fair_mutex());
        compare("ReentrantMutex", 20_000, &mut raw::reentrant_mutex(), &mut recorded::reentrant_mutex());
        compare("RwLock, read", 20_000, &mut raw::read(), &mut recorded::read());
        compare("RwLock, upgradable read", 20_000, &mut raw::upgradable_read(), &mut recorded::upgradable_read());
        compare("RwLock, write", 20_000, &mut raw::write(), &mut recorded::write());
        compare("Mutex, 2 threads", 20_000, &mut raw::contended(), &mut recorded::contended());
        compare("Condvar, there and back", 500, &mut raw::ping_pong(), &mut recorded::ping_pong());
    });
}
