//! case: clean_join_under_lock_after_flag
//! source: own; an atomic before a join
//! kind: benign look-alike
//! expect: clean
//! why: The lock is held across a join, but taken only when the worker said that it needs the lock no more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn main() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let logged = Arc::new(AtomicBool::new(false));
    let worker = {
        let (log, logged) = (Arc::clone(&log), Arc::clone(&logged));
        thread::spawn(move || {
            log.lock().unwrap().push("ready");
            logged.store(true, Ordering::Release);
            thread::sleep(Duration::from_millis(80));
        })
    };
    thread::sleep(Duration::from_millis(40));
    while !logged.load(Ordering::Acquire) {
        thread::yield_now();
    }
    let mut log = log.lock().unwrap();
    worker.join().unwrap();
    log.push("joined");
}
