//! Waits for more than locks, and reads within reads: what is proven must be where the program can end, and what a reordering of the
//! trace reaches must be proven.

use conccheck_analyzer::predict::{Checker, Goal, How, Index, Limits, Prover, Reading, Recorded, Verdict};
use conccheck_trace::{Mode, text};
use rustc_hash::FxHashSet;

use crate::machine::LINES;
use crate::programs::{Kind, Place, Program};
use crate::random_programs::{Random, programs};
use crate::standing;

/// What a series of programs gave, in pairs of a wait and an acquisition.
#[derive(Default, Debug)]
struct Tally {
    traces: usize,
    too_large: usize,
    /// Pairs that a reordering of the trace leads into.
    reachable: usize,
    keeping_order: usize,
    reversing: usize,
    searching: usize,
    missed: usize,
    /// Proven, but the program can't end there.
    wrong: usize,
    unreachable: usize,
}

impl Tally {
    fn count(&mut self, how: How) {
        match how {
            How::KeepingOrder => self.keeping_order += 1,
            How::Reversing => self.reversing += 1,
            How::Searching => self.searching += 1,
        }
    }
}

/// The thread and the step of a program that an event stands for: the line of its record, or of the request before it.
fn step(trace: &conccheck_trace::read::ProcessTrace, run: &Recorded, event: u32) -> Option<Place> {
    let (thread, number) = run.origin(event);
    let records: Vec<_> = trace.events(thread).take(number as usize + 1).collect();
    let site = records.iter().rev().find_map(|record| record.event.site())?;
    let line = trace.tables.site(site)?.line as usize;
    Some((line / LINES, (line % LINES).checked_sub(1)?))
}

fn compare(seeds: std::ops::Range<u64>, kind: Kind) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds {
        let random = &mut Random::of(seed);
        let program = Program::random(random, kind);
        let words = program.run(random);
        let trace = text::parse(&words).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{words}"));
        let run = Recorded::with_waits(&trace, Reading::FromTheStart, u32::MAX, |_| true, FxHashSet::default());
        let (Some(ends), Some(reached)) = (program.stuck(200_000), standing::pairs(&run.trace, 200_000)) else {
            tally.too_large += 1;
            continue;
        };
        tally.traces += 1;
        let limits = Limits::default();
        let index = Index::new(&run.trace, limits.clock_cells).expect("it is small");
        let checker = Checker::new(&run.trace);
        let mut prover = Prover::new(&index, &limits);
        let all = || 0..run.trace.events.len() as u32;
        let takes = |event: &u32| run.trace.events[*event as usize].op.asks().is_some();
        for wait in all().filter(|event| run.waits(*event)) {
            for take in all().filter(takes) {
                let is_reached = reached.contains(&(wait, take));
                tally.reachable += usize::from(is_reached);
                match prover.prove_any(&[&[wait], &[take]]) {
                    Verdict::Proven(how, witness) => {
                        checker.check(&witness, Goal::Deadlock).expect("every witness replays");
                        tally.count(how);
                        let steps = step(&trace, &run, wait).zip(step(&trace, &run, take));
                        if !steps.is_some_and(|steps| ends.contains(&steps)) || !is_reached {
                            tally.wrong += 1;
                            println!("seed {seed}: {kind:?}: wrong: {wait} {take} {steps:?} {is_reached}\n{words}");
                        }
                    }
                    _ if is_reached => {
                        tally.missed += 1;
                        println!("seed {seed}: {kind:?}: missed: {wait} {take}\n{words}");
                    }
                    _ => tally.unreachable += 1,
                }
            }
        }
    }
    tally
}

#[test]
fn a_wait_is_proven_exactly_where_a_reordering_leaves_it_for_ever() {
    let waits = [Kind::Join, Kind::Message, Kind::Room, Kind::Notification, Kind::Token, Kind::Barrier, Kind::Once];
    let others = [Kind::Meeting, Kind::Selection, Kind::Attempt, Kind::Modes, Kind::Start, Kind::All];
    let (mut missed, mut wrong, mut reachable) = (0, 0, 0);
    for kind in waits.into_iter().chain(others) {
        let tally = compare(1..programs() + 1, kind);
        println!("{kind:?}: {tally:?}");
        missed += tally.missed;
        wrong += tally.wrong;
        reachable += tally.reachable;
    }
    println!("of all: missed {missed} of {reachable}, wrong {wrong}");
    assert_eq!((missed, wrong), (0, 0), "missed, wrong");
}

/// Threads that read and write two locks, some of them again within a read.
fn readers(random: &mut Random) -> Recorded {
    let mut words = "main spawn t1; main spawn t2\n".to_owned();
    let mut held: Vec<Vec<(u64, bool)>> = vec![Vec::new(); 2];
    for _ in 0..4 + random.below(12) {
        let thread = random.below(2) as usize;
        let lock = random.below(2);
        let is_free = |writes: bool| {
            let blocks = |(other, wrote): &(u64, bool)| *other == lock && (writes || *wrote);
            !held[1 - thread].iter().any(blocks) && !held[thread].iter().any(blocks)
        };
        let me = thread + 1;
        match random.below(5) {
            0 | 1 if is_free(false) => {
                held[thread].push((lock, false));
                words += &format!("t{me} read m{lock}\n");
            }
            2 if is_free(true) => {
                held[thread].push((lock, true));
                words += &format!("t{me} write m{lock}\n");
            }
            _ => {
                if let Some((lock, _)) = held[thread].pop() {
                    words += &format!("t{me} unlock m{lock} read-only\n");
                }
            }
        }
    }
    for (thread, held) in held.iter_mut().enumerate() {
        while let Some((lock, _)) = held.pop() {
            words += &format!("t{} unlock m{lock} read-only\n", thread + 1);
        }
        words += &format!("t{} end\n", thread + 1);
    }
    Recorded::of(&text::parse(&words).expect("a well-formed trace"), Reading::FromTheStart)
}

#[test]
fn a_reader_that_stands_before_a_queued_writer_is_proven_exactly_where_a_reordering_leads_there() {
    let mut tally = Tally::default();
    for seed in 1..=programs() {
        let run = readers(&mut Random::of(seed));
        let Some(reached) = standing::before_writers(&run.trace, 200_000) else {
            tally.too_large += 1;
            continue;
        };
        tally.traces += 1;
        let limits = Limits::default();
        let index = Index::new(&run.trace, limits.clock_cells).expect("it is small");
        let mut prover = Prover::new(&index, &limits);
        let writes = |event: &u32| run.trace.events[*event as usize].op.asks() == Some(Mode::Exclusive);
        let all = || 0..run.trace.events.len() as u32;
        for write in all().filter(writes) {
            for stands in all() {
                let is_reached = reached.contains(&(stands, write));
                tally.reachable += usize::from(is_reached);
                match prover.prove_standing(&[&[stands], &[write]]) {
                    Verdict::Proven(how, _) if is_reached => tally.count(how),
                    Verdict::Proven(..) => tally.wrong += 1,
                    _ if is_reached => tally.missed += 1,
                    _ => tally.unreachable += 1,
                }
            }
        }
    }
    println!("reads within reads: {tally:?}");
    assert_eq!((tally.missed, tally.wrong), (0, 0), "missed, wrong");
}
