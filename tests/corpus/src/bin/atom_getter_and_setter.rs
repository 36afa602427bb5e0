//! case: atom_getter_and_setter
//! source: own
//! kind: atomicity violation
//! expect: atomicity-violation
//! why: A balance is read by one method and written back, changed, by another: deposits between are lost.

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn ms(n: u64) {
    thread::sleep(Duration::from_millis(n));
}

struct Account {
    balance: Mutex<i64>,
}
impl Account {
    fn balance(&self) -> i64 {
        *self.balance.lock().unwrap()
    }

    fn set_balance(&self, value: i64) {
        *self.balance.lock().unwrap() = value;
    }
}
fn deposit(a: &Account, n: i64) {
    let before = a.balance();
    ms(30);
    a.set_balance(before + n);
}
fn main() {
    let a = Arc::new(Account { balance: Mutex::new(0) });
    let hs: Vec<_> = (1..3)
        .map(|n| {
            let a = Arc::clone(&a);
            thread::spawn(move || deposit(&a, n))
        })
        .collect();
    for h in hs {
        h.join().unwrap();
    }
    println!("{}", a.balance());
}
