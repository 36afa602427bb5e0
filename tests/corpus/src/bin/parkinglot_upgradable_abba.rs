//! case: parkinglot_upgradable_abba
//! source: own; only one upgradable read of a lock at a time
//! kind: resource deadlock
//! expect: potential-deadlock
//! why: Two threads take upgradable reads of two locks in opposite orders, and an upgradable read keeps another out.

use parking_lot::RwLock;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

struct Caches {
    users: RwLock<Vec<u32>>,
    pages: RwLock<Vec<u32>>,
}

fn main() {
    let caches = Arc::new(Caches { users: RwLock::new(vec![1]), pages: RwLock::new(vec![2]) });
    let of_first = Arc::clone(&caches);
    let first = thread::spawn(move || {
        let users = of_first.users.upgradable_read();
        let pages = of_first.pages.upgradable_read();
        println!("{}", users.len() + pages.len());
    });
    let second = thread::spawn(move || {
        thread::sleep(Duration::from_millis(60));
        let pages = caches.pages.upgradable_read();
        let users = caches.users.upgradable_read();
        println!("{}", users.len() + pages.len());
    });
    first.join().unwrap();
    second.join().unwrap();
}
