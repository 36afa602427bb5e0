//! case: dashmap_guard_held_into_map
//! source: own; the note "may deadlock" on dashmap's methods
//! kind: double lock
//! expect: double-lock
//! why: The reference that `get` gives holds its shard's lock for reading, and `insert` into the same shard waits for it.

use dashmap::DashMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

fn main() {
    let prices = Arc::new(DashMap::new());
    prices.insert("tea", 3);
    let of_worker = Arc::clone(&prices);
    thread::spawn(move || {
        let price = of_worker.get("tea").unwrap();
        of_worker.insert("tea", *price + 1);
        println!("never printed");
    });
    thread::sleep(Duration::from_millis(250));
}
