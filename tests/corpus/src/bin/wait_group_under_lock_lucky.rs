//! case: wait_group_under_lock_lucky
//! source: own
//! kind: mixed deadlock
//! expect: potential-deadlock
//! why: A group is waited for under a lock that its members take; here they had it before.

use crossbeam_utils::sync::WaitGroup;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn main() {
    let state = Arc::new(Mutex::new(vec![0]));
    let wg = WaitGroup::new();
    for k in 0..2 {
        let (s, wg) = (state.clone(), wg.clone());
        thread::spawn(move || {
            s.lock().unwrap().push(k);
            drop(wg)
        });
    }
    thread::sleep(Duration::from_millis(40));
    let g = state.lock().unwrap();
    wg.wait();
    println!("{}", g.len());
}
