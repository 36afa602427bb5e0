//! case: chan_receiver_leaves_early
//! source: own
//! kind: channel misuse
//! expect: channel-misuse
//! why: The consumer takes three messages and goes; the producer sends on and ignores the errors.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

fn main() {
    let (tx, rx) = mpsc::channel();
    let c = thread::spawn(move || {
        for n in rx.iter().take(3) {
            println!("{n}");
        }
    });
    for n in 0..50 {
        let _ = tx.send(n);
        ms(1);
    }
    c.join().unwrap();
}
