//! What the original has by a feature.

#[cfg(feature = "serde")]
#[test]
fn a_lock_is_written_as_what_it_protects_and_read_again() {
    use conccheck_parking_lot::{Mutex, ReentrantMutex, RwLock};

    let written = serde_json::to_string(&(Mutex::new(1), RwLock::new([2]), ReentrantMutex::new("three"))).unwrap();
    assert_eq!(written, r#"[1,[2],"three"]"#);
    let (mutex, rwlock, reentrant): (Mutex<u8>, RwLock<[u8; 1]>, ReentrantMutex<String>) =
        serde_json::from_str(&written).unwrap();
    assert_eq!((mutex.into_inner(), rwlock.into_inner(), reentrant.into_inner()), (1, [2], "three".to_owned()));
}

#[cfg(feature = "deadlock_detection")]
#[test]
fn the_originals_detection_sees_the_facades_locks() {
    use std::thread;

    use conccheck_parking_lot::{Mutex, deadlock};

    static ALONE: Mutex<()> = Mutex::new(());
    thread::spawn(|| {
        let _held = ALONE.lock();
        let _again = ALONE.lock();
    });
    let cycle = loop {
        match deadlock::check_deadlock().pop() {
            Some(cycle) => break cycle,
            None => thread::yield_now(),
        }
    };
    assert_eq!(cycle.len(), 1);
}

#[cfg(feature = "send_guard")]
#[test]
fn a_guard_that_another_thread_drops_is_released_there() {
    use std::thread;

    use conccheck_parking_lot::{Mutex, RwLock};

    let Some(trace) = crate::support::recorded(|| {
        let (mutex, rwlock) = (Mutex::new(0), RwLock::new(0));
        let (mut locked, read) = (mutex.lock(), rwlock.read());
        thread::scope(|scope| {
            scope.spawn(|| {
                *locked += 1;
                drop((locked, read));
            });
        });
        assert!(!mutex.is_locked() && !rwlock.is_locked());
    }) else {
        return;
    };
    assert_eq!(trace.thread(1), ["acquire 1 Exclusive Blocking", "acquire 2 Shared Blocking"]);
    assert_eq!(trace.thread(2), ["release 1 wrote", "release 2"]);
}
