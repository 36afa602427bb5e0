//! However a process ends, every event up to the end is in the trace.

use std::panic::Location;
use std::process::Stdio;

use conccheck_trace::Event;
use conccheck_trace::read;

use crate::support::{self, Mutex, locker, run, run_to, sections};

static LOCK: Mutex = Mutex::new();

fn lock(times: usize) {
    for _ in 0..times {
        LOCK.lock().add();
    }
}

/// The orders of the acquisitions.
fn orders(events: &[Event]) -> impl Iterator<Item = u64> {
    events.iter().filter_map(|e| if let Event::Acquire { order, .. } = e { Some(order.0) } else { None })
}

#[test]
fn a_process_that_returns_from_main_leaves_every_event_and_says_so() {
    if support::is_child() {
        return lock(50_000);
    }
    let run = run("ends::a_process_that_returns_from_main_leaves_every_event_and_says_so");
    let trace = run.trace();
    assert!(trace.header.clean_end);
    assert!(trace.header.lost.is_none());
    let events = locker(&trace);
    assert_eq!(sections(&events), (50_000, 50_000));
    assert!(orders(&events).eq(1..=50_000), "orders count up");
    assert!(events.iter().all(|e| !matches!(e, Event::Release { wrote: false, .. })));
    let Some(Event::Acquire { lock, site, .. }) = events.iter().find(|e| matches!(e, Event::Acquire { .. })) else { panic!() };
    let object = trace.tables.object(*lock).expect("the lock is defined");
    assert_eq!(trace.tables.string(object.type_name), Some("u64"));
    assert!(trace.tables.site(object.created).expect("the place of creation").file.ends_with("ends.rs"));
    assert!(trace.tables.site(*site).expect("the place of locking").file.ends_with("ends.rs"));
}

#[test]
fn a_process_that_calls_exit_leaves_every_event() {
    if support::is_child() {
        conccheck_rt::thread::exits(Location::caller());
        lock(1000);
        let _guard = LOCK.lock();
        conccheck_rt::thread::exits(Location::caller());
        std::process::exit(3);
    }
    let run = run("ends::a_process_that_calls_exit_leaves_every_event");
    assert_eq!(run.status.code(), Some(3));
    let trace = run.trace();
    assert!(trace.header.clean_end);
    let events = locker(&trace);
    assert_eq!(sections(&events), (1001, 1000));
    assert!(matches!(events.last(), Some(Event::Exit { .. })), "who ended the process is told from who returned");
    let exits = events.iter().filter(|e| matches!(e, Event::Exit { .. })).count();
    assert_eq!(exits, 1, "without a lock it is not worth an entry");
}

#[test]
fn a_process_that_aborts_leaves_every_event() {
    if support::is_child() {
        lock(20_000);
        let _guard = LOCK.lock();
        std::process::abort();
    }
    let run = run("ends::a_process_that_aborts_leaves_every_event");
    let trace = run.trace();
    assert!(!trace.header.clean_end);
    let events = locker(&trace);
    assert_eq!(sections(&events), (20_001, 20_000));
    assert!(matches!(events.last(), Some(Event::Acquire { .. })), "the section that was open is open in the trace");
}

#[test]
fn a_panic_within_a_panic_leaves_every_event() {
    if support::is_child() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                lock(10);
                panic!("second");
            }
        }
        lock(1000);
        let _bomb = Bomb;
        let _guard = LOCK.lock();
        panic!("first");
    }
    let run = run("ends::a_panic_within_a_panic_leaves_every_event");
    assert!(!run.status.success());
    let events = locker(&run.trace());
    assert_eq!(sections(&events), (1011, 1011));
    assert_eq!(events.iter().filter(|e| matches!(e, Event::Release { unwinding: true, .. })).count(), 1);
}

#[test]
fn a_stack_overflow_leaves_every_event() {
    #[expect(unconditional_recursion, reason = "the scenario")]
    fn deeper() -> u64 {
        let mut guard = Mutex::lock(Box::leak(Box::new(Mutex::new())));
        guard.add();
        std::hint::black_box(deeper()) + 1
    }
    if support::is_child() {
        lock(1000);
        deeper();
    }
    let run = run("ends::a_stack_overflow_leaves_every_event");
    assert!(!run.status.success());
    let (acquired, released) = sections(&locker(&run.trace()));
    assert_eq!(released, 1000);
    assert!(acquired > 2000, "{acquired}");
}

#[test]
fn a_killed_process_leaves_every_event_up_to_its_end() {
    let name = "ends::a_killed_process_leaves_every_event_up_to_its_end";
    if support::is_child() {
        lock(5000);
        std::fs::write(std::env::var_os("READY").expect("given"), "").expect("a folder");
        loop {
            lock(1);
        }
    }
    for _ in 0..5 {
        let folder = tempfile::tempdir().expect("a folder");
        let (target, ready) = (folder.path().join("t.cct"), folder.path().join("ready"));
        let mut child = support::command(name)
            .env("CONCCHECK_TRACE", &target)
            .env("READY", &ready)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the scenario starts");
        support::wait_for(&ready, &mut child);
        child.kill().expect("it runs");
        child.wait().expect("it ended");
        let trace = read::open(&target).expect("a readable trace").remove(0);
        // A kill may cut the very write that appends a chunk; that chunk is whole in its slot then.
        assert!(trace.warnings.iter().all(|warning| warning.contains("ends within a chunk")), "{:?}", trace.warnings);
        assert!(!trace.header.clean_end);
        let events = locker(&trace);
        let (acquired, released) = sections(&events);
        assert!(acquired >= 5000 && acquired - released <= 1, "{acquired} {released}");
        assert!(orders(&events).eq(1..=acquired as u64), "none is missing");
    }
}

#[test]
fn a_program_that_replaces_itself_keeps_what_it_recorded_before() {
    use std::os::unix::process::CommandExt;
    let name = "ends::a_program_that_replaces_itself_keeps_what_it_recorded_before";
    if support::is_child() {
        let second = std::env::var_os("SECOND").is_some();
        lock(if second { 7 } else { 5 });
        if !second {
            panic!("{}", support::command(name).env("SECOND", "1").exec());
        }
        return;
    }
    for target in ["traces", "traces/one.cct"] {
        let run = run_to(name, target, |_| {});
        let mut counts: Vec<_> = run.traces().iter().map(|trace| sections(&locker(trace)).0).collect();
        counts.sort_unstable();
        assert_eq!(counts, [5, 7], "{target}: {:?}", run.files("traces"));
    }
}

#[test]
fn json_takes_the_place_of_the_binary_files_when_the_process_ends() {
    if support::is_child() {
        return lock(100);
    }
    let run = run_to("ends::json_takes_the_place_of_the_binary_files_when_the_process_ends", "deep/er/trace.json", |_| {});
    assert_eq!(run.files("deep/er"), ["trace.json"], "{}", run.stderr);
    let trace = read::open(&run.path().join("deep/er/trace.json")).expect("readable").remove(0);
    assert_eq!(sections(&locker(&trace)), (100, 100));
    assert!(trace.header.clean_end);
}

#[test]
fn a_process_without_the_variable_records_nothing() {
    if support::is_child() {
        assert!(!conccheck_rt::recorder::is_on());
        return lock(100);
    }
    let run = run_to("ends::a_process_without_the_variable_records_nothing", "x", |command| {
        command.env("CONCCHECK_TRACE", "");
    });
    assert!(run.status.success());
    assert_eq!(run.files(""), [""; 0]);
}

#[test]
fn the_header_says_what_was_run() {
    if support::is_child() {
        return lock(1);
    }
    let run = run_to("ends::the_header_says_what_was_run", "traces", |command| {
        command.env("CONCCHECK_FACTS", "wrapped=std\nnot-wrapped=tokio\\x").env("NEXTEST_TEST_NAME", "a::b");
    });
    let header = run.trace().header;
    assert!(header.args.contains(&"--nocapture".to_owned()));
    assert_eq!(header.program, std::env::current_exe().unwrap().to_str().unwrap());
    assert_eq!(header.working_dir, std::env::current_dir().unwrap().to_str().unwrap());
    assert!(header.started_unix > 1_600_000_000);
    assert!(header.ticks_per_second > 1e6, "{}", header.ticks_per_second);
    let fact = |key: &str| header.facts.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str());
    assert_eq!(fact("wrapped"), Some("std"));
    assert_eq!(fact("not-wrapped"), Some("tokio\\x"));
    assert_eq!(fact("NEXTEST_TEST_NAME"), Some("a::b"));
}
