//! case: crossbeam_wait_group_never_completes
//! source: own; as gobench's misuse of sync.WaitGroup
//! kind: task leak
//! expect: leaked-task
//! why: One worker forgets its member of the group, so the thread that waits for the group never goes on.

use crossbeam_utils::sync::WaitGroup;
use std::mem;
use std::thread;
use std::time::Duration;

fn work(number: u32, member: WaitGroup) {
    if number == 1 {
        // Meant to hand it over to somebody else.
        mem::forget(member);
    }
}

fn main() {
    let done = WaitGroup::new();
    let workers: Vec<_> = (0..3)
        .map(|number| {
            let member = done.clone();
            thread::spawn(move || work(number, member))
        })
        .collect();
    thread::spawn(move || {
        done.wait();
        println!("never printed");
    });
    for worker in workers {
        worker.join().unwrap();
    }
    thread::sleep(Duration::from_millis(250));
}
