//! case: lazy_initialiser_takes_held_lock_lucky
//! source: own
//! kind: once/init
//! expect: potential-deadlock
//! why: An initialiser takes a lock under which another thread uses the lazy value; here it was initialised before.

use std::sync::{LazyLock, Mutex};
use std::thread;

static CONFIG: Mutex<u32> = Mutex::new(3);
static TABLE: LazyLock<Vec<u32>> = LazyLock::new(|| vec![*CONFIG.lock().unwrap(); 3]);

fn main() {
    let a = thread::spawn(|| println!("{}", TABLE.len()));
    thread::sleep(std::time::Duration::from_millis(30));
    thread::spawn(|| {
        let c = CONFIG.lock().unwrap();
        println!("{} {}", c, TABLE.len())
    })
    .join()
    .unwrap();
    a.join().unwrap();
}
