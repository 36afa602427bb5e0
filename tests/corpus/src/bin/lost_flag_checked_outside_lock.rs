//! case: lost_flag_checked_outside_lock
//! source: own
//! kind: lost wakeup
//! expect: lost-wakeup
//! why: The flag is an atomic that is checked outside of the lock: the notification comes between check and wait.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

struct S {
    ready: AtomicBool,
    m: Mutex<()>,
    cv: Condvar,
}
fn main() {
    let s = Arc::new(S { ready: AtomicBool::new(false), m: Mutex::new(()), cv: Condvar::new() });
    let w = Arc::clone(&s);
    thread::spawn(move || {
        if !w.ready.load(SeqCst) {
            ms(60);
            let g = w.m.lock().unwrap();
            drop(w.cv.wait(g).unwrap());
        }
        println!("ready");
    });
    let n = Arc::clone(&s);
    thread::spawn(move || {
        ms(20);
        n.ready.store(true, SeqCst);
        n.cv.notify_all();
    });
    ms(200);
}
