//! case: clean_oncecell_racing_init
//! source: own; harmless twin of oncecell_lazy_cross_init
//! kind: benign look-alike
//! expect: clean
//! why: Threads race for one initialisation, which uses another value that needs nothing back; one runs it, the others wait.

use once_cell::sync::{Lazy, OnceCell};
use std::thread;
use std::time::Duration;

static BASE: Lazy<u32> = Lazy::new(|| 40);
static TOTAL: OnceCell<u32> = OnceCell::new();

fn total() -> u32 {
    *TOTAL.get_or_init(|| {
        thread::sleep(Duration::from_millis(30));
        *BASE + 2
    })
}

fn main() {
    let threads: Vec<_> = (0..3).map(|_| thread::spawn(total)).collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), 42);
    }
}
