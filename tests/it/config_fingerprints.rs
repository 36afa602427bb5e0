//! Fingerprints: what they survive, and what changes them.

use std::collections::BTreeSet;
use std::time::Duration;

use conccheck_tests::{HandMade, run};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);

const SOURCE: &str = "\
use std::sync::Mutex;

struct Bank {
    accounts: Mutex<u64>,
    audit: Mutex<u64>,
    mail: Mutex<u64>,
}

fn bank() -> Bank {
    Bank {
        accounts: Mutex::new(0),
        audit: Mutex::new(0),
        mail: Mutex::new(0),
    }
}
";

/// Two threads of the bank, in a file that has `above` further lines at its top, each of which takes two locks in an order.
/// The lines are those of `SOURCE` and some below it.
fn findings(file: &str, above: usize, teller: [&str; 2], auditor: [&str; 2], threads: [&str; 2]) -> BTreeSet<String> {
    let project = HandMade::default();
    project.write(file, &("// More.\n".repeat(above) + SOURCE));
    let line = |line: usize| line + above;
    let [t, a] = threads;
    let mut events = String::new();
    for (name, at) in [("accounts", 11), ("audit", 12), ("mail", 13)] {
        events += &format!("object {name} mutex @{file}:{}:9 u64\n", line(at));
    }
    events += &format!("main spawn {t} @{file}:{0}:5; main spawn {a} @{file}:{0}:9\n", line(20));
    for (thread, [first, second], at) in [(t, teller, 30), (a, auditor, 40)] {
        events += &format!(
            "{thread} lock {first} @{file}:{}:9; {thread} lock {second} @{file}:{}:9; {thread} unlock {second}; {thread} unlock {first}\n",
            line(at),
            line(at + 1)
        );
    }
    events += &format!("{t} end; {a} end; main join {t}; main join {a}\n");
    project.trace("run.json", &events);
    let ended = run(&mut project.conccheck(&["report", "run.json", "--format", "json"]), LIMIT);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    let findings = report["findings"].as_array().expect("findings");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    findings.iter().map(|finding| format!("{} {}", text(&finding["rule"]), text(&finding["fingerprint"]))).collect()
}

const TELLER: [&str; 2] = ["accounts", "audit"];
const AUDITOR: [&str; 2] = ["audit", "accounts"];
const THREADS: [&str; 2] = ["teller", "auditor"];

#[test]
fn a_fingerprint_survives_moved_code_renamed_folders_and_other_threads() {
    let before = findings("src/bank.rs", 0, TELLER, AUDITOR, THREADS);
    assert!(before.len() == 1 && before.iter().all(|found| found.starts_with("lock-order-cycle ")), "{before:?}");
    assert_eq!(findings("src/bank.rs", 100, TELLER, AUDITOR, THREADS), before, "100 lines further down");
    assert_eq!(findings("crates/store/bank.rs", 0, TELLER, AUDITOR, THREADS), before, "in another folder");
    assert_eq!(findings("src/bank.rs", 0, AUDITOR, TELLER, ["worker-7", "x"]), before, "by other threads, the other first");
}

#[test]
fn a_fingerprint_changes_with_the_order_of_locks() {
    let before = findings("src/bank.rs", 0, TELLER, AUDITOR, THREADS);
    assert_eq!(findings("src/bank.rs", 0, TELLER, TELLER, THREADS), BTreeSet::new(), "one order");
    let other = findings("src/bank.rs", 0, ["audit", "mail"], ["mail", "audit"], THREADS);
    assert!(other.len() == 1 && other.is_disjoint(&before), "other locks: {other:?}");
}
