//! case: clean_leader_of_a_barrier_nests
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: One thread of a round nests, in an order that changes from round to round.

use std::sync::{Barrier, Mutex};
use std::thread;

fn main() {
    // Only one thread at a time nests: the leader of a round; orders differ from round to round.
    let (b, x, y) = (Barrier::new(3), Mutex::new(0u32), Mutex::new(0u32));
    thread::scope(|s| {
        for _ in 0..3 {
            s.spawn(|| {
                for round in 0..6 {
                    if b.wait().is_leader() {
                        if round % 2 == 0 {
                            let p = x.lock().unwrap();
                            *y.lock().unwrap() += *p
                        } else {
                            let q = y.lock().unwrap();
                            *x.lock().unwrap() += 1 + *q % 3
                        }
                    }
                    b.wait();
                }
            });
        }
    });
}
