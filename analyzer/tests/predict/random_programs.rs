//! Random small programs, run once in a random order: prediction must find what exhaustive search finds, and nothing else.

use std::collections::BTreeSet;

use conccheck_analyzer::predict::{Builder, Checker, Goal, How, Limits, Op, Prediction, Trace, excludes, predict};
use conccheck_trace::Mode;

use crate::exhaustive::{self, Shape};

/// A small generator of numbers (xorshift), so that a failing seed can be run again.
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of a seed.
    pub(crate) fn of(seed: u64) -> Random {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..4 {
            random.below(2);
        }
        random
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// What a generated program may contain.
#[derive(Clone, Copy)]
struct Features {
    modes: bool,
    variables: bool,
    forks: bool,
    orders: bool,
}

/// One step of a thread's program.
#[derive(Clone, Copy)]
enum Action {
    Acquire(u64, Mode, bool),
    Release(u64),
    Read(u64),
    Write(u64),
    Fork(u64),
    Join(u64),
}

fn program(random: &mut Random, features: Features, locks: u64, length: usize) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut held: Vec<u64> = Vec::new();
    while actions.len() + held.len() < length {
        match random.below(10) {
            0..=4 if held.len() < 3 => {
                let lock = random.below(locks);
                if !held.contains(&lock) {
                    let mode = match random.below(8) {
                        0..=2 if features.modes => Mode::Shared,
                        3 if features.modes => Mode::Upgradable,
                        _ => Mode::Exclusive,
                    };
                    actions.push(Action::Acquire(lock, mode, !(features.modes && random.chance(5))));
                    held.push(lock);
                }
            }
            5..=7 if !held.is_empty() => {
                // Mostly the innermost first, sometimes not.
                let i = if random.chance(80) { held.len() - 1 } else { random.below(held.len() as u64) as usize };
                actions.push(Action::Release(held.remove(i)));
            }
            8 if features.variables => actions.push(Action::Read(random.below(2))),
            9 if features.variables => actions.push(Action::Write(random.below(2))),
            _ => {}
        }
    }
    actions.extend(held.drain(..).rev().map(Action::Release));
    actions
}

fn run(seed: u64, features: Features) -> Trace {
    let random = &mut Random::of(seed);
    let threads = 2 + random.below(3);
    let locks = 2 + random.below(3);
    let length = (6 + random.below(44 / threads)) as usize;
    let mut programs: Vec<Vec<Action>> = (0..threads).map(|_| program(random, features, locks, length)).collect();
    let mut is_running = vec![true; threads as usize];
    if features.forks {
        // The first thread starts some of the others somewhere, and may wait for them later.
        for child in 1..threads {
            if random.chance(60) {
                let at = random.below(programs[0].len() as u64 + 1) as usize;
                programs[0].insert(at, Action::Fork(child));
                is_running[child as usize] = false;
                if random.chance(60) {
                    let after = at + 1 + random.below((programs[0].len() - at) as u64) as usize;
                    programs[0].insert(after, Action::Join(child));
                }
            }
        }
    }
    let mut builder = Builder::default();
    for thread in 0..threads {
        builder.thread(thread);
    }
    let mut at = vec![0; threads as usize];
    let mut held: Vec<Vec<(u64, Mode)>> = vec![Vec::new(); threads as usize];
    let mut thread = 0;
    loop {
        let can_go = |t: usize| {
            is_running[t]
                && match programs[t].get(at[t]) {
                    None => false,
                    Some(Action::Acquire(lock, mode, _)) => !held.iter().flatten().any(|(l, m)| l == lock && excludes(*m, *mode)),
                    Some(Action::Join(child)) => at[*child as usize] == programs[*child as usize].len(),
                    Some(_) => true,
                }
        };
        let able: Vec<usize> = (0..threads as usize).filter(|t| can_go(*t)).collect();
        if able.is_empty() {
            break;
        }
        if !able.contains(&thread) || random.chance(15) {
            thread = able[random.below(able.len() as u64) as usize];
        }
        let (op, object) = match programs[thread][at[thread]] {
            Action::Acquire(lock, mode, waits) => {
                held[thread].push((lock, mode));
                (Op::Acquire { mode, waits, steady: true }, lock)
            }
            Action::Release(lock) => {
                held[thread].retain(|(l, _)| *l != lock);
                (Op::Release, lock)
            }
            Action::Read(variable) => (Op::Read, variable),
            Action::Write(variable) => (Op::Write, variable),
            Action::Fork(child) => {
                is_running[child as usize] = true;
                (Op::Fork, child)
            }
            Action::Join(child) => (Op::Join { waits: true }, child),
        };
        let event = builder.push(thread as u64, op, object, at[thread] as u32).expect("nothing is re-entrant");
        if features.orders && event > 0 && random.chance(6) {
            builder.order(event - 1 - random.below(u64::from(event).min(6)) as u32, event);
        }
        if features.orders && random.chance(1) && !matches!(op, Op::Acquire { .. }) {
            builder.fence(event);
        }
        at[thread] += 1;
    }
    for thread in 0..threads as usize {
        // A run that ends in a deadlock leaves requests.
        if let (true, Some(Action::Acquire(lock, mode, true))) = (is_running[thread], programs[thread].get(at[thread])) {
            builder.push(thread as u64, Op::Request { mode: *mode }, *lock, 0);
        }
    }
    builder.finish()
}

fn shape(prediction: &Prediction, pattern: usize) -> Shape {
    let mut shape: Shape = prediction.patterns[pattern]
        .iter()
        .map(|a| {
            let a = &prediction.acquires[*a as usize];
            (a.thread, a.lock, a.mode, a.held.iter().map(|held| (held.lock, held.mode)).collect())
        })
        .collect();
    shape.sort_unstable();
    shape
}

/// What a series of programs gave.
#[derive(Default, Debug)]
struct Tally {
    programs: usize,
    too_large: usize,
    reachable: usize,
    keeping_order: usize,
    reversing: usize,
    searching: usize,
    undecided: usize,
    missed: usize,
    unreachable_patterns: usize,
}

fn compare(seeds: std::ops::Range<u64>, features: Features) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds {
        let trace = run(seed, features);
        let Some(truth) = exhaustive::deadlocks(&trace, 400_000) else {
            tally.too_large += 1;
            continue;
        };
        tally.programs += 1;
        tally.reachable += truth.len();
        let prediction = predict(&trace, &Limits::default());
        tally.undecided += prediction.cut.undecided;
        let checker = Checker::new(&trace);
        let mut found = BTreeSet::new();
        for deadlock in &prediction.deadlocks {
            checker.check(&deadlock.witness, Goal::Deadlock).expect("every witness replays");
            let shape = shape(&prediction, deadlock.pattern);
            assert!(truth.contains(&shape), "seed {seed}: proven but not reachable: {shape:?}\n{trace:#?}");
            match deadlock.how {
                How::KeepingOrder => tally.keeping_order += 1,
                How::Reversing => tally.reversing += 1,
                How::Searching => tally.searching += 1,
            }
            found.insert(shape);
        }
        let patterns: BTreeSet<Shape> = (0..prediction.patterns.len()).map(|i| shape(&prediction, i)).collect();
        assert!(truth.is_subset(&patterns), "seed {seed}: reachable, but no pattern: {:?}", truth.difference(&patterns));
        tally.unreachable_patterns += patterns.difference(&truth).count();
        for missed in truth.difference(&found) {
            tally.missed += 1;
            if tally.missed < 4 {
                println!("seed {seed}: missed {missed:?}");
            }
        }
    }
    tally
}

/// How many programs of each kind: `CONCCHECK_PROGRAMS`, or enough for a test that takes seconds unoptimised.
pub(crate) fn programs() -> u64 {
    std::env::var("CONCCHECK_PROGRAMS").ok().and_then(|n| n.parse().ok()).unwrap_or(150)
}

#[test]
fn prediction_is_exact_on_small_programs_of_each_kind() {
    let kinds = [
        ("mutexes", Features { modes: false, variables: false, forks: false, orders: false }),
        ("variables", Features { modes: false, variables: true, forks: false, orders: false }),
        ("forks and joins", Features { modes: false, variables: true, forks: true, orders: false }),
        ("reader-writer locks", Features { modes: true, variables: true, forks: true, orders: false }),
        ("messages", Features { modes: true, variables: true, forks: true, orders: true }),
    ];
    let mut missed = 0;
    for (name, features) in kinds {
        let tally = compare(1..programs() + 1, features);
        println!("{name}: {tally:?}");
        missed += tally.missed;
    }
    assert_eq!(missed, 0, "reachable deadlocks that were not proven");
}
