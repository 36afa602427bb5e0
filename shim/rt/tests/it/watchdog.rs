//! The watchdog in real processes: what hangs for good says so and ends; what is merely slow, or ends by itself, is left alone.
#![expect(unsafe_code, reason = "std has no fork")]

use std::ffi::c_int;
use std::panic::Location;
use std::process::{Command, Stdio};
use std::sync::{Barrier, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use conccheck_rt::Event;
use conccheck_rt::thread::Child;
use conccheck_trace::layout::DEADLOCK_STATUS;
use conccheck_trace::read;

use crate::support::{self, Mutex, Run, run, run_to};

/// The documented exit status of a program that the watchdog ended.
const ENDED: Option<i32> = Some(DEADLOCK_STATUS);

static A: Mutex = Mutex::new();
static B: Mutex = Mutex::new();

/// A recorded thread.
struct Task {
    child: Child,
    handle: JoinHandle<()>,
}

#[track_caller]
fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Task {
    let child = Child::spawn(false, Location::caller());
    let own = child.clone();
    let run = move || {
        let _running = own.run();
        body();
    };
    Task { child, handle: thread::Builder::new().name(name.to_owned()).spawn(run).expect("a thread") }
}

impl Task {
    #[track_caller]
    fn join(self) {
        let place = Location::caller();
        self.child.join_request(place);
        self.handle.join().expect("no panic");
        self.child.joined(place);
    }
}

/// Two threads that have taken one lock each and wait for the other's.
fn stuck_pair() -> [Task; 2] {
    static ALL: Barrier = Barrier::new(3);
    let task = |name, first: &'static Mutex, second: &'static Mutex| {
        spawn(name, || {
            let _first = first.lock();
            ALL.wait();
            let _second = second.lock();
        })
    };
    let tasks = [task("left", &A, &B), task("right", &B, &A)];
    ALL.wait();
    tasks
}

fn assert_lines(run: &Run, lines: &[&str]) {
    let mut rest = run.stderr.as_str();
    for line in lines {
        let at = rest.find(line).unwrap_or_else(|| panic!("no `{line}` (in this order) in:\n{}", run.stderr));
        rest = &rest[at + line.len()..];
    }
}

#[test]
fn two_threads_that_wait_for_one_another_are_named_and_the_process_ends() {
    if support::is_child() {
        return stuck_pair().into_iter().for_each(Task::join);
    }
    let start = Instant::now();
    let run = run("watchdog::two_threads_that_wait_for_one_another_are_named_and_the_process_ends");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(run.status.code(), ENDED, "{}", run.stderr);
    assert_lines(
        &run,
        &[
            "conccheck: deadlock: 2 threads wait for one another\n",
            "  thread `left` of test `watchdog::two_threads_that_wait_for_one_another_are_named_and_the_process_ends`\n",
            "    waits for `Mutex<u64>` created at shim/rt/tests/it/watchdog.rs:",
            "    which thread `right` holds since shim/rt/tests/it/watchdog.rs:",
            "  thread `right` of test `watchdog::two_threads_that_wait_for_one_another_are_named_and_the_process_ends`\n",
            "    waits for `Mutex<u64>` created at",
            "    which thread `left` holds since",
            ", a test\n    waits for the end of thread `left` at",
            "ending it with exit status 86",
        ],
    );
    let trace = run.trace();
    assert!(trace.header.deadlock_end && !trace.header.clean_end);
    let requests = support::events(&trace).into_iter().filter(|(_, event)| matches!(event, Event::Request { .. })).count();
    assert_eq!(requests, 2);
}

#[test]
fn a_test_that_hangs_ends_its_test_binary_and_is_named() {
    let name = "watchdog::a_test_that_hangs_ends_its_test_binary_and_is_named";
    if support::is_child() {
        return stuck_pair().into_iter().for_each(Task::join);
    }
    let folder = tempfile::tempdir().expect("a folder");
    // With two threads for tests, the harness's main thread waits while the test runs.
    let mut command = Command::new(std::env::current_exe().expect("the test's own path"));
    command.args(["--exact", name, "--test-threads=2"]).env(support::SCENARIO, "1").env("CONCCHECK_TRACE", folder.path());
    let output = support::output(&mut command);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), ENDED, "{stderr}");
    assert!(stderr.contains(&format!("  thread `left` of test `{name}`\n")), "{stderr}");
    assert!(stderr.contains(&format!("  thread `{name}`, a test\n    waits for the end of thread `left`")), "{stderr}");
}

#[test]
fn a_lock_that_its_holder_asks_for_again_ends_the_process() {
    if support::is_child() {
        let _first = A.lock();
        let _again = A.lock();
    }
    let run = run("watchdog::a_lock_that_its_holder_asks_for_again_ends_the_process");
    assert_eq!(run.status.code(), ENDED, "{}", run.stderr);
    assert_lines(
        &run,
        &[
            "conccheck: deadlock: thread `watchdog::a_lock_that_its_holder_asks_for_again_ends_the_process` waits for itself\n",
            "which it holds since",
            "exit status 86",
        ],
    );
}

#[test]
fn a_join_of_a_thread_that_needs_the_joiners_lock_ends_the_process() {
    if support::is_child() {
        // Many chunks lie between the acquisition and the wait.
        let _guard = A.lock();
        for _ in 0..50_000 {
            B.lock().add();
        }
        spawn("child", || drop(A.lock())).join();
    }
    let run = run("watchdog::a_join_of_a_thread_that_needs_the_joiners_lock_ends_the_process");
    assert_eq!(run.status.code(), ENDED, "{}", run.stderr);
    assert_lines(
        &run,
        &[
            "2 threads wait for one another",
            ", a test\n    waits for the end of thread `child`",
            "which thread `watchdog::a_join_of",
        ],
    );
}

/// Waits for a message, as a channel's facade does.
fn receive(channel: &mpsc::Receiver<()>) {
    let (_sender, receiver) = conccheck_rt::mpsc::new_channel(None, std::any::type_name::<()>);
    receiver.recv_request(false, Location::caller());
    let _ = channel.recv();
}

/// Waits for a message or for room, as a selection of a facade does.
fn select(channel: &mpsc::Receiver<()>) {
    let (_sender, receiver) = conccheck_rt::mpsc::new_channel(None, std::any::type_name::<()>);
    let (sender, _receiver) = conccheck_rt::mpsc::new_channel(Some(0), std::any::type_name::<u8>);
    conccheck_rt::select::request([&receiver, &sender].into_iter(), false, Location::caller());
    let _ = channel.recv();
}

#[test]
fn a_program_whose_every_thread_waits_for_a_message_ends() {
    if support::is_child() {
        let (to_main, at_main) = mpsc::channel();
        let (to_worker, at_worker) = mpsc::channel();
        let worker = spawn("worker", move || {
            receive(&at_worker);
            drop(to_main);
        });
        select(&at_main);
        drop(to_worker);
        return worker.join();
    }
    let run = run("watchdog::a_program_whose_every_thread_waits_for_a_message_ends");
    assert_eq!(run.status.code(), ENDED, "{}", run.stderr);
    assert_lines(&run, &["every thread of the program waits", "waits for a message from `channel` created at", "exit status 86"]);
    assert_lines(&run, &[", or room in `channel<u8>` created at"]);
    assert!(run.trace().header.deadlock_end);
}

#[test]
fn a_scope_that_can_not_end_is_said_to_wait_for_the_threads_that_still_run() {
    if support::is_child() {
        let (_sender, receiver) = mpsc::channel::<()>();
        let (go, gone) = mpsc::channel::<()>();
        let (stuck, quick) = (spawn("stuck", move || receive(&receiver)), spawn("quick", move || assert!(gone.recv().is_err())));
        let children = conccheck_rt::thread::Children::new();
        children.add(stuck.child);
        children.add(quick.child);
        children.join_request(Location::caller());
        drop(go);
        return stuck.handle.join().expect("no panic");
    }
    let run = run("watchdog::a_scope_that_can_not_end_is_said_to_wait_for_the_threads_that_still_run");
    assert_eq!(run.status.code(), ENDED, "{}", run.stderr);
    assert_lines(&run, &["waits for the end of thread `stuck`"]);
    assert!(!run.stderr.contains("quick"), "{}", run.stderr);
}

#[test]
fn a_program_that_is_merely_slow_is_left_alone() {
    if support::is_child() {
        let guard = A.lock();
        let waiters: Vec<_> = (0..3).map(|_| spawn("waiter", || A.lock().add())).collect();
        thread::sleep(Duration::from_secs(3));
        drop(guard);
        return waiters.into_iter().for_each(Task::join);
    }
    let run = run("watchdog::a_program_that_is_merely_slow_is_left_alone");
    assert!(run.status.success(), "{}", run.stderr);
    assert!(!run.stderr.contains("conccheck:"), "{}", run.stderr);
    assert!(run.trace().header.clean_end);
}

#[test]
fn a_wait_with_a_limit_is_left_alone() {
    if support::is_child() {
        // One that is recorded, and one that is not.
        let (_sender, receiver) = mpsc::channel::<()>();
        let waiter = spawn("waiter", || {
            conccheck_rt::thread::parking(true, Location::caller());
            thread::park_timeout(Duration::from_secs(3));
            conccheck_rt::thread::unparked();
        });
        A.lock().add();
        assert!(receiver.recv_timeout(Duration::from_secs(3)).is_err());
        return waiter.join();
    }
    let run = run("watchdog::a_wait_with_a_limit_is_left_alone");
    assert!(run.status.success(), "{}", run.stderr);
    assert!(!run.stderr.contains("conccheck:"), "{}", run.stderr);
}

#[test]
fn a_stuck_pair_that_is_left_behind_is_told_once_and_the_program_ends_as_it_would_have() {
    if support::is_child() {
        stuck_pair();
        thread::sleep(Duration::from_secs(4));
        std::process::exit(7);
    }
    let run = run("watchdog::a_stuck_pair_that_is_left_behind_is_told_once_and_the_program_ends_as_it_would_have");
    assert_eq!(run.status.code(), Some(7), "{}", run.stderr);
    assert_eq!(run.stderr.matches("conccheck: deadlock").count(), 1, "{}", run.stderr);
    let header = run.trace().header;
    assert!(header.clean_end && !header.deadlock_end);
}

#[test]
fn the_environment_says_what_the_watchdog_does() {
    if support::is_child() {
        stuck_pair();
        // The pair is all that is left: it is ended only if that is wanted.
        spawn("ends", || {
            thread::sleep(Duration::from_secs(5));
            std::process::exit(7);
        });
        return spawn("waits", || drop(A.lock())).join();
    }
    for (mode, told) in [("off", 0), ("report", 1)] {
        let name = "watchdog::the_environment_says_what_the_watchdog_does";
        let run = run_to(name, "traces", |command| {
            command.env("CONCCHECK_WATCHDOG", mode);
        });
        assert_eq!(run.status.code(), Some(7), "{}", run.stderr);
        assert_eq!(run.stderr.matches("conccheck: deadlock").count(), told, "{}", run.stderr);
    }
}

#[test]
fn a_trace_in_json_is_whole_when_the_watchdog_ends_the_process() {
    if support::is_child() {
        let _first = A.lock();
        let _again = A.lock();
    }
    let name = "watchdog::a_trace_in_json_is_whole_when_the_watchdog_ends_the_process";
    let run = run_to(name, "trace.json", |_| {});
    assert_eq!(run.status.code(), ENDED, "{}", run.stderr);
    assert_eq!(run.files(""), ["trace.json"]);
    let trace = read::open(&run.path().join("trace.json")).expect("readable").remove(0);
    assert!(trace.header.deadlock_end);
}

unsafe extern "C" {
    fn fork() -> c_int;
    fn waitpid(pid: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn kill(pid: c_int, signal: c_int) -> c_int;
    fn signal(number: c_int, handler: extern "C" fn(c_int)) -> usize;
}

const SIGTERM: c_int = 15;

#[test]
fn a_forked_child_that_hangs_ends_and_its_parent_goes_on() {
    if support::is_child() {
        A.lock().add();
        // SAFETY: the child runs only what a single-threaded process may; it shares no memory with the parent.
        let pid = unsafe { fork() };
        if pid == 0 {
            let _first = A.lock();
            let _again = A.lock();
        }
        let mut status = 0;
        // SAFETY: `status` is written to.
        unsafe { waitpid(pid, &raw mut status, 0) };
        assert_eq!(status, DEADLOCK_STATUS << 8);
        return A.lock().add();
    }
    let run = run("watchdog::a_forked_child_that_hangs_ends_and_its_parent_goes_on");
    assert!(run.status.success(), "{}", run.stderr);
    let mut ends: Vec<_> = run.traces().iter().map(|trace| (trace.header.clean_end, trace.header.deadlock_end)).collect();
    ends.sort_unstable();
    assert_eq!(ends, [(false, true), (true, false)]);
}

/// Runs the scenario of test `name` until it is ready, sends it SIGTERM and returns how it ended.
fn terminated(name: &str) -> std::process::Output {
    let folder = tempfile::tempdir().expect("a folder");
    let ready = folder.path().join("ready");
    let mut child = support::command(name)
        .env("CONCCHECK_TRACE", folder.path().join("traces"))
        .env("READY", &ready)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the scenario starts");
    support::wait_for(&ready, &mut child);
    // SAFETY: the process is a child that was not waited for.
    unsafe { kill(child.id() as c_int, SIGTERM) };
    child.wait_with_output().expect("it ended")
}

fn ready() {
    std::fs::write(std::env::var_os("READY").expect("given"), "").expect("a folder");
}

#[test]
fn sigterm_says_what_the_threads_wait_for_and_ends_the_process_as_ever() {
    use std::os::unix::process::ExitStatusExt;
    let name = "watchdog::sigterm_says_what_the_threads_wait_for_and_ends_the_process_as_ever";
    if support::is_child() {
        let (_sender, receiver) = mpsc::channel::<()>();
        spawn("worker", move || {
            let _guard = A.lock();
            let (_sender, side) = conccheck_rt::mpsc::new_channel(None, std::any::type_name::<u8>);
            side.recv_request(false, Location::caller());
            ready();
            let _ = receiver.recv();
        });
        loop {
            thread::sleep(Duration::from_secs(1));
        }
    }
    let output = terminated(name);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(SIGTERM), "{stderr}");
    assert!(stderr.contains("thread `worker` of test `watchdog::sigterm_says_what_the_threads_wait_for_and_ends_the_process_as_ever`\n    waits for a message from `channel<u8>` created at"), "{stderr}");
    assert!(stderr.contains("    holds `Mutex<u64>` created at"), "{stderr}");
}

#[test]
fn a_program_with_a_handler_of_its_own_for_sigterm_decides_itself() {
    extern "C" fn ended_well(_: c_int) {
        std::process::exit(5);
    }
    if support::is_child() {
        A.lock().add();
        // SAFETY: the handler ends a process whose only other thread is idle.
        unsafe { signal(SIGTERM, ended_well) };
        ready();
        loop {
            thread::sleep(Duration::from_secs(1));
        }
    }
    let output = terminated("watchdog::a_program_with_a_handler_of_its_own_for_sigterm_decides_itself");
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(String::from_utf8_lossy(&output.stderr).matches("conccheck:").count(), 0);
}
