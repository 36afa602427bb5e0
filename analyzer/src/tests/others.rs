//! The rules beside deadlocks of locks.

use super::{Lines, analysis, rules, with_advice};
use crate::{Confidence, Config, Severity, analyze};

const START: &str = "main spawn t1; main spawn t2\n";

fn found(text: &str) -> Vec<&'static str> {
    rules(&format!("{START}{text}"))
}

/// Rules that give advice, without those on the end of the threads of these short traces.
fn advice(text: &str) -> Vec<&'static str> {
    let found = with_advice(&format!("{START}{text}")).findings;
    let mut names: Vec<_> = found.iter().map(|finding| finding.rule.name).filter(|name| *name != "unjoined-task").collect();
    names.sort_unstable();
    names
}

#[test]
fn a_read_within_a_read_needs_a_writer_to_be_reported() {
    let reads = "t1 read a; t1 read a; t1 unlock a; t1 unlock a\n";
    assert!(found(reads).is_empty());
    assert_eq!(found(&format!("{reads}t2 write a; t2 unlock a")), ["recursive-read"]);
    assert!(found(&format!("{reads}t1 write a; t1 unlock a")).is_empty(), "the writer is the same thread");
    assert!(
        found(&format!("{}t2 write a; t2 unlock a", reads.replace("t1 read a; t1 read", "t1 read a; t1 read-recursive")))
            .is_empty()
    );
    assert!(found(&format!("main channel c\n{reads}t1 send c; t2 recv c; t2 write a; t2 unlock a")).is_empty(), "ordered");
    assert!(found(&format!("{reads}t2 try-write a; t2 unlock a")).is_empty(), "a try does not queue");
}

#[test]
fn a_read_within_a_read_is_proven_where_a_reordering_lets_the_writer_come_between() {
    let confidence = |text: &str| {
        let findings = analysis(&format!("{START}{text}")).findings;
        let found = findings.iter().find(|finding| finding.rule.name == "recursive-read");
        found.map(|finding| finding.confidence)
    };
    let reads = "t1 read a; t1 read a; t1 unlock a; t1 unlock a\n";
    let write = "t2 write a; t2 unlock a; t1 end; t2 end; main end";
    assert_eq!(confidence(&format!("{reads}{write}")), Some(Confidence::Proven));
    // The writer's thread got the lock's data after the reads: who knows whether it writes without.
    let depends = "t1 write b; t1 unlock b; t2 read b; t2 unlock b\n";
    assert_eq!(confidence(&format!("{reads}{depends}{write}")), Some(Confidence::Possible));
}

#[test]
fn a_read_within_a_read_that_hung_is_manifest() {
    let analysis = analysis(&format!("{START}t1 read a; t2 request a write; t1 request a read; main end"));
    let found: Vec<_> = analysis.findings.iter().map(|finding| (finding.rule.name, finding.confidence)).collect();
    assert_eq!(found, [("recursive-read", Confidence::Manifest)]);
}

#[test]
fn a_join_under_a_lock_is_proven_where_a_reordering_lets_it_come_first() {
    let late =
        "t1 lock m; t1 unlock m read-only; t1 end; main lock m; main request-join t1; main join t1; main unlock m; main end";
    let findings = analysis(&format!("{START}{late}")).findings;
    let found: Vec<_> = findings.iter().map(|finding| (finding.rule.name, finding.confidence)).collect();
    assert_eq!(found, [("hold-and-wait-cycle", Confidence::Proven)]);
    // What the child wrote behind its section may be what made main wait for it at all.
    let depends = late.replace("t1 end; ", "t1 lock b; t1 unlock b; t1 end; main lock b; main unlock b; ");
    let findings = analysis(&format!("{START}{depends}")).findings;
    assert_eq!(findings.iter().map(|finding| finding.confidence).collect::<Vec<_>>(), [Confidence::Possible]);
}

#[test]
fn a_wait_under_a_lock_is_proven_for_what_every_primitive_waits_for() {
    let sure = |t1: &str, wait: &str| {
        let text = format!(
            "{START}t1 lock m; t1 unlock m read-only; {t1}; main lock m; {wait}; main unlock m; t1 end; t2 end; main end"
        );
        let findings = analysis(&text).findings;
        findings.iter().map(|finding| (finding.rule.name, finding.confidence)).collect::<Vec<_>>()
    };
    let proven = [("hold-and-wait-cycle", Confidence::Proven)];
    let receive = "main request-recv c; main recv c; main drop-receiver c";
    assert_eq!(sure("main channel c; t1 send c; t1 drop-sender c", receive), proven);
    assert_eq!(sure("t1 unpark main", "main park; main unparked"), proven);
    assert_eq!(sure("t1 barrier-wait b 2", "main barrier-wait b 2; main barrier-pass b; t1 barrier-pass b"), proven);
    let notified = "main lock n; main wait cv n; t1 notify cv; main wake cv; main unlock n";
    assert_eq!(sure("t1 sleep 1ms", notified), proven);
    let selected = "main case-recv c; main case-recv d; main request-select; main selected others; main recv c";
    let done = "; main drop-receiver c; main drop-receiver d";
    assert_eq!(
        sure("main channel c; main channel d; t1 send c; t1 drop-sender c; t1 drop-sender d", &format!("{selected}{done}")),
        proven
    );
    let inside = "main spawn t1; t1 once-begin o; t1 lock m; t1 unlock m read-only; t1 once-end o
        main lock m; main once-request o; main once-get o; main unlock m; t1 end; main end";
    let found = analysis(inside).findings;
    assert_eq!(found.iter().map(|finding| (finding.rule.name, finding.confidence)).collect::<Vec<_>>(), proven);
    // Where it is not known who else could do it, only what was waited for by name of one thread is told.
    assert_eq!(sure("t1 unpark main; t2 unpark main", "main park; main unparked"), []);
    let maybe = sure("main channel c; t2 clone-sender c s2; t1 send c", receive);
    assert_eq!(maybe, [("hold-and-wait-cycle", Confidence::Possible)], "t2 has a sender as well");
}

#[test]
fn who_else_could_end_a_wait_under_a_lock_is_named() {
    let text = "main channel c; main clone-sender c s2; main spawn t1; main spawn t2
        t1 lock m; t1 unlock m read-only; t1 send c; t1 drop-sender c; t2 lock m; t2 unlock m read-only; t2 drop-sender c s2
        main lock m; main request-recv c; main recv c; main unlock m read-only; main drop-receiver c; t1 end; t2 end; main end";
    let findings = analysis(text).findings;
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert_eq!(finding.confidence, Confidence::Proven);
    assert!(finding.evidence.iter().any(|text| text.contains("waits itself by then: thread `t2`")), "{:?}", finding.evidence);
    let last = finding.scenario.last().expect("a scenario");
    assert!(last.party == 0 && last.blocks && last.text.starts_with("recv("), "{last:?}");
}

#[test]
fn a_wait_for_a_notification_under_a_lock_names_the_condition_variable() {
    let text = format!(
        "{START}t1 lock m; t1 unlock m read-only; main lock m; main lock n; main wait cv n; t1 notify cv; main wake cv
        main unlock n; main unlock m; t1 end; t2 end; main end"
    );
    let findings = analysis(&text).findings;
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    let (step, call) = (&finding.parties[0].steps[1].text, &finding.scenario.last().expect("a scenario").text);
    assert!(step.starts_with("waits for a notification of `"), "{step}");
    assert!(call.starts_with("wait(") && call != "wait()", "{call}");
}

#[test]
fn a_join_under_a_lock_that_the_child_takes_is_a_cycle() {
    let late = "t1 lock m; t1 unlock m; t1 end; main lock m; main request-join t1; main join t1; main unlock m";
    assert_eq!(found(late), ["hold-and-wait-cycle"]);
    assert!(
        found(&late.replace("main lock m; main request-join t1", "main request-join t1").replace("; main unlock m", ""))
            .is_empty()
    );
    let told = format!(
        "main channel c\n{}",
        late.replace("t1 end", "t1 send c; t1 end").replace("main lock m", "main recv c; main lock m")
    );
    assert!(found(&told).is_empty(), "the child said that it was past the lock");
    assert!(found(&late.replace("t1 lock m", "t1 lock n").replace("t1 unlock m", "t1 unlock n")).is_empty());
}

#[test]
fn a_receive_that_gives_up_is_no_part_of_a_cycle() {
    let tried = "main channel c; t1 lock m; t1 unlock m; t1 send c; t2 lock m; t2 recv-fail c @r:9; t2 recv c @r:9; t2 unlock m";
    assert_eq!(found(&tried.replace("recv-fail c", "recv-fail c closed")), ["hold-and-wait-cycle"]);
    assert!(found(tried).is_empty(), "it found nothing there before, and went on");
    let timed = tried.replace("recv-fail c", "request-recv c timed");
    assert!(found(&timed).is_empty(), "it has a limit");
    let wait =
        "t2 lock m; t2 unlock m; t1 lock m; t1 lock n; t1 wait cv n timed; t2 lock n; t2 notify cv; t2 unlock n; t1 wake cv";
    assert_eq!(found(&wait.replace(" timed", "")), ["hold-and-wait-cycle"]);
    assert!(found(wait).is_empty(), "so has a wait for a notification");
    let at_once = Lines(vec!["    if let Ok(x) = c.try_recv() {"]);
    let trace = tried.replace("t2 recv-fail c @r:9; t2 recv c @r:9", "t2 recv c @r.rs:1:22");
    let trace = conccheck_trace::text::parse(&format!("{START}{trace}")).expect("a well-formed trace");
    let by_name = analyze(&[trace], &at_once, &Config::default()).findings;
    assert!(by_name.iter().all(|finding| finding.rule.name != "hold-and-wait-cycle"), "its name says so");
}

#[test]
fn a_receive_under_a_lock_that_the_sender_takes_first_is_a_cycle() {
    let late = "main channel c; t1 lock m; t1 unlock m; t1 send c; t2 lock m; t2 recv c; t2 unlock m";
    assert_eq!(found(late), ["hold-and-wait-cycle"]);
    assert!(
        found(&late.replace("t1 lock m; t1 unlock m; t1 send c", "t1 send c; t1 lock m; t1 unlock m")).is_empty(),
        "it sends first"
    );
    let turns = "main channel c; t1 lock r; t1 request-recv c; t2 request r; main send c; t1 recv c; t1 unlock r; t2 lock r
        t2 request-recv c; main send c; t2 recv c; t2 unlock r; main drop-sender c";
    let itself = "main channel c; main send c; t1 lock r; t1 recv c; t1 unlock r; t1 send c
        t2 lock r; t2 recv c; t2 unlock r; main drop-sender c";
    assert!(found(itself).is_empty(), "a job of a pool sends another");
    assert_eq!(found(&itself.replace("main send c; ", "").replace("t1 recv c; ", "")), ["hold-and-wait-cycle"]);
    assert!(found(turns).is_empty(), "workers take turns to receive");
}

#[test]
fn a_receive_under_a_lock_until_the_channel_closes_waits_for_all_who_have_a_sender() {
    let late = "main channel c; t1 clone-sender c s2; main drop-sender c; t1 lock m; t1 unlock m; t1 drop-sender c s2
        t2 lock m; t2 recv-fail c closed; t2 unlock m";
    assert_eq!(found(late), ["hold-and-wait-cycle"]);
    assert!(found(&late.replace("recv-fail c closed", "recv-fail c")).is_empty(), "it only tried");
    assert!(found(&late.replace("; t1 drop-sender c s2", "").replace("t1 lock m", "t1 drop-sender c s2; t1 lock m")).is_empty());
    let told = late.replace("; t1 drop-sender", "; t1 send c s2; t1 drop-sender").replace("t2 lock", "t2 recv c; t2 lock");
    assert!(found(&told).is_empty(), "it said that it was past the lock");
}

#[test]
fn a_lock_is_held_into_an_initialisation_by_whatever_call_waits_for_one() {
    let at = |line| {
        let trace =
            "t1 once-begin o @r.rs:1:9; t1 lock m; t1 unlock m; t1 once-end o; t2 lock m; t2 once-get o @r.rs:1:9; t2 unlock m";
        let trace = conccheck_trace::text::parse(&format!("{START}{trace}")).expect("a well-formed trace");
        let findings = analyze(&[trace], &Lines(vec![line]), &Config::default()).findings;
        findings.iter().any(|finding| finding.rule.name == "hold-and-wait-cycle")
    };
    assert!(at("let n = TABLE.len();"), "a dereference");
    assert!(at("let x = get_or_init(f);"));
    assert!(!at("let x = get(1);"), "it only looks");
}

#[test]
fn what_was_selected_among_others_is_no_wait_for_it() {
    let selected = |others: &str| {
        found(&format!(
            "main channel c; t1 lock m; t1 unlock m; t1 send c; t2 lock m; t2 selected {others}; t2 recv c; t2 unlock m"
        ))
    };
    assert_eq!(selected(""), ["hold-and-wait-cycle"]);
    assert!(selected("others").is_empty(), "another operation or a limit could have ended the selection");
}

#[test]
fn a_send_under_a_lock_that_the_receiver_takes_between_receives_is_a_cycle_if_the_buffer_can_fill_up() {
    let rounds = |count: usize| {
        let mut text = "main channel c 1\n".to_owned();
        for _ in 0..count {
            text += "t1 lock m; t1 send c; t1 unlock m\nt2 recv c; t2 lock m; t2 unlock m\n";
        }
        text
    };
    assert_eq!(found(&rounds(4)), ["hold-and-wait-cycle"]);
    assert!(found(&rounds(2)).is_empty(), "one in the receiver's hands, one in the buffer");
    assert!(found(&rounds(4).replace("main channel c 1", "main channel c")).is_empty(), "no bound");
    let looks = "t2 recv c; t2 sleep 1ms @p.rs:1; t2 lock m @p.rs:2; t2 unlock m read-only; t2 sleep 1ms @p.rs:1
        t2 lock m @p.rs:2; t2 unlock m read-only";
    let looking = rounds(4).replace("t2 recv c; t2 lock m; t2 unlock m", looks);
    assert_eq!(found(&looking), ["hold-and-wait-cycle"], "to look again and again, asleep between, is no order");
}

#[test]
fn a_notification_before_the_wait_is_lost() {
    assert_eq!(found("t2 notify-all v; t1 lock m; t1 wait v m; t2 end; main end"), ["lost-wakeup"]);
    assert_eq!(found("t1 lock m; t1 wait v m; t2 end; main end"), ["leaked-task"], "nobody ever notified");
    assert!(found("t1 lock m; t1 wait v m; t2 notify-all v; t2 end; main end").is_empty(), "it is waking up");
}

#[test]
fn an_initialiser_that_waits_for_itself_is_a_cycle() {
    let both =
        "t1 once-request a; t1 once-begin a; t2 once-request b; t2 once-begin b; t1 once-request b; t2 once-request a; main end";
    assert_eq!(found(both), ["initialization-cycle"]);
    assert_eq!(found("t1 once-request a; t1 once-begin a; t1 once-request a; t2 end; main end"), ["initialization-cycle"]);
}

#[test]
fn a_guard_of_a_thread_that_ended_is_leaked() {
    assert_eq!(found("t1 lock a; t1 end; main join t1; main end"), ["guard-leak"]);
    assert!(found("t1 lock a; main end").is_empty(), "the thread lives");
    assert!(found("fact format std; t1 lock a; t1 end; main end").is_empty(), "the recording may lack the release");
    let waits = analysis(&format!("{START}t1 lock a; t1 end; t2 request a; main end")).findings;
    assert_eq!(waits.iter().map(|finding| (finding.rule.name, finding.parties.len())).collect::<Vec<_>>(), [("guard-leak", 2)]);
}

#[test]
fn a_lock_held_over_a_sleep_matters_when_others_wait_for_it() {
    let slow = "t1 lock a; t1 sleep 200ms; t2 request a +10ms; t1 unlock a +200ms; t2 lock a; t2 unlock a";
    assert_eq!(found(slow), ["held-across-blocking"]);
    assert!(found(&slow.replace("t2 request a +10ms; ", "")).is_empty());
    let short = "t1 lock a; t1 sleep 20ms; t2 request a +2ms; t1 unlock a +20ms; t2 lock a; t2 unlock a";
    assert!(found(short).is_empty() && advice(short).contains(&"held-across-blocking"), "twenty milliseconds are only advice");
    let twice = format!(
        "{0}; {0}",
        slow.replace("t1 lock a", "t1 lock a @a.rs:1").replace("t1 sleep 200ms", "t1 sleep 200ms @b.rs:LINE")
    );
    let twice = twice.replacen("LINE", "1", 1).replacen("LINE", "2", 1);
    let all = with_advice(&format!("{START}{twice}")).findings;
    let [both] = &all.iter().filter(|finding| finding.rule.name == "held-across-blocking").collect::<Vec<_>>()[..] else {
        panic!("{all:?}")
    };
    assert!(both.evidence.iter().any(|text| text.ends_with("b.rs:2")), "{:?}", both.evidence);
    let own = "t1 lock m; t1 wait v m; t2 lock m +200ms; t2 unlock m; t2 notify v; t1 wake v; t1 unlock m";
    assert!(advice(own).is_empty(), "a wait releases the lock");
}

#[test]
fn what_a_hold_waits_for_counts_together() {
    let naps = |third: &str| {
        format!(
            "t1 lock a; t1 sleep 60ms @n.rs:1; t2 request a +10ms; t1 sleep 60ms @n.rs:1 +60ms; t1 sleep {third} @n.rs:2 +60ms
             t1 unlock a +60ms; t2 lock a; t2 unlock a"
        )
    };
    assert_eq!(found(&naps("60ms")), ["held-across-blocking"]);
    let all = with_advice(&format!("{START}{}", naps("1us"))).findings;
    let shown = all.iter().find(|finding| finding.rule.name == "held-across-blocking").map(|found| &found.parties[0].steps[1]);
    assert_eq!(shown.and_then(|step| step.site.as_ref()).map(|site| site.line), Some(1), "the longest is shown: {all:?}");
    let late = "t1 lock a; t1 sleep 60ms; t1 sleep 60ms +60ms; t2 request a +50ms; t1 unlock a +10ms; t2 lock a; t2 unlock a";
    assert!(found(late).is_empty(), "most was before the wait");
    let turn = "t1 lock a; t1 sleep 60ms; t1 unlock a +60ms; ";
    let two = format!("t1 lock a; t2 request a; t1 unlock a; {turn}{turn}t2 lock a; t2 unlock a");
    assert!(found(&two).is_empty(), "each hold by itself is short");
    let work = "t1 lock a; t1 sleep 5ms; t2 request a +1ms; t1 unlock a +200ms; t2 lock a; t2 unlock a";
    assert!(found(work).is_empty(), "what follows the sleep is work");
}

#[test]
fn a_lock_by_which_tests_run_one_after_another_may_be_held_over_all() {
    let tests = "object gate mutex @a.rs:1 ()\nm::a lock gate; m::a sleep 200ms; m::b request gate +10ms; m::a unlock gate +200ms
        m::b lock gate; m::b unlock gate";
    assert!(with_advice(tests).findings.is_empty(), "{:?}", with_advice(tests).findings);
    let rules = |trace: &str| with_advice(trace).findings.iter().map(|finding| finding.rule.name).collect::<Vec<_>>();
    let both = ["held-across-blocking", "long-critical-section"];
    assert_eq!(rules(&tests.replace("()", "u8")), both, "it guards something");
    let started = tests.replace("m::a lock gate", "main spawn t1; t1 lock gate").replace("m::a", "t1") + "; t1 end; main join t1";
    assert_eq!(rules(&started), both, "not only tests take it");
}

#[test]
fn long_sections_are_reported_with_their_place() {
    let found = with_advice(&format!(
        "{START}t1 lock a @slow.rs:7; t1 unlock a +50ms; t2 lock a @quick.rs:1; t2 unlock a; t1 end; t2 end"
    ));
    let [finding] = &found.findings[..] else { panic!("{:?}", found.findings) };
    assert_eq!((finding.rule.name, finding.severity), ("long-critical-section", Severity::Medium));
    assert_eq!(finding.parties[0].steps[0].site.as_ref().map(|site| site.line), Some(7));
    assert!(finding.message.contains("50 ms"), "{}", finding.message);
    let panicked = with_advice(&format!("{START}t1 lock a; t1 unlock a panicking +50ms; t1 end; t2 end"));
    assert!(panicked.findings.is_empty(), "it took long to panic");
    let short = "t1 lock a @x.rs:7; t1 unlock a\n".repeat(200);
    let among = |long: &str| {
        let text = format!("{START}{short}t1 lock a @x.rs:7; {long}; t1 end; t2 end");
        with_advice(&text).findings.iter().any(|finding| finding.rule.name == "long-critical-section")
    };
    assert!(!among("t1 unlock a +50ms"), "its thread was not scheduled");
    assert!(among("t1 unlock a +500ms") && among("t1 sleep 20ms; t1 unlock a +20ms"));
    let wait = "main channel c; t1 lock a; t1 request-recv c; main send c +50ms; t1 recv c; t1 unlock a";
    let shared = format!("object a mutex std::sync::mpsc::Receiver<u8>\n{START}{wait}");
    let rules = |trace: &str| with_advice(trace).findings.iter().map(|finding| finding.rule.name).collect::<Vec<_>>();
    assert!(!rules(&shared).contains(&"long-critical-section"), "workers that share a receiver");
    assert!(rules(&format!("{START}{wait}")).contains(&"long-critical-section"));
}

#[test]
fn poison_matters_when_somebody_goes_down_with_it() {
    let panic = "t1 lock a; t1 unlock a panicking; t1 end panicked; main join t1\n";
    let met = "t2 lock a @x.rs:1; t2 poison-seen a @x.rs:1; ";
    assert_eq!(found(&format!("{panic}{met}t2 unlock a panicking; t2 end panicked; main join t2")), ["poisoned-lock"]);
    assert!(found(&format!("{panic}{met}t2 unlock a; t2 end; main join t2")).is_empty(), "recovered");
    assert!(found(&format!("{panic}{met}t2 poison-cleared a; t2 unlock a; t2 end; main join t2")).is_empty(), "cleared");
    assert!(found(panic).is_empty(), "nobody met it");
}

#[test]
fn panics_count_as_observed_when_the_result_is_taken() {
    assert_eq!(found("t1 end panicked; main detach t1"), ["unobserved-panic"]);
    assert!(found("t1 end panicked; main join t1").is_empty());
    assert_eq!(found("t1 end panicked; main join t1 untaken"), ["unobserved-panic"]);
}

#[test]
fn channels_closed_from_the_wrong_side() {
    let fails = "main channel c; t1 drop-receiver c; ".to_owned() + &"t2 send-fail c closed; ".repeat(3);
    assert_eq!(found(&fails), ["send-after-close"]);
    assert!(found("main channel c; t1 drop-receiver c; t2 send-fail c closed; t2 end").is_empty(), "it stopped");
    assert_eq!(
        found("main channel c; t1 drop-receiver c; t2 send-fail c closed; t2 end panicked; main join t2"),
        ["send-after-close"]
    );
    assert_eq!(advice("main channel c; t2 send c; t2 send c; t1 recv c; t1 drop-receiver c"), ["dropped-messages"]);
    assert!(advice("main channel c; t2 send c; t1 recv c; t1 drop-receiver c").is_empty());
    let lost = |sent: &str| {
        let found = with_advice(&format!("{START}main channel c; {sent}t1 drop-receiver c")).findings;
        found.into_iter().find(|finding| finding.rule.name == "dropped-messages").expect("it is found").message
    };
    assert!(lost("t2 send c; ").starts_with("a message in"), "{}", lost("t2 send c; "));
    assert!(lost("t2 send c; t2 send c; ").starts_with("2 messages in"), "{}", lost("t2 send c; t2 send c; "));
}

#[test]
fn buffers_of_the_wrong_size() {
    let full = "main channel c 1\n".to_owned() + &"t1 request-send c; t1 send c; t2 recv c\n".repeat(20);
    assert_eq!(advice(&full), ["undersized-buffer"]);
    assert!(advice(&full.replace("t1 request-send c; ", "")).is_empty());
    let roomy = "main channel c 1000\n".to_owned() + &"t1 send c; t2 recv c\n".repeat(150);
    assert_eq!(advice(&roomy), ["oversized-buffer"]);
    let backlog = "main channel c\n".to_owned() + &"t1 send c\n".repeat(1500);
    assert_eq!(advice(&backlog), ["unbounded-backlog"]);
    let help = |text: &str| {
        with_advice(&format!("{START}{text}"))
            .findings
            .into_iter()
            .find(|finding| finding.rule.name == "unbounded-backlog")
            .expect("it is found")
            .help
    };
    assert!(help(&backlog).starts_with("receive from"), "{}", help(&backlog));
    let slow = format!("{backlog}t2 recv c; t1 send c");
    assert!(help(&slow).starts_with("give"), "{}", help(&slow));
    assert!(advice(&(backlog + &"t1 send c; t2 recv c; t2 recv c\n".repeat(1450))).is_empty(), "it was drained again");
    let polls = "main channel c\n".to_owned()
        + &"t1 request-recv c timed; t1 recv-fail c @poll.rs:1\n".repeat(12).replace("timed;", "timed @poll.rs:1;");
    assert_eq!(advice(&polls), ["timeout-fallback"]);
    let locks = "t1 lock a; ".to_owned() + &"t2 request a timed @poll.rs:1; t2 time-out a @poll.rs:1\n".repeat(12);
    assert_eq!(advice(&locks), ["timeout-fallback"]);
    assert!(advice(&locks.replace("; t2 time-out a @poll.rs:1", "")).is_empty(), "they got it");
    let select = "main channel c; main channel d\n".to_owned()
        + &"t1 case-recv c; t1 case-recv d; t1 request-select timed @s.rs:1; t1 selected others @s.rs:1; \
            t1 recv-fail c @s.rs:1; t1 recv-fail d @s.rs:1\n"
            .repeat(12);
    assert_eq!(advice(&select), ["timeout-fallback"], "one for all that it selects from");
    let message = &with_advice(&select).findings[0].message;
    assert!(message.starts_with("12 of 12 waits on `channel<c>") && message.contains("channel<d>"), "{message}");
    let timer = select.replace("; t1 recv-fail c @s.rs:1; t1 recv-fail d @s.rs:1", "");
    assert!(advice(&timer).is_empty(), "a timer ended it, as it was meant to");
}

#[test]
fn threads_cut_off_by_the_end_of_the_program_are_advice() {
    let names = |text: &str| with_advice(text).findings.iter().map(|finding| finding.rule.name).collect::<Vec<_>>();
    assert_eq!(names("main spawn t1; t1 sleep 1s; main end"), ["unjoined-task"]);
    assert!(names("main spawn t1; t1 end; main join t1; main end").is_empty());
    assert!(names("main spawn t1; t1 sleep 1s @s:1; t1 sleep 1s @s:1; t1 sleep 1s @s:1; main end").is_empty(), "a service");
}

#[test]
fn a_worker_that_starts_its_successor_as_it_panics_is_observed() {
    let pool = "main spawn w1 @pool.rs:1; main detach w1; w1 lock a; w1 unlock a";
    let rules = |text: &str| super::rules(text).into_iter().filter(|rule| *rule == "unobserved-panic").count();
    assert_eq!(rules(&format!("{pool}; w1 end panicked")), 1);
    let mends = "w1 spawn w2 @pool.rs:1; w1 detach w2; w1 end panicked; w2 end";
    assert_eq!(rules(&format!("{pool}; {mends}")), 0);
    assert_eq!(
        rules(&format!("{pool}; {}", mends.replace("pool.rs:1", "other.rs:9"))),
        1,
        "a child of another kind is no successor"
    );
}
