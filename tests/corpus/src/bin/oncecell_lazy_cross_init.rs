//! case: oncecell_lazy_cross_init
//! source: own; as ruststudy_lazy_cross_init, over once_cell
//! kind: once/init
//! expect: actual-deadlock
//! why: Two lazy statics need each other, and two threads start with one each.

use once_cell::sync::Lazy;
use std::thread;
use std::time::Duration;

static NAMES: Lazy<Vec<u32>> = Lazy::new(|| {
    thread::sleep(Duration::from_millis(60));
    vec![ids(1)]
});
static IDS: Lazy<Vec<u32>> = Lazy::new(|| {
    thread::sleep(Duration::from_millis(60));
    vec![NAMES.len() as u32]
});

fn ids(of: u32) -> u32 {
    IDS.len() as u32 + of
}

fn main() {
    thread::spawn(|| println!("never printed {}", NAMES.len()));
    thread::spawn(|| println!("never printed {}", IDS.len()));
    thread::sleep(Duration::from_millis(300));
}
