//! The STD format, as the field's published traces use it.
#![cfg(feature = "read")]

mod support;

use conccheck_trace::convert::{self, Format};
use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{Event, ObjectId, Order, Record, ThreadId};
use support::{Folder, bytes, events, sample};

fn read(text: &str) -> ProcessTrace {
    Folder::new().open("t.std", text).unwrap_or_else(|error| panic!("{error}"))
}

fn error(text: &str) -> String {
    let text = Folder::new().open("t.std", text).expect_err("can't happen").to_string();
    text.split_once("t.std:").map(|(_, rest)| rest.to_owned()).unwrap_or(text)
}

fn names(trace: &ProcessTrace, thread: u32) -> Vec<String> {
    let name = |event: Event| {
        let text = format!("{event:?}");
        text.split(' ').next().unwrap_or_default().to_owned()
    };
    trace.events(ThreadId(thread)).map(|record| name(record.event)).collect()
}

/// All events in the order of their times.
fn merged(trace: &ProcessTrace) -> Vec<(ThreadId, Record)> {
    let mut all: Vec<_> = events(trace).into_iter().flat_map(|(t, records)| records.into_iter().map(move |r| (t, r))).collect();
    all.sort_by_key(|(thread, record)| (record.time, *thread));
    all
}

#[test]
fn the_order_of_the_file_is_the_order_of_times() {
    let trace = read("T1|w(x)|1\nT2|w(x)|2\nT1|acq(a)|3\nT1|rel(a)|4\nT2|acq(a)|5\nT1|r(x)|6\nT2|rel(a)|7\n");
    let order: Vec<_> =
        merged(&trace).into_iter().filter(|(_, r)| !matches!(r.event, Event::Start { .. })).map(|(t, _)| t.0).collect();
    assert_eq!(order, [1, 2, 1, 1, 2, 1, 2]);
    let orders = merged(&trace).into_iter().filter_map(|(_, r)| match r.event {
        Event::Acquire { order, .. } => Some(order),
        _ => None,
    });
    assert_eq!(orders.collect::<Vec<_>>(), [Order(1), Order(2)]);
    let site = trace.events(ThreadId(2)).nth(1).and_then(|r| trace.tables.site(r.event.site()?).cloned()).expect("has a place");
    assert_eq!((site.file.as_str(), site.line), ("t.std", 2));
}

#[test]
fn only_the_outermost_section_of_a_reentrant_lock_is_kept() {
    let trace = read("T1|acq(a)|1\nT1|acq(a)|2\nT1|rel(a)|3\nT2|w(x)|4\nT1|rel(a)|5\nT2|acq(a)|6\n");
    assert_eq!(names(&trace, 1), ["Start", "Acquire", "Release"]);
    assert_eq!(trace.events(ThreadId(1)).last().map(|r| r.time.0), Some(5));
    assert_eq!(names(&trace, 2), ["Start", "Write", "Acquire"]);
}

#[test]
fn a_request_is_kept_where_the_thread_never_goes_on() {
    let trace = read("T1|req(a)|1\nT1|acq(a)|1\nT2|req(a)|9\n");
    assert_eq!(names(&trace, 1), ["Start", "Acquire"]);
    assert_eq!(names(&trace, 2), ["Start", "Request"]);
}

#[test]
fn a_thread_that_is_said_to_begin_before_its_fork_begins_there() {
    let trace = read("T0|begin(0)|0\nT1|begin(0)|0\nT0|fork(T1)|3\nT1|w(x)|4\nT1|end(0)|0\nT0|join(1)|5\n");
    let start = trace.events(ThreadId(2)).next().expect("it starts");
    assert!(matches!(start.event, Event::Start { parent: ThreadId(1), .. }) && start.time.0 == 3);
    assert_eq!(names(&trace, 1), ["Start", "Spawn", "Join"]);
    assert_eq!(names(&trace, 2), ["Start", "Write", "End"]);
}

#[test]
fn a_wait_in_a_monitor_releases_it_until_the_thread_goes_on() {
    let trace = read("T1|acq(m)|1\nT1|wait(m)|2\nT2|acq(m)|3\nT2|notifyAll(m)|4\nT2|rel(m)|5\nT1|w(x)|6\nT1|rel(m)|7\n");
    assert_eq!(names(&trace, 1), ["Start", "Acquire", "Release", "Wait", "Wake", "Acquire", "Write", "Release"]);
    assert_eq!(names(&trace, 2), ["Start", "Acquire", "Notify", "Release"]);
    let apart = read("T1|acq(m)|1\nT1|rel(m)|2\nT1|wait(c)|2\nT2|notify(c)|4\nT1|acq(m)|7\n");
    assert_eq!(names(&apart, 1), ["Start", "Acquire", "Release", "Wait", "Wake", "Acquire"]);
    assert!(apart.events(ThreadId(1)).any(|r| matches!(r.event, Event::Wait { lock: ObjectId(1), .. })));
}

#[test]
fn what_cannot_have_happened_is_an_error_with_its_line() {
    assert!(error("T6|ww(42)|59").starts_with("1: `ww` is not an operation: expected one of r, w, acq"));
    assert_eq!(error("T6|w(42)*|59"), "1: is not `THREAD|OPERATION(OPERAND)|LOCATION`");
    assert_eq!(error("T6|w(42)|5\n\nT7 w(42)\n"), "3: is not `THREAD|OPERATION(OPERAND)|LOCATION`");
    assert_eq!(error("T6|req(9)|5\nT7|rel(9)|5"), "2: T7 releases lock 9, which is held by no thread");
    assert_eq!(error("T6|acq(9)|5\nT7|rel(9)|5"), "2: T7 releases lock 9, which is held by T6");
    assert_eq!(error("T6|acq(9)|5\nT6|rel(9)|5\nT6|rel(9)|6"), "3: T6 releases lock 9, which is held by no thread");
    assert_eq!(error("T6|acq(9)|5\nT7|acq(9)|5\nT6|rel(9)|6"), "2: T7 acquires lock 9, which is held by T6");
}

#[test]
fn reading_what_was_never_written_is_allowed() {
    assert_eq!(names(&read("T6|r(42)|59"), 1), ["Start", "Read"]);
}

#[test]
fn a_section_within_an_unrecorded_wait_is_kept_with_a_warning() {
    let trace = read("T1|acq(m)|1\nT2|acq(m)|2\nT2|rel(m)|3\nT1|rel(m)|4\n");
    assert_eq!(trace.event_count(), 6);
    assert!(trace.warnings[0].contains("t.std:2: T2 acquires lock m, which is held by T1"), "{:?}", trace.warnings);
}

#[test]
fn a_file_that_ends_within_a_line_gives_what_is_before() {
    let trace = read("T1|w(x)|1\nT1|w(y");
    assert_eq!(names(&trace, 1), ["Start", "Write"]);
    assert!(trace.warnings[0].contains("t.std:2: the file ends within a line"));
}

#[test]
fn what_std_can_say_comes_back_from_it() {
    let trace = read(
        "T0|fork(T1)|a.rs:1\nT1|begin(0)|\nT1|acq(a)|a.rs:3\nT1|acq(b)|b.rs\nT1|w(x)|4\nT1|rel(b)|5\nT1|wait(a)|6\nT0|acq(a)|7\nT0|notify(a)|8\n\
         T0|rel(a)|9\nT1|r(x)|10\nT1|rel(a)|11\nT1|end(0)|12\nT0|join(T1)|13\nT0|acq(b)|14\nT2|req(b)|15\n",
    );
    let text = bytes(&trace, Format::Std);
    let again = Folder::new().open("t.std", &text).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&text)));
    let events =
        |trace: &ProcessTrace, thread| trace.events(ThreadId(thread)).map(|record| record.event).collect::<Vec<_>>().len();
    for thread in 1..4 {
        assert_eq!(names(&again, thread), names(&trace, thread));
        assert_eq!(events(&again, thread), events(&trace, thread));
    }
}

#[test]
fn what_std_cannot_say_is_counted() {
    let mut text = Vec::new();
    let left_out = convert::write(&sample(), Format::Std, &mut text).expect("memory does not fail");
    let again = Folder::new().open("t.std", &text).unwrap_or_else(|error| panic!("{error}"));
    assert!(left_out > 0 && again.event_count() + left_out >= sample().event_count());
    assert!(
        names(&again, 1).starts_with(&["Start", "Spawn", "Acquire", "Release", "Wait", "Wake", "Acquire"].map(str::to_owned))
    );
}
