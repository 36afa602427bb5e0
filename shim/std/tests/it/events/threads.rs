//! Events of threads.

use std::time::Duration;

use conccheck_std::thread;
use conccheck_trace::event::Event;

use super::{recorded, until_recorded};

#[test]
fn spawn_start_end_and_join_name_each_other() {
    let Some(trace) = recorded(|| {
        let worker = thread::Builder::new().name("worker".to_string()).spawn(thread::park).unwrap();
        thread::spawn(|| ());
        until_recorded(|event| matches!(event, Event::Park { .. }));
        worker.thread().unpark();
        worker.join().unwrap();
    }) else {
        return;
    };
    let main: Vec<_> = trace.thread(1).into_iter().filter(|event| event != "join request 2").collect();
    assert_eq!(main, ["start 0", "spawn 2", "spawn 3", "detach 3", "unpark 2", "join 2 took"]);
    // A park may end for no reason, but not begin again.
    assert_eq!(trace.thread(2), ["start 1", "park", "unparked", "end"]);
    let Event::Start { name, .. } = trace.events(2)[0] else { panic!("no start") };
    assert_eq!(trace.0.tables.string(name), Some("worker"));
}

#[test]
fn a_join_that_has_to_wait_is_a_request() {
    let Some(trace) = recorded(|| {
        let worker = thread::spawn(|| until_recorded(|event| matches!(event, Event::JoinRequest { .. })));
        worker.join().unwrap();
    }) else {
        return;
    };
    assert_eq!(trace.thread(1), ["start 0", "spawn 2", "join request 2", "join 2 took"]);
}

#[test]
fn a_finished_thread_is_known_once() {
    let Some(trace) = recorded(|| {
        let worker = thread::spawn(|| ());
        while !worker.is_finished() {}
        assert!(worker.is_finished());
        drop(worker);
    }) else {
        return;
    };
    assert_eq!(trace.thread(1), ["start 0", "spawn 2", "join 2", "detach 2"]);
}

#[test]
fn a_panic_is_told_at_the_threads_end() {
    let Some(trace) = recorded(|| {
        assert!(thread::spawn(|| std::panic::resume_unwind(Box::new(()))).join().is_err());
    }) else {
        return;
    };
    assert_eq!(trace.thread(2), ["start 1", "end panicked"]);
}

#[test]
fn the_end_of_a_scope_waits_for_the_threads_that_nobody_joined() {
    let Some(trace) = recorded(|| {
        thread::scope(|scope| {
            let joined = scope.spawn(|| ());
            scope.spawn(|| until_recorded(|event| matches!(event, Event::JoinRequest { child, .. } if child.0 == 3)));
            while !joined.is_finished() {}
            joined.join().unwrap();
        });
    }) else {
        return;
    };
    let expected = ["start 0", "spawn 2 scoped", "spawn 3 scoped", "join 2", "join 2 took", "join request 3", "join 3"];
    assert_eq!(trace.thread(1), expected);
}

#[test]
fn a_thread_that_could_not_be_started_is_known_to_be_over() {
    let Some(trace) = recorded(|| {
        assert!(thread::Builder::new().stack_size(usize::MAX / 4).spawn(|| ()).is_err());
    }) else {
        return;
    };
    assert_eq!(trace.thread(1), ["start 0", "spawn 2", "join 2"]);
}

#[test]
fn sleeps_and_parks_say_whether_they_have_a_limit() {
    let Some(trace) = recorded(|| {
        thread::sleep(Duration::from_micros(3));
        thread::current().unpark();
        thread::park();
        thread::park_timeout(Duration::from_micros(1));
    }) else {
        return;
    };
    let expected = ["start 0", "sleep 3000", "unpark 1", "park", "unparked", "park timed", "unparked"];
    assert_eq!(trace.thread(1), expected);
}
