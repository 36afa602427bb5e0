//! case: leak_semaphore_one_short
//! source: own
//! kind: task leak
//! expect: leaked-task
//! why: One of three holders of a permit keeps it, so the last one waits for ever.

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

struct Sem {
    n: Mutex<u32>,
    cv: Condvar,
}
impl Sem {
    fn take(&self) {
        let mut n = self.n.lock().unwrap();
        while *n == 0 {
            n = self.cv.wait(n).unwrap();
        }
        *n -= 1;
    }
    fn give(&self) {
        *self.n.lock().unwrap() += 1;
        self.cv.notify_one();
    }
}
fn main() {
    let sem = Arc::new(Sem { n: Mutex::new(1), cv: Condvar::new() });
    for i in 0..3 {
        let sem = Arc::clone(&sem);
        thread::spawn(move || {
            sem.take();
            ms(20);
            if i != 1 {
                sem.give();
            }
        });
        ms(40);
    }
    ms(150);
}
