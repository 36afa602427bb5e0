//! case: chan_too_small
//! source: own
//! kind: channel misuse
//! expect: channel-misuse
//! why: Room for one message between a fast producer and a slow consumer.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

fn main() {
    let (tx, rx) = mpsc::sync_channel(1);
    let p = thread::spawn(move || {
        for n in 0..60 {
            tx.send(n).unwrap();
        }
    });
    for n in rx {
        if n % 20 == 0 {
            println!("{n}");
        }
        ms(2);
    }
    p.join().unwrap();
}
