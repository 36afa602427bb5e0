//! Tokens, flags and scopes do what they say, whether they are recorded or not.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use conccheck::{CancellationToken, StopFlag};

#[test]
fn a_cancellation_reaches_clones_and_children_but_not_parents() {
    let token = CancellationToken::new();
    let (child, clone) = (token.child_token(), token.clone());
    let grandchild = child.child_token();
    child.cancel();
    assert!(grandchild.is_cancelled() && child.is_cancelled() && !token.is_cancelled());
    clone.cancel();
    assert!(token.is_cancelled() && token.child_token().is_cancelled());
    let other = CancellationToken::default();
    assert!(!other.is_cancelled());
}

#[test]
fn who_waits_is_woken_by_the_cancellation() {
    let token = CancellationToken::new();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| token.wait());
            scope.spawn(|| assert!(token.wait_timeout(Duration::MAX)));
        }
        token.cancel();
    });
    token.wait();
    assert!(token.wait_timeout(Duration::ZERO));
    assert!(!CancellationToken::new().wait_timeout(Duration::from_millis(1)));
}

#[test]
fn a_drop_guard_cancels_unless_it_is_disarmed() {
    let token = CancellationToken::new();
    drop(token.clone().drop_guard().disarm());
    assert!(!token.is_cancelled());
    drop(token.clone().drop_guard());
    assert!(token.is_cancelled());
}

#[test]
fn a_stop_flag_is_used_as_an_atomic_bool_is() {
    static STOP: StopFlag = StopFlag::new(false);
    assert!(!STOP.load(Ordering::Acquire));
    STOP.store(true, Ordering::Release);
    assert!(STOP.swap(false, Ordering::AcqRel));
    assert_eq!(STOP.compare_exchange(false, true, Ordering::AcqRel, Ordering::Acquire), Ok(false));
    assert!(STOP.fetch_and(false, Ordering::AcqRel) && !STOP.fetch_or(true, Ordering::AcqRel));
    assert!(STOP.fetch_not(Ordering::AcqRel) && !STOP.fetch_xor(true, Ordering::AcqRel));
    assert_eq!(STOP.fetch_update(Ordering::AcqRel, Ordering::Acquire, |old| Some(!old)), Ok(true));
    let mut own = StopFlag::from(true);
    assert!(*own.get_mut() && own.into_inner());
    assert_eq!(format!("{:?}", StopFlag::default()), "false");
}

#[test]
fn a_scope_gives_the_value_of_its_block() {
    const NAME: &str = "sum";
    let _outer = conccheck::scope!("outer");
    assert_eq!(conccheck::scope!(NAME, { thread::spawn(|| 1 + 1).join().unwrap() }), 2);
}
