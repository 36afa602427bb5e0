//! case: clean_parkinglot_forgotten_guard_unlocked
//! source: own; harmless twin of parkinglot_forgotten_guard
//! kind: benign look-alike
//! expect: clean
//! why: The guard is forgotten in order to unlock later, by `force_unlock`, as foreign interfaces need it.

use parking_lot::Mutex;
use std::mem;
use std::sync::Arc;
use std::thread;

fn main() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let of_writer = Arc::clone(&log);
    let writer = thread::spawn(move || {
        let mut lines = of_writer.lock();
        lines.push("started");
        mem::forget(lines);
        // SAFETY: this thread locked it, and the guard is gone.
        unsafe { of_writer.force_unlock() };
    });
    writer.join().unwrap();
    assert_eq!(log.lock().len(), 1);
}
