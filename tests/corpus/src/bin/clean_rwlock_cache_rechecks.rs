//! case: clean_rwlock_cache_rechecks
//! source: own
//! kind: benign look-alike
//! expect: clean
//! why: A cache looks again under the write lock, by its entry.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

struct C {
    m: RwLock<HashMap<u32, String>>,
}
impl C {
    fn get(&self, k: u32) -> String {
        if let Some(v) = self.m.read().unwrap().get(&k) {
            return v.clone();
        }
        ms(20);
        let fresh = format!("v{k}");
        let mut m = self.m.write().unwrap();
        m.entry(k).or_insert(fresh).clone()
    }
}
fn main() {
    let c = Arc::new(C { m: RwLock::default() });
    let hs: Vec<_> = (0..3)
        .map(|_| {
            let c = Arc::clone(&c);
            thread::spawn(move || c.get(1))
        })
        .collect();
    for h in hs {
        println!("{}", h.join().unwrap());
    }
}
