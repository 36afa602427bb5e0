//! case: parkinglot_forgotten_guard
//! source: own; a guard that is forgotten keeps its lock
//! kind: guard leak
//! expect: guard-leak
//! why: A thread forgets its guard and ends, and the next one waits for ever.

use parking_lot::Mutex;
use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

fn main() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let of_writer = Arc::clone(&log);
    let writer = thread::spawn(move || {
        let mut lines = of_writer.lock();
        lines.push("started");
        mem::forget(lines);
    });
    writer.join().unwrap();
    thread::spawn(move || println!("never printed {}", log.lock().len()));
    thread::sleep(Duration::from_millis(250));
}
