//! Processes that fork or start others.
#![expect(unsafe_code, reason = "std has no fork")]

use std::ffi::c_int;
use std::process::Command;

use conccheck_trace::Event;

use crate::support::{self, Mutex, locker, run, run_to, sections};

static LOCK: Mutex = Mutex::new();

unsafe extern "C" {
    fn fork() -> c_int;
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn _exit(status: c_int) -> !;
}

/// Runs `body` in a forked child and waits for its end.
fn forked(body: impl FnOnce()) {
    // SAFETY: the child runs only what a single-threaded process may; it shares no memory with the parent.
    let pid = unsafe { fork() };
    assert!(pid >= 0);
    if pid == 0 {
        body();
        // SAFETY: ends this process.
        unsafe { _exit(0) };
    }
    let mut status = 0;
    // SAFETY: `status` is written to.
    assert_eq!(unsafe { waitpid(pid, &raw mut status, 0) }, pid);
    assert_eq!(status, 0);
}

#[test]
fn a_forked_child_records_into_files_of_its_own() {
    if support::is_child() {
        for _ in 0..100 {
            LOCK.lock().add();
        }
        let outer = Mutex::new();
        let guard = outer.lock();
        forked(|| {
            for _ in 0..10 {
                LOCK.lock().add();
            }
            forked(|| LOCK.lock().add());
            drop(guard);
            LOCK.lock().add();
        });
        LOCK.lock().add();
        return;
    }
    for target in ["traces", "traces/one.cct"] {
        let run = run_to("fork::a_forked_child_records_into_files_of_its_own", target, |_| {});
        assert!(run.status.success(), "{}", run.stderr);
        let traces = run.traces();
        let mut counts: Vec<_> = traces.iter().map(|trace| sections(&locker(trace))).collect();
        counts.sort_unstable();
        // The guard that the parent took is not released in the child's trace; the parent's own is still held at its end.
        assert_eq!(counts, [(1, 1), (11, 11), (102, 102)], "{:?}", run.files("traces"));
        for trace in &traces {
            for event in locker(trace) {
                if let Event::Acquire { lock, site, .. } = event {
                    assert!(trace.tables.object(lock).is_some(), "{event:?}");
                    assert!(trace.tables.site(site).is_some(), "{event:?}");
                }
            }
        }
    }
}

#[test]
fn a_child_process_does_not_touch_its_parents_file() {
    let name = "fork::a_child_process_does_not_touch_its_parents_file";
    if support::is_child() {
        LOCK.lock().add();
        if std::env::var_os("SECOND").is_none() {
            assert!(support::command(name).env("SECOND", "1").status().unwrap().success());
            // One that records nothing.
            assert!(Command::new("true").status().unwrap().success());
            LOCK.lock().add();
        }
        return;
    }
    let run = run_to(name, "traces/one.cct", |_| {});
    assert!(run.status.success(), "{}", run.stderr);
    assert_eq!(run.files("traces").len(), 4, "two files a process");
    let traces = run.traces();
    let parent = traces.iter().find(|t| t.path.ends_with("one.cct")).expect("the parent has the name");
    assert_eq!(sections(&locker(parent)), (2, 2));
    assert_eq!(traces.len(), 2);
}

#[test]
fn a_later_process_takes_the_name_over() {
    let name = "fork::a_later_process_takes_the_name_over";
    if support::is_child() {
        return LOCK.lock().add();
    }
    let run = run(name);
    let target = run.path().join("one.cct");
    for _ in 0..2 {
        assert!(support::command(name).env("CONCCHECK_TRACE", &target).output().unwrap().status.success());
    }
    assert_eq!(run.files(""), ["one.cct", "one.cct.live", "traces"]);
}
