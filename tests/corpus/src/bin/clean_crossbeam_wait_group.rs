//! case: clean_crossbeam_wait_group
//! source: own; harmless twin of crossbeam_wait_group_never_completes
//! kind: benign look-alike
//! expect: clean
//! why: Every member of the group is dropped when its thread is done, a panic included.

use crossbeam_utils::sync::WaitGroup;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

static TOTAL: Mutex<u32> = Mutex::new(0);

fn main() {
    let done = WaitGroup::new();
    for i in 0..3 {
        let member = done.clone();
        thread::spawn(move || {
            let _member = member;
            thread::sleep(Duration::from_millis(20));
            *TOTAL.lock().unwrap() += i;
        });
    }
    let other = done.clone();
    let waiter = thread::spawn(move || other.wait());
    done.wait();
    waiter.join().unwrap();
    assert_eq!(*TOTAL.lock().unwrap(), 3);
}
