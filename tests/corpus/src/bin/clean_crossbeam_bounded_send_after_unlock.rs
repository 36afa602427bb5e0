//! case: clean_crossbeam_bounded_send_after_unlock
//! source: own; harmless twin of crossbeam_bounded_send_under_lock
//! kind: benign look-alike
//! expect: clean
//! why: Both sides give the lock back before they wait for the channel.

use crossbeam_channel::bounded;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn main() {
    let total = Arc::new(Mutex::new(0));
    let (jobs, queue) = bounded(1);
    let sent = total.clone();
    let producer = thread::spawn(move || {
        for job in 0..3 {
            *sent.lock().unwrap() += job;
            jobs.send(job).unwrap();
        }
    });
    let taken = total.clone();
    let consumer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        while let Ok(job) = queue.recv() {
            *taken.lock().unwrap() -= job;
        }
    });
    producer.join().unwrap();
    consumer.join().unwrap();
    assert_eq!(*total.lock().unwrap(), 0);
}
