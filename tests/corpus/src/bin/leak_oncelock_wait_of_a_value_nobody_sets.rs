//! case: leak_oncelock_wait_of_a_value_nobody_sets
//! source: own
//! kind: task leak
//! expect: leaked-task
//! why: A thread waits for the value of a OnceLock that no path sets.

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

fn main() {
    let config: Arc<OnceLock<String>> = Arc::default();
    let c = Arc::clone(&config);
    thread::spawn(move || println!("{}", c.wait()));
    ms(120);
    println!("{:?}", config.get());
}
