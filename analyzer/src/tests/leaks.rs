//! Threads left behind.

use super::{analysis, rules};

#[test]
fn a_receiver_whose_sender_nobody_uses_any_more_is_left_behind() {
    assert_eq!(rules("main channel c; main spawn t1; t1 request-recv c; main end"), ["leaked-task"]);
}

#[test]
fn a_receiver_is_not_left_behind_while_a_sender_lives_or_once_all_are_dropped() {
    assert!(rules("main channel c; main spawn t1; t1 request-recv c; main drop-sender c; main end").is_empty());
    assert!(rules("main channel c; main spawn t1; t1 request-recv c; main send c; main end").is_empty());
    let beats = "main channel c; main spawn t2; main spawn t1; t2 send c; t1 recv c; t1 request-recv c; t2 sleep 1s; main end";
    assert!(rules(beats).is_empty());
}

#[test]
fn who_only_waits_for_a_leaked_thread_is_named_in_its_finding() {
    let found =
        analysis("main spawn t2; main channel c; main spawn t1; t1 request-recv c; t2 request-join t1; main end").findings;
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert!(finding.evidence.iter().any(|text| text.contains("`t2` is stuck behind")), "{:?}", finding.evidence);
}

#[test]
fn waits_that_end_by_themselves_and_threads_that_run_are_not_leaks() {
    for event in ["request-recv c timed", "sleep 1s", "park timed", "recv-fail c"] {
        assert!(rules(&format!("main channel c; main spawn t1; t1 {event}; main end")).is_empty(), "{event}");
    }
}

#[test]
fn a_parked_thread_that_was_unparked_before_is_idle() {
    assert!(rules("main spawn t1; t1 park; main unpark t1; t1 unparked; t1 park; main end").is_empty());
    assert_eq!(rules("main spawn t1; t1 park; main end"), ["leaked-task"]);
}

#[test]
fn a_barrier_that_is_one_short_leaves_all_behind_in_one_finding() {
    let found = analysis(
        "main spawn t1 @m.rs:1; main spawn t2 @m.rs:1; t1 barrier-wait b 3 @m.rs:2; t2 barrier-wait b 3 @m.rs:2; main end",
    )
    .findings;
    assert_eq!((found.len(), found[0].rule.name, found[0].occurrences), (1, "leaked-task", 2));
}

#[test]
fn a_program_that_was_killed_left_nobody_behind_who_main_could_have_woken() {
    assert!(rules("main channel c; main spawn t1; t1 request-recv c; main sleep 1s; process killed").is_empty());
}
