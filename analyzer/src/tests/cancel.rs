//! Cancellation: tokens, flags and scopes.

use super::with_advice;
use crate::{Confidence, Severity};

fn found(text: &str) -> Vec<&'static str> {
    with_advice(text).findings.iter().map(|finding| finding.rule.name).collect()
}

/// A worker that looks at a token, which is then cancelled.
const CANCELLED: &str = "main spawn w; w cancel-look stop; main cancel stop";

#[test]
fn a_thread_that_is_told_again_and_again_and_goes_on_ignores_it() {
    let told = "w cancel-look stop cancelled @w.rs:1; ";
    let goes_on = format!("{CANCELLED}; {}w sleep 1s; main sleep 2ms; main end +2ms", told.repeat(3));
    assert_eq!(found(&goes_on), ["ignored-cancellation", "unjoined-task"]);
    assert!(found(&format!("{CANCELLED}; {}w end; main join w; main end", told.repeat(3))).is_empty(), "it ended in time");
    assert!(found(&format!("{CANCELLED}; {told}w end; main join w; main end")).is_empty());
    let late = format!("{CANCELLED}; {}w end +2s; main join w; main end", told.repeat(3));
    assert_eq!(found(&late), ["ignored-cancellation"]);
}

#[test]
fn a_thread_that_looks_no_more_or_late_ignores_it_once_the_grace_period_is_over() {
    let works = format!("{CANCELLED}; main sleep 2s; w lock a +1500ms; w unlock a; w end; main join w; main end");
    assert_eq!(found(&works), ["ignored-cancellation"]);
    assert!(found(&works.replace("+1500ms", "+500ms")).is_empty(), "within the grace period");
    let notices = works.replace("w end", "w cancel-look stop cancelled; w end");
    assert_eq!(found(&notices), ["ignored-cancellation"]);
    assert!(found(&notices.replace("+1500ms", "+500ms")).is_empty());
    let waits =
        format!("main channel c; {CANCELLED}; w request-recv c @trace.rs:9; main send c +2s; main sleep 9s; main end +2s");
    assert!(found(&waits).contains(&"ignored-cancellation"), "the wait beside the look can't be cancelled");
}

#[test]
fn who_stops_listening_since_its_task_is_done_is_a_worker_of_a_pool() {
    let pool = "main channel c; main spawn w; w request-recv c @pool.rs:9; main send c; w recv c @pool.rs:9
        w cancel-look stop @task.rs:1; w request-recv c @pool.rs:9; main cancel stop; main sleep 2s; main end +2s";
    assert!(!found(pool).contains(&"ignored-cancellation"));
    let again = pool.replace("main sleep", "main send c +3s; w recv c @pool.rs:9; w cancel-look stop cancelled; main sleep");
    assert!(!found(&again).contains(&"ignored-cancellation"), "the next task notices at once");
    let own = "main spawn w; w cancel-look stop; w cancel stop; w lock a +2s; w unlock a; w end; main join w; main end";
    assert!(found(own).is_empty(), "it cancels others");
}

#[test]
fn a_flag_that_is_reset_cancels_no_more() {
    let round = "main cancel stop; w cancel-look stop cancelled; w cancel-look stop";
    assert!(found(&format!("main spawn w; w cancel-look stop; {round}; w end +3s; main join w; main end")).is_empty());
}

#[test]
fn a_handle_that_is_cloned_for_a_thread_that_never_looks_is_perhaps_ignored() {
    let given = "main token-clone stop; main spawn w; main cancel stop; w lock a +2s; w unlock a; w end; main join w; main end";
    let findings = with_advice(given).findings;
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!((finding.confidence, finding.severity), (Confidence::Possible, Severity::Medium));
    assert!(found(&given.replace("main spawn w; ", "main yield; main spawn w; ")).is_empty(), "it was for something else");
    assert!(found(&given.replace("w lock a +2s", "w lock a")).is_empty(), "it ended in time");
}

#[test]
fn who_waits_for_a_cancellation_can_be_cancelled() {
    assert!(found("main spawn w; w cancel-wait stop; main cancel stop; main end").is_empty());
    let held = "main spawn w; w lock a; w cancel-wait stop timed; main request a; w cancel-look stop +200ms
        w unlock a; main lock a; main unlock a; w end; main join w; main end";
    assert_eq!(found(held), ["held-across-blocking", "long-critical-section"]);
    assert_eq!(found("main spawn w; w cancel-wait stop; main end"), ["leaked-task"]);
}

#[test]
fn threads_that_outlive_their_scope_are_reported() {
    let scope = "main scope-begin serve; main spawn w; w spawn v @v.rs:1; w end; main scope-end serve; main spawn x
        v lock a +2s; v unlock a; v end; x end; main join w; main join x; main end";
    let findings = with_advice(scope).findings;
    let rules: Vec<_> = findings.iter().map(|finding| finding.rule.name).collect();
    assert_eq!(rules, ["ignored-cancellation", "shutdown-order"]);
    assert!(findings[0].message.contains("thread `v` runs on after scope `serve` ended"), "{}", findings[0].message);
    assert!(findings[1].message.contains("is used after scope `serve`"), "{}", findings[1].message);
    assert!(
        found(&scope.replace("main scope-end serve", "main scope-end serve +1us").replace("v lock a +2s; v unlock a; ", ""))
            .is_empty()
    );
    let joined = "main scope-begin serve; main spawn w; w lock a; w unlock a; w end; main join w; main scope-end serve
        main lock a +2s; main unlock a; main end";
    assert!(found(joined).is_empty(), "who opened it may look at what the others left");
}
