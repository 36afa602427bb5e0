//! case: lost_error_path_skips_notify
//! source: own
//! kind: lost wakeup
//! expect: lost-wakeup
//! why: A worker that fails returns before it counts down the latch.

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

struct Latch {
    left: Mutex<u32>,
    cv: Condvar,
}
fn work(i: u32) -> Result<(), String> {
    if i == 1 {
        Err("bad".into())
    } else {
        Ok(())
    }
}
fn main() {
    let l = Arc::new(Latch { left: Mutex::new(2), cv: Condvar::new() });
    for i in 0..2 {
        let l = Arc::clone(&l);
        thread::spawn(move || -> Result<(), String> {
            ms(30);
            work(i)?;
            *l.left.lock().unwrap() -= 1;
            l.cv.notify_all();
            Ok(())
        });
    }
    let w = Arc::clone(&l);
    thread::spawn(move || {
        drop(w.cv.wait_while(w.left.lock().unwrap(), |n| *n > 0).unwrap());
        println!("all");
    });
    ms(200);
}
