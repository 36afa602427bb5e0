//! The exact events of small programs, each run in a process of its own.

use std::thread;

use conccheck_once_cell::sync::{Lazy, OnceCell};
use conccheck_trace::event::Event;

use crate::support::{recorded, until_recorded};

#[test]
fn an_initialisation_is_told_once_and_looked_at_once_by_each_thread() {
    let Some(trace) = recorded(|| {
        let lazy = Lazy::new(|| 1);
        assert_eq!(*lazy + *lazy, 2);
        thread::spawn(move || assert_eq!(*lazy + *lazy, 2)).join().unwrap();
    }) else {
        return;
    };
    assert_eq!(trace.thread(1), ["once request 1", "once begin 1", "once end 1"]);
    assert_eq!(trace.thread(2), ["once get 1"]);
}

#[test]
fn who_races_for_an_initialisation_waits_for_who_runs_it() {
    let Some(trace) = recorded(|| {
        let cell = OnceCell::new();
        thread::scope(|scope| {
            cell.get_or_init(|| {
                scope.spawn(|| assert_eq!(cell.get_or_init(|| 2), &1));
                let first = std::cell::Cell::new(None);
                until_recorded(|event| match event {
                    Event::OnceRequest { site, .. } => first.replace(Some(*site)).is_some_and(|first| first != *site),
                    _ => false,
                });
                1
            });
        });
    }) else {
        return;
    };
    assert_eq!(trace.thread(1), ["once request 1", "once begin 1", "once end 1"]);
    assert_eq!(trace.thread(2), ["once request 1", "once get 1"]);
}
