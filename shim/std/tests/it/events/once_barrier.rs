//! Events of one-time initialisation and of barriers.

use conccheck_std::sync::{Barrier, LazyLock, Once, OnceLock};
use conccheck_std::thread;
use conccheck_trace::event::Event;

use super::{recorded, until_recorded};
use crate::parity::panicking;

#[test]
fn an_initialisation_is_seen_once_by_each_thread() {
    let Some(trace) = recorded(|| {
        let cell = OnceLock::new();
        assert_eq!(cell.get(), None);
        assert_eq!(cell.get_or_init(|| 1), &1);
        assert_eq!(cell.get(), Some(&1));
        assert_eq!(cell.set(2), Err(2));
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!((cell.get(), cell.get(), cell.wait()), (Some(&1), Some(&1), &1)));
        });
    }) else {
        return;
    };
    assert_eq!(trace.thread(1)[..4], ["start 0", "once request 1", "once begin 1", "once end 1"]);
    assert_eq!(trace.thread(1)[4], "spawn 2 scoped");
    assert_eq!(trace.thread(2), ["start 1", "once get 1", "end"]);
}

#[test]
fn who_waits_for_anothers_initialisation_says_so() {
    let Some(trace) = recorded(|| {
        let once = Once::new();
        thread::scope(|scope| {
            once.call_once(|| {
                scope.spawn(|| once.call_once(|| ()));
                until_recorded(|event| matches!(event, Event::Start { parent, .. } if parent.0 == 1));
                until_second_request();
            });
        });
    }) else {
        return;
    };
    assert_eq!(trace.thread(1)[..5], ["start 0", "once request 1", "once begin 1", "spawn 2 scoped", "once end 1"]);
    assert_eq!(trace.thread(2), ["start 1", "once request 1", "once get 1", "end"]);
}

/// Goes on when two different places asked for a once.
fn until_second_request() {
    let first = std::cell::Cell::new(None);
    until_recorded(|event| match event {
        Event::OnceRequest { site, .. } => first.replace(Some(*site)).is_some_and(|first| first != *site),
        _ => false,
    });
}

#[test]
fn a_panic_is_told_at_the_initialisations_end() {
    let Some(trace) = recorded(|| {
        let lazy: LazyLock<i32> = LazyLock::new(|| std::panic::resume_unwind(Box::new(())));
        panicking(|| *lazy);
    }) else {
        return;
    };
    assert_eq!(trace.thread(1), ["start 0", "once request 1", "once begin 1", "once end 1 panicked"]);
}

#[test]
fn an_emptied_cell_is_a_new_one() {
    let Some(trace) = recorded(|| {
        let mut cell = OnceLock::new();
        cell.set(1).unwrap();
        cell.take();
        cell.set(2).unwrap();
    }) else {
        return;
    };
    let expected = ["start 0", "once request 1", "once begin 1", "once end 1", "once request 2", "once begin 2", "once end 2"];
    assert_eq!(trace.thread(1), expected);
}

#[test]
fn arrivals_at_a_barrier_are_counted_in_its_own_order() {
    let Some(trace) = recorded(|| {
        let barrier = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                until_recorded(|event| matches!(event, Event::BarrierWait { .. }));
                barrier.wait();
            });
            barrier.wait();
        });
    }) else {
        return;
    };
    assert_eq!(trace.thread(1)[..4], ["start 0", "spawn 2 scoped", "barrier wait 1 2 1", "barrier pass 1"]);
    assert_eq!(trace.thread(2), ["start 1", "barrier wait 1 2 2", "barrier pass 1", "end"]);
}
