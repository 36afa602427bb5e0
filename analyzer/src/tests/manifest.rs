//! Deadlocks that happened.

use super::{analysis, rules};
use crate::Confidence;

#[test]
fn threads_that_wait_for_each_other_are_a_deadlock_and_nothing_else() {
    let found = analysis("main spawn t1; main spawn t2; t1 lock a; t2 lock b; t1 request b; t2 request a; main end").findings;
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!((finding.rule.name, finding.confidence), ("deadlock", Confidence::Manifest));
    assert_eq!(finding.parties.len(), 2);
}

#[test]
fn locks_joins_and_channels_mix() {
    assert_eq!(rules("main spawn t1; t1 lock m; t1 spawn c; c request m; t1 request-join c; main end"), ["deadlock"]);
    let send = "main channel c 0; main spawn t1; main spawn t2; t1 lock m; t1 request-send c; t2 request m; main end";
    assert_eq!(rules(send), ["deadlock"]);
    let condvar = "main spawn t1; main spawn t2; t1 lock o; t1 lock m; t1 wait v m; t2 request o; main end";
    assert_eq!(rules(condvar), ["deadlock"]);
}

#[test]
fn a_thread_that_can_still_be_served_is_not_stuck() {
    assert!(rules("main spawn t1; t1 lock a; main request a").is_empty(), "t1 runs");
    assert!(rules("main spawn t1; t1 lock a; t1 sleep 1s; main request a; process killed").is_empty(), "t1 sleeps");
    assert!(rules("main spawn t1; main spawn t2; t1 lock a; t2 lock b; t1 request b timed; t2 request a; main end").is_empty());
}

#[test]
fn who_locks_twice_is_told_so_once() {
    assert_eq!(rules("main spawn t1; t1 lock a; t1 request a; main end"), ["double-lock"]);
    assert_eq!(rules("main spawn t1; t1 read a; t1 request a write; main end"), ["double-lock"]);
    assert_eq!(rules("main spawn t1; t1 write a; t1 request a read; main end"), ["double-lock"]);
    assert!(rules("main spawn t1; t1 lock a; t1 request a timed; t1 time-out a; t1 unlock a; main end").is_empty());
    let many = "t1 lock a @x.rs:1; t1 request a @x.rs:2; t2 lock b @x.rs:1; t2 request b @x.rs:2";
    let found = analysis(&format!("main spawn t1; main spawn t2; {many}; main end")).findings;
    assert_eq!((found.len(), found[0].occurrences), (1, 2));
}

#[test]
fn the_end_of_a_scope_waits_for_all_of_its_threads_whichever_ended_first() {
    for (ended, left) in [("t1", "t2"), ("t2", "t1")] {
        let scope =
            "main channel c; main spawn t1 scoped; main spawn t2 scoped; main send c; main request-join t1; main request-join t2";
        let found = rules(&format!("{scope}; t1 recv c; {ended} end; {left} request-recv c; process deadlocked"));
        assert_eq!(found, ["deadlock"], "{ended} ended");
    }
}

#[test]
fn what_is_advised_fits_what_was_waited_for() {
    let help = |trace: &str| {
        let trace = format!("main spawn t1; main spawn t2; {trace}");
        let finding = analysis(&trace).findings.into_iter().next().unwrap_or_else(|| panic!("{trace}"));
        finding.help
    };
    assert!(help("t1 lock a; t2 lock b; t1 request b; t2 request a; main end").contains("in one order everywhere"));
    let notified = help("t1 lock a; t1 lock m; t1 wait v m; t2 request a; main end");
    assert!(notified.starts_with("release `") && notified.contains("before waiting for a notification of"), "{notified}");
    let sends = help("main channel c 1; main send c; t1 recv c; t2 send c; t2 lock a; t1 request a; t2 request-send c; main end");
    assert!(sends.contains("before sending into"), "{sends}");
    let joins =
        help("main spawn t3; main channel c; main send c; t3 recv c; t3 request-recv c; t1 end; t2 end; main request-join t3");
    assert!(joins.starts_with("drop every sender of") && joins.ends_with("before waiting for thread `t3` to end"), "{joins}");
    let lazy = help("t1 once-begin o; t2 lock a; t1 request a; t2 once-request o; main end");
    assert!(lazy.starts_with("release `Mutex") && lazy.contains("before using `Once"), "{lazy}");
    assert!(help("t1 once-begin o; t1 once-request o; main end").contains("within its own initialiser"));
    let both = help("t1 request-join t2; t2 request-join t1; main end");
    assert!(both.starts_with("join `t1` and `t2` from a thread that none of them waits for"), "{both}");
}

#[test]
fn what_speaks_for_it_fits_the_number_of_threads() {
    let evidence = |trace: &str| analysis(trace).findings.swap_remove(0).evidence.join("; ");
    let alone = evidence("main spawn t1; t1 lock a; t1 request a; main end");
    assert!(alone.starts_with("it was still blocked") && !alone.contains("all of them"), "{alone}");
    let two = evidence("main spawn t1; main spawn t2; t1 lock a; t2 lock b; t1 request b; t2 request a; main end");
    assert!(two.starts_with("all of them were still blocked"), "{two}");
    let workers = "t1 request-recv c @x.rs:2; t2 request-recv c @x.rs:2";
    let left = evidence(&format!("main channel c; main spawn t1 @x.rs:1; main spawn t2 @x.rs:1; {workers}; main end"));
    assert!(left.contains("2 threads of this kind were left behind") && !left.contains("twice"), "{left}");
    let late = "t1 lock m; t1 unlock m; t1 end; main lock m; main request-join t1; main join t1; main unlock m";
    let luck = evidence(&format!("main spawn t1; {late}"));
    assert!(luck.contains("thread `t1` happened to take `Mutex<m> (lock.rs:1)` before thread `main` did"), "{luck}");
}

#[test]
fn one_notification_for_several_threads_is_told_from_one_for_another_purpose() {
    let found = |second: u32| {
        let waits = format!("t1 lock m; t1 wait v m @x.rs:1; t2 lock m; t2 wait v m @x.rs:{second}");
        let woken = "main notify v; t1 wake v; t1 unlock m; t1 end; main end";
        let finding = analysis(&format!("main spawn t1; main spawn t2; {waits}; {woken}")).findings.swap_remove(0);
        assert_eq!(finding.rule.name, "lost-wakeup");
        (finding.evidence[0].clone(), finding.help)
    };
    let (reason, help) = found(1);
    assert!(reason.contains("`notify_one` wakes one thread alone") && help.contains("once for each thread"), "{reason}; {help}");
    let (reason, help) = found(2);
    assert!(reason.contains("wait for different things") && help.contains("one condition variable for each"), "{reason}; {help}");
}
