//! Threads left behind.

use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{Event, Record, SiteDef};

use super::{Lines, analysis, rules, with_advice};
use crate::{Confidence, Config, NoSources, Severity, Sources, analyze};

#[test]
fn a_receiver_whose_sender_nobody_uses_any_more_is_left_behind() {
    assert_eq!(rules("main channel c; main spawn t1; t1 request-recv c; main end"), ["leaked-task"]);
}

#[test]
fn whose_sender_may_lie_in_a_static_is_told_how_to_say_so() {
    let says = |trace: &str| analysis(trace).findings[0].evidence.iter().any(|text| text.contains("`t1` in `ignore-tasks`"));
    assert!(says("main channel c; main spawn t1; main send c; t1 recv c; t1 request-recv c; main end"));
    assert!(!says("main channel c; main spawn t1; t1 request-recv c; main end"), "it was never used: a thread may hold it");
}

#[test]
fn a_receiver_is_not_left_behind_while_a_sender_lives_or_once_all_are_dropped() {
    assert!(rules("main channel c; main spawn t1; t1 request-recv c; main drop-sender c; main end").is_empty());
    assert!(rules("main channel c; main spawn t1; t1 request-recv c; main send c; main end").is_empty());
    let beats = "main channel c; main spawn t2; main spawn t1; t2 send c; t1 recv c; t1 request-recv c; t2 sleep 1s; main end";
    assert!(rules(beats).is_empty());
}

#[test]
fn a_receiver_whose_sender_is_nowhere_to_be_seen_while_others_run_is_left_behind_perhaps() {
    let found = |trace: &str| {
        let findings = with_advice(trace).findings.into_iter().filter(|finding| finding.rule.name == "leaked-task");
        findings.map(|finding| (finding.confidence, finding.severity)).collect::<Vec<_>>()
    };
    let beside = "main spawn t1; main spawn t2; main channel c; main send c; t1 recv c; t1 request-recv c; t2 sleep 1s; main end";
    assert_eq!(found(beside), [(Confidence::Possible, Severity::Medium)]);
    assert_eq!(found(&beside.replace("t2 sleep 1s", "t2 end")), [(Confidence::Manifest, Severity::High)]);
    assert_eq!(
        found(&beside.replace("main end", "main lock m; main unlock m; t2 lock m; t2 unlock m; t2 sleep 1s; main end")),
        []
    );
}

#[test]
fn a_request_under_way_is_not_left_behind_while_who_got_it_runs() {
    let found = |way: &str, server: &str| {
        rules(&format!(
            "main channel q; main spawn t1; main spawn t2; t1 channel c; {way}; t1 request-recv c; t2 {server}; main end"
        ))
    };
    let message = "t1 send q; t2 recv q";
    assert!(found(message, "sleep 1s").is_empty());
    assert_eq!(found(message, "end"), ["leaked-task"]);
    let later = with_advice(
        "main channel q; main spawn t2; main spawn t1; t1 channel c; t1 send q; t1 request-recv c; t2 sleep 1s; main end",
    );
    assert!(later.findings.iter().all(|finding| finding.rule.name != "leaked-task"), "it may take the request later");
    assert!(found("t1 lock m; t1 unlock m; t2 lock m; t2 unlock m", "sleep 1s").is_empty(), "by way of a list");
    assert!(found("t1 lock m; t1 unlock m", "sleep 1s").is_empty(), "it may look there later");
    assert_eq!(found("t1 lock m; t1 unlock m read-only; t2 lock m; t2 unlock m", "sleep 1s"), ["leaked-task"], "it only looked");
    let forwarded = "main spawn t3; main channel r; t1 send q; t2 recv q; t2 send r; t3 recv r; t3 sleep 1s";
    assert!(found(forwarded, "end").is_empty(), "at second hand");
}

#[test]
fn who_waits_for_an_answer_is_told_what_became_of_the_request() {
    let found = |rest: &str| {
        let found = analysis(&format!(
            "main channel q; main spawn t1; main spawn t2; t1 channel c; t1 send q; t1 request-recv c; {rest}; main end"
        ));
        let finding = found.findings.into_iter().find(|finding| finding.parties[0].thread == "t1").expect("t1 is left behind");
        assert!(finding.message.contains("an answer from") && finding.help.contains("use or drop it"), "{finding:?}");
        finding.evidence.into_iter().find(|text| text.contains("since, perhaps with it")).expect("what became of it")
    };
    assert!(found("t2 recv q; t2 lock m; t2 wait v m").ends_with("thread `t2` took it and is blocked itself"));
    assert!(found("main send q; t2 recv q; t2 lock m; t2 wait v m").ends_with("it was not taken: thread `t2` is blocked itself"));
    assert!(found("t2 recv q; t2 end").ends_with("thread `t2` took it and has ended"));
}

#[test]
fn who_only_waits_for_a_leaked_thread_is_named_in_its_finding() {
    let found =
        analysis("main spawn t2; main channel c; main spawn t1; t1 request-recv c; t2 request-join t1; main end").findings;
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert!(finding.evidence.iter().any(|text| text.contains("`t2` is stuck behind")), "{:?}", finding.evidence);
}

#[test]
fn waits_that_end_by_themselves_and_threads_that_run_are_not_leaks() {
    for event in ["request-recv c timed", "sleep 1s", "park timed", "recv-fail c"] {
        assert!(rules(&format!("main channel c; main spawn t1; t1 {event}; main end")).is_empty(), "{event}");
    }
}

#[test]
fn tokens_that_were_given_before_a_park_are_one() {
    let parks = "main spawn t1; t1 lock m; main unpark t1; main unpark t1; t1 park; t1 unparked";
    assert_eq!(rules(&format!("{parks}; t1 park; main request m")), ["deadlock"], "main could unpark it, but waits for its lock");
    assert!(rules(&format!("{parks}; main unpark t1; t1 park; main request m")).is_empty(), "it has one more");
    assert!(rules(&format!("{parks}; t1 park; main end")).is_empty(), "main may have passed its handle on");
}

#[test]
fn a_thread_that_ran_on_silently_is_not_said_to_have_worked() {
    let evidence = |gap: &str| {
        let found = with_advice(&format!("main spawn t1; t1 lock a; t1 unlock a; main sleep {gap}; main end +{gap}")).findings;
        let unjoined = found.into_iter().find(|finding| finding.rule.name == "unjoined-task").expect("it is found");
        assert!(unjoined.message.contains("had not ended"), "{}", unjoined.message);
        unjoined.evidence.iter().any(|text| text.contains("a call that is not recorded"))
    };
    assert!(evidence("200ms"));
    assert!(!evidence("1ms"));
}

#[test]
fn a_parked_thread_that_was_unparked_before_is_idle() {
    assert!(rules("main spawn t1; t1 park; main unpark t1; t1 unparked; t1 park; main end").is_empty());
    assert_eq!(rules("main spawn t1; t1 park; main end"), ["leaked-task"]);
}

#[test]
fn the_threads_of_a_pool_that_an_initialiser_started_are_idle() {
    let pool = "main once-begin o; main spawn t1; t1 lock a; t1 wait cv a";
    assert!(rules(&format!("{pool}; main once-end o; main end")).is_empty());
    assert_eq!(rules("main spawn t1; t1 lock a; t1 wait cv a; main end"), ["leaked-task"]);
    assert!(!rules(&format!("{pool}; main request-join t1; process killed")).is_empty(), "the initialiser itself waits for it");
}

#[test]
fn who_ends_the_process_with_a_lock_held_did_not_forget_its_guard() {
    let nothing: [&str; 0] = [];
    for thread in ["main", "m::a"] {
        let held = format!("{thread} lock a; THEN; {thread} EXIT");
        let found = |then: &str, exit: &str| rules(&held.replace("THEN", then).replace("EXIT", exit));
        assert_eq!(found("main spawn t2", "yield"), ["guard-leak"], "{thread}");
        assert_eq!(found("main spawn t2", "exit"), nothing, "{thread}");
        assert_eq!(found("main spawn t2; t2 request a", "yield"), ["guard-leak"], "{thread}");
        assert_eq!(found("main spawn t2; t2 request a", "exit"), nothing, "{thread}");
    }
    assert_eq!(rules("main spawn t1; t1 lock a; t1 end; main join t1; main exit"), ["guard-leak"], "another's");
    assert_eq!(
        rules("main channel c; main spawn t1; t1 request-recv c; main exit"),
        ["leaked-task"],
        "it is over for others as before"
    );
}

#[test]
fn the_threads_of_a_pool_that_was_given_to_a_static_are_idle() {
    let found = |threads: &str, line: &'static str, value: &str| {
        let set = "main once-begin o @p.rs:2:1; main once-end o";
        let threads = if threads.contains("SET") { threads.replace("SET", set) } else { format!("{threads}; {set}") };
        let trace = format!("object o once @p.rs:1 {value}; {threads}; main end");
        let lines = Lines(vec!["static POOL: OnceLock<Pool> = OnceLock::new();", line]);
        let trace = conccheck_trace::text::parse(&trace).expect("a well-formed trace");
        let found = analyze(&[trace], &lines, &Config::default()).findings;
        found.iter().filter(|finding| finding.severity >= Severity::High).map(|finding| finding.rule.name).collect::<Vec<_>>()
    };
    let waits = "main spawn t1; t1 lock a; t1 wait cv a";
    let receives = "main channel c @p.rs:9; main spawn t1; t1 request-recv c";
    let at_second_hand = "main spawn t2; t2 channel c @p.rs:9; t2 spawn t1; t1 park; t2 spawn t3; t3 request-recv c; t2 end";
    for threads in [waits, receives, at_second_hand] {
        assert!(found(threads, "set(Pool::new());", "my::Pool").is_empty(), "{threads}");
        let leaked = vec!["leaked-task"; threads.matches("spawn t1").count() + threads.matches("spawn t3").count()];
        assert_eq!(found(threads, "set(7);", "u32"), leaked, "a number holds nothing: {threads}");
        assert_eq!(found(threads, "deref();", "my::Pool"), leaked, "what it makes itself was not made before: {threads}");
    }
    assert_eq!(found(&format!("SET; {waits}"), "set(Pool::new());", "my::Pool"), ["leaked-task"], "it started after that");
    let awaited = waits.replace("main spawn t1;", "main spawn t1; main spawn t2; t2 request-join t1;");
    assert_eq!(found(&awaited, "set(Pool::new());", "my::Pool"), ["leaked-task"], "its end is waited for");
}

#[test]
fn a_worker_whom_several_tests_sent_work_lies_in_a_static() {
    let one = "m::a channel c @p.rs:1; m::a spawn t1 @p.rs:2; m::a send c; t1 recv c @p.rs:3; t1 request-recv c @p.rs:3";
    assert_eq!(rules(one), ["leaked-task"]);
    let two = one.replace("t1 request", "m::b send c; t1 recv c @p.rs:3; t1 request");
    assert!(rules(&two).is_empty());
    assert!(
        rules(&format!("{two}; {}", one.replace("c ", "d ").replace("c;", "d;").replace("t1", "t2"))).is_empty(),
        "all of the pool"
    );
}

#[test]
fn workers_that_sent_each_other_work_and_have_none_are_no_deadlock() {
    let pair = "main spawn t1 @p.rs:2; main spawn t2 @p.rs:2; main channel c; main channel d; main send c; t1 recv c @p.rs:3
        t1 send d @p.rs:4; t2 recv d @p.rs:3; t2 send c @p.rs:4; t1 recv c @p.rs:3; t1 request-recv c @p.rs:3; t2 request-recv d @p.rs:3";
    assert_eq!(rules(&format!("{pair}; main end")), ["leaked-task"]);
    assert_eq!(rules(&format!("{pair}; main request-join t1; process killed")), ["deadlock"], "main waits for them");
    assert_eq!(
        rules(&format!("{pair}; main end").replace("request-recv d @p.rs:3", "request-recv d @p.rs:9")),
        ["deadlock"],
        "elsewhere"
    );
}

#[test]
fn a_barrier_that_is_one_short_leaves_all_behind_in_one_finding() {
    let found = analysis(
        "main spawn t1 @m.rs:1; main spawn t2 @m.rs:1; t1 barrier-wait b 3 @m.rs:2; t2 barrier-wait b 3 @m.rs:2; main end",
    )
    .findings;
    assert_eq!((found.len(), found[0].rule.name, found[0].occurrences), (1, "leaked-task", 2));
}

#[test]
fn a_program_that_was_killed_left_nobody_behind_who_main_could_have_woken() {
    assert!(rules("main channel c; main spawn t1; t1 request-recv c; main sleep 1s; process killed").is_empty());
}

#[test]
fn a_wait_for_a_group_of_which_a_member_was_forgotten_says_who_cloned_it_where() {
    let found = analysis(
        "object done wait-group @m.rs:1; main channel done; main spawn t1; main clone-sender done two @m.rs:3; \
         t1 drop-sender done; t1 request-recv done; main end",
    )
    .findings;
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert!(finding.message.contains("waits for `WaitGroup") && finding.message.contains("member"), "{}", finding.message);
    let [waits, clones] = &finding.parties[..] else { panic!("{:?}", finding.parties) };
    assert!(waits.steps.last().is_some_and(|step| step.text.contains("waits for the members of")), "{:?}", waits.steps);
    assert_eq!((&*clones.thread, clones.steps[0].site.as_ref().map(|site| site.line)), ("main", Some(3)));
    assert!(finding.evidence.iter().any(|text| text.contains("one member was never dropped")), "{:?}", finding.evidence);
}

#[test]
fn a_selection_is_left_behind_when_none_of_its_operations_can_go_on() {
    let stuck = "main channel a; main channel b 0; main spawn t1; t1 case-recv a; t1 case-send b; t1 request-select; main end";
    let found = analysis(stuck).findings;
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!(finding.rule.name, "leaked-task");
    assert!(finding.message.contains("it selects from `channel<a>"), "{}", finding.message);
    assert_eq!(finding.evidence.iter().filter(|text| text.contains("never dropped")).count(), 2, "{:?}", finding.evidence);
    assert_eq!(rules("main channel a; main spawn t1; t1 case-recv a; t1 request-select; main end"), ["leaked-task"]);
    assert_eq!(rules("main spawn t1; t1 request-select; main end"), ["leaked-task"], "from what never comes");
}

#[test]
fn a_selection_goes_on_by_any_of_its_operations_or_its_limit() {
    let select = |before: &str, timed: &str, after: &str| {
        rules(&format!(
            "main channel a; main channel b 0; main spawn t2; main spawn t1; {before}; \
             t1 case-recv a; t1 case-send b; t1 request-select {timed}; {after}; main end"
        ))
    };
    let nothing: [&str; 0] = [];
    assert_eq!(select("main sleep 1s", "timed", "t2 end"), nothing);
    assert_eq!(select("main send a", "", "t2 end"), nothing, "there is a message");
    assert_eq!(select("main drop-sender a", "", "t2 end"), nothing, "one channel is closed");
    assert_eq!(select("t2 send a; t1 recv a", "", "t2 sleep 1s"), nothing, "a sender lives");
    assert_eq!(select("main sleep 1s", "", "t2 case-recv b; t2 case-recv a; t2 request-select"), nothing, "they meet");
}

#[test]
fn a_selection_of_which_cases_are_missing_is_not_judged() {
    let all = "main channel a; main channel b; main spawn t1; t1 case-recv a; t1 case-recv b; t1 request-select; main end";
    assert_eq!(rules(all), ["leaked-task"]);
    let trace = conccheck_trace::text::parse(all).expect("a well-formed trace");
    let is_kept = |record: &Record| !matches!(record.event, Event::SelectCase { .. });
    let kept = trace.threads().into_iter().map(|thread| (thread, trace.events(thread).filter(is_kept).collect())).collect();
    let cut = ProcessTrace::from_records(trace.path.clone(), trace.header.clone(), trace.tables.clone(), kept);
    assert_eq!(analyze(&[cut], &NoSources, &Config::default()).findings.len(), 0);
}

#[test]
fn a_selection_under_a_lock_that_all_others_need_is_a_deadlock() {
    let select = |third: &str| {
        rules(&format!(
            "main channel a 0; main channel b 0; main spawn t1; main spawn t2; main spawn t3; t1 lock m; \
             t1 case-send a; t1 case-recv b; t1 request-select; t2 request m; t3 {third}; main end"
        ))
    };
    assert_eq!(select("request m"), ["deadlock"]);
    assert_eq!(select("sleep 1s"), [""; 0]);
}

#[test]
fn workers_that_wait_for_their_turn_to_receive_are_behind_the_one_that_receives() {
    let worker = |t: &str, last: &str| format!("main spawn {t} @m.rs:1; {last}\n");
    let pool = "main channel c\n".to_owned()
        + &worker("t1", "t1 lock m @m.rs:2; t1 request-recv c")
        + &worker("t2", "t2 request m @m.rs:2");
    let found = analysis(&format!("{pool}main send c; t1 recv c; t1 request-recv c; main end")).findings;
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!(finding.rule.name, "leaked-task");
    assert!(finding.evidence.iter().any(|text| text.contains("`t2` is stuck behind")), "{:?}", finding.evidence);
}

#[test]
fn a_value_that_nobody_sets_is_waited_for_in_vain() {
    let waits = "main spawn t1; t1 once-request o";
    assert_eq!(rules(&format!("{waits}; main end")), ["leaked-task"]);
    assert!(rules(&format!("{waits}; main once-begin o; main once-end o; main end")).is_empty());
    assert!(rules(&format!("{waits}; main spawn t2; t2 yield; main end")).is_empty(), "somebody may set it yet");
}

#[test]
fn tasks_that_the_user_ignores_are_no_leaks() {
    let found = |trace: &str, ignored: &[&str]| {
        let ignored_tasks = ignored.iter().map(|text| text.parse().expect("a pattern")).collect();
        let trace = conccheck_trace::text::parse(trace).expect("a well-formed trace");
        let findings = analyze(&[trace], &NoSources, &Config { ignored_tasks, ..Config::default() }).findings;
        findings.iter().map(|finding| finding.rule.name).collect::<Vec<_>>()
    };
    let leak = "main channel c; main spawn log-1 @app.rs:3; log-1 request-recv c @src/pool.rs:7; main end";
    assert_eq!(found(leak, &["name=log", "site=ol.rs", "site=pool.rs:8", "creator=app.rs:5"]), ["leaked-task"]);
    for ignored in ["name=log-*", "site=pool.rs", "site=src/pool.rs:7", "creator=app.rs:3"] {
        assert!(found(leak, &["name=x", ignored]).is_empty(), "{ignored}");
    }
    let cut_off = "main spawn t2 @app.rs:4; t2 sleep 1s; main end";
    assert_eq!(found(cut_off, &[]), ["unjoined-task"]);
    assert!(found(cut_off, &["creator=app.rs"]).is_empty());
}

#[test]
fn a_selection_under_the_lock_of_its_own_receivers_holds_nobody_up() {
    let waits = "main channel c; main channel d; main spawn t1; main spawn t2; t1 lock a; t1 case-recv c; t1 case-recv d; \
        t1 request-select; t2 request a; main send c +50ms; t1 selected others; t1 recv c; t1 unlock a; t2 lock a; t2 unlock a; \
        t1 end; t2 end; main join t1; main join t2; main end";
    let held = |before: &str| {
        let findings = super::with_advice(&format!("{before}{waits}")).findings;
        findings.iter().any(|finding| finding.rule.name == "held-across-blocking")
    };
    assert!(held(""));
    assert!(!held("object a mutex Vec<crossbeam_channel::Receiver<u8>>\n"));
}

#[test]
fn what_a_derived_default_made_in_one_place_is_called_as_it_is_used_each_by_its_kind() {
    struct Lines;
    impl Sources for Lines {
        fn line(&self, site: &SiteDef) -> Option<String> {
            let lines = ["#[derive(Default)]", "    let g = self.state.lock();", "    g = self.ready.wait(g);"];
            lines.get(site.line as usize - 1).map(|line| (*line).to_owned())
        }
    }
    let text = "object m mutex @p.rs:1:10 (); object v condvar @p.rs:1:10 (); main spawn t1; \
                t1 lock m @p.rs:2:24; t1 wait v m @p.rs:3:20; main end";
    let trace = conccheck_trace::text::parse(text).expect("a well-formed trace");
    let findings = analyze(&[trace], &Lines, &Config::default()).findings;
    assert!(findings[0].message.ends_with("it waits for a notification of `ready` that nobody can give"), "{findings:?}");
}
