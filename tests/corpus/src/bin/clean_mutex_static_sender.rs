//! case: clean_mutex_static_sender
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: A service waits for messages whose sender lies in a static: anybody may send yet.

use std::sync::{mpsc, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

static JOBS: Mutex<Option<mpsc::Sender<u32>>> = Mutex::new(None);
fn main() {
    let (tx, rx) = mpsc::channel();
    *JOBS.lock().unwrap() = Some(tx);
    thread::spawn(move || {
        for n in rx {
            println!("{n}");
        }
    });
    JOBS.lock().unwrap().as_ref().unwrap().send(3).unwrap();
    ms(80);
}
