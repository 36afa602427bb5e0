//! Events of condition variables.

use std::time::Duration;

use conccheck_std::sync::{Condvar, Mutex};
use conccheck_std::thread;
use conccheck_trace::event::Event;

use super::{recorded, until_recorded};

#[test]
fn a_wait_stands_between_release_and_acquisition() {
    let Some(trace) = recorded(|| {
        let (lock, changed) = (Mutex::new(false), Condvar::new());
        changed.notify_all();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut done = lock.lock().unwrap();
                while !*done {
                    done = changed.wait(done).unwrap();
                }
            });
            until_recorded(|event| matches!(event, Event::Wait { .. }));
            *lock.lock().unwrap() = true;
            changed.notify_one();
        });
    }) else {
        return;
    };
    let main = [
        "start 0",
        "notify 1 all 0 1",
        "spawn 2 scoped",
        "acquire 2 Exclusive Blocking 2",
        "release 2 wrote",
        "notify 1 one 1 2",
    ];
    assert_eq!(trace.thread(1)[..6], main);
    // A wait may end for no reason, so only the first and the last round are known.
    let waiter = trace.thread(2);
    assert_eq!(waiter[..4], ["start 1", "acquire 2 Exclusive Blocking 1", "release 2", "wait 1 of 2 1"]);
    assert_eq!(waiter[waiter.len() - 2..], ["release 2", "end"]);
    assert!(waiter.contains(&"wake 1 2".to_string()), "{waiter:?}");
}

#[test]
fn a_wait_with_a_limit_says_that_it_ended_there() {
    let Some(trace) = recorded(|| {
        let (lock, changed) = (Mutex::new(false), Condvar::new());
        let limit = Duration::from_millis(1);
        while !changed.wait_timeout(lock.lock().unwrap(), limit).unwrap().1.timed_out() {}
    }) else {
        return;
    };
    let events = trace.thread(1);
    let section = |order: u32| format!("acquire 1 Exclusive Blocking {order}");
    assert_eq!(events[..4], ["start 0", &section(1), "release 1", "wait 2 of 1 timed 0"]);
    assert_eq!(events[events.len() - 3], "wake 2 timed out 0");
    assert_eq!(events[events.len() - 1], "release 1");
}
