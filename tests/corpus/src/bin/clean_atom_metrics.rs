//! case: clean_atom_metrics
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: A counter is looked at and then incremented under one guard: nothing relies on the look.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

struct Metrics {
    hits: Mutex<HashMap<&'static str, u64>>,
}
impl Metrics {
    fn get(&self, k: &str) -> u64 {
        self.hits.lock().unwrap().get(k).copied().unwrap_or(0)
    }
    fn hit(&self, k: &'static str) {
        *self.hits.lock().unwrap().entry(k).or_insert(0) += 1;
    }
}
fn main() {
    let m = Arc::new(Metrics { hits: Mutex::default() });
    let hs: Vec<_> = (0..3)
        .map(|_| {
            let m = Arc::clone(&m);
            thread::spawn(move || {
                for _ in 0..20 {
                    let before = m.get("a");
                    m.hit("a");
                    if before > 1000 {
                        println!("{before}");
                    }
                    ms(1);
                }
            })
        })
        .collect();
    for h in hs {
        h.join().unwrap();
    }
    println!("{}", m.get("a"));
}
