//! Prediction on traces in words.

use conccheck_trace::{Mode, text};
use rustc_hash::FxHashSet;

use super::{
    Builder, Checker, Cut, Flaw, Goal, How, Index, Limits, Op, Prover, Reading, Recorded, Trace, Verdict, Witness, predict,
};

fn recorded(words: &str, reading: Reading) -> Recorded {
    Recorded::of(&text::parse(words).expect("the trace is well formed"), reading)
}

/// How many deadlocks are proven, and how many patterns there are.
fn deadlocks(words: &str, reading: Reading) -> (usize, usize) {
    let prediction = predict(&recorded(words, reading).trace, &Limits::default());
    assert_eq!(prediction.cut, Cut::default());
    (prediction.deadlocks.len(), prediction.patterns.len())
}

/// Two threads that lock `a` and `b` in both orders, one after the other. `first` and `second` say what is written.
fn inversion(first: &str, second: &str) -> String {
    format!(
        "main spawn t1; main spawn t2
         t1 lock a; t1 lock b; t1 unlock b {first}; t1 unlock a {first}
         t2 lock b; t2 lock a; t2 unlock a {second}; t2 unlock b {second}"
    )
}

#[test]
fn an_inversion_is_proven_where_no_section_sees_what_another_wrote() {
    assert_eq!(deadlocks(&inversion("read-only", "read-only"), Reading::FromTheStart), (1, 1));
    assert_eq!(deadlocks(&inversion("read-only", ""), Reading::FromTheStart), (1, 1));
}

#[test]
fn the_beginning_of_a_run_is_a_run_as_well() {
    let later = "\nt1 lock c; t1 lock b; t1 unlock b; t1 unlock c; t2 lock b; t2 lock c; t2 unlock c; t2 unlock b".repeat(8);
    let trace = text::parse(&(inversion("read-only", "read-only") + &later)).expect("the trace is well formed");
    let patterns = |most: u32| {
        let run = Recorded::with_locks(&trace, Reading::FromTheStart, most, |_| true);
        let prediction = predict(&run.trace, &Limits::default());
        (run.is_cut, prediction.deadlocks.len(), prediction.patterns.len())
    };
    assert_eq!(patterns(u32::MAX), (false, 1, 2), "what the later sections wrote keeps them apart");
    assert_eq!(patterns(14), (true, 1, 1));
    assert_eq!(patterns(8), (true, 0, 0), "the second thread is not there yet");
}

#[test]
fn what_a_section_saw_may_have_decided_what_it_locks() {
    let written = inversion("", "read-only");
    assert_eq!(deadlocks(&written, Reading::FromTheStart), (0, 1));
    assert_eq!(deadlocks(&written, Reading::AtTheEnd), (1, 1));
}

#[test]
fn a_message_between_the_sections_rules_a_deadlock_out() {
    let ordered = "main channel c; main spawn t1; main spawn t2
         t1 lock a; t1 lock b; t1 unlock b read-only; t1 unlock a read-only; t1 send c
         t2 recv c; t2 lock b; t2 lock a; t2 unlock a read-only; t2 unlock b read-only";
    assert_eq!(deadlocks(ordered, Reading::FromTheStart), (0, 1));
    let before = "main channel c; main spawn t1; main spawn t2
         t1 send c; t1 lock a; t1 lock b; t1 unlock b read-only; t1 unlock a read-only
         t2 recv c; t2 lock b; t2 lock a; t2 unlock a read-only; t2 unlock b read-only";
    assert_eq!(deadlocks(before, Reading::FromTheStart), (1, 1));
}

#[test]
fn room_in_a_bounded_channel_orders_threads() {
    let words = |capacity: &str| {
        format!(
            "main channel c {capacity}; main spawn t1; main spawn t2
             t1 send c
             t2 lock b; t2 lock a; t2 unlock a read-only; t2 unlock b read-only; t2 recv c
             t1 send c; t1 lock a; t1 lock b; t1 unlock b read-only; t1 unlock a read-only"
        )
    };
    assert_eq!(deadlocks(&words("1"), Reading::FromTheStart), (0, 1));
    assert_eq!(deadlocks(&words("2"), Reading::FromTheStart), (1, 1));
    assert_eq!(deadlocks(&words(""), Reading::FromTheStart), (1, 1));
}

#[test]
fn a_barrier_a_notification_a_token_and_an_initialisation_order_threads() {
    let between = [
        ("barrier-wait b0 2", "barrier-wait b0 2; t2 barrier-pass b0; t1 barrier-pass b0"),
        ("unpark t2", "park; t2 unparked"),
        ("once-begin o; t1 once-end o", "once-get o"),
    ];
    for (t1, t2) in between {
        let words = |early: &str, late: &str| {
            format!(
                "main spawn t1; main spawn t2
                 {early}
                 t1 lock a; t1 lock b; t1 unlock b read-only; t1 unlock a read-only; {late}
                 t2 lock b; t2 lock a; t2 unlock a read-only; t2 unlock b read-only"
            )
        };
        let signal = format!("t1 {t1}; t2 {t2}");
        assert_eq!(deadlocks(&words("", &signal), Reading::FromTheStart), (0, 1), "{signal}");
        assert_eq!(deadlocks(&words(&signal, ""), Reading::FromTheStart), (1, 1), "{signal}");
    }
    let waited = "main spawn t1; main spawn t2
         t2 lock m; t2 wait cv m
         t1 lock a; t1 lock b; t1 unlock b read-only; t1 unlock a read-only; t1 notify cv
         t2 wake cv; t2 unlock m read-only
         t2 lock b; t2 lock a; t2 unlock a read-only; t2 unlock b read-only";
    assert_eq!(deadlocks(waited, Reading::FromTheStart), (0, 1));
}

#[test]
fn a_failed_try_needs_a_holder() {
    // t2 goes this way only since t1 held `g`: t1's section around its inversion and t2's cannot be apart.
    let words = "main spawn t1; main spawn t2
         t1 lock g; t2 try-fail g
         t1 lock a; t1 lock b; t1 unlock b read-only; t1 unlock a read-only; t1 unlock g read-only
         t2 lock b; t2 lock a; t2 unlock a read-only; t2 unlock b read-only";
    let run = recorded(words, Reading::FromTheStart);
    let prediction = predict(&run.trace, &Limits::default());
    assert_eq!(prediction.deadlocks.len(), 1);
    let taken = run.trace.events.iter().position(|event| matches!(event.op, Op::Acquire { .. })).unwrap() as u32;
    assert!(prediction.deadlocks[0].witness.schedule.contains(&taken), "the failed try came after the acquisition that it met");
}

#[test]
fn counted_sections_are_no_proof_of_another_order() {
    let words = "main spawn t1; main spawn t2
         t1 lock a; t1 lock b; t1 unlock b read-only; t1 unlock a read-only; t1 summary b 100 5ms
         t2 lock b; t2 lock a; t2 unlock a read-only; t2 unlock b read-only";
    assert_eq!(deadlocks(words, Reading::FromTheStart), (0, 1));
}

#[test]
fn a_request_that_was_never_met_is_part_of_a_deadlock() {
    let words = "main spawn t1; main spawn t2
         t1 lock a; t2 lock b; t1 request b; t2 request a";
    assert_eq!(deadlocks(words, Reading::FromTheStart), (1, 1));
}

#[test]
fn a_try_does_not_wait_and_a_gate_keeps_threads_apart() {
    let tried = "main spawn t1; main spawn t2
         t1 lock a; t1 try-lock b; t1 unlock b read-only; t1 unlock a read-only
         t2 lock b; t2 lock a; t2 unlock a read-only; t2 unlock b read-only";
    assert_eq!(deadlocks(tried, Reading::FromTheStart), (0, 0));
    let gated = |mode: &str| {
        format!(
            "main spawn t1; main spawn t2
             t1 {mode} g; t1 lock a; t1 lock b; t1 unlock b read-only; t1 unlock a read-only; t1 unlock g read-only
             t2 {mode} g; t2 lock b; t2 lock a; t2 unlock a read-only; t2 unlock b read-only; t2 unlock g read-only"
        )
    };
    assert_eq!(deadlocks(&gated("write"), Reading::FromTheStart), (0, 0));
    assert_eq!(deadlocks(&gated("read"), Reading::FromTheStart), (1, 1));
}

#[test]
fn a_reader_behind_a_queued_writer_is_proven_with_the_writer_named() {
    let words = "main spawn t1; main spawn t2; main spawn t3
         t1 lock a; t1 read r; t1 unlock r; t1 unlock a read-only
         t2 read r; t2 lock a; t2 unlock a read-only; t2 unlock r
         t3 write r; t3 unlock r";
    let run = recorded(words, Reading::FromTheStart);
    let third = |nth: usize| {
        let acquires = run.trace.events.iter().enumerate().filter(|(_, event)| event.op.asks().is_some());
        acquires.map(|(i, _)| i as u32).nth(nth).unwrap()
    };
    let (reader, holder, writer) = (third(1), third(3), third(4));
    let limits = Limits::default();
    let index = Index::new(&run.trace, limits.clock_cells).unwrap();
    let mut prover = Prover::new(&index, &limits);
    assert_eq!(prover.prove(&[reader, holder]), None, "readers do not exclude each other");
    let witness = prover.prove(&[reader, holder, writer]).expect("with a writer between them they do");
    assert_eq!(Checker::new(&run.trace).check(&witness, Goal::Deadlock), Ok(()));
    let origin = run.origin(writer);
    assert_eq!(run.event(origin.0, origin.1), Some(writer));
}

/// How many pairs of a wait and an acquisition a reordering leads into for ever; every request tells a wait, and all threads end.
fn standing_still(words: &str) -> usize {
    let ends = |thread: &&str| words.contains(&format!("spawn {thread}")) && !words.contains(&format!("{thread} end"));
    let ends: String = ["t1", "t2"].into_iter().filter(ends).map(|thread| format!("\n{thread} end")).collect();
    standing(&(words.to_owned() + &ends))
}

fn standing(words: &str) -> usize {
    let trace = text::parse(words).expect("the trace is well formed");
    let run = Recorded::with_waits(&trace, Reading::FromTheStart, u32::MAX, |_| true, FxHashSet::default());
    let limits = Limits::default();
    let index = Index::new(&run.trace, limits.clock_cells).unwrap();
    let mut prover = Prover::new(&index, &limits);
    let events = || 0..run.trace.events.len() as u32;
    let takes = |event: &u32| {
        let op = run.trace.events[*event as usize].op;
        op.asks().is_some() && !op.never_happens()
    };
    let mut count = 0;
    for wait in events().filter(|event| run.waits(*event)) {
        for take in events().filter(takes) {
            if let Some(witness) = prover.prove(&[wait, take]) {
                assert_eq!(Checker::new(&run.trace).check(&witness, Goal::Deadlock), Ok(()));
                count += 1;
            }
        }
    }
    count
}

/// `t1` does `part` behind a section of `m`; later main does `wait` within one. Both may be several records.
fn around(part: &str, wait: &str) -> String {
    format!(
        "main spawn t1; main spawn t2; t1 lock m; t1 unlock m read-only; {part}
         main lock m; {wait}; main unlock m read-only"
    )
}

#[test]
fn a_wait_under_a_lock_that_who_ends_it_takes_first_is_a_deadlock() {
    let cases = [
        ("join", "t1 end", "main request-join t1; main join t1"),
        ("message", "main channel c; t1 send c; t1 drop-sender c", "main request-recv c; main recv c; main drop-receiver c"),
        ("notification", "main lock n; main wait cv n; t1 notify cv", "main wake cv; main unlock n read-only"),
        ("token", "t1 unpark main", "main park; main unparked"),
        ("barrier", "t1 barrier-wait b 2", "main barrier-wait b 2; main barrier-pass b"),
    ];
    for (name, part, wait) in cases {
        let words = if name == "notification" {
            "main spawn t1; t1 lock m; t1 unlock m read-only; main lock m; main lock n; main wait cv n; t1 notify cv
             main wake cv; main unlock n read-only; main unlock m read-only"
                .to_owned()
        } else {
            around(part, wait)
        };
        assert_eq!(standing_still(&words), 1, "{name}");
    }
    let once = |inside: &str| {
        format!(
            "main spawn t1; {inside}
             main lock m; main once-request o; main once-get o; main unlock m read-only"
        )
    };
    assert_eq!(standing_still(&once("t1 once-begin o; t1 lock m; t1 unlock m read-only; t1 once-end o")), 1, "initialiser");
    assert_eq!(standing_still(&once("t1 lock m; t1 unlock m read-only; t1 once-begin o; t1 once-end o")), 0, "main would run it");
    let room = "main channel c 1; main spawn t1; main send c; t1 recv c; t1 lock m; t1 unlock m read-only; t1 recv-fail c
         main lock m; main request-send c; main send c; t1 recv c; main request-send c; main send c; main unlock m read-only
         t1 recv c; t1 drop-receiver c; main drop-sender c";
    assert_eq!(standing_still(room), 0, "t1 takes the lock when the buffer was emptied");
    let full = "main channel c 1; main spawn t1; main send c; t1 lock m; t1 unlock m read-only; t1 recv c
         main lock m; main request-send c; main send c; main unlock m read-only; t1 drop-receiver c; main drop-sender c";
    assert_eq!(standing_still(full), 1, "room");
}

#[test]
fn who_else_could_end_a_wait_is_a_part_of_the_deadlock_or_there_is_none() {
    let two = |other: &str| {
        format!(
            "main channel c; main clone-sender c s2; main spawn t1; main spawn t2
             t1 lock m; t1 unlock m read-only; t1 send c; t1 drop-sender c
             {other}
             main lock m; main request-recv c; main recv c; main unlock m read-only; main drop-receiver c"
        )
    };
    assert_eq!(standing_still(&two("t2 lock m; t2 unlock m read-only; t2 drop-sender c s2")), 2, "both need the lock");
    assert_eq!(standing_still(&two("t2 drop-sender c s2")), 1, "it is gone by then");
    assert_eq!(standing_still(&two("")), 0, "it may still send");
    assert_eq!(standing_still(&two("t2 send c s2; t2 drop-sender c s2")), 0, "its message comes");
    assert_eq!(standing_still(&two("t2 request-join t1; t2 join t1; t2 drop-sender c s2")), 2, "it waits for who waits");
    let again = "main spawn t1; main spawn t2; t2 unpark main; t1 lock m; t1 unlock m read-only; t1 unpark main
         main park; main unparked; main lock m; main park; main unparked; main unlock m read-only";
    assert_eq!(standing_still(again), 1, "a token for each park");
    let spare = again.replace("main park; main unparked; main lock m", "main lock m");
    assert_eq!(standing_still(&spare.replacen("main unparked", "main unparked; main park; main unparked", 1)), 1);
}

#[test]
fn a_selection_under_a_lock_is_a_deadlock_if_nobody_can_do_any_of_it() {
    let select = |second: &str| {
        format!(
            "main channel c; main channel d; main spawn t1; main spawn t2
             t1 lock m; t1 unlock m read-only; {second}; t1 send c; t1 drop-sender c
             main lock m; main case-recv c; main case-recv d; main request-select; main selected others; main recv c
             main unlock m read-only; main drop-receiver c; main drop-receiver d"
        )
    };
    assert_eq!(standing_still(&select("t2 lock m; t2 unlock m read-only; t2 drop-sender d")), 2);
    assert_eq!(standing_still(&select("t2 drop-sender d")), 0, "d is closed by then, and main is told so");
    assert_eq!(standing_still(&select("t2 sleep 1s")), 0, "t2, or who else has it, may send");
}

#[test]
fn a_thread_of_which_the_end_is_not_known_may_end_a_wait_unless_it_stands_itself() {
    let words = |t2: &str| around(&format!("{t2}; t1 unpark main; t1 end"), "main park; main unparked");
    assert_eq!(standing(&words("t2 end")), 1);
    assert_eq!(standing(&words("t2 sleep 1s")), 0, "it may give a token later");
    assert_eq!(standing(&format!("{}; t2 request m", words(""))), 1, "it needs the lock as well");
    assert_eq!(standing(&format!("{}; t2 park", words(""))), 2, "nobody wakes it either");
    let barrier = |end: &str| words("t2 barrier-wait b 2; t1 barrier-wait b 2; t1 barrier-pass b") + end;
    assert_eq!(standing(&barrier("; t2 barrier-pass b; t2 end")), 2, "t2 waits for t1 as well");
    assert_eq!(standing(&barrier("")), 0, "the barrier is open, so that it goes on");
}

/// Two threads with an inversion and nothing else: events 0 to 3 and 4 to 7.
fn plain() -> Trace {
    let mut builder = Builder::default();
    nest(&mut builder, 1, 10, 20);
    nest(&mut builder, 2, 20, 10);
    builder.finish()
}

#[test]
fn the_checker_refuses_what_cannot_run() {
    let trace = plain();
    let checker = Checker::new(&trace);
    let check = |schedule: &[u32], goal: &[u32]| {
        checker.check(&Witness { schedule: schedule.to_vec(), goal: goal.to_vec() }, Goal::Deadlock)
    };
    assert_eq!(check(&[0, 4], &[1, 5]), Ok(()));
    assert_eq!(check(&[0, 4, 5], &[1, 6]), Err(Flaw::LockTaken(5)));
    assert_eq!(check(&[1], &[1, 5]), Err(Flaw::ProgramOrder(1)));
    assert_eq!(check(&[0, 0], &[1, 5]), Err(Flaw::ProgramOrder(0)));
    assert_eq!(check(&[0], &[5, 1]), Err(Flaw::NotReached(5)), "its thread is not there yet");
    assert_eq!(check(&[4], &[0, 5]), Err(Flaw::NotReached(0)), "nobody holds what it asks for");
    assert_eq!(check(&[0, 4], &[1]), Err(Flaw::NoGoal));
    assert_eq!(check(&[], &[0, 1]), Err(Flaw::NoGoal), "one thread");
    assert_eq!(check(&[99], &[1, 5]), Err(Flaw::ProgramOrder(99)));
}

#[test]
fn the_checker_refuses_other_values_and_what_comes_before_its_cause() {
    let mut builder = Builder::default();
    let fork = builder.push(1, Op::Fork, 2, 0).unwrap();
    let write = builder.push(1, Op::Write, 7, 0).unwrap();
    let read = builder.push(2, Op::Read, 7, 0).unwrap();
    let mark = builder.push(2, Op::Mark, 0, 0).unwrap();
    let join = builder.push(1, Op::Join { waits: true }, 2, 0).unwrap();
    let fenced = builder.push(3, Op::Mark, 0, 0).unwrap();
    builder.fence(fenced);
    let trace = builder.finish();
    let checker = Checker::new(&trace);
    let check = |schedule: &[u32]| checker.check(&Witness { schedule: schedule.to_vec(), goal: vec![] }, Goal::Race);
    assert_eq!(check(&[fork, write, read, mark, join, fenced]), Err(Flaw::NoGoal), "the schedule runs");
    assert_eq!(check(&[read]), Err(Flaw::Order(read)));
    assert_eq!(check(&[fork, read]), Err(Flaw::OtherValue(read)));
    assert_eq!(check(&[fork, write, read, join]), Err(Flaw::Order(join)));
    assert_eq!(check(&[fork, write, read, mark, fenced]), Err(Flaw::Order(fenced)));
}

fn lock(builder: &mut Builder, thread: u64, lock: u64) {
    builder.push(thread, Op::Acquire { mode: Mode::Exclusive, waits: true, steady: true }, lock, 0);
}

fn nest(builder: &mut Builder, thread: u64, outer: u64, inner: u64) {
    lock(builder, thread, outer);
    lock(builder, thread, inner);
    builder.push(thread, Op::Release, inner, 0);
    builder.push(thread, Op::Release, outer, 0);
}

#[test]
fn a_ring_of_many_threads_is_one_pattern() {
    let mut builder = Builder::default();
    for i in 0..500 {
        nest(&mut builder, i, i, (i + 1) % 500);
    }
    let prediction = predict(&builder.finish(), &Limits::default());
    assert_eq!((prediction.patterns.len(), prediction.deadlocks.len(), prediction.cut), (1, 1, Cut::default()));
    assert_eq!(prediction.deadlocks[0].how, How::KeepingOrder);
}

#[test]
fn a_complete_graph_of_ten_locks_is_searched_short_cycles_first_and_says_what_was_cut() {
    let mut builder = Builder::default();
    for (thread, (outer, inner)) in (0..10).flat_map(|a| (0..10).map(move |b| (a, b))).filter(|(a, b)| a != b).enumerate() {
        nest(&mut builder, thread as u64, outer, inner);
    }
    let limits = Limits { patterns: 2_000, ..Limits::default() };
    let prediction = predict(&builder.finish(), &limits);
    assert_eq!(prediction.patterns.len(), 2_000);
    assert_eq!(prediction.cut.complete_to, Some(4), "45 of two, 240 of three, 1260 of four, then the limit");
}

#[test]
fn ten_thousand_locks_in_one_component_end_in_bounded_steps() {
    let mut builder = Builder::default();
    let mut random = 1u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 20) % 10_000
    };
    for i in 0..100_000 {
        let (outer, inner) = (next(), next());
        if outer != inner {
            nest(&mut builder, i % 16, outer, inner);
        }
    }
    let limits = Limits { pattern_steps: 1_000_000, patterns: 50, proof_steps: 10_000_000, ..Limits::default() };
    let prediction = predict(&builder.finish(), &limits);
    assert!(prediction.cut.complete_to.is_some(), "{:?}", prediction.cut);
    assert!(!prediction.deadlocks.is_empty(), "the short ones are found first");
}

#[test]
fn a_prover_without_steps_left_tries_nothing_and_says_so() {
    let trace = plain();
    let limits = Limits { proof_steps: 0, ..Limits::default() };
    let index = Index::new(&trace, limits.clock_cells).unwrap();
    let mut prover = Prover::new(&index, &limits);
    assert!(prover.is_spent());
    assert_eq!(prover.prove_any(&[&[0], &[1]]), Verdict::Untried);
}

#[test]
fn candidates_of_one_thread_are_no_candidates() {
    let trace = plain();
    let limits = Limits::default();
    let index = Index::new(&trace, limits.clock_cells).unwrap();
    let mut prover = Prover::new(&index, &limits);
    assert_eq!(prover.prove_any(&[&[0], &[1]]), Verdict::Unreachable);
    assert_eq!(prover.prove(&[]), None);
}
