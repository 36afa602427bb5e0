//! case: parkinglot_upgradable_twice
//! source: own; only one upgradable read of a lock at a time
//! kind: double lock
//! expect: double-lock
//! why: A thread that holds an upgradable read of a lock asks for another one.

use parking_lot::RwLock;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

fn length(names: &RwLock<Vec<&str>>) -> usize {
    names.upgradable_read().len()
}

fn main() {
    let names = Arc::new(RwLock::new(vec!["a"]));
    let of_worker = Arc::clone(&names);
    thread::spawn(move || {
        let read = of_worker.upgradable_read();
        println!("never printed {} {}", read.len(), length(&of_worker));
    });
    thread::sleep(Duration::from_millis(250));
}
