//! What recording costs: each operation of std, and of the facade while it records, in turns in one process.
//!
//! `cargo bench -p conccheck-std`.

mod compare;

use std::hint::black_box;

use compare::{compare, while_recording};

/// A cheap sequence of pseudo-random numbers below 1,000.
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state % 1000) as usize
}

/// The same operations for any of the two, since their types have the same names.
macro_rules! operations {
    ($name:ident, $std:ident) => {
        mod $name {
            use super::{black_box, random};
            use $std::sync::{Condvar, Mutex, OnceLock, RwLock, mpsc};
            use $std::thread;

            pub(super) fn mutexes<const N: usize>() -> impl FnMut(u32) {
                let mutexes: [Mutex<u64>; N] = std::array::from_fn(|_| Mutex::new(0));
                move |times| {
                    for _ in 0..times {
                        let mut guards = black_box(&mutexes).each_ref().map(|mutex| mutex.lock().unwrap());
                        guards.iter_mut().rev().for_each(|guard| **guard += 1);
                    }
                }
            }

            pub(super) fn mutex() -> impl FnMut(u32) {
                let mutex = Mutex::new(0_u64);
                move |times| (0..times).for_each(|_| *black_box(&mutex).lock().unwrap() += 1)
            }

            pub(super) fn two_nested() -> impl FnMut(u32) {
                let (outer, inner) = (Mutex::new(0_u64), Mutex::new(0_u64));
                move |times| {
                    for _ in 0..times {
                        let mut guard = black_box(&outer).lock().unwrap();
                        *black_box(&inner).lock().unwrap() += 1;
                        *guard += 1;
                    }
                }
            }

            pub(super) fn read() -> impl FnMut(u32) {
                let lock = RwLock::new(1_u64);
                move |times| (0..times).for_each(|_| assert_eq!(*black_box(&lock).read().unwrap(), 1))
            }

            pub(super) fn write() -> impl FnMut(u32) {
                let lock = RwLock::new(1_u64);
                move |times| (0..times).for_each(|_| *black_box(&lock).write().unwrap() += 1)
            }

            pub(super) fn contended() -> impl FnMut(u32) {
                let mutex = Mutex::new(0_u64);
                move |times| {
                    thread::scope(|scope| {
                        for _ in 0..2 {
                            scope.spawn(|| (0..times).for_each(|_| *black_box(&mutex).lock().unwrap() += 1));
                        }
                    });
                }
            }

            pub(super) fn thousand() -> impl FnMut(u32) {
                let mutexes: Vec<Mutex<u64>> = (0..1000).map(|_| Mutex::new(0)).collect();
                move |times| {
                    thread::scope(|scope| {
                        for seed in 1..=2 {
                            let mutexes = &mutexes;
                            scope.spawn(move || {
                                let mut state = seed;
                                (0..times).for_each(|_| *mutexes[random(&mut state)].lock().unwrap() += 1);
                            });
                        }
                    });
                }
            }

            pub(super) fn channel() -> impl FnMut(u32) {
                let (sender, receiver) = mpsc::channel();
                move |times| {
                    for i in 0..times {
                        sender.send(i).unwrap();
                        black_box(receiver.recv().unwrap());
                    }
                }
            }

            pub(super) fn ping_pong() -> impl FnMut(u32) {
                let (turn, changed) = (Mutex::new(0_u32), Condvar::new());
                move |times| {
                    *turn.lock().unwrap() = 0;
                    let play = |mine: u32| {
                        for _ in 0..times {
                            let mut turn = changed.wait_while(turn.lock().unwrap(), |turn| *turn % 2 != mine).unwrap();
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

            pub(super) fn spawn() -> impl FnMut(u32) {
                |times| (0..times).for_each(|i| assert_eq!(thread::spawn(move || i).join().unwrap(), i))
            }

            pub(super) fn once() -> impl FnMut(u32) {
                let once = OnceLock::new();
                once.set(1_u64).unwrap();
                move |times| (0..times).for_each(|_| assert!(black_box(&once).get().is_some()))
            }
        }
    };
}
operations!(raw, std);
operations!(recorded, conccheck_std);

fn main() {
    while_recording(|| {
        compare("Mutex", 20_000, &mut raw::mutex(), &mut recorded::mutex());
        compare("Mutex, 2 nested", 10_000, &mut raw::two_nested(), &mut recorded::two_nested());
        compare("Mutex, 4 nested", 5_000, &mut raw::mutexes::<4>(), &mut recorded::mutexes::<4>());
        compare("RwLock, read", 20_000, &mut raw::read(), &mut recorded::read());
        compare("RwLock, write", 20_000, &mut raw::write(), &mut recorded::write());
        compare("Mutex, 2 threads", 20_000, &mut raw::contended(), &mut recorded::contended());
        compare("1,000 Mutexes at random, 2 threads", 20_000, &mut raw::thousand(), &mut recorded::thousand());
        compare("mpsc send and receive", 10_000, &mut raw::channel(), &mut recorded::channel());
        compare("Condvar, there and back", 500, &mut raw::ping_pong(), &mut recorded::ping_pong());
        compare("spawn and join", 50, &mut raw::spawn(), &mut recorded::spawn());
        compare("OnceLock::get", 50_000, &mut raw::once(), &mut recorded::once());
    });
}
