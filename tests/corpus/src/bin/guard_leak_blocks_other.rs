//! case: guard_leak_blocks_other
//! source: own
//! kind: resource deadlock
//! expect: guard-leak
//! why: A boxed guard is leaked, and another thread waits for its lock.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

fn main() {
    let m: &'static Mutex<Vec<u8>> = Box::leak(Box::new(Mutex::new(vec![])));
    thread::spawn(move || {
        let g = m.lock().unwrap();
        let b: Box<dyn std::any::Any> = Box::new(g);
        Box::leak(b);
    });
    ms(40);
    thread::spawn(move || m.lock().unwrap().push(1));
    ms(120);
}
