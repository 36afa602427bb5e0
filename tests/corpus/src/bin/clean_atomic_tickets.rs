//! case: clean_atomic_tickets
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: Threads take turns by tickets, so their opposite nestings never overlap; only atomics order them.

use std::sync::atomic::{AtomicUsize, Ordering::*};
use std::sync::Mutex;
use std::thread;

struct TicketLock {
    next: AtomicUsize,
    serving: AtomicUsize,
}

impl TicketLock {
    fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        let t = self.next.fetch_add(1, SeqCst);
        while self.serving.load(SeqCst) != t {
            thread::yield_now()
        }
        let r = f();
        self.serving.fetch_add(1, SeqCst);
        r
    }
}

fn main() {
    let t = TicketLock { next: AtomicUsize::new(0), serving: AtomicUsize::new(0) };
    let (a, b) = (Mutex::new(0u32), Mutex::new(0u32));
    thread::scope(|s| {
        s.spawn(|| {
            for _ in 0..20 {
                t.with(|| {
                    let x = a.lock().unwrap();
                    *b.lock().unwrap() += *x
                })
            }
        });
        s.spawn(|| {
            for _ in 0..20 {
                t.with(|| {
                    let y = b.lock().unwrap();
                    *a.lock().unwrap() += 1 + *y % 2
                })
            }
        });
    });
}
