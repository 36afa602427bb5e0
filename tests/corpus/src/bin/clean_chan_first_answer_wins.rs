//! case: clean_chan_first_answer_wins
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: The first answer is taken and the receiver dropped; the others give up at once.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

fn main() {
    let (tx, rx) = mpsc::channel();
    let hs: Vec<_> = (0..3)
        .map(|i| {
            let tx = tx.clone();
            thread::spawn(move || {
                ms(10 * i);
                let _ = tx.send(i);
            })
        })
        .collect();
    drop(tx);
    println!("{}", rx.recv().unwrap());
    drop(rx);
    for h in hs {
        h.join().unwrap();
    }
}
