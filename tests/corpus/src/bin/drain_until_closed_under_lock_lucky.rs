//! case: drain_until_closed_under_lock_lucky
//! source: own
//! kind: mixed deadlock
//! expect: potential-deadlock
//! why: A channel is drained to its end under a lock that its sender takes before it ends; here it had it before.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn main() {
    let log = Arc::new(Mutex::new(0u32));
    let (tx, rx) = channel::<u32>();
    let l = log.clone();
    let p = thread::spawn(move || {
        for i in 0..3 {
            tx.send(i).unwrap()
        }
        *l.lock().unwrap() += 1;
    });
    thread::sleep(Duration::from_millis(40));
    {
        let mut l = log.lock().unwrap();
        for v in rx {
            *l += v
        }
    }
    p.join().unwrap();
}
