//! case: clean_atomic_spin_lock_gate
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: A spin lock of the program's own is held around both nestings.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Mutex;
use std::thread;

struct Gate(AtomicBool);

struct Entered<'a>(&'a Gate);

impl Gate {
    fn enter(&self) -> Entered<'_> {
        while self.0.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            std::hint::spin_loop();
        }
        Entered(self)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0 .0.store(false, Ordering::Release);
    }
}

fn main() {
    let gate = Gate(AtomicBool::new(false));
    let (a, b) = (Mutex::new(0), Mutex::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..5 {
                let _inside = gate.enter();
                let x = a.lock().unwrap();
                *b.lock().unwrap() += *x;
            }
        });
        scope.spawn(|| {
            for _ in 0..5 {
                let _inside = gate.enter();
                let y = b.lock().unwrap();
                *a.lock().unwrap() += *y;
            }
        });
    });
}
