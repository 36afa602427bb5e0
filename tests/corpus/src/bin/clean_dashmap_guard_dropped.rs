//! case: clean_dashmap_guard_dropped
//! source: own; harmless twin of dashmap_guard_held_into_map
//! kind: benign look-alike
//! expect: clean
//! why: The value is copied out of the map before the map is called again.

use dashmap::DashMap;
use std::sync::Arc;
use std::thread;

fn main() {
    let prices = Arc::new(DashMap::new());
    prices.insert("tea", 3);
    let of_worker = Arc::clone(&prices);
    let worker = thread::spawn(move || {
        let price = *of_worker.get("tea").unwrap();
        of_worker.insert("tea", price + 1);
    });
    worker.join().unwrap();
    assert_eq!(*prices.get("tea").unwrap(), 4);
}
