//! case: lost_wakeup_two_phase
//! source: own
//! kind: lost wakeup
//! expect: lost-wakeup
//! why: The gate is checked in one critical section and waited for in another, and opened between.

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

struct G {
    open: Mutex<bool>,
    cv: Condvar,
}
fn main() {
    let g = Arc::new(G { open: Mutex::new(false), cv: Condvar::new() });
    let w = Arc::clone(&g);
    thread::spawn(move || {
        let closed = !*w.open.lock().unwrap();
        if closed {
            ms(50);
            let o = w.open.lock().unwrap();
            drop(w.cv.wait(o).unwrap());
        }
        println!("in");
    });
    ms(20);
    *g.open.lock().unwrap() = true;
    g.cv.notify_all();
    ms(150);
}
