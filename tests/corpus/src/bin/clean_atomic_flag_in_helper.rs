//! case: clean_atomic_flag_in_helper
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: The second thread waits for a flag, in a function of its own, that is set behind the first nesting.

use std::sync::atomic::{AtomicBool, Ordering::*};
use std::sync::{Arc, Mutex};
use std::thread;

struct Stage {
    ready: AtomicBool,
    map: Mutex<u32>,
    list: Mutex<u32>,
}

impl Stage {
    fn wait_ready(&self) {
        while !self.ready.load(Acquire) {
            thread::yield_now()
        }
    }
    fn build(&self) {
        let m = self.map.lock().unwrap();
        *self.list.lock().unwrap() += *m;
    }
    fn publish(&self) {
        self.ready.store(true, Release)
    }
    fn consume(&self) {
        self.wait_ready();
        let l = self.list.lock().unwrap();
        *self.map.lock().unwrap() += *l;
    }
}

fn main() {
    let s = Arc::new(Stage { ready: AtomicBool::new(false), map: Mutex::new(1), list: Mutex::new(1) });
    let (p, c) = (s.clone(), s.clone());
    let p = thread::spawn(move || {
        p.build();
        p.publish()
    });
    let c = thread::spawn(move || c.consume());
    p.join().unwrap();
    c.join().unwrap();
}
