//! The exact events of small programs, each run in a process of its own.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use conccheck_parking_lot::{
    Condvar, Mutex, MutexGuard, Once, ReentrantMutex, RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard,
};
use conccheck_trace::event::Event;

use crate::support::{recorded, until_recorded};

const SHORT: Duration = Duration::from_millis(1);

#[test]
fn every_way_to_ask_for_a_lock_has_its_mode() {
    let Some(trace) = recorded(|| {
        let lock = RwLock::new(0);
        {
            let _reader = lock.read();
            let _recursive = lock.read_recursive();
            let _upgradable = lock.upgradable_read();
            assert!(lock.try_write().is_none() && lock.try_write_for(SHORT).is_none() && lock.try_upgradable_read().is_none());
        }
        *lock.write() += 1;
        let mutex = ReentrantMutex::new(());
        let (_outer, _inner) = (mutex.lock(), mutex.try_lock());
    }) else {
        return;
    };
    let expected = [
        "acquire 1 Shared Blocking",
        "acquire 1 RecursiveShared Blocking",
        "acquire 1 Upgradable Blocking",
        "try failed 1 Exclusive",
        "request 1 Exclusive Timed",
        "timed out 1 Exclusive",
        "try failed 1 Upgradable",
        "release 1",
        "release 1",
        "release 1",
        "acquire 1 Exclusive Blocking",
        "release 1 wrote",
        "acquire 2 Reentrant Blocking",
        "acquire 2 Reentrant Try",
        "release 2",
        "release 2",
    ];
    assert_eq!(trace.thread(1), expected);
}

#[test]
fn a_lock_changes_its_mode_without_a_release() {
    let Some(trace) = recorded(|| {
        let lock = RwLock::new(0);
        let mut writer = RwLockUpgradableReadGuard::upgrade(lock.upgradable_read());
        *writer += 1;
        let mut upgradable = RwLockWriteGuard::downgrade_to_upgradable(writer);
        upgradable.with_upgraded(|value| *value += 1);
        drop(RwLockUpgradableReadGuard::downgrade(upgradable));
    }) else {
        return;
    };
    let expected = [
        "acquire 1 Upgradable Blocking",
        "convert 1 Upgradable Exclusive",
        "convert 1 Exclusive Upgradable",
        "convert 1 Upgradable Exclusive",
        "convert 1 Exclusive Upgradable",
        "convert 1 Upgradable Shared",
        "release 1 wrote",
    ];
    assert_eq!(trace.thread(1), expected);
}

#[test]
fn guards_that_own_their_lock_or_give_it_up_are_recorded_as_others() {
    let Some(trace) = recorded(|| {
        let lock = Arc::new(Mutex::new(0));
        let mut guard = lock.lock_arc();
        conccheck_parking_lot::lock_api::ArcMutexGuard::unlocked(&mut guard, || *lock.lock() += 1);
        drop(guard);
        let mut guard = lock.lock();
        MutexGuard::bump(&mut guard);
        std::mem::forget(guard);
        #[expect(unsafe_code, reason = "the original is unsafe")]
        // SAFETY: this thread locked it, and the guard is gone.
        unsafe {
            lock.force_unlock();
        }
    }) else {
        return;
    };
    let section = |wrote| ["acquire 1 Exclusive Blocking".to_owned(), format!("release 1{wrote}")];
    let expected = [section(""), section(" wrote"), section(""), section(""), section(" wrote")].concat();
    assert_eq!(trace.thread(1), expected);
}

#[test]
fn a_request_stands_only_where_the_first_try_fails() {
    let Some(trace) = recorded(|| {
        let lock = Arc::new(Mutex::new(0));
        let guard = lock.lock();
        let of_other = Arc::clone(&lock);
        let other = thread::spawn(move || drop(of_other.lock()));
        until_recorded(|event| matches!(event, Event::Request { .. }));
        drop(guard);
        other.join().unwrap();
    }) else {
        return;
    };
    assert_eq!(trace.thread(1), ["acquire 1 Exclusive Blocking", "release 1"]);
    assert_eq!(trace.thread(2), ["request 1 Exclusive Blocking", "acquire 1 Exclusive Blocking", "release 1"]);
}

#[test]
fn a_wait_gives_the_lock_up_and_takes_it_again() {
    let Some(trace) = recorded(|| {
        let (lock, changed) = (Mutex::new(0), Condvar::new());
        changed.wait_for(&mut lock.lock(), SHORT);
        changed.notify_all();
    }) else {
        return;
    };
    let expected = [
        "acquire 1 Exclusive Blocking",
        "release 1",
        "wait 2 of 1 timed",
        "wake 2 timed out",
        "acquire 1 Exclusive Blocking",
        "release 1",
        "notify 2 all",
    ];
    assert_eq!(trace.thread(1), expected);
}

#[test]
fn a_once_is_told_when_it_runs() {
    let Some(trace) = recorded(|| {
        let once = Once::new();
        once.call_once(|| ());
        once.call_once(|| ());
    }) else {
        return;
    };
    assert_eq!(trace.thread(1), ["once request 1", "once begin 1", "once end 1"]);
}
