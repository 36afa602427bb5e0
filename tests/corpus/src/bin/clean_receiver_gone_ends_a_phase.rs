//! case: clean_receiver_gone_ends_a_phase
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: A failed send tells that the receiving thread is through with its sections.

use crossbeam_channel::bounded;
use std::sync::{Arc, Mutex};
use std::thread;

fn main() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (tx, rx) = bounded::<u32>(1);
    let (x, y) = (a.clone(), b.clone());
    let t = thread::spawn(move || {
        for _ in rx.iter().take(2) {}
        {
            let g = x.lock().unwrap();
            *y.lock().unwrap() += *g;
        }
        drop(rx);
    });
    let mut n = 0;
    while tx.send(n).is_ok() {
        n += 1
    }
    {
        let g = b.lock().unwrap();
        *a.lock().unwrap() += *g + n;
    }
    t.join().unwrap();
}
