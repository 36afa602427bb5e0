//! case: atom_guard_in_block
//! source: own
//! kind: atomicity violation
//! expect: atomicity-violation
//! why: The value is copied out of a block that holds the guard, and written back later.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

fn main() {
    let total = Arc::new(Mutex::new(100u32));
    let hs: Vec<_> = (0..2)
        .map(|_| {
            let total = Arc::clone(&total);
            thread::spawn(move || {
                let left = {
                    let guard = total.lock().expect("not poisoned");
                    *guard
                };
                if left >= 80 {
                    ms(30);
                    let mut guard = total.lock().expect("not poisoned");
                    *guard = left - 80;
                }
            })
        })
        .collect();
    for h in hs {
        h.join().unwrap();
    }
    println!("{}", total.lock().unwrap());
}
