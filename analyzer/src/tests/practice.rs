//! Rules that advise: contention, initialisation by hand, threads without bound, the choice of a primitive, stopping in order.

use conccheck_trace::SiteDef;

use crate::{Config, Finding, Sources, analyze};

/// A file of these lines.
struct Text(Vec<&'static str>);
impl Sources for Text {
    fn line(&self, site: &SiteDef) -> Option<String> {
        self.0.get(site.line as usize - 1).map(|line| (*line).to_owned())
    }
}

fn findings(rule: &str, trace: &str, lines: &[&'static str]) -> Vec<Finding> {
    let trace = conccheck_trace::text::parse(trace).expect("a well-formed trace");
    let found = analyze(&[trace], &Text(lines.to_vec()), &Config::default()).findings;
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
}
