//! Every rule beside its harmless twin, and every threshold on both of its sides. A rule or a threshold without is an error.

use conccheck_trace::Nanos;

use super::Lines;
use crate::registry::RULES;
use crate::{Config, analyze};

/// A run in which a rule finds something, and one that is nearly the same and harmless.
struct Twins {
    rule: &'static str,
    found: String,
    /// What makes the other harmless.
    since: &'static str,
    harmless: String,
    lines: &'static [&'static str],
}

fn finds(rule: &str, trace: &str, lines: &'static [&'static str], config: &Config) -> bool {
    let trace = conccheck_trace::text::parse(trace).unwrap_or_else(|error| panic!("{rule}: {error}\n{trace}"));
    analyze(&[trace], &Lines(lines.to_vec()), config).findings.iter().any(|finding| finding.rule.name == rule)
}

/// A trace, and the same with a part of it replaced.
fn twins(rule: &'static str, found: impl Into<String>, since: &'static str, part: &str, by: &str) -> Twins {
    let found = format!("main spawn t1; main spawn t2\n{}", found.into());
    assert!(found.contains(part), "{rule}: {part}");
    let harmless = found.replace(part, by);
    Twins { rule, found, since, harmless, lines: &[] }
}

const STALE: &str = "t1 lock a @x.rs:1; t1 unlock a read-only; t2 lock a @x.rs:1; t2 unlock a read-only
    t1 lock a @x.rs:2; t1 unlock a; t2 lock a @x.rs:2; t2 unlock a; t1 end; t2 end; main join t1; main join t2";

fn all() -> Vec<Twins> {
    let section = |wrote: &str| {
        format!(
            "t1 lock a @x.rs:1; t2 request a @x.rs:1; t1 unlock a {wrote} +1ms; t2 lock a @x.rs:1; t2 unlock a {wrote} +1ms\n"
        )
    };
    let mostly_read = (section("read-only").repeat(4) + &section("")).repeat(8);
    let turns = "t1 lock a @x.rs:1; t2 request a @x.rs:1; t1 unlock a +3ms; t2 lock a @x.rs:1; t1 request a @x.rs:1
        t2 unlock a +3ms; t1 lock a @x.rs:1; t1 unlock a; t1 yield +1ms; t2 yield\n";
    let written = "t1 write a; t2 request a write; t1 unlock a +1ms; t2 write a; t2 unlock a\n".repeat(20);
    let burst: String = (3..23).map(|t| format!("main spawn t{t} @x.rs:1; main detach t{t}; t{t} yield\n")).collect();
    let queue = "object a mutex alloc::vec::Vec<u8>\n".to_owned()
        + &"t1 lock a @x.rs:1; t1 unlock a; t1 sleep 1ms\n".repeat(20)
        + "main lock a @x.rs:2; main unlock a";
    let stopped = "main channel store; main channel requests; main spawn storage; main spawn server
        storage request-recv store; server request-recv requests; main send store; storage recv store
        storage drop-receiver store; storage end; main join storage
        main drop-sender requests; server recv-fail requests closed; server send-fail store closed; server end; main join server";
    let inversion = "t1 lock a; t1 lock b; t1 unlock b; t1 unlock a; t2 lock b; t2 lock a; t2 unlock a; t2 unlock b";
    let late = "main once-begin o @x.rs:1; main once-end o; t1 sleep 5ms; t1 once-get o @x.rs:2";
    let works = "t1 cancel-look stop; main cancel stop; main sleep 2s; t1 lock a +1500ms; t1 unlock a; t1 end; main join t1";
    let poison = "t1 lock a; t1 unlock a panicking; t1 end panicked; main join t1; t2 lock a @x.rs:1; t2 poison-seen a @x.rs:1
        t2 unlock a panicking; t2 end panicked; main join t2";
    let polls = "t1 request-recv c timed @p.rs:1; t1 recv-fail c @p.rs:1\n".repeat(12)
        + "t1 request-recv c timed @p.rs:1; main send c; t1 recv c @p.rs:1";
    let with = |lines, twins: Twins| Twins { lines, ..twins };
    vec![
        with(
            &["let v = *m.lock().unwrap();", "*m.lock().unwrap() = v + 1;"],
            twins("atomicity-violation", STALE, "nobody writes between", "t2 lock a @x.rs:2; t2 unlock a; ", ""),
        ),
        twins(
            "deadlock",
            "t1 lock a; t2 lock b; t1 request b; t2 request a; main end",
            "t2 got it",
            "t2 request a",
            "t2 unlock b",
        ),
        twins("double-lock", "t1 lock a; t1 request a; main end", "it gives up", "request a", "request a timed; t1 time-out a"),
        twins(
            "dropped-messages",
            "main channel c; t2 send c; t2 send c; t1 recv c; t1 drop-receiver c",
            "all were taken",
            "t2 send c; t2 send c",
            "t2 send c",
        ),
        twins("guard-leak", "t1 lock a; t1 end; main join t1; main end", "it is released", "t1 end", "t1 unlock a; t1 end"),
        twins(
            "held-across-blocking",
            "t1 lock a; t1 sleep 200ms; t2 request a +10ms; t1 unlock a +200ms; t2 lock a; t2 unlock a",
            "nobody waits for the lock",
            "t2 request a +10ms; ",
            "",
        ),
        twins(
            "hold-and-wait-cycle",
            "t1 lock m; t1 unlock m; t1 end; main lock m; main request-join t1; main join t1; main unlock m",
            "another lock",
            "t1 lock m; t1 unlock m",
            "t1 lock n; t1 unlock n",
        ),
        twins("ignored-cancellation", works, "within the grace period", "+1500ms", "+500ms"),
        twins(
            "initialization-cycle",
            "t1 once-request a; t1 once-begin a; t1 once-request a; main end",
            "another once",
            "t1 once-request a; main",
            "t1 once-request b; t1 once-begin b; main",
        ),
        twins(
            "leaked-task",
            "main channel c; t1 request-recv c; t2 end; main end",
            "the sender went",
            "main end",
            "main drop-sender c; main end",
        ),
        twins("lock-contention", turns.repeat(40), "they mostly do something else", "+1ms", "+40ms"),
        twins(
            "lock-order-cycle",
            inversion,
            "one order",
            "t2 lock b; t2 lock a; t2 unlock a; t2 unlock b",
            "t2 lock a; t2 lock b; t2 unlock b; t2 unlock a",
        ),
        twins("long-critical-section", "t1 lock a; t1 unlock a +50ms; t1 end; t2 end", "it is short", "+50ms", "+5ms"),
        twins(
            "lost-wakeup",
            "t2 notify-all v; t1 lock m; t1 wait v m; t2 end; main end",
            "it comes later",
            "t2 notify-all v; t1 lock m; t1 wait v m",
            "t1 lock m; t1 wait v m; t2 notify-all v",
        ),
        with(
            &["while let Some(job) = jobs.lock().unwrap().pop() {", "jobs.lock().unwrap().push(1);"],
            twins("mutex-as-queue", queue, "nobody pushes", "main lock a @x.rs:2; main unlock a", ""),
        ),
        with(
            &["CONFIG.set(7);", "CONFIG.get().unwrap();"],
            twins("order-violation", late, "it was told", "t1 sleep 5ms", "main channel c; main send c; t1 recv c"),
        ),
        twins(
            "oversized-buffer",
            "main channel c 1000\n".to_owned() + &"t1 send c; t2 recv c\n".repeat(150),
            "a small one",
            "c 1000",
            "c 10",
        ),
        twins("poisoned-lock", poison, "it is dealt with", "t2 unlock a panicking; t2 end panicked", "t2 unlock a; t2 end"),
        with(
            &["if let Some(log) = &*log.lock().unwrap() {", "*log.lock().unwrap() = Some(new);"],
            twins(
                "racy-initialization",
                format!("object a mutex core::option::Option<u8>\n{STALE}"),
                "one thread fills it",
                "t2 lock a @x.rs:2; t2 unlock a; ",
                "",
            ),
        ),
        twins("read-mostly-mutex", mostly_read, "it is mostly written", "read-only", ""),
        twins(
            "recursive-read",
            "t1 read a; t1 read a; t1 unlock a; t1 unlock a; t2 write a; t2 unlock a",
            "nobody writes",
            "t2 write",
            "t2 read",
        ),
        twins(
            "send-after-close",
            "main channel c; t1 drop-receiver c; ".to_owned() + &"t2 send-fail c closed; ".repeat(3),
            "it stops at the first",
            &"t2 send-fail c closed; ".repeat(3),
            "t2 send-fail c closed; t2 end",
        ),
        twins("shutdown-order", stopped, "the server ended first", "server send-fail store closed; ", ""),
        twins("spawn-burst", burst, "one after the other", "yield", "end"),
        twins(
            "timeout-fallback",
            format!("main channel c\n{polls}"),
            "messages come",
            "t1 recv-fail c @p.rs:1",
            "main send c; t1 recv c @p.rs:1",
        ),
        twins(
            "unbounded-backlog",
            "main channel c\n".to_owned() + &"t1 send c\n".repeat(1500),
            "they are taken",
            "t1 send c",
            "t1 send c; t2 recv c",
        ),
        twins(
            "undersized-buffer",
            "main channel c 1\n".to_owned()
                + &"t1 request-send c; t1 send c; t2 recv c; t1 send c; t2 recv c; t1 request-send c; t1 send c; t2 recv c\n"
                    .repeat(10),
            "nobody waits",
            "t1 request-send c; ",
            "",
        ),
        twins(
            "unjoined-task",
            "t2 end; t1 sleep 1s; main end",
            "it is joined",
            "t1 sleep 1s",
            "t1 sleep 1s; t1 end; main join t1",
        ),
        twins("unobserved-panic", "t1 end panicked; main detach t1", "its result is taken", "main detach t1", "main join t1"),
        twins(
            "unused-lock-mode",
            "t1 lock a; t1 unlock a\n".repeat(100),
            "it is shared",
            "t1 lock a; t1 unlock a\n",
            "t1 lock a; t1 unlock a; t2 lock a; t2 unlock a\n",
        ),
        twins(
            "write-heavy-rwlock",
            written + &"t1 read a; t1 unlock a\n".repeat(80),
            "it is mostly read",
            "t1 read a; t1 unlock a\n",
            "t1 read a; t1 unlock a; t1 read a; t1 unlock a\n",
        ),
    ]
}

#[test]
fn every_rule_finds_its_example_and_is_silent_on_the_harmless_twin() {
    let all = all();
    let names: Vec<&str> = all.iter().map(|twins| twins.rule).collect();
    assert_eq!(names, RULES.iter().map(|rule| rule.meta().name).collect::<Vec<_>>(), "every rule, in the order of the registry");
    let config = Config::default();
    for Twins { rule, found, since, harmless, lines } in &all {
        assert!(finds(rule, found, lines, &config), "{rule}: found\n{found}");
        assert!(!finds(rule, harmless, lines, &config), "{rule}: {since}\n{harmless}");
    }
}

/// A threshold: its rule, and how to set it so that the example is found, and so that it is not.
type Threshold = (&'static str, fn(&mut Config), fn(&mut Config));

/// All of them: a field of the configuration that is not here does not compile.
fn thresholds() -> Vec<Threshold> {
    let Config {
        disabled: _,
        ignored_tasks: _,
        longest_cycle: _,
        others_wait: _,
        long_hold: _,
        backlog: _,
        blocked_sends: _,
        oversize: _,
        late_sends: _,
        lost_messages: _,
        timeouts: _,
        contention: _,
        contended_for: _,
        burst: _,
        service: _,
        reads_per_write: _,
        writes: _,
        unused_from: _,
        polls: _,
        grace: _,
    } = Config::default();
    const LONG: Nanos = Nanos(1_000_000_000_000);
    vec![
        ("ignored-cancellation", |c| c.grace = Nanos(1), |c| c.grace = LONG),
        ("long-critical-section", |c| c.long_hold = Nanos(1), |c| c.long_hold = LONG),
        ("unbounded-backlog", |c| c.backlog = 1, |c| c.backlog = 10_000),
        ("undersized-buffer", |c| c.blocked_sends = 0.1, |c| c.blocked_sends = 0.9),
        ("oversized-buffer", |c| c.oversize = 2, |c| c.oversize = 10_000),
        ("send-after-close", |c| c.late_sends = 1, |c| c.late_sends = 100),
        ("dropped-messages", |c| c.lost_messages = 1, |c| c.lost_messages = 2),
        ("timeout-fallback", |c| c.timeouts = 0.1, |c| c.timeouts = 0.99),
        ("lock-contention", |c| c.contention = 0.01, |c| c.contention = 0.9),
        ("lock-contention", |c| c.contended_for = Nanos(1), |c| c.contended_for = LONG),
        ("spawn-burst", |c| c.burst = 2, |c| c.burst = 1000),
        ("unjoined-task", |c| c.service = 100, |c| c.service = 1),
        ("read-mostly-mutex", |c| c.reads_per_write = 1, |c| c.reads_per_write = 100),
        ("write-heavy-rwlock", |c| c.writes = 0.01, |c| c.writes = 0.9),
        ("unused-lock-mode", |c| c.unused_from = 2, |c| c.unused_from = 10_000),
        ("mutex-as-queue", |c| c.polls = 1, |c| c.polls = 1000),
    ]
}

#[test]
fn every_threshold_decides() {
    let all = all();
    for (number, (rule, found, silent)) in thresholds().into_iter().enumerate() {
        let twins = all.iter().find(|twins| twins.rule == rule).expect("a rule");
        let finds_with = |set: fn(&mut Config)| {
            let mut config = Config::default();
            set(&mut config);
            finds(rule, &twins.found, twins.lines, &config)
        };
        assert!(finds_with(found), "{rule}, threshold {number}: found");
        assert!(!finds_with(silent), "{rule}, threshold {number}: silent");
    }
    // The only one that changes the severity alone.
    let held = &all.iter().find(|twins| twins.rule == "held-across-blocking").expect("it is there").found;
    let severity = |wait: u64| {
        let trace = conccheck_trace::text::parse(held).expect("a well-formed trace");
        let config = Config { others_wait: Nanos(wait), ..Config::default() };
        let found = analyze(&[trace], &Lines(Vec::new()), &config).findings;
        found.into_iter().find(|finding| finding.rule.name == "held-across-blocking").map(|finding| finding.severity)
    };
    assert!(severity(1) > severity(1_000_000_000_000), "{:?}", severity(1));
}
