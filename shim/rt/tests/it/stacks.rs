//! The calls that led to an acquisition.

use std::panic::Location;

use conccheck_rt::{Event, Held, How, Lock, Mode, ObjectKind};
use conccheck_trace::read::ProcessTrace;

use crate::support::{self, events, run_to};

static OUTER: Lock = Lock::new(ObjectKind::Mutex);
static INNER: [Lock; 2] = [const { Lock::new(ObjectKind::Mutex) }; 2];

#[track_caller]
fn acquire(lock: &'static Lock) -> Held<'static> {
    lock.acquired(Mode::Exclusive, How::Blocking, Location::caller(), std::any::type_name::<u64>)
}

/// Two locks within another one, over and over, as a helper would.
fn nest() {
    let _outer = acquire(&OUTER);
    for _ in 0..50 {
        for lock in &INNER {
            drop(acquire(lock));
        }
    }
}

/// The stacks of a trace, each with the acquisition that it stands behind.
fn stacks(trace: &ProcessTrace) -> Vec<(Event, Vec<u64>)> {
    let events: Vec<Event> = events(trace).into_iter().map(|(_, event)| event).collect();
    let stacks = events.windows(2).filter_map(|pair| match pair[1] {
        Event::Stack { frame } => Some((pair[0], trace.tables.stack(frame).map(|frame| frame.address).collect())),
        _ => None,
    });
    stacks.collect()
}

fn with_stacks(name: &str, wanted: &str) -> Vec<(Event, Vec<u64>)> {
    let run = run_to(name, "traces", |command| {
        command.env("CONCCHECK_STACKS", wanted);
    });
    assert!(run.status.success(), "{}", run.stderr);
    stacks(&run.trace())
}

#[test]
fn the_calls_are_recorded_once_for_each_context() {
    if support::is_child() {
        return nest();
    }
    let name = "stacks::the_calls_are_recorded_once_for_each_context";
    let edges = with_stacks(name, "edges");
    if cfg!(not(target_os = "linux")) {
        return assert!(edges.is_empty());
    }
    assert_eq!(edges.len(), 2, "{edges:?}");
    for ((event, frames), lock) in edges.iter().zip(&INNER) {
        assert!(matches!(event, Event::Acquire { .. }), "{event:?} of {lock:?}");
        assert!(frames.len() > 3 && frames.len() < 64, "{frames:x?}");
    }
    assert!(edges[0].0 != edges[1].0);
    // Both were reached by the same calls.
    assert_eq!(edges[0].1.last(), edges[1].1.last());
    assert_eq!(with_stacks(name, "all").len(), 3);
    assert_eq!(with_stacks(name, "none").len(), 0);
}
