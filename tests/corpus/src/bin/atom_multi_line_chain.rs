//! case: atom_multi_line_chain
//! source: own
//! kind: atomicity violation
//! expect: atomicity-violation
//! why: A counter is read and written back in two chains of calls, a call a line.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

struct Counter {
    value: Mutex<u64>,
}
impl Counter {
    fn bump(&self) {
        let current = self.value.lock().unwrap().clone();
        ms(30);
        *self.value.lock().unwrap() = current + 1;
    }
}
fn main() {
    let c = Arc::new(Counter { value: Mutex::new(0) });
    let hs: Vec<_> = (0..2)
        .map(|_| {
            let c = Arc::clone(&c);
            thread::spawn(move || c.bump())
        })
        .collect();
    for h in hs {
        h.join().unwrap();
    }
    println!("{}", c.value.lock().unwrap());
}
