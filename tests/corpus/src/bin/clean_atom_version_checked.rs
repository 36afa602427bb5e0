//! case: clean_atom_version_checked
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: Read, computed and written back, but only if the version is still the same.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

struct S {
    v: Mutex<(u64, u32)>,
}
fn update(s: &S) {
    loop {
        let (version, value) = *s.v.lock().unwrap();
        ms(5);
        let new = value + 1;
        let mut g = s.v.lock().unwrap();
        if g.0 == version {
            *g = (version + 1, new);
            return;
        }
    }
}
fn main() {
    let s = Arc::new(S { v: Mutex::new((0, 0)) });
    let hs: Vec<_> = (0..3)
        .map(|_| {
            let s = Arc::clone(&s);
            thread::spawn(move || update(&s))
        })
        .collect();
    for h in hs {
        h.join().unwrap();
    }
    println!("{}", s.v.lock().unwrap().1);
}
