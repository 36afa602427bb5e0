//! case: clean_progress_counter
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: A monitor looks at a counter until it is full, and never writes it.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

fn main() {
    let done = Arc::new(Mutex::new(0usize));
    let ws: Vec<_> = (0..4)
        .map(|_| {
            let d = Arc::clone(&done);
            thread::spawn(move || {
                for _ in 0..10 {
                    ms(1);
                    *d.lock().unwrap() += 1;
                }
            })
        })
        .collect();
    let m = {
        let d = Arc::clone(&done);
        thread::spawn(move || loop {
            let n = *d.lock().unwrap();
            if n >= 40 {
                break;
            }
            ms(3);
        })
    };
    for w in ws {
        w.join().unwrap();
    }
    m.join().unwrap();
}
