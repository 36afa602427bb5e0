//! Threads of every kind and at every stage.
#![expect(unsafe_code, reason = "std has no signals")]

use std::cell::RefCell;
use std::ffi::c_int;

use conccheck_rt::recorder;
use conccheck_trace::Event;

use crate::support::{self, Mutex, events, run, sections};

static LOCK: Mutex = Mutex::new();

fn count(trace: &conccheck_trace::read::ProcessTrace) -> (usize, usize) {
    let events: Vec<Event> = events(trace).into_iter().map(|(_, event)| event).collect();
    sections(&events)
}

#[test]
fn ten_thousand_threads_are_recorded() {
    const THREADS: usize = 10_000;
    const AT_ONCE: usize = 500;
    if support::is_child() {
        let all_there = std::sync::Barrier::new(AT_ONCE);
        for _ in 0..THREADS / AT_ONCE {
            std::thread::scope(|scope| {
                for _ in 0..AT_ONCE {
                    let child = recorder::new_thread();
                    let parent = recorder::thread();
                    let all_there = &all_there;
                    scope.spawn(move || {
                        recorder::adopt(child, parent, Some("worker"));
                        LOCK.lock().add();
                        all_there.wait();
                    });
                }
            });
        }
        return;
    }
    let run = run("threads::ten_thousand_threads_are_recorded");
    assert!(run.status.success(), "{}", run.stderr);
    let trace = run.trace();
    assert_eq!(count(&trace), (THREADS, THREADS));
    let started = |event: &Event| matches!(event, Event::Start { name, .. } if trace.tables.string(*name) == Some("worker"));
    assert_eq!(events(&trace).iter().filter(|(_, event)| started(event)).count(), THREADS);
    for thread in trace.threads() {
        assert!(matches!(trace.events(thread).next().map(|r| r.event), Some(Event::Start { .. })));
    }
    let live = std::fs::metadata(run.live_file()).unwrap();
    assert!(live.len() >= (AT_ONCE * 4096) as u64, "each of those at once had a slot");
    #[cfg(target_os = "linux")]
    {
        let on_disk = 512 * std::os::unix::fs::MetadataExt::blocks(&live);
        assert!(on_disk < 1 << 20, "what ended threads had is given back: {on_disk} bytes");
    }
}

static BEFORE_MAIN: Mutex = Mutex::new();

/// Runs before the Rust runtime is set up.
extern "C" fn before_main() {
    if std::env::var_os("LOCKS_BEFORE_MAIN").is_some() {
        std::thread::spawn(|| BEFORE_MAIN.lock().add()).join().unwrap();
        BEFORE_MAIN.lock().add();
    }
}

// SAFETY: the C library calls what stands in there, a function that neither takes nor returns anything it would miss.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE: extern "C" fn() = before_main;

#[test]
fn what_happens_before_main_is_recorded() {
    if support::is_child() {
        return LOCK.lock().add();
    }
    let run = support::run_to("threads::what_happens_before_main_is_recorded", "traces", |command| {
        command.env("LOCKS_BEFORE_MAIN", "1");
    });
    assert!(run.status.success(), "{}", run.stderr);
    let before = if cfg!(target_os = "linux") { 2 } else { 0 };
    assert_eq!(count(&run.trace()), (before + 1, before + 1));
}

#[test]
fn destructors_of_thread_locals_are_recorded() {
    struct Locks;
    impl Drop for Locks {
        fn drop(&mut self) {
            LOCK.lock().add();
        }
    }
    thread_local! {
        static EARLY: RefCell<Option<Locks>> = const { RefCell::new(None) };
        static LATE: RefCell<Option<Locks>> = const { RefCell::new(None) };
    }
    if support::is_child() {
        for _ in 0..10 {
            let body = || {
                EARLY.set(Some(Locks));
                LOCK.lock().add();
                LATE.set(Some(Locks));
            };
            std::thread::Builder::new().name("named".to_owned()).spawn(body).unwrap().join().unwrap();
        }
        return;
    }
    let run = run("threads::destructors_of_thread_locals_are_recorded");
    let trace = run.trace();
    assert_eq!(count(&trace), (30, 30));
    for thread in trace.threads() {
        let start = trace.events(thread).next().map(|record| record.event);
        let Some(Event::Start { name, .. }) = start else { panic!("{start:?}") };
        assert_eq!(trace.tables.string(name), Some("named"), "threads that others started have their own name");
    }
}

#[test]
fn a_thread_that_ends_in_a_c_destructor_is_recorded() {
    unsafe extern "C" {
        fn pthread_key_create(key: *mut u32, destructor: extern "C" fn(*mut u8)) -> c_int;
        fn pthread_setspecific(key: u32, value: *const u8) -> c_int;
    }
    extern "C" fn ended(_: *mut u8) {
        LOCK.lock().add();
    }
    if support::is_child() {
        let mut keys = [0; 3];
        let mut iter = keys.iter_mut();
        // One key before the recorder's own, two behind.
        // SAFETY: the destructor lives as long as the program.
        iter.by_ref().take(1).for_each(|key| assert_eq!(unsafe { pthread_key_create(key, ended) }, 0));
        LOCK.lock().add();
        // SAFETY: as above.
        iter.for_each(|key| assert_eq!(unsafe { pthread_key_create(key, ended) }, 0));
        for _ in 0..10 {
            std::thread::spawn(move || {
                LOCK.lock().add();
                // SAFETY: the value is not dereferenced.
                keys.iter().for_each(|&key| assert_eq!(unsafe { pthread_setspecific(key, std::ptr::dangling()) }, 0));
            })
            .join()
            .unwrap();
        }
        return;
    }
    let trace = run("threads::a_thread_that_ends_in_a_c_destructor_is_recorded").trace();
    assert_eq!(count(&trace), (41, 41));
    assert_eq!(trace.thread_count(), 11);
}

#[test]
fn a_signal_handler_that_locks_corrupts_nothing() {
    unsafe extern "C" {
        fn signal(number: c_int, handler: extern "C" fn(c_int)) -> usize;
        fn setitimer(which: c_int, new: *const [i64; 4], old: *mut [i64; 4]) -> c_int;
    }
    static IN_HANDLER: Mutex = Mutex::new();
    static SIGNALS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    extern "C" fn handler(_: c_int) {
        IN_HANDLER.lock().add();
        SIGNALS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }
    const SIGVTALRM: c_int = 26;
    const ITIMER_VIRTUAL: c_int = 1;
    if support::is_child() {
        IN_HANDLER.lock().add();
        let micros = [0, 100, 0, 100];
        // SAFETY: the handler locks a mutex that nothing else uses while it can run; std's mutex is a plain futex.
        unsafe {
            signal(SIGVTALRM, handler);
            assert_eq!(setitimer(ITIMER_VIRTUAL, &raw const micros, std::ptr::null_mut()), 0);
        }
        let mut locks = 0_u64;
        while SIGNALS.load(std::sync::atomic::Ordering::Relaxed) < 100 {
            LOCK.lock().add();
            locks += 1;
        }
        let never = [0; 4];
        // SAFETY: as above.
        unsafe { setitimer(ITIMER_VIRTUAL, &raw const never, std::ptr::null_mut()) };
        let signals = SIGNALS.load(std::sync::atomic::Ordering::Relaxed) as u64;
        // A wide section, so that the reader can tell both counts.
        let written = std::env::var_os("COUNTS").expect("given");
        std::fs::write(written, format!("{} {}", locks, signals + 1)).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let counts = folder.path().join("counts");
    let run = support::run_to("threads::a_signal_handler_that_locks_corrupts_nothing", "traces", |command| {
        command.env("COUNTS", &counts);
    });
    assert!(run.status.success(), "{}", run.stderr);
    let expected: u64 = std::fs::read_to_string(&counts).unwrap().split(' ').map(|n| n.parse::<u64>().unwrap()).sum();
    let trace = run.trace();
    let (acquired, released) = count(&trace);
    let lost: u64 = events(&trace).iter().map(|(_, event)| if let Event::Lost { count } = event { *count } else { 0 }).sum();
    assert!(acquired as u64 + lost >= expected, "{acquired} + {lost} of {expected}");
    assert!(released <= acquired && acquired as u64 <= expected);
    assert!(lost < expected / 10, "{lost} of {expected}");
}

#[test]
fn a_thread_takes_little_memory_and_its_slot_is_used_again() {
    if support::is_child() {
        for _ in 0..1000 {
            std::thread::spawn(|| LOCK.lock().add()).join().unwrap();
        }
        return;
    }
    let run = run("threads::a_thread_takes_little_memory_and_its_slot_is_used_again");
    assert_eq!(run.trace().thread_count(), 1000);
    let length = std::fs::metadata(run.live_file()).unwrap().len();
    assert!(length < 2 << 20, "{length}");
}

#[test]
fn a_contended_lock_leaves_its_requests() {
    if support::is_child() {
        let guard = LOCK.lock();
        std::thread::spawn(|| LOCK.lock().add());
        // The request is recorded before the wait, so waiting for it to be counted is waiting for the thread.
        std::thread::sleep(std::time::Duration::from_millis(200));
        std::mem::forget(guard);
        std::process::abort();
    }
    let trace = run("threads::a_contended_lock_leaves_its_requests").trace();
    let last: Vec<Event> = trace.threads().into_iter().filter_map(|t| trace.events(t).last().map(|r| r.event)).collect();
    assert!(last.iter().any(|event| matches!(event, Event::Request { .. })), "{last:?}");
    assert!(last.iter().any(|event| matches!(event, Event::Acquire { .. })), "{last:?}");
}
