//! What findings say about how sure they are, and the schedules that they show.

use super::analysis;
use crate::{Confidence, Finding};

fn only(text: &str) -> Finding {
    let mut findings = analysis(&format!("{START}{text}")).findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

/// The scenario as "thread: call" lines.
fn scenario(finding: &Finding) -> Vec<String> {
    let line = |step: &crate::ScenarioStep| {
        let blocks = if step.blocks { " …" } else { "" };
        format!("{}: {}{blocks}", finding.parties[step.party].thread, step.text)
    };
    finding.scenario.iter().map(line).collect()
}

const START: &str = "object a mutex @a:0 a\nobject b mutex @b:0 b\nmain spawn t1\nmain spawn t2\n";
const NESTED: &str = "t1 lock a; t1 lock b; t1 unlock b read-only; t1 unlock a read-only
    t2 lock b; t2 lock a; t2 unlock a read-only; t2 unlock b read-only";

#[test]
fn a_cycle_that_a_reordering_reaches_is_proven_and_shows_it() {
    let finding = only(NESTED);
    assert_eq!(finding.confidence, Confidence::Proven);
    assert_eq!(scenario(&finding), ["t1: lock(a)", "t2: lock(b)", "t1: lock(b) …", "t2: lock(a) …"]);
    let evidence = &finding.evidence[0];
    assert!(evidence.starts_with("a reordering of this run reaches it (replayed, 9 events"), "{evidence}");
    assert!(evidence.contains("each lock's sections keep their order"), "{evidence}");
}

#[test]
fn a_schedule_shows_the_messages_without_which_it_would_not_get_there() {
    let finding = only(&format!("main channel c\n{}", NESTED.replace("t1 lock b", "t1 send c; t2 recv c; t1 lock b")));
    let lines = scenario(&finding);
    assert_eq!((lines.len(), lines[0].as_str(), lines[3].as_str()), (6, "t1: lock(a)", "t2: lock(b)"), "{lines:?}");
    assert!(lines[1].starts_with("t1: send(") && lines[2].starts_with("t2: recv("), "{lines:?}");
}

#[test]
fn sections_that_write_leave_a_cycle_possible_and_the_condition_is_said() {
    let finding = only(&NESTED.replace(" read-only", ""));
    assert_eq!(finding.confidence, Confidence::Possible);
    assert_eq!(scenario(&finding), ["t1: lock(a)", "t2: lock(b)", "t1: lock(b) …", "t2: lock(a) …"]);
    assert!(finding.evidence[0].starts_with("a schedule exists if "), "{:?}", finding.evidence);
}

#[test]
fn a_proof_that_changes_the_order_of_sections_says_so() {
    // The first thread has to be through with m before the second takes it, and not the other way round as in the run.
    let finding = only(
        "t2 lock b; t2 lock m; t2 lock a; t2 unlock a read-only; t2 unlock m read-only; t2 unlock b read-only
        t1 lock m; t1 unlock m read-only; t1 lock a; t1 lock b; t1 unlock b read-only; t1 unlock a read-only",
    );
    assert_eq!(finding.confidence, Confidence::Proven);
    assert!(finding.evidence[0].contains("change their order"), "{:?}", finding.evidence);
}
