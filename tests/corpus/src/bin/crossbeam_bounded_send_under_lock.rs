//! case: crossbeam_bounded_send_under_lock
//! source: own; as the deadlocks of a buffered channel and a mutex in GoBench
//! kind: mixed deadlock
//! expect: actual-deadlock
//! why: The producer waits for room with the lock held that the consumer takes before it receives.

use crossbeam_channel::bounded;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn main() {
    let total = Arc::new(Mutex::new(0));
    let (jobs, queue) = bounded(1);
    let sent = total.clone();
    thread::spawn(move || {
        let mut sent = sent.lock().unwrap();
        for job in 0..3 {
            *sent += job;
            jobs.send(job).unwrap();
        }
    });
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        loop {
            let mut total = total.lock().unwrap();
            let Ok(job) = queue.recv() else { break };
            *total -= job;
        }
    });
    thread::sleep(Duration::from_millis(250));
}
