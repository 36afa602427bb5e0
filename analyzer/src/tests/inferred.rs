//! Orders that no primitive states: where the source shows that a thread waits for nobody, there is none.

use super::Lines;
use crate::{Config, Severity, analyze};

const START: &str = "main spawn t1\nmain spawn t2\n";
const FIRST: &str = "t1 lock a; t1 lock b; t1 unlock b; t1 unlock a\n";
const SECOND: &str = "t2 lock b; t2 lock a; t2 unlock a; t2 unlock b\n";

/// The rules that find something in a trace, with these lines as the only source.
fn found(source: &[&'static str], trace: &str) -> Vec<&'static str> {
    let trace = conccheck_trace::text::parse(&format!("{START}{trace}")).expect("a well-formed trace");
    let findings = analyze(&[trace], &Lines(source.to_vec()), &Config::default()).findings;
    findings.iter().map(|finding| finding.rule.name).filter(|name| *name == "lock-order-cycle").collect()
}

#[test]
fn who_yields_in_a_loop_waits_for_what_others_did() {
    let trace = |source: &[&str]| {
        let column = source[1].find("thread::yield_now").expect("it yields") + 1;
        format!("{FIRST}t2 yield @x.rs:2:{column}\n{SECOND}")
    };
    let found = |source: &[&'static str]| found(source, &trace(source));
    let at = |line: &'static str, after: &'static str| found(&["thread::spawn(move || {", line, after, "});"]).len();
    assert_eq!(at("    while !done.load(SeqCst) { thread::yield_now(); }", "b.lock();"), 0);
    assert_eq!(at("    while !x.is_done() { thread::yield_now(); }", "b.lock();"), 0);
    assert_eq!(at("    thread::yield_now();", "    b.lock();"), 1, "it is no loop");
    assert_eq!(at("    for _ in 0..9 { thread::yield_now(); }", "b.lock();"), 1, "it looks at nothing");
    assert_eq!(
        at("    while t.elapsed() < Duration::from_millis(3) { thread::yield_now(); }", "b.lock();"),
        1,
        "it looks at the time"
    );
    let attempt = "    while rx.try_recv().is_err() { thread::yield_now(); }";
    assert_eq!(at(attempt, "b.lock();"), 1, "what came of it is recorded");
    let helper = ["fn pause() {", "    thread::yield_now();", "}", ""];
    assert_eq!(found(&helper).len(), 0, "who calls it may look");
}

#[test]
fn a_value_that_either_could_have_made_orders_nobody() {
    let trace = |inside: &str| format!("{FIRST}t1 once-begin o; {inside}t1 once-end o\nt2 once-get o @x.rs:1:5\n{SECOND}");
    assert_eq!(found(&["LOG.get_or_init(Log::new);"], &trace("")).len(), 1);
    assert_eq!(found(&["LOG.lock().push(1);"], &trace("")).len(), 1, "a lazy value");
    assert_eq!(found(&["LOG.get().unwrap();"], &trace("")).len(), 0, "it finds what another made");
    assert_eq!(
        found(&["LOG.get_or_init(Log::new);"], &trace("t1 lock c; t1 unlock c; ")).len(),
        0,
        "the initialiser did something"
    );
    assert_eq!(found(&[], &trace("")).len(), 0, "nobody knows");
}

#[test]
fn who_looks_at_what_a_condvar_announces_without_waiting_for_it_comes_behind_nobody() {
    let trace = format!("{FIRST}t1 lock q; t1 unlock q; t1 notify cv\nt2 lock q @x.rs:1:9; t2 unlock q\n{SECOND}");
    let with = |first: &'static str, after: &'static str| found(&[first, after], &trace).len();
    assert_eq!(with("let n = q.lock().unwrap().len();", "println!(\"{n}\");"), 1);
    assert_eq!(with("let mut q = q.lock().unwrap();", "while q.is_empty() { q = cv.wait(q).unwrap(); }"), 0);
    assert_eq!(with("let job = q.lock().unwrap()", ""), 0, "the guard may go to who called");
}

#[test]
fn both_sides_within_a_gate_of_lock_and_condvar_are_no_failure() {
    let source = [
        "fn enter(&self) {",
        "    let mut free = self.free.lock().unwrap();",
        "    while !*free { free = self.cv.wait(free).unwrap(); }",
        "    *free = false;",
        "}",
        "fn leave(&self) {",
        "    *self.free.lock().unwrap() = true;",
        "    self.cv.notify_one();",
        "}",
    ];
    let severity = |enter: &str, leave: &str| {
        let round = |thread: &str, (outer, inner): (&str, &str)| {
            let nested =
                format!("{thread} lock {outer}; {thread} lock {inner}; {thread} unlock {inner}; {thread} unlock {outer}");
            format!(
                "{thread} {enter}\n{thread} unlock free\n{nested}\n{thread} {leave}; {thread} unlock free; {thread} notify cv @x.rs:8:13\n"
            )
        };
        // Who notified before learns of nothing by the lock itself.
        let before = "t2 lock free @x.rs:7:16; t2 unlock free; t2 notify cv @x.rs:8:13\n";
        let trace = format!("{START}{before}{}{}", round("t1", ("a", "b")), round("t2", ("b", "a")));
        let trace = conccheck_trace::text::parse(&trace).expect("a well-formed trace");
        let findings = analyze(&[trace], &Lines(source.to_vec()), &Config::default()).findings;
        findings.iter().find(|finding| finding.rule.name == "lock-order-cycle").map(|finding| finding.severity)
    };
    assert_eq!(severity("lock free @x.rs:2:30", "lock free @x.rs:7:16"), Some(Severity::Medium));
    assert_eq!(severity("lock free @x.rs:7:16", "lock free @x.rs:7:16"), Some(Severity::Critical), "nobody waits");
}
