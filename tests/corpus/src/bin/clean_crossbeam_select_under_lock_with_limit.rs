//! case: clean_crossbeam_select_under_lock_with_limit
//! source: own; harmless twin of crossbeam_select_under_lock
//! kind: benign look-alike
//! expect: clean
//! why: The one sender takes the lock before it sends, the other does not, and the second selection has a limit.

use crossbeam_channel::{bounded, select};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn main() {
    let state = Arc::new(Mutex::new(0));
    let (results, all_results) = bounded(2);
    let (errors, all_errors) = bounded(2);
    let shared = state.clone();
    let reporter = thread::spawn(move || {
        let state = shared.lock().unwrap();
        results.send(*state).unwrap();
    });
    let failer = thread::spawn(move || errors.send(7).unwrap());
    let shared = state.clone();
    let collector = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        let mut state = shared.lock().unwrap();
        for _ in 0..2 {
            select! {
                recv(all_results) -> result => *state = result.unwrap_or(1),
                recv(all_errors) -> error => *state = error.unwrap_or(2),
            }
        }
        select! {
            recv(all_results) -> result => *state = result.unwrap_or(1),
            default(Duration::from_millis(10)) => {}
        }
    });
    for thread in [reporter, failer, collector] {
        thread.join().unwrap();
    }
}
