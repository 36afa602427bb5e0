//! case: clean_parkinglot_upgradable_beside_read
//! source: own; harmless twin of parkinglot_upgradable_abba
//! kind: benign look-alike
//! expect: clean
//! why: The inner locks are taken for plain reading, which an upgradable read lets pass, and nobody ever writes.

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
        let pages = of_first.pages.read();
        println!("{}", users.len() + pages.len());
    });
    let second = thread::spawn(move || {
        thread::sleep(Duration::from_millis(60));
        let pages = caches.pages.upgradable_read();
        let users = caches.users.read();
        println!("{}", users.len() + pages.len());
    });
    first.join().unwrap();
    second.join().unwrap();
}
