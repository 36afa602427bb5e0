//! Lock orders of several processes.

use conccheck_trace::text;

use crate::{Analysis, Confidence, Config, Finding, NoSources, analyze};

fn together(processes: &[&str]) -> Analysis {
    let traces: Vec<_> = processes.iter().map(|text| text::parse(text).expect("a well-formed trace")).collect();
    analyze(&traces, &NoSources, &Config::default())
}

fn found(processes: &[&str]) -> Vec<Finding> {
    let mut findings = together(processes).findings;
    findings.retain(|finding| finding.rule.name == "lock-order-cycle");
    findings
}

const LOCKS: &str = "object a mutex @bank.rs:3; object b mutex @bank.rs:4; object c mutex @bank.rs:5\n";

fn nested(outer: &str, inner: &str) -> String {
    format!(
        "{LOCKS}main lock {outer} @{outer}.rs:1; main lock {inner} @{inner}.rs:2; main unlock {inner}; main unlock {outer}; main end"
    )
}

#[test]
fn orders_that_no_process_takes_both_of_are_put_together() {
    let findings = found(&[&nested("a", "b"), &nested("b", "a"), &nested("a", "b")]);
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].confidence, findings[0].parties.len()), (Confidence::Possible, 2));
    assert!(findings[0].message.contains("different processes"), "{}", findings[0].message);
    assert!(found(&[&nested("a", "b"), &nested("a", "b")]).is_empty());
    let three = found(&[&nested("a", "b"), &nested("b", "c"), &nested("c", "a")]);
    assert_eq!(three.iter().map(|finding| finding.parties.len()).collect::<Vec<_>>(), [3]);
}

#[test]
fn classes_with_several_instances_and_guarded_or_early_orders_are_not_put_together() {
    let both = |a: &str, b: &str| found(&[a, b]).len();
    let (ab, ba) = (nested("a", "b"), nested("b", "a"));
    // Which of the two it was in the other process, nobody knows.
    assert_eq!(both(&format!("{ab}\nobject d mutex @bank.rs:3 a"), &ba), 0);
    let gate = |outer: &str, inner: &str| {
        format!(
            "{LOCKS}main lock c; main lock {outer}; main lock {inner}; main unlock {inner}; main unlock {outer}; main unlock c; main end"
        )
    };
    assert_eq!(both(&gate("a", "b"), &gate("b", "a")), 0);
    assert_eq!(both(&gate("a", "b"), &ba), 1, "one side alone guards nothing");
    // What is set up before any other thread runs is over by then.
    let early = format!("{}; main spawn t; t end; main join t; main end", ab.replace("; main end", ""));
    assert_eq!(both(&early, &ba), 0);
    // One process takes both orders, and something orders them there.
    let ordered = format!("{}; main lock b; main lock a; main unlock a; main unlock b; main end", ab.replace("; main end", ""));
    assert_eq!(both(&ordered, &ba), 0);
    let tried = ba.replace("main lock a", "main try-lock a");
    assert_eq!(both(&ab, &tried), 0);
}
