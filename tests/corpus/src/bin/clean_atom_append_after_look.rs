//! case: clean_atom_append_after_look
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: The length is only mentioned in what is appended.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

fn main() {
    let log = Arc::new(Mutex::new(Vec::<String>::new()));
    let hs: Vec<_> = (0..3)
        .map(|i| {
            let log = Arc::clone(&log);
            thread::spawn(move || {
                for n in 0..10 {
                    let seen = log.lock().unwrap().len();
                    ms(1);
                    log.lock().unwrap().push(format!("{i}.{n} after {seen}"));
                }
            })
        })
        .collect();
    for h in hs {
        h.join().unwrap();
    }
    println!("{}", log.lock().unwrap().len());
}
