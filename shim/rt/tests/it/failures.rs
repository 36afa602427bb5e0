//! Where the trace can't be written, the program goes on.

use conccheck_rt::recorder;
use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{Event, SiteId, ThreadId};

use crate::support::{self, Mutex, events, locker, run_to, sections};

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
    const SECTIONS: usize = 1_000_000;
    if support::is_child() {
        return lock(SECTIONS);
    }
    // In KiB: the first is met when the slots are made, the second when the log has grown.
    for limit in [256, 2048] {
        let folder = tempfile::tempdir().unwrap();
        let output = std::process::Command::new("bash")
            .args(["-c", &format!("trap '' XFSZ; ulimit -f {limit}; exec \"$@\""), "bash"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture", "--test-threads=1"])
            .env("CONCCHECK_TEST_SCENARIO", "1")
            .env("CONCCHECK_TRACE", folder.path().join("t.cct"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let trace = conccheck_trace::read::open(&folder.path().join("t.cct")).unwrap().remove(0);
        let (lost, reason) = trace.header.lost.clone().expect("the loss is told");
        let start = u64::from(!trace.is_empty());
        assert_eq!(trace.event_count() + lost, 2 * SECTIONS as u64 + start, "recorded or counted: {reason}");
        assert_eq!(trace.is_empty(), limit == 256);
    }
}

/// All acquisitions that the trace tells of: recorded and counted.
fn told(trace: &ProcessTrace) -> (u64, u64) {
    let mut told = (0, 0);
    for (_, event) in events(trace) {
        match event {
            Event::Acquire { .. } => told.0 += 1,
            Event::Summary { count, .. } => told.1 += count,
            _ => {}
        }
    }
    told
}

fn bytes(run: &support::Run) -> u64 {
    let length = |name: &String| std::fs::metadata(run.path().join("traces").join(name)).unwrap().len();
    run.files("traces").iter().filter(|name| name.ends_with(".cct")).map(length).sum()
}

#[test]
fn a_trace_stays_under_its_size_and_counts_what_it_does_not_record() {
    const SECTIONS: u64 = 1_000_000;
    static OUTER: Mutex = Mutex::new();
    static RARE: Mutex = Mutex::new();
    if support::is_child() {
        // On a thread of its own, whose end tells the last counts.
        let body = || {
            for i in 1..=SECTIONS {
                let _outer = OUTER.lock();
                LOCK.lock().add();
                if i == SECTIONS - 10 {
                    RARE.lock().add();
                }
            }
        };
        return std::thread::spawn(body).join().unwrap();
    }
    let run = run_to("failures::a_trace_stays_under_its_size_and_counts_what_it_does_not_record", "traces", |command| {
        command.env("CONCCHECK_MAX_TRACE", "1M");
    });
    assert!(run.status.success(), "{}", run.stderr);
    assert!(bytes(&run) < 1 << 20, "{}", bytes(&run));
    let trace = run.trace();
    let (recorded, counted) = told(&trace);
    assert_eq!(recorded + counted, 2 * SECTIONS + 1);
    assert!(counted > SECTIONS);
    let events = locker(&trace);
    let (acquired, released) = sections(&events);
    assert_eq!(acquired, released);
    // What happened for the first time late is there, and with the lock that was held meanwhile.
    let rare = trace.tables.objects().map(|(id, _)| id).max().expect("objects");
    let at = events.iter().position(|e| matches!(e, Event::Acquire { lock, .. } if *lock == rare)).expect("recorded");
    let Event::Acquire { lock: outer, .. } = events[at - 1] else { panic!("{:?}", &events[at - 2..at + 3]) };
    assert!(events[at..].iter().any(|e| matches!(e, Event::Release { lock, .. } if *lock == outer)));
}

#[test]
fn a_spent_trace_still_shows_who_waits_and_what_is_new() {
    if support::is_child() {
        let many: Vec<_> = (0..4000).map(|_| Mutex::new()).collect();
        for _ in 0..100 {
            many.iter().for_each(|mutex| mutex.lock().add());
        }
        for thread in 0..2000 {
            recorder::emit(Event::Unpark { thread: ThreadId(thread), site: SiteId::NONE });
        }
        let guard = LOCK.lock();
        std::thread::scope(|scope| {
            scope.spawn(|| LOCK.lock().add());
            std::thread::sleep(std::time::Duration::from_millis(300));
            std::mem::forget(guard);
            std::process::exit(0);
        });
    }
    let run = run_to("failures::a_spent_trace_still_shows_who_waits_and_what_is_new", "traces", |command| {
        command.env("CONCCHECK_MAX_TRACE", "512K");
    });
    assert!(bytes(&run) < 512 << 10, "{}", bytes(&run));
    let trace = run.trace();
    let last = |thread| trace.events(thread).filter(|r| !matches!(r.event, Event::Summary { .. } | Event::Lost { .. })).last();
    let last: Vec<Event> = trace.threads().into_iter().filter_map(last).map(|record| record.event).collect();
    assert!(last.iter().any(|event| matches!(event, Event::Request { .. })), "{last:?}");
    let lost: u64 = events(&trace).iter().map(|(_, event)| if let Event::Lost { count } = event { *count } else { 0 }).sum();
    assert!(lost > 100_000, "{lost}");
    let events: Vec<_> = events(&trace).into_iter().filter(|(_, event)| matches!(event, Event::Unpark { .. })).collect();
    assert!(!events.is_empty() && events.len() < 100, "{}", events.len());
}

#[test]
#[ignore = "takes a gigabyte of disk and, unoptimised, minutes"]
fn a_hundred_million_sections_stay_under_the_default_size() {
    const SECTIONS: u64 = 100_000_000;
    if support::is_child() {
        return std::thread::spawn(|| (0..SECTIONS).for_each(|_| LOCK.lock().add())).join().unwrap();
    }
    let run = run_to("failures::a_hundred_million_sections_stay_under_the_default_size", "traces", |_| {});
    assert!(bytes(&run) < 1 << 30, "{}", bytes(&run));
    let (recorded, counted) = told(&run.trace());
    assert_eq!(recorded + counted, SECTIONS);
}
