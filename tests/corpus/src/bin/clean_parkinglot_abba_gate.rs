//! case: clean_parkinglot_abba_gate
//! source: own; harmless twin of parkinglot_abba
//! kind: benign look-alike
//! expect: clean
//! why: Both orders are taken, but only by who holds a third mutex around them.

use parking_lot::Mutex;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

struct Shop {
    till: Mutex<()>,
    stock: Mutex<u32>,
    orders: Mutex<Vec<u32>>,
}

fn main() {
    let shop = Arc::new(Shop { till: Mutex::new(()), stock: Mutex::new(10), orders: Mutex::new(Vec::new()) });
    let of_seller = Arc::clone(&shop);
    let seller = thread::spawn(move || {
        let _till = of_seller.till.lock();
        let mut stock = of_seller.stock.lock();
        *stock -= 1;
        of_seller.orders.lock().push(*stock);
    });
    let auditor = thread::spawn(move || {
        thread::sleep(Duration::from_millis(60));
        let _till = shop.till.lock();
        let orders = shop.orders.lock();
        println!("{} sold, {} left", orders.len(), *shop.stock.lock());
    });
    seller.join().unwrap();
    auditor.join().unwrap();
}
