//! Rules that advise: contention, initialisation by hand, threads without bound, the choice of a primitive, stopping in order.

use super::Lines;
use crate::{Config, Finding, Severity, analyze};

fn findings(rule: &str, trace: &str, lines: &[&'static str]) -> Vec<Finding> {
    let trace = conccheck_trace::text::parse(trace).expect("a well-formed trace");
    let found = analyze(&[trace], &Lines(lines.to_vec()), &Config::default()).findings;
    found.into_iter().filter(|finding| finding.rule.name == rule).collect()
}

fn count(rule: &str, trace: &str, lines: &[&'static str]) -> usize {
    findings(rule, trace, lines).len()
}

/// Two threads that take turns, each waiting for the other's section.
fn turns(rounds: usize, hold: &str, pause: &str) -> String {
    let round = format!(
        "t1 lock a @x.rs:1; t2 request a @x.rs:1; t1 unlock a +{hold}; t2 lock a @x.rs:1; t1 request a @x.rs:1
         t2 unlock a +{hold}; t1 lock a @x.rs:1; t1 unlock a; t1 yield +{pause}; t2 yield\n"
    );
    format!("main spawn t1; main spawn t2\n{}", round.repeat(rounds))
}

#[test]
fn a_lock_is_contended_when_its_threads_wait_for_it_much_of_their_time() {
    let found = findings("lock-contention", &turns(40, "3ms", "1ms"), &[]);
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert!(finding.message.contains("43 %"), "{}", finding.message);
    assert_eq!(finding.occurrences, 80);
    assert_eq!(count("lock-contention", &turns(40, "3ms", "40ms"), &[]), 0, "most of the time they do something else");
    assert_eq!(count("lock-contention", &turns(40, "20us", "1us"), &[]), 0, "the waits are short in all");
    assert_eq!(count("lock-contention", &turns(10, "20ms", "1us"), &[]), 0, "they are few");
    let at_work = turns(40, "3ms", "1ms").replace("t1 unlock a +3ms", "t1 sleep 3ms; t1 unlock a +3ms");
    assert_eq!(count("lock-contention", &at_work, &[]), 0, "the wait is for the sleep");
}

/// Two threads look at a slot of type `Option`, and both fill it.
const BOTH_FILL: &str = "object a mutex core::option::Option<u8>; main spawn t1; main spawn t2
    t1 lock a @x.rs:1; t1 unlock a read-only; t2 lock a @x.rs:1; t2 unlock a read-only
    t1 lock a @x.rs:2; t1 unlock a; t2 lock a @x.rs:2; t2 unlock a; t1 end; t2 end; main join t1; main join t2";

#[test]
fn a_slot_filled_by_two_threads_is_reported_once_and_as_what_it_is() {
    let look = "if let Some(log) = &*log.lock().unwrap() {";
    let lines = [look, "*log.lock().unwrap() = Some(new);"];
    assert_eq!(count("racy-initialization", BOTH_FILL, &lines), 1);
    assert_eq!(count("atomicity-violation", BOTH_FILL, &lines), 0);
    let again = [look, "let mut slot = log.lock().unwrap();", "if slot.is_none() {", "*slot = Some(new);"];
    assert_eq!(count("racy-initialization", BOTH_FILL, &again), 0, "it looks again");
    assert_eq!(count("racy-initialization", BOTH_FILL, &[look, "log.lock().unwrap().get_or_insert(new);"]), 0);
    assert_eq!(count("racy-initialization", &BOTH_FILL.replace("core::option::Option<u8>", "u8"), &lines), 0);
    let one_after_the_other = "object a mutex core::option::Option<u8>; main spawn t1; main spawn t2
        t1 lock a @x.rs:1; t1 unlock a read-only; t1 lock a @x.rs:2; t1 unlock a; t2 lock a @x.rs:1; t2 unlock a read-only";
    assert_eq!(count("racy-initialization", one_after_the_other, &lines), 0);
}

#[test]
fn many_threads_of_one_place_that_nobody_joins_are_a_burst() {
    let burst = |threads: usize, end: &str| -> String {
        let each = |t: usize| format!("main spawn t{t} @x.rs:1; {}\n", end.replace('T', &format!("t{t}")));
        (0..threads).map(each).collect()
    };
    assert_eq!(count("spawn-burst", &burst(20, "main detach T"), &[]), 1);
    assert_eq!(count("spawn-burst", &burst(10, "main detach T"), &[]), 0, "few");
    assert_eq!(count("spawn-burst", &burst(20, "main detach T; T end"), &[]), 0, "one after the other");
    assert_eq!(count("spawn-burst", &burst(20, "main yield"), &[]), 0, "the handles are kept");
    let by = |starter: fn(usize) -> &'static str| -> String {
        (0..20).map(|t| format!("{0} spawn t{t} @x.rs:1; {0} detach t{t}\n", starter(t))).collect()
    };
    assert_eq!(count("spawn-burst", &by(|_| "m::a"), &[]), 1, "in a test");
    assert_eq!(count("spawn-burst", &by(|t| if t < 10 { "m::a" } else { "m::b" }), &[]), 0, "few in each test");
}

/// Readers and writers that wait for one another, `reads` sections of each round only reading.
fn rounds(reads: usize, hold: &str) -> String {
    let section = |wrote: &str| {
        format!(
            "t1 lock a @x.rs:1; t2 request a @x.rs:1; t1 unlock a {wrote} +{hold}; t2 lock a @x.rs:1; t2 unlock a {wrote} +{hold}\n"
        )
    };
    let round = section("read-only").repeat(reads) + &section("");
    format!("main spawn t1; main spawn t2\n{}", round.repeat(40 / (reads + 1)))
}

#[test]
fn a_contended_mutex_that_is_mostly_read_could_be_a_reader_writer_lock() {
    assert_eq!(count("read-mostly-mutex", &rounds(4, "1ms"), &[]), 1);
    assert_eq!(count("read-mostly-mutex", &rounds(3, "1ms"), &[]), 0, "not more than three reads per write");
    assert_eq!(count("read-mostly-mutex", &rounds(4, "2us"), &[]), 0, "short sections");
    assert_eq!(count("read-mostly-mutex", &rounds(4, "1ms").replace("t2 request a @x.rs:1; ", ""), &[]), 0, "nobody waits");
    let receiver = format!("object a mutex std::sync::mpsc::Receiver<u8>\n{}", rounds(4, "1ms"));
    assert_eq!(count("read-mostly-mutex", &receiver, &[]), 0, "threads can't share a receiver");
    let with_condvar = rounds(4, "1ms") + "t1 lock a; t1 wait v a";
    assert_eq!(count("read-mostly-mutex", &with_condvar, &[]), 0, "condition variables need a mutex");
}

#[test]
fn a_contended_reader_writer_lock_that_is_mostly_written_could_be_a_mutex() {
    let with = |writes: usize, reads: usize| {
        let writes = "t1 write a; t2 request a write; t1 unlock a +1ms; t2 write a; t2 unlock a\n".repeat(writes);
        format!("main spawn t1; main spawn t2\n{writes}{}", "t1 read a; t1 unlock a\n".repeat(reads))
    };
    assert_eq!(count("write-heavy-rwlock", &with(20, 80), &[]), 1);
    assert_eq!(count("write-heavy-rwlock", &with(20, 120), &[]), 0, "a quarter are writes");
    assert_eq!(count("write-heavy-rwlock", &with(10, 40), &[]), 0, "hardly contended");
    assert_eq!(count("write-heavy-rwlock", &with(40, 0), &[]), 0, "never read: another rule's");
}

#[test]
fn locks_that_are_more_than_what_is_used_of_them() {
    let written = "main spawn t1; main spawn t2\n".to_owned() + &"t1 write a; t1 unlock a; t2 write a; t2 unlock a\n".repeat(50);
    assert_eq!(count("unused-lock-mode", &written, &[]), 1);
    assert_eq!(count("unused-lock-mode", &(written.clone() + "t1 read a; t1 unlock a"), &[]), 0, "it is read");
    let private = "main spawn t1\n".to_owned() + &"t1 lock a; t1 unlock a\n".repeat(100);
    assert_eq!(count("unused-lock-mode", &private, &[]), 1);
    assert_eq!(count("unused-lock-mode", &(private.clone() + "main lock a; main unlock a"), &[]), 0, "it is shared");
    assert_eq!(count("unused-lock-mode", &private, &["static A: Mutex<u8> = Mutex::new(0);"]), 0, "a static needs a lock");
    assert_eq!(
        count(
            "unused-lock-mode",
            &private.replace("t1", "tests::of_a_library").replace("spawn tests::of_a_library", "yield"),
            &[]
        ),
        0
    );
}

/// The same with two locks of one kind, of which each is used in every other pair of lines.
fn sharded(trace: &str) -> String {
    let of = |(at, line): (usize, &str)| match at % 4 {
        3 | 0 if at > 0 => line.replace(" a ", " b ").replace(" a;", " b;") + "\n",
        _ => line.to_owned() + "\n",
    };
    trace.lines().enumerate().map(of).collect()
}

#[test]
fn the_contended_locks_of_one_kind_are_judged_together() {
    let heavy = |rounds: usize| {
        let writes = "t1 write a; t2 request a write; t1 unlock a +1ms; t2 write a; t2 unlock a \n".repeat(rounds);
        format!("main spawn t1; main spawn t2\n{writes}{}", "t1 read a; t1 unlock a \n".repeat(4 * rounds))
    };
    let kinds = [
        ("lock-contention", "mutex", turns(20, "30ms", "1ms"), turns(40, "30ms", "1ms")),
        ("write-heavy-rwlock", "rw-lock", heavy(16), heavy(40)),
        ("read-mostly-mutex", "mutex", rounds(4, "1ms"), rounds(4, "1ms").replace("1ms", "2ms")),
    ];
    for (rule, kind, few, many) in kinds {
        for trace in [few, many] {
            let made = format!("object a {kind} @x.rs:5 u8; object b {kind} @x.rs:5 u8; {}", sharded(&trace));
            let found = findings(rule, &made, &[]);
            let [finding] = &found[..] else { panic!("{rule}: {found:?}") };
            assert!(finding.evidence.iter().any(|text| text.starts_with("2 locks of this kind")), "{:?}", finding.evidence);
        }
    }
    let apart = format!("object a rw-lock @x.rs:5 u8; object b rw-lock @x.rs:6 u8; {}", sharded(&heavy(40)));
    assert_eq!(count("write-heavy-rwlock", &apart, &[]), 2, "of two kinds");
}

/// A worker forwards what it is sent; its owner drops the receiver of that first, and then stops the worker.
const FORWARDS: &str = "main channel events; main channel inbox; main channel side; main spawn t2; main spawn t1
    main send inbox; main drop-receiver events
    t1 recv inbox; t1 send-fail events closed @x.rs:1; main send inbox; t1 recv inbox; t1 send-fail events closed @x.rs:1
    main send inbox; t1 recv inbox; t1 send-fail events closed @x.rs:1; STOP; t1 end; main join t1";

#[test]
fn who_is_stopped_after_the_receiver_of_what_it_sends_was_dropped_is_not_hurt() {
    let found = |stop: &str| count("send-after-close", &FORWARDS.replace("STOP", stop), &[]);
    assert_eq!(found("main send inbox; t1 recv inbox"), 0, "a message tells it to end");
    assert_eq!(found("main drop-sender inbox; t1 recv-fail inbox closed"), 0, "nothing more comes");
    assert_eq!(found("main send side; t2 recv side; t2 send inbox; t1 recv inbox"), 0, "at second hand");
    assert_eq!(found("t2 send inbox; t1 recv inbox"), 1, "it is told by one who does not know");
    let fails = "t1 send-fail events closed @x.rs:1; ".repeat(3);
    let told_before = format!(
        "main channel events; main channel inbox; main spawn t1; main send inbox; main drop-receiver events
         t1 recv inbox; {fails} t1 end; main join t1"
    );
    assert_eq!(count("send-after-close", &told_before, &[]), 1, "what it was told came before");
    let goes_on = FORWARDS.replace("STOP; t1 end; main join t1", "main send inbox; t1 recv inbox");
    assert_eq!(count("send-after-close", &goes_on, &[]), 1, "it goes on");
    let panics = FORWARDS.replace("STOP; t1 end", "main send inbox; t1 recv inbox; t1 end panicked");
    assert_eq!(count("send-after-close", &panics, &[]), 1, "it is hurt");
}

#[test]
fn a_sender_that_throws_away_whether_it_was_heard_matters_less() {
    let severity = |line: &'static str, end: &str| {
        let trace =
            format!("main channel c; main spawn t1; main drop-receiver c; {}", "t1 send-fail c closed @x.rs:1; ".repeat(3));
        findings("send-after-close", &format!("{trace}{end}"), &[line])[0].severity
    };
    for line in ["let _ = tx.send(1);", "tx.send(1).ok();", "drop(tx.send(1));"] {
        assert_eq!(severity(line, "t1 end"), Severity::Medium, "{line}");
        assert_eq!(severity(line, "t1 end panicked"), Severity::High, "{line}");
    }
    assert_eq!(severity("if tx.send(1).is_err() {", "t1 end"), Severity::High);
}

#[test]
fn where_a_receiver_was_dropped_is_not_claimed_to_be_known() {
    let says = |trace: &str| {
        let found = findings("dropped-messages", &format!("main channel c; main spawn t1; main spawn t2; {trace}"), &[]);
        found[0].parties[0].steps[0].text.clone()
    };
    assert!(says("t1 send c; main drop-receiver c").contains("made here, with a message in it"));
    assert!(
        says("t1 send c; t1 send c; t2 recv c; t2 drop-receiver c")
            .contains("here last, and dropped the receiver, with a message in it")
    );
}

/// A storage is stopped, then the server that sends to it.
const STOPPED_FIRST: &str = "main channel store; main channel requests; main spawn storage; main spawn server
    storage request-recv store; server request-recv requests; main send store; storage recv store
    storage drop-receiver store; storage end; main join storage
    main drop-sender requests; server recv-fail requests closed; server send-fail store closed; server end; main join server";

#[test]
fn a_component_that_is_stopped_before_its_user_is_reported() {
    assert_eq!(count("shutdown-order", STOPPED_FIRST, &[]), 1);
    let told_before = STOPPED_FIRST.replace("main drop-sender requests; server recv-fail requests closed; ", "");
    assert_eq!(count("shutdown-order", &told_before, &[]), 0, "the failed send is how it learns of the end");
    let unjoined = STOPPED_FIRST.replace("storage end; main join storage", "storage end");
    assert_eq!(count("shutdown-order", &unjoined, &[]), 0, "nobody stopped it");
}

#[test]
fn a_thread_that_polls_a_closed_channel_ignores_its_cancellation() {
    let polls = |number: usize, end: &str| {
        let poll = "t1 recv-fail c closed @x.rs:1; t1 sleep 5ms; t1 yield +5ms\n".repeat(number);
        format!("main channel c; main spawn t1; t1 recv-fail c; main drop-sender c\n{poll}{end}; main end")
    };
    assert_eq!(count("ignored-cancellation", &polls(3, "t1 yield"), &[]), 1);
    assert_eq!(count("ignored-cancellation", &polls(2, "t1 yield"), &[]), 0, "it may be about to end");
    assert_eq!(count("ignored-cancellation", &polls(5, "t1 end"), &[]), 0, "it ended in time");
    assert_eq!(count("ignored-cancellation", &polls(5, "t1 end +2s"), &[]), 1, "it ended late");
    let other = polls(5, "t1 yield").replace("main drop-sender c", "main channel d; t1 recv-fail d; main drop-sender c");
    assert_eq!(count("ignored-cancellation", &other, &[]), 0, "it serves another channel");
}

#[test]
fn a_collection_that_one_side_pushes_to_and_another_polls_is_a_queue_by_hand() {
    let polls = "t1 lock a @x.rs:1; t1 unlock a; t1 sleep 1ms\n".repeat(20);
    let queue = |pushes: &str| format!("object a mutex alloc::vec::Vec<u8>; main spawn t1\n{polls}{pushes}");
    let push = "main lock a @x.rs:2; main unlock a";
    let lines = ["while let Some(job) = jobs.lock().unwrap().pop() {", "jobs.lock().unwrap().push(1);"];
    assert_eq!(count("mutex-as-queue", &queue(push), &lines), 1);
    assert_eq!(count("mutex-as-queue", &queue(""), &lines), 0, "nobody pushes");
    assert_eq!(count("mutex-as-queue", &queue(&push.replace("main", "t1")), &lines), 0, "one thread does both");
    assert_eq!(count("mutex-as-queue", &queue(push), &["jobs.lock().unwrap().len()", lines[1]]), 0, "it does not take");
    assert_eq!(count("mutex-as-queue", &queue(push).replace("alloc::vec::Vec<u8>", "u8"), &lines), 0, "no collection");
    let filled = format!("object a mutex alloc::vec::Vec<u8>; {push}; main spawn t1\n{polls}");
    assert_eq!(count("mutex-as-queue", &filled, &lines), 0, "filled before its taker started");
}

#[test]
fn a_value_that_is_there_by_luck_is_reported() {
    let set = "main once-begin o @x.rs:1; main once-end o";
    let lines = ["CONFIG.set(7);", "CONFIG.get().unwrap();", "CONFIG.get().is_some()"];
    let late = format!("main spawn t1; {set}; t1 sleep 5ms; t1 once-get o @x.rs:2");
    assert_eq!(count("order-violation", &late, &lines), 1);
    assert_eq!(count("order-violation", &late.replace("x.rs:2", "x.rs:3"), &lines), 0, "it can do without");
    assert_eq!(count("order-violation", &format!("{set}; main spawn t1; t1 once-get o @x.rs:2"), &lines), 0, "set before");
    let told = format!("main channel c; main spawn t1; {set}; main send c; t1 recv c; t1 once-get o @x.rs:2");
    assert_eq!(count("order-violation", &told, &lines), 0, "it was told");
    assert_eq!(count("order-violation", &late.replace("t1 sleep 5ms", "t1 lock a; t1 unlock a"), &lines), 0, "perhaps by a lock");
}

#[test]
fn a_trace_without_measurements_gives_no_advice() {
    let advised = |trace: &str| {
        let rules = ["unused-lock-mode", "lock-contention", "read-mostly-mutex", "write-heavy-rwlock", "spawn-burst"];
        rules.into_iter().filter(|rule| count(rule, trace, &[]) > 0).collect::<Vec<_>>()
    };
    let private = "main spawn t1\n".to_owned() + &"t1 lock a; t1 unlock a\n".repeat(100);
    for (trace, rule) in [(turns(40, "3ms", "1ms"), "lock-contention"), (private, "unused-lock-mode")] {
        assert_eq!(advised(&trace), [rule]);
        assert!(advised(&format!("fact format std\n{trace}")).is_empty());
    }
}

#[test]
fn a_panic_of_which_a_destructor_sends_a_message_may_have_been_heard_of() {
    let source =
        ["fn work(&self) {", "self.0.send(1);", "}", "fn drop(&mut self) {", "    let _ = self.0.send(panicking());", "}"];
    let severity = |worker: &str, main: &str| {
        let trace = format!("main channel c; main spawn t1; main detach t1; {worker}; t1 end panicked; {main}; main end");
        findings("unobserved-panic", &trace, &source)[0].severity
    };
    assert_eq!(severity("t1 send c @x.rs:5; t1 drop-sender c", "main recv c"), Severity::Medium);
    assert_eq!(severity("t1 send c @x.rs:5; t1 drop-sender c", "main yield"), Severity::High, "nobody took it");
    assert_eq!(severity("t1 send c @x.rs:2", "main recv c"), Severity::High, "it was sent before");
    assert_eq!(severity("t1 send c @x.rs:5; t1 lock a; t1 unlock a panicking", "main recv c"), Severity::High, "it worked on");
}
