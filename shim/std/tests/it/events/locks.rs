//! Events of mutexes and reader-writer locks.

use conccheck_std::sync::{Mutex, RwLock, RwLockWriteGuard};
use conccheck_std::thread;
use conccheck_trace::event::{Event, ObjectKind};
use conccheck_trace::ids::ObjectId;

use super::{recorded, until_recorded};
use crate::parity::panicking;

#[test]
fn a_critical_section_is_an_acquisition_and_a_release_that_tells_reads_from_writes() {
    let Some(trace) = recorded(|| {
        let lock = Mutex::new(0_u8);
        *lock.lock().unwrap() += 1;
        assert_eq!(*lock.lock().unwrap(), 1);
    }) else {
        return;
    };
    let expected =
        ["start 0", "acquire 1 Exclusive Blocking 1", "release 1 wrote", "acquire 1 Exclusive Blocking 2", "release 1"];
    assert_eq!(trace.thread(1), expected);
    let lock = trace.0.tables.object(ObjectId(1)).unwrap();
    assert_eq!((lock.kind, trace.0.tables.string(lock.type_name)), (ObjectKind::Mutex, Some("u8")));
    let created = trace.0.tables.site(lock.created).unwrap();
    assert!(created.file.ends_with("locks.rs"));
    assert_eq!(trace.lines(1), [created.line + 1, created.line + 2]);
}

#[test]
fn a_request_stands_only_where_the_first_try_fails() {
    let Some(trace) = recorded(|| {
        let lock = Mutex::new(0);
        let guard = lock.lock().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| drop(lock.lock()));
            until_recorded(|event| matches!(event, Event::Request { .. }));
            drop(guard);
        });
    }) else {
        return;
    };
    let main = ["start 0", "acquire 1 Exclusive Blocking 1", "spawn 2 scoped", "release 1"];
    assert_eq!(trace.thread(1)[..4], main);
    let other = ["start 1", "request 1 Exclusive Blocking", "acquire 1 Exclusive Blocking 2", "release 1", "end"];
    assert_eq!(trace.thread(2), other);
}

#[test]
fn tries_that_fail_are_told_apart_from_those_that_get_the_lock() {
    let Some(trace) = recorded(|| {
        let lock = RwLock::new(0);
        let reader = lock.try_read().unwrap();
        drop(lock.try_write());
        drop(reader);
        let writer = lock.try_write().unwrap();
        drop(lock.try_read());
        drop(writer);
    }) else {
        return;
    };
    let expected = [
        "start 0",
        "acquire 1 Shared Try 0",
        "try failed 1 Exclusive",
        "release 1",
        "acquire 1 Exclusive Try 1",
        "try failed 1 Shared",
        "release 1",
    ];
    assert_eq!(trace.thread(1), expected);
}

#[test]
fn readers_carry_the_last_writers_order_and_a_downgrade_is_a_conversion() {
    let Some(trace) = recorded(|| {
        let lock = RwLock::new(0);
        *lock.write().unwrap() = 1;
        drop(lock.read());
        let mut writer = lock.write().unwrap();
        *writer = 2;
        drop(RwLockWriteGuard::downgrade(writer));
    }) else {
        return;
    };
    let expected = [
        "start 0",
        "acquire 1 Exclusive Blocking 1",
        "release 1 wrote",
        "acquire 1 Shared Blocking 1",
        "release 1",
        "acquire 1 Exclusive Blocking 2",
        "convert 1 Exclusive Shared 2",
        "release 1 wrote",
    ];
    assert_eq!(trace.thread(1), expected);
}

#[test]
fn poison_is_recorded_where_it_begins_is_met_and_is_cleared() {
    let Some(trace) = recorded(|| {
        let lock = Mutex::new(0);
        panicking(|| lock.lock().unwrap());
        drop(lock.lock());
        lock.clear_poison();
        lock.clear_poison();
        drop(lock.lock());
    }) else {
        return;
    };
    let expected = [
        "start 0",
        "acquire 1 Exclusive Blocking 1",
        "release 1 unwinding",
        "acquire 1 Exclusive Blocking 2",
        "poison seen 1",
        "release 1",
        "poison cleared 1",
        "acquire 1 Exclusive Blocking 3",
        "release 1",
    ];
    assert_eq!(trace.thread(1), expected);
}

#[test]
fn looking_at_a_lock_for_debugging_is_no_use_of_it() {
    let Some(trace) = recorded(|| {
        let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
        let _ = format!("{mutex:?} {rwlock:?}");
        drop(mutex.lock());
    }) else {
        return;
    };
    assert_eq!(trace.thread(1), ["start 0", "acquire 1 Exclusive Blocking 1", "release 1"]);
}
