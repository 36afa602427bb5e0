//! case: atom_rwlock_upgrade_by_hand
//! source: own
//! kind: atomicity violation
//! expect: atomicity-violation
//! why: Looked up under the read lock, added under the write lock without looking again.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

struct Table {
    rows: RwLock<HashMap<String, usize>>,
}
impl Table {
    fn id(&self, name: &str) -> usize {
        let known = self.rows.read().unwrap().get(name).copied();
        if let Some(id) = known {
            return id;
        }
        ms(30);
        let mut rows = self.rows.write().unwrap();
        let id = rows.len();
        rows.insert(name.to_string(), id);
        id
    }
}
fn main() {
    let t = Arc::new(Table { rows: RwLock::default() });
    let hs: Vec<_> = (0..2)
        .map(|_| {
            let t = Arc::clone(&t);
            thread::spawn(move || t.id("x"))
        })
        .collect();
    for h in hs {
        println!("{}", h.join().unwrap());
    }
}
