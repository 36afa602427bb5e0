//! case: clean_atom_status_overwritten
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: A state is shown, then set whatever it was.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Status {
    Idle,
    Busy,
}
struct W {
    status: Mutex<Status>,
}
impl W {
    fn status(&self) -> Status {
        *self.status.lock().unwrap()
    }
    fn set(&self, s: Status) {
        *self.status.lock().unwrap() = s;
    }
}
fn main() {
    let w = Arc::new(W { status: Mutex::new(Status::Idle) });
    let hs: Vec<_> = (0..2)
        .map(|_| {
            let w = Arc::clone(&w);
            thread::spawn(move || {
                for _ in 0..10 {
                    println!("{:?}", w.status());
                    w.set(Status::Busy);
                    ms(2);
                    w.set(Status::Idle);
                }
            })
        })
        .collect();
    for h in hs {
        h.join().unwrap();
    }
}
