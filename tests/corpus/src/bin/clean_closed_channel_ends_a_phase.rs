//! case: clean_closed_channel_ends_a_phase
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: The threads tell that they are through by dropping their senders; then main nests the other way round.

use std::sync::{mpsc, Arc, Mutex};
use std::thread;

fn main() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (done, closed) = mpsc::channel::<()>();
    for i in 0..3 {
        let (a, b, done) = (a.clone(), b.clone(), done.clone());
        thread::spawn(move || {
            let x = a.lock().unwrap();
            *b.lock().unwrap() += *x + i;
            drop(x);
            drop(done);
        });
    }
    drop(done);
    let _ = closed.recv();
    let y = b.lock().unwrap();
    *a.lock().unwrap() += *y;
}
