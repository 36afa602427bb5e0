//! case: clean_wait_group_ends_a_phase
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: The main thread nests the other way round once the group has ended.

use crossbeam_utils::sync::WaitGroup;
use std::sync::{Arc, Mutex};
use std::thread;

fn main() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let wg = WaitGroup::new();
    for _ in 0..3 {
        let (a, b, wg) = (a.clone(), b.clone(), wg.clone());
        thread::spawn(move || {
            {
                let x = a.lock().unwrap();
                *b.lock().unwrap() += *x + 1;
            }
            drop(wg);
        });
    }
    wg.wait();
    let y = b.lock().unwrap();
    *a.lock().unwrap() += *y;
    println!("{y}");
}
