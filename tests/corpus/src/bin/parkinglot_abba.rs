//! case: parkinglot_abba
//! source: own; the two orders over parking_lot's mutexes
//! kind: resource deadlock
//! expect: potential-deadlock
//! why: Two threads that run one after the other take two mutexes in opposite orders. Nothing but luck keeps them apart.

use parking_lot::Mutex;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

struct Shop {
    stock: Mutex<u32>,
    orders: Mutex<Vec<u32>>,
}

fn main() {
    let shop = Arc::new(Shop { stock: Mutex::new(10), orders: Mutex::new(Vec::new()) });
    let of_seller = Arc::clone(&shop);
    let seller = thread::spawn(move || {
        let mut stock = of_seller.stock.lock();
        *stock -= 1;
        of_seller.orders.lock().push(*stock);
    });
    let auditor = thread::spawn(move || {
        thread::sleep(Duration::from_millis(60));
        let orders = shop.orders.lock();
        println!("{} sold, {} left", orders.len(), *shop.stock.lock());
    });
    seller.join().unwrap();
    auditor.join().unwrap();
}
