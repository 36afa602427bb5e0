//! case: clean_atomic_last_one_out
//! source: own; counting down with an atomic
//! kind: benign look-alike
//! expect: clean
//! why: Who takes the locks in the other order does so only as the last one out, when everybody else is past its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

const WORKERS: usize = 3;

struct Totals {
    done: Mutex<u32>,
    sum: Mutex<u32>,
    left: AtomicUsize,
}

impl Totals {
    fn work(&self, value: u32) {
        {
            let mut done = self.done.lock().unwrap();
            *self.sum.lock().unwrap() += value;
            *done += 1;
        }
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            let sum = self.sum.lock().unwrap();
            println!("{} of {} workers", *sum, *self.done.lock().unwrap());
        }
    }
}

fn main() {
    let totals = Arc::new(Totals { done: Mutex::new(0), sum: Mutex::new(0), left: AtomicUsize::new(WORKERS) });
    let workers: Vec<_> = (0..WORKERS as u32)
        .map(|value| {
            let totals = Arc::clone(&totals);
            thread::spawn(move || totals.work(value))
        })
        .collect();
    for worker in workers {
        worker.join().unwrap();
    }
}
