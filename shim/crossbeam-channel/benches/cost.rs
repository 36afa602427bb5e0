//! What recording costs: operations of crossbeam-channel, and of the facade while it records, in turns in one process.
//!
//! `cargo bench -p conccheck-crossbeam-channel`.

#[path = "../../std/benches/compare/mod.rs"]
mod compare;

use std::hint::black_box;

use compare::{compare, while_recording};

/// The same operations for any of the two, since their types have the same names.
macro_rules! operations {
    ($name:ident, $subject:ident) => {
        mod $name {
            use std::thread;

            use $subject::{Receiver, Sender, bounded, select, unbounded};

            use super::black_box;

            fn there_and_back((sender, receiver): (Sender<u32>, Receiver<u32>)) -> impl FnMut(u32) {
                move |times| {
                    for i in 0..times {
                        black_box(&sender).send(i).unwrap();
                        black_box(receiver.recv().unwrap());
                    }
                }
            }

            pub(super) fn unbounded_channel() -> impl FnMut(u32) {
                there_and_back(unbounded())
            }

            pub(super) fn bounded_channel() -> impl FnMut(u32) {
                there_and_back(bounded(16))
            }

            pub(super) fn pipe<const N: usize>() -> impl FnMut(u32) {
                move |times| {
                    let (sender, receiver) = bounded(N);
                    thread::scope(|scope| {
                        scope.spawn(move || (0..times).for_each(|i| sender.send(i).unwrap()));
                        assert_eq!(receiver.iter().count(), times as usize);
                    });
                }
            }

            pub(super) fn selection() -> impl FnMut(u32) {
                let ((sender, receiver), (quit, quitting)) = (unbounded(), unbounded::<()>());
                move |times| {
                    // Part of this closure, or it would be dropped, and the selection see that.
                    let _open = &quit;
                    for i in 0..times {
                        black_box(&sender).send(i).unwrap();
                        select! {
                            recv(receiver) -> message => assert_eq!(black_box(message), Ok(i)),
                            recv(quitting) -> _ => {}
                        }
                    }
                }
            }
        }
    };
}
operations!(raw, crossbeam_channel_orig);
operations!(recorded, conccheck_crossbeam_channel);

fn main() {
    while_recording(|| {
        compare("unbounded, send and receive", 10_000, &mut raw::unbounded_channel(), &mut recorded::unbounded_channel());
        compare("bounded, send and receive", 10_000, &mut raw::bounded_channel(), &mut recorded::bounded_channel());
        compare("bounded, from thread to thread", 5_000, &mut raw::pipe::<128>(), &mut recorded::pipe::<128>());
        compare("rendezvous, from thread to thread", 300, &mut raw::pipe::<0>(), &mut recorded::pipe::<0>());
        compare("send, and receive by select!", 5_000, &mut raw::selection(), &mut recorded::selection());
    });
}
