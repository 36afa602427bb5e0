//! Lock-order cycles.

use super::{Lines, analysis, rules};
use crate::{Confidence, Config, Severity, analyze};

const START: &str = "main spawn t1\nmain spawn t2\nmain spawn t3\n";

fn found(text: &str) -> Vec<&'static str> {
    rules(&format!("{START}{text}"))
}

const OPPOSITE: &str = "t1 lock a\nt1 lock b\nt1 unlock b\nt1 unlock a\nt2 lock b\nt2 lock a\nt2 unlock a\nt2 unlock b\n";

#[test]
fn opposite_orders_are_reported_with_both_sides() {
    let analysis = analysis(&format!("{START}{OPPOSITE}"));
    let [finding] = &analysis.findings[..] else { panic!("{:?}", analysis.findings) };
    assert_eq!((finding.rule.name, finding.severity), ("lock-order-cycle", Severity::Critical));
    assert!(finding.confidence >= Confidence::Possible);
    assert_eq!(finding.parties.len(), 2);
    for party in &finding.parties {
        assert_eq!(party.steps.len(), 2, "{party:?}");
        assert!(party.steps[0].text.starts_with("holds `") && party.steps[1].text.starts_with("and waits for `"));
        assert!(party.steps.iter().all(|step| step.site.is_some()));
    }
    assert_eq!(finding.scenario.iter().filter(|step| step.blocks).count(), 2);
}

#[test]
fn one_order_is_not() {
    assert!(found("t1 lock a\nt1 lock b\nt1 unlock b\nt1 unlock a\nt2 lock a\nt2 lock b\nt2 unlock a\nt2 unlock b\n").is_empty());
}

#[test]
fn one_thread_alone_can_not_deadlock() {
    assert!(found("t1 lock a; t1 lock b; t1 unlock b; t1 unlock a; t1 lock b; t1 lock a; t1 unlock a; t1 unlock b").is_empty());
}

#[test]
fn a_common_lock_held_around_both_guards_them() {
    let gated = "t1 lock g; t1 lock a; t1 lock b; t1 unlock b; t1 unlock a; t1 unlock g
        t2 lock g; t2 lock b; t2 lock a; t2 unlock a; t2 unlock b; t2 unlock g";
    assert!(found(gated).is_empty());
    let early = "t1 lock g; t1 lock a; t1 unlock g; t1 lock b; t1 unlock b; t1 unlock a
        t2 lock g; t2 lock b; t2 unlock g; t2 lock a; t2 unlock a; t2 unlock b";
    assert_eq!(found(early), ["lock-order-cycle"]);
    assert_eq!(
        found(&gated.replace("lock g", "read g").replace("unread", "unlock")),
        ["lock-order-cycle"],
        "readers guard nothing"
    );
}

#[test]
fn a_lock_that_the_parent_holds_around_the_child_guards_the_child() {
    let guarded = "main lock g\nmain spawn c\nc lock a; c lock b; c unlock b; c unlock a; c end\nmain join c\nmain unlock g
        t2 lock g; t2 lock b; t2 lock a; t2 unlock a; t2 unlock b; t2 unlock g";
    assert!(rules(&format!("main spawn t2\n{guarded}")).is_empty());
    let siblings = "main lock g\nmain spawn c\nmain spawn d\nc lock a; c lock b; c unlock b; c unlock a; c end
        d lock b; d lock a; d unlock a; d unlock b; d end\nmain join c\nmain join d\nmain unlock g";
    assert_eq!(rules(siblings), ["lock-order-cycle"], "two children under one acquisition are not kept apart by it");
}

#[test]
fn what_is_ordered_by_join_message_notification_barrier_or_once_is_not_reported() {
    let first = "t1 lock a; t1 lock b; t1 unlock b; t1 unlock a\n";
    let second = "t2 lock b; t2 lock a; t2 unlock a; t2 unlock b\n";
    for order in [
        "t1 send c\nt2 recv c\n",
        "t2 lock m; t2 wait v m; t1 lock m; t1 unlock m; t1 notify v; t2 wake v; t2 unlock m\n",
        "t1 lock m; t1 unlock m; t1 notify v\nt2 lock m; t2 unlock m\n",
        "t1 barrier-wait r 2; t2 barrier-wait r 2; t1 barrier-pass r; t2 barrier-pass r\n",
        "t1 once-request o; t1 once-begin o; t1 once-end o; t2 once-get o\n",
        "t1 unpark t2; t2 park; t2 unparked\n",
        "t1 drop-sender c\nt2 recv-fail c closed\n",
        "t1 drop-receiver c\nt2 send-fail c closed\n",
    ] {
        assert!(found(&format!("main channel c\n{first}{order}{second}")).is_empty(), "{order}");
    }
    let joined = format!("main spawn t1\n{first}t1 end\nmain join t1\nmain spawn t2\n{second}");
    assert!(rules(&joined).is_empty());
}

#[test]
fn a_critical_section_between_them_orders_nothing() {
    assert_eq!(
        found(
            "t1 lock a; t1 lock b; t1 unlock b; t1 unlock a; t1 lock m; t1 unlock m
            t2 lock m; t2 unlock m; t2 lock b; t2 lock a; t2 unlock a; t2 unlock b"
        ),
        ["lock-order-cycle"]
    );
}

#[test]
fn an_order_that_only_the_first_time_had_does_not_excuse_the_second() {
    let again = "t1 lock a @x:1; t1 lock b @x:2; t1 unlock b; t1 unlock a\nt1 send c\nt2 recv c
        t2 lock b @y:1; t2 lock a @y:2; t2 unlock a; t2 unlock b
        t1 lock a @x:1; t1 lock b @x:2; t1 unlock b; t1 unlock a";
    assert_eq!(found(&format!("main channel c\n{again}")), ["lock-order-cycle"]);
}

#[test]
fn what_is_only_tried_or_waited_for_up_to_a_limit_does_not_deadlock() {
    for how in ["try", "timed"] {
        assert!(found(&OPPOSITE.replace("t1 lock b", &format!("t1 {how}-lock b"))).is_empty());
        assert_eq!(
            found(&OPPOSITE.replace("t1 lock a", &format!("t1 {how}-lock a"))),
            ["lock-order-cycle"],
            "but it can be held"
        );
    }
}

#[test]
fn rings_of_any_length_need_as_many_threads() {
    let ring = "t1 lock a; t1 lock b; t1 unlock b; t1 unlock a\nt2 lock b; t2 lock c; t2 unlock c; t2 unlock b
        t3 lock c; t3 lock a; t3 unlock a; t3 unlock c";
    assert_eq!(found(ring), ["lock-order-cycle"]);
    assert!(found(&ring.replace("t3", "t1")).is_empty(), "two of the three steps are one thread's");
}

#[test]
fn readers_deadlock_only_with_writers_that_queue() {
    let readers = "t1 read a; t1 read b; t1 unlock b; t1 unlock a\nt2 read b; t2 read a; t2 unlock a; t2 unlock b\n";
    assert!(found(readers).is_empty());
    let writer = |lock| format!("t3 write {lock}; t3 unlock {lock}\n");
    assert!(found(&format!("{readers}{}", writer("a"))).is_empty(), "reads of b never wait");
    let both = format!("main spawn t4\n{readers}{}t4 write b; t4 unlock b\n", writer("a"));
    assert_eq!(found(&both), ["lock-order-cycle"]);
    assert!(found(&both.replace("read", "read-recursive")).is_empty(), "recursive reads don't queue");
    let mixed = "t1 read a; t1 lock b; t1 unlock b; t1 unlock a\nt2 lock b; t2 read a; t2 unlock a; t2 unlock b\n";
    assert!(found(mixed).is_empty());
    assert_eq!(found(&format!("{mixed}{}", writer("a"))), ["lock-order-cycle"]);
}

#[test]
fn a_lock_released_out_of_order_is_held_until_then_only() {
    let hand_over = "t1 lock a; t1 lock b; t1 unlock a; t1 lock c; t1 unlock b; t1 unlock c\n";
    assert!(found(&format!("{hand_over}t2 lock c; t2 lock a; t2 unlock a; t2 unlock c")).is_empty());
    assert_eq!(found(&format!("{hand_over}t2 lock c; t2 lock b; t2 unlock b; t2 unlock c")), ["lock-order-cycle"]);
}

#[test]
fn many_rings_of_the_same_code_are_one_finding() {
    let mut text = String::from("");
    for t in 0..10 {
        text += &format!("main spawn w{t}\n");
    }
    for t in 0..10 {
        for i in 0..10 {
            text += &format!("w{t} lock l{} @ring.rs:7\n", (t + i) % 10);
        }
        for i in 0..10 {
            text += &format!("w{t} unlock l{}\n", (t + i) % 10);
        }
    }
    let found = analysis(&text).findings;
    assert_eq!(found.len(), 1);
    assert!(found[0].occurrences > 10);
}

#[test]
fn fingerprints_hold_no_line_numbers_and_no_folders() {
    let at = |folder: &str, line: u32| {
        let mut text = START.to_owned();
        for (i, event) in OPPOSITE.lines().enumerate() {
            text += &format!("{event} @{folder}bank.rs:{}\n", line + i as u32);
        }
        let text = format!("object a mutex @{folder}bank.rs:{line} A\nobject b mutex @{folder}bank.rs:{line}:9 B\n{text}");
        analysis(&text).findings[0].fingerprint.clone()
    };
    assert_eq!(at("src/", 10), at("lib/deep/", 99));
    assert_eq!(at("src/", 10).len(), 16);
}

#[test]
fn the_fingerprint_of_a_ring_the_other_way_round_is_another_one() {
    let ring = |orders: [[&str; 2]; 3]| {
        let mut text = "object a mutex @bank.rs:1 A\nobject b mutex @bank.rs:2 B\nobject c mutex @bank.rs:3 C\n".to_owned();
        text += "main spawn t1; main spawn t2; main spawn t3\n";
        for (thread, [first, second]) in (1..).zip(orders) {
            text += &format!("t{thread} lock {first} @bank.rs:10; t{thread} lock {second} @bank.rs:11\n");
            text += &format!("t{thread} unlock {second}; t{thread} unlock {first}\n");
        }
        let found = analysis(&text).findings;
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].fingerprint.clone()
    };
    let one_way = ring([["a", "b"], ["b", "c"], ["c", "a"]]);
    assert_eq!(ring([["b", "c"], ["c", "a"], ["a", "b"]]), one_way, "by other threads");
    assert_ne!(ring([["a", "c"], ["c", "b"], ["b", "a"]]), one_way);
}

#[test]
fn a_thread_that_polls_is_ordered_behind_what_it_may_have_polled_for() {
    let [first, second] = ["t1 lock a; t1 lock b; t1 unlock b; t1 unlock a", "t2 lock b; t2 lock a; t2 unlock a; t2 unlock b"];
    assert!(found(&format!("{first}\nt2 yield\n{second}")).is_empty());
    assert!(found(&format!("t2 sleep 1ms @p.rs:1; t2 sleep 1ms @p.rs:1; {first}; t2 sleep 1ms @p.rs:1\n{second}")).is_empty());
    assert_eq!(found(&format!("t2 yield\n{second}\n{first}")), ["lock-order-cycle"], "nobody waited for this");
    assert_eq!(found(&format!("{first}\nt2 sleep 60ms @p.rs:1\n{second}")), ["lock-order-cycle"], "one sleep is no loop");
}

#[test]
fn state_that_a_condvar_announces_orders_who_finds_that_there_is_nothing_to_wait_for() {
    // Another group of the same class was waited for, so the class is known; on this one nobody had to wait.
    let class = "object n mutex @group.rs:1\nobject m mutex @group.rs:1
        t3 lock m; t3 wait cv m; main notify cv; t3 wake cv; t3 unlock m";
    let done = "t1 lock a; t1 lock b; t1 unlock b; t1 unlock a; t1 lock n; t1 unlock n";
    let after = "t2 lock n; t2 unlock n read-only; t2 lock b; t2 lock a; t2 unlock a; t2 unlock b";
    assert!(found(&format!("{class}\n{done}\n{after}")).is_empty());
    let pool = after.replace(" read-only", "");
    assert_eq!(found(&format!("{class}\n{done}\n{pool}")), ["lock-order-cycle"], "who takes an item off waits for no thread");
}

#[test]
fn a_cycle_that_an_atomic_may_keep_apart_is_no_failure_and_says_where_that_is_waited_for() {
    let source = vec![
        "fn main() {",
        "    thread::spawn(|| {",
        "        let x = a.lock().unwrap();",
        "        b.lock().unwrap();",
        "        done.store(true, SeqCst);",
        "    });",
        "    thread::spawn(|| {",
        "        while !done.load(SeqCst) {}",
        "        let y = b.lock().unwrap();",
        "        a.lock().unwrap();",
        "    });",
        "}",
    ];
    let first = "t1 lock a @x.rs:3:19; t1 lock b @x.rs:4:11; t1 unlock b read-only; t1 unlock a read-only\n";
    let second = "t2 lock b @x.rs:9:19; t2 lock a @x.rs:10:11; t2 unlock a read-only; t2 unlock b read-only\n";
    let found = |source: &[&'static str], trace: String| {
        let trace = conccheck_trace::text::parse(&format!("{START}{trace}")).expect("a well-formed trace");
        let findings = analyze(&[trace], &Lines(source.to_vec()), &Config::default()).findings;
        findings.into_iter().find(|finding| finding.rule.name == "lock-order-cycle").expect("a cycle")
    };
    let finding = found(&source, format!("{first}{second}"));
    assert_eq!((finding.severity, finding.confidence), (Severity::Medium, Confidence::Possible));
    assert!(finding.evidence[0].contains("goes on only if one is set, at x.rs:8"), "{:?}", finding.evidence);
    assert_eq!(found(&source, format!("{second}{first}")).severity, Severity::Critical, "who waits came first");
    let mut other = source.clone();
    other[4] = "";
    assert_eq!(found(&other, format!("{first}{second}")).severity, Severity::Critical, "the other side sets none");
    other.clone_from(&source);
    other[7] = "        while running.load(SeqCst) { work(); }";
    assert_eq!(found(&other, format!("{first}{second}")).severity, Severity::Critical, "it does not wait");
    other.clone_from(&source);
    other[4] = "        d1.store(true, SeqCst);";
    assert_eq!(found(&other, format!("{first}{second}")).severity, Severity::Medium, "a clone may have any name");
    other[11] = "    done.store(true, SeqCst); }";
    assert_eq!(found(&other, format!("{first}{second}")).severity, Severity::Critical, "a gate that a third opens");
    other[11] = "}";
    other[1] = "    thread::spawn(|| { while !done.load(SeqCst) {}";
    assert_eq!(found(&other, format!("{first}{second}")).severity, Severity::Critical, "a gate for both");
}

#[test]
fn a_cycle_that_a_condition_which_held_already_may_keep_apart_is_no_failure() {
    let source = vec![
        "fn main() {",
        "    thread::spawn(|| {",
        "        let x = a.lock().unwrap();",
        "        b.lock().unwrap();",
        "        *done.lock().unwrap() = true;",
        "        cv.notify_all();",
        "    });",
        "    thread::spawn(|| {",
        "        drop(cv.wait_while(done.lock().unwrap(), |done| !*done).unwrap());",
        "        let y = b.lock().unwrap();",
        "        a.lock().unwrap();",
        "    });",
        "}",
    ];
    let side = "t1 lock a @x.rs:3:19; t1 lock b @x.rs:4:11; t1 unlock b read-only; t1 unlock a read-only\n";
    let set = "t1 lock done @x.rs:5:11; t1 unlock done\n";
    let tell = "t1 notify-all cv @x.rs:6:12\n";
    let wait = "t2 lock done @x.rs:9:28; t2 unlock done\n";
    let other = "t2 lock b @x.rs:10:19; t2 lock a @x.rs:11:11; t2 unlock a read-only; t2 unlock b read-only\n";
    let found = |source: &[&'static str], steps: &[&str]| {
        let trace = conccheck_trace::text::parse(&format!("{START}{}", steps.concat())).expect("a well-formed trace");
        let findings = analyze(&[trace], &Lines(source.to_vec()), &Config::default()).findings;
        findings.into_iter().find(|finding| finding.rule.name == "lock-order-cycle").expect("a cycle")
    };
    let finding = found(&source, &[side, set, wait, tell, other]);
    assert_eq!((finding.severity, finding.confidence), (Severity::Medium, Confidence::Possible));
    assert!(finding.evidence[0].contains("goes on at x.rs:9 only if a condition holds"), "{:?}", finding.evidence);
    let severity = |source: &[&'static str], steps: &[&str]| found(source, steps).severity;
    assert_eq!(severity(&source, &[set, side, wait, tell, other]), Severity::Critical, "set before");
    assert_eq!(severity(&source, &[side, wait, set, tell, other]), Severity::Critical, "looked at before");
    assert_eq!(severity(&source, &[side, set, other, wait, tell]), Severity::Critical, "waits later");
    assert_eq!(severity(&source, &[side, set, wait, other]), Severity::Critical, "nobody told it");
    let mut changed = source.clone();
    changed[8] = "        if *done.lock().unwrap() { return; }";
    assert_eq!(severity(&changed, &[side, set, wait, tell, other]), Severity::Critical, "it does not wait");
    changed.clone_from(&source);
    changed[5] = "        another.notify_all();";
    assert_eq!(severity(&changed, &[side, set, wait, tell, other]), Severity::Critical, "another was told");
    changed.clone_from(&source);
    changed[8] = "        if !*done.lock().unwrap() { return; }";
    assert_eq!(severity(&changed, &[side, set, wait, other]), Severity::Medium, "a flag that is tested");
    changed[8] = "        if *done.lock().unwrap() { work(); }";
    assert_eq!(severity(&changed, &[side, set, wait, other]), Severity::Critical, "what follows is done in any case");
    changed[8] = "        while !self.is_done() { thread::yield_now(); }";
    changed.extend(["fn is_done(&self) -> bool {", "    *self.done.lock().unwrap()", "}"]);
    let got = wait.replace("x.rs:9:28", "x.rs:15:16");
    assert_eq!(severity(&changed, &[side, set, &got, other]), Severity::Medium, "a flag that a function looks at");
    changed[8] = "        self.is_done();";
    assert_eq!(severity(&changed, &[side, set, &got, other]), Severity::Critical, "it does not matter");
    changed.clone_from(&source);
    changed[8] = "        while !*done.lock().unwrap() { thread::yield_now(); }";
    assert_eq!(severity(&changed, &[side, set, wait, other]), Severity::Medium, "a flag that is polled");
    changed.clone_from(&source);
    changed[9] = "        if let Some(y) = b.lock().unwrap().as_mut() {";
    let wrote = side.replace("unlock b read-only", "unlock b");
    assert_eq!(severity(&changed, &[&wrote, other]), Severity::Critical, "a lock of the cycle");
}

#[test]
fn two_statics_of_one_name_are_told_apart_by_where_they_are() {
    let trace = "object a mutex @src/users.rs:1 u32; object b mutex @src/groups.rs:1 u32; main spawn t1; main spawn t2
        t1 lock a; t1 lock b; t1 unlock b; t1 unlock a; t2 lock b; t2 lock a; t2 unlock a; t2 unlock b
        t1 end; t2 end; main end";
    let trace = conccheck_trace::text::parse(trace).expect("a well-formed trace");
    let source = Lines(vec!["static LOCK: Mutex<u32> = Mutex::new(0);"]);
    let findings = analyze(&[trace], &source, &Config::default()).findings;
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(finding.objects, ["LOCK (groups.rs:1)", "LOCK (users.rs:1)"]);
    assert!(!finding.help.contains("by index or address"), "{}", finding.help);
}

#[test]
fn locks_that_the_standard_library_made_are_called_as_they_are_used() {
    let own = "/rustc/0123/library/core/src/ops/function.rs:166 u32";
    let hung = {
        let trace = format!(
            "object a mutex @{own}; object b mutex @{own}; object c mutex @{own}; main spawn t1; main spawn t2
            t1 lock a @a.rs:1; t2 lock b @a.rs:1; t1 lock c @a.rs:3; t1 request b @a.rs:2; t2 request a @a.rs:2; main end"
        );
        let trace = conccheck_trace::text::parse(&trace).expect("a well-formed trace");
        let source = vec!["let a = forks[i].lock();", "let b = forks[(i + 1) % 5].lock();", "let c = LOG.lock();"];
        analyze(&[trace], &Lines(source), &Config::default()).findings.swap_remove(0)
    };
    assert_eq!(hung.objects, ["forks[#1]", "forks[#2]"], "`LOG` is another");
    assert_eq!(hung.help, "take the locks of `forks` in one order everywhere, by index or address");
    let trace = format!("object a mutex @{own}; main spawn t1; t1 lock a @a.rs:1; t1 request a @a.rs:1; main end");
    assert_eq!(analysis(&trace).findings[0].objects, ["Mutex<u32>"], "no place is better than one that nobody wrote");
}

#[test]
fn a_token_that_was_given_before_its_parker_was_parked_by_orders_who_parks() {
    let found = |unpark: &str, park: &str| {
        rules(&format!(
            "{START}t1 lock a; t1 lock b; t1 unlock b; t1 unlock a; {unpark}; {park}; t2 unparked; t2 lock b; t2 lock a; t2 unlock a
            t2 unlock b; t1 end; t2 end; main end"
        ))
    };
    assert!(found("t1 unpark", "t2 park").is_empty());
    assert_eq!(found("t1 yield", "t2 park"), ["lock-order-cycle"], "no token was given");
    assert_eq!(found("t1 unpark", "t2 park timed"), ["lock-order-cycle"], "its time may have run out");
    assert_eq!(found("t1 unpark; main unpark t2", "t2 park"), ["lock-order-cycle"], "it was another token");
}
