//! The callers that are shown where a place is reached by several.

use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{FrameId, SiteDef, text};

use crate::calls::Call;
use crate::{Config, Finding, Sources, analyze};

/// Says of each frame what its address is the line of.
struct Frames;

impl Sources for Frames {
    fn line(&self, _: &SiteDef) -> Option<String> {
        None
    }

    fn calls(&self, trace: &ProcessTrace, innermost: FrameId, _: &SiteDef) -> Vec<Call> {
        let call = |address: u64| Call {
            function: format!("bank::f{address}"),
            site: SiteDef { file: "src/bank.rs".to_owned(), line: address as u32, column: 5 },
        };
        trace.tables.stack(innermost).map(|frame| call(frame.address)).collect()
    }
}

fn found(text: &str) -> Finding {
    let trace = text::parse(text).expect("a well-formed trace");
    let mut findings = analyze(&[trace], &Frames, &Config::default()).findings;
    findings.retain(|finding| finding.rule.name == "lock-order-cycle");
    assert_eq!(findings.len(), 1);
    findings.remove(0)
}

fn texts(finding: &Finding) -> Vec<&str> {
    finding.parties.iter().flat_map(|party| &party.steps).map(|step| step.text.as_str()).collect()
}

const HELPER: &str = "frame f /bank 30; frame g /bank 70; main spawn t
    main lock a @lib.rs:5; main lock b @lib.rs:5; main stack f; main unlock b; main unlock a
    t lock b @lib.rs:5; t lock a @lib.rs:5; t stack g; t unlock a; t unlock b";

#[test]
fn who_called_a_helper_is_shown_on_both_sides() {
    let finding = found(HELPER);
    let calls = ["and came there through `bank::f30` here", "and came there through `bank::f70` here"];
    assert!(calls.iter().all(|call| texts(&finding).contains(call)), "{:?}", texts(&finding));
    let step = finding.parties.iter().flat_map(|party| &party.steps).find(|step| step.is_call).expect("is there");
    assert_eq!(step.site.as_ref().map(|site| (site.file.as_str(), site.line)), Some(("src/bank.rs", 30)));
}

#[test]
fn a_place_that_says_enough_has_no_caller_and_callers_do_not_name_the_finding() {
    let own_places = HELPER
        .replace("main lock b @lib.rs:5", "main lock b @lib.rs:6")
        .replace("t lock b @lib.rs:5", "t lock b @lib.rs:8")
        .replace("t lock a @lib.rs:5", "t lock a @lib.rs:9");
    assert!(texts(&found(&own_places)).iter().all(|text| !text.contains("came there")));
    let without = HELPER.replace("main stack f;", "").replace("t stack g;", "");
    assert_eq!(found(&without).fingerprint, found(HELPER).fingerprint);
}

#[test]
fn a_place_that_is_reached_with_and_without_a_lock_is_a_helpers() {
    let one_helper =
        HELPER.replace("t lock b @lib.rs:5", "t lock b @lib.rs:8").replace("t lock a @lib.rs:5", "t lock a @lib.rs:9");
    let finding = found(&one_helper);
    let calls: Vec<&str> = texts(&finding).into_iter().filter(|text| text.contains("came there")).collect();
    assert_eq!(calls, ["and came there through `bank::f30` here"], "`main` takes both locks in one place");
}
