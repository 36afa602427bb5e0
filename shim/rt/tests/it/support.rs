//! Runs a scenario in a process of its own and reads what it recorded.
//!
//! The process is this test binary once more: it runs the very test that started it, which sees by a variable that it is the child.

use std::panic::Location;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex as RealMutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use conccheck_rt::{Held, How, Lock, Mode, ObjectKind};
use conccheck_trace::read::{self, ProcessTrace};
use conccheck_trace::{Event, Record, ThreadId};

pub(crate) const SCENARIO: &str = "CONCCHECK_TEST_SCENARIO";

/// Whether this process is the child that is to run the scenario of a test.
pub(crate) fn is_child() -> bool {
    std::env::var_os(SCENARIO).is_some()
}

/// A run of a scenario.
pub(crate) struct Run {
    folder: tempfile::TempDir,
    pub(crate) status: ExitStatus,
    pub(crate) stderr: String,
}

/// The command that runs the scenario of test `name`.
pub(crate) fn command(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the test's own path"));
    command.args(["--exact", name, "--nocapture", "--include-ignored", "--test-threads=1"]).env(SCENARIO, "1");
    command
}

/// Runs the scenario of test `name`, recording to `target` in a fresh folder.
pub(crate) fn run_to(name: &str, target: &str, prepare: impl FnOnce(&mut Command)) -> Run {
    let folder = tempfile::tempdir().expect("a folder for the trace");
    let mut command = command(name);
    command.env("CONCCHECK_TRACE", folder.path().join(target)).env_remove("CONCCHECK_MAX_TRACE");
    prepare(&mut command);
    let Output { status, stderr, .. } = output(&mut command);
    Run { folder, status, stderr: String::from_utf8_lossy(&stderr).into_owned() }
}

/// Runs a scenario to its end. One that hangs is killed: its test is to fail, not to hang.
pub(crate) fn output(command: &mut Command) -> Output {
    const LIMIT: Duration = Duration::from_secs(60);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.expect("the scenario starts");
    let pid = child.id();
    let (ended, end) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if end.recv_timeout(LIMIT).is_err_and(|error| error == RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
            }
        });
        let output = child.wait_with_output().expect("the scenario ends");
        drop(ended);
        output
    })
}

/// Runs the scenario of test `name`.
pub(crate) fn run(name: &str) -> Run {
    run_to(name, "traces", |_| {})
}

impl Run {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The live file of the only process that recorded.
    pub(crate) fn live_file(&self) -> PathBuf {
        let live = self.files("traces").into_iter().find(|name| name.ends_with(".live")).expect("it has a live file");
        self.path().join("traces").join(live)
    }

    /// Names of the files in a folder of the run, sorted.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path().join(folder)).expect("the folder exists");
        let mut names: Vec<_> = entries.map(|e| e.expect("readable").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    /// What each process of the run recorded. Fails on any warning.
    pub(crate) fn traces(&self) -> Vec<ProcessTrace> {
        let traces = read::open(&self.folder.path().join("traces")).unwrap_or_else(|e| panic!("{e}\n{}", self.stderr));
        for trace in &traces {
            assert!(trace.warnings.is_empty(), "{:?}", trace.warnings);
        }
        traces
    }

    /// What the only process recorded.
    pub(crate) fn trace(&self) -> ProcessTrace {
        let mut traces = self.traces();
        assert_eq!(traces.len(), 1, "{}", self.stderr);
        traces.remove(0)
    }
}

/// All events of a trace, with their threads.
pub(crate) fn events(trace: &ProcessTrace) -> Vec<(ThreadId, Event)> {
    let of = |thread| trace.events(thread).map(move |Record { event, .. }| (thread, event));
    trace.threads().into_iter().flat_map(of).collect()
}

/// The events of the only thread that locked something.
pub(crate) fn locker(trace: &ProcessTrace) -> Vec<Event> {
    let threads: Vec<Vec<Event>> = trace.threads().into_iter().map(|t| trace.events(t).map(|r| r.event).collect()).collect();
    let locks = |events: &Vec<Event>| events.iter().any(|e| matches!(e, Event::Acquire { .. } | Event::Request { .. }));
    let mut found: Vec<_> = threads.into_iter().filter(locks).collect();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// How many acquisitions and releases there are.
pub(crate) fn sections(events: &[Event]) -> (usize, usize) {
    let count = |matches: fn(&Event) -> bool| events.iter().filter(|e| matches(e)).count();
    (count(|e| matches!(e, Event::Acquire { .. })), count(|e| matches!(e, Event::Release { .. })))
}

/// A mutex on the engine, as small as one can be.
pub(crate) struct Mutex {
    lock: Lock,
    inner: RealMutex<u64>,
}

pub(crate) struct Guard<'a> {
    held: Held<'a>,
    inner: MutexGuard<'a, u64>,
}

impl Mutex {
    #[track_caller]
    pub(crate) const fn new() -> Mutex {
        Mutex { lock: Lock::new(ObjectKind::Mutex), inner: RealMutex::new(0) }
    }

    #[track_caller]
    pub(crate) fn lock(&self) -> Guard<'_> {
        let place = Location::caller();
        let type_name = std::any::type_name::<u64>;
        let inner = match self.inner.try_lock() {
            Ok(inner) => inner,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                self.lock.request(Mode::Exclusive, How::Blocking, place, type_name);
                self.inner.lock().unwrap_or_else(PoisonError::into_inner)
            }
        };
        Guard { held: self.lock.acquired(Mode::Exclusive, How::Blocking, place, type_name), inner }
    }
}

impl Guard<'_> {
    pub(crate) fn add(&mut self) {
        self.held.wrote();
        *self.inner += 1;
    }
}

/// Waits until `path` exists, and as long as `child` runs.
pub(crate) fn wait_for(path: &Path, child: &mut std::process::Child) {
    while !path.exists() {
        assert!(child.try_wait().expect("the child can be asked").is_none(), "the child ended early");
        std::thread::yield_now();
    }
}
