//! Where the trace can't be written, the program goes on.

use crate::support::{self, Mutex, locker, run_to, sections};

static LOCK: Mutex = Mutex::new();

fn lock(times: usize) {
    for _ in 0..times {
        LOCK.lock().add();
    }
}

#[test]
fn an_unwritable_folder_is_one_line_and_the_program_goes_on() {
    if support::is_child() {
        lock(1000);
        assert!(!conccheck_rt::recorder::is_on());
        return;
    }
    for target in ["/proc/nowhere", "/dev/full", "/dev/null/x.cct", "/proc/x.json"] {
        let run = run_to("failures::an_unwritable_folder_is_one_line_and_the_program_goes_on", "x", |command| {
            command.env("CONCCHECK_TRACE", target);
        });
        assert!(run.status.success(), "{}", run.stderr);
        assert_eq!(run.stderr.matches("recording is off").count(), 1, "{}", run.stderr);
        assert!(run.stderr.contains(target), "{}", run.stderr);
    }
}

/// A limit on the size of files is met like a full disk: writing stops in the middle.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_runs_full_costs_events_but_not_the_program() {
    let name = "failures::a_disk_that_runs_full_costs_events_but_not_the_program";
    if support::is_child() {
        return lock(200_000);
    }
    let folder = tempfile::tempdir().unwrap();
    let script = "trap '' XFSZ; ulimit -f 256; exec \"$@\"";
    let output = std::process::Command::new("bash")
        .args(["-c", script, "bash"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env("CONCCHECK_TEST_SCENARIO", "1")
        .env("CONCCHECK_TRACE", folder.path().join("t.cct"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let trace = conccheck_trace::read::open(&folder.path().join("t.cct")).unwrap().remove(0);
    let _ = (locker, sections);
    let (lost, reason) = trace.header.lost.clone().expect("the loss is told");
    assert_eq!(trace.event_count() + lost, 400_000, "every event is recorded or counted: {reason}");
}
