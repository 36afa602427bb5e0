//! case: clean_exit_holds_lock
//! source: own; a child process of a test that ends by itself
//! kind: benign look-alike
//! expect: clean
//! why: The main thread ends the process while it holds a lock, which nobody can want any more.

use std::process;
use std::sync::Mutex;
use std::thread;

static JOURNAL: Mutex<Vec<u32>> = Mutex::new(Vec::new());

fn main() {
    thread::spawn(|| JOURNAL.lock().unwrap().push(1)).join().unwrap();
    let mut journal = JOURNAL.lock().unwrap();
    journal.push(2);
    if journal.len() == 2 {
        process::exit(0);
    }
    println!("{journal:?}");
}
