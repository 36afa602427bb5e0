//! The exact events of small programs, each run in a process of its own.

use std::thread::spawn;

use conccheck_crossbeam_utils::sync::{Parker, ShardedLock, WaitGroup};
use conccheck_crossbeam_utils::{Backoff, thread};
use conccheck_trace::event::Event;

use crate::support::{recorded, until_recorded};

#[test]
fn who_waits_for_a_group_receives_until_its_members_are_gone() {
    let Some(trace) = recorded(|| {
        let group = WaitGroup::new();
        let member = group.clone();
        let thread = spawn(move || {
            until_recorded(|event| matches!(event, Event::RecvRequest { .. }));
            drop(member);
        });
        group.wait();
        thread.join().unwrap();
        WaitGroup::new().wait();
    }) else {
        return;
    };
    let first = ["channel 1", "clone 1 Sender", "drop 1 Sender", "recv request 1", "recv failed 1 closed", "drop 1 Receiver"];
    let second = ["channel 2", "drop 2 Sender", "recv failed 2 closed", "drop 2 Receiver"];
    assert_eq!(trace.thread(1), [&first[..], &second[..]].concat());
    assert_eq!(trace.thread(2), ["drop 1 Sender"]);
}

#[test]
fn a_parker_parks_its_thread() {
    let Some(trace) = recorded(|| {
        let parker = Parker::new();
        parker.unparker().unpark();
        parker.park();
        let unparker = parker.unparker().clone();
        let thread = spawn(move || {
            unparker.unpark();
            let parked = move || parker.park();
            parked();
        });
        thread.join().unwrap();
    }) else {
        return;
    };
    assert_eq!(trace.thread(1), ["unpark 0", "park", "unparked"], "nobody had parked by it");
    assert_eq!(trace.thread(2), ["unpark 1", "park", "unparked"]);
}

#[test]
fn a_sharded_lock_is_one_lock() {
    let Some(trace) = recorded(|| {
        let lock = ShardedLock::new(0);
        assert_eq!(*lock.read().unwrap(), 0);
        *lock.write().unwrap() += 1;
        let _reader = lock.try_read().unwrap();
        assert!(lock.try_write().is_err());
    }) else {
        return;
    };
    let expected = [
        "acquire 1 Shared Blocking",
        "release 1",
        "acquire 1 Exclusive Blocking",
        "release 1 wrote",
        "acquire 1 Shared Try",
        "try failed 1 Exclusive",
        "release 1",
    ];
    assert_eq!(trace.thread(1), expected);
}

#[test]
fn the_end_of_a_scope_joins_its_threads() {
    let Some(trace) = recorded(|| {
        thread::scope(|scope| {
            let joined = scope.spawn(|_| ());
            until_recorded(|event| matches!(event, Event::End { .. }));
            joined.join().unwrap();
            scope.spawn(|_| until_recorded(|event| matches!(event, Event::JoinRequest { child, .. } if child.0 == 3)));
        })
        .unwrap();
    }) else {
        return;
    };
    let expected = ["spawn 2 scoped", "join request 2", "join 2 took", "spawn 3 scoped", "join request 3", "join 3"];
    assert_eq!(trace.thread(1), expected);
    assert_eq!((trace.thread(2), trace.thread(3)), (vec!["end".to_owned()], vec!["end".to_owned()]));
}

#[test]
fn a_loop_that_snoozes_gives_up_its_turn_once_and_spinning_is_no_wait() {
    let Some(trace) = recorded(|| {
        let backoff = Backoff::new();
        backoff.spin();
        while !backoff.is_completed() {
            backoff.snooze();
        }
        Parker::new().unparker().unpark();
    }) else {
        return;
    };
    assert_eq!(trace.thread(1), ["yield", "unpark 0"]);
}
