//! The whole of prediction: from a trace to deadlocks with witnesses.

use std::collections::BTreeSet;

use super::closure::{Closure, is_possible, sweep};
use super::events::{Op, Trace};
use super::index::Index;
use super::knot::close;
use super::patterns::{self, AbstractAcquire, Pattern};
use super::reversal::{Scratch, reverse};
use super::search::{Outcome, search};
use super::witness::{Checker, Goal, Witness};

/// What a prediction may cost. What is left undone for it is said in [`Cut`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Patterns to look at.
    pub patterns: usize,
    /// Steps of the search for patterns.
    pub pattern_steps: u64,
    /// Instances of one pattern to try, where keeping the order of sections reaches none.
    pub instances: usize,
    /// States that the search of schedules may look at for one pattern.
    pub states: u64,
    /// Steps of all proofs together: events and clock entries looked at.
    pub proof_steps: u64,
    /// Memory for clocks, in numbers of 4 bytes.
    pub clock_cells: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            patterns: 10_000,
            pattern_steps: 20_000_000,
            instances: 200,
            states: 20_000,
            proof_steps: 500_000_000,
            clock_cells: 64 << 20,
        }
    }
}

/// Threads that are tried as further parts of a deadlock, and places of each.
const BYSTANDERS: usize = 4;
const STANDS: usize = 64;

/// By which means a deadlock was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// The sections of each lock keep their order.
    KeepingOrder,
    /// Some do not.
    Reversing,
    /// Some do not; found by search.
    Searching,
}

/// A deadlock that a reordering of the run reaches. Its witness was replayed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deadlock {
    /// Index into [`Prediction::patterns`].
    pub pattern: usize,
    /// By which means.
    pub how: How,
    /// The schedule; its goal is one acquisition for each of the pattern's, in the same order.
    pub witness: Witness,
}

/// What was not done for the [`Limits`].
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Cut {
    /// Only patterns of up to this many threads were all looked at.
    pub complete_to: Option<usize>,
    /// Patterns that were not tried.
    pub untried: usize,
    /// Patterns that were tried, and for which neither a schedule was found nor all schedules were ruled out.
    pub undecided: usize,
    /// No proof was tried: the clocks would have taken too much memory.
    pub clocks: bool,
}

/// What a trace holds, counted.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Events, inner parts of re-entrant sections not counted.
    pub events: usize,
    /// Threads.
    pub threads: usize,
    /// Locks.
    pub locks: usize,
    /// Acquisitions, re-entrant ones not counted.
    pub acquires: usize,
    /// [`AbstractAcquire`]s.
    pub abstract_acquires: usize,
    /// Patterns.
    pub abstract_patterns: usize,
    /// Instances of all patterns.
    pub concrete_patterns: u64,
    /// Deadlocks that keep the order of sections.
    pub keeping_order: usize,
    /// The distinct sets of places in the source among those.
    pub keeping_order_locations: usize,
    /// Deadlocks, all.
    pub deadlocks: usize,
    /// The distinct sets of places in the source among those.
    pub locations: usize,
}

/// What prediction found.
#[derive(Clone, Debug, Default)]
pub struct Prediction {
    /// All nested acquisitions.
    pub acquires: Vec<AbstractAcquire>,
    /// Cycles among them: indices into `acquires`.
    pub patterns: Vec<Pattern>,
    /// The proven ones, at most one for a pattern, in the order of the patterns.
    pub deadlocks: Vec<Deadlock>,
    /// The same, counted.
    pub counts: Counts,
    /// What was not done.
    pub cut: Cut,
}

/// Finds the deadlocks that a run implies.
pub fn predict(trace: &Trace, limits: &Limits) -> Prediction {
    let acquires = patterns::abstract_acquires(trace);
    let found = patterns::find(&acquires, limits.patterns, limits.pattern_steps);
    let mut prediction = Prediction { acquires, patterns: found.patterns, ..Prediction::default() };
    prediction.cut.complete_to = found.complete_to;
    if !prediction.patterns.is_empty() {
        match Index::new(trace, limits.clock_cells) {
            Ok(index) => prove_patterns(&mut Prover::new(&index, limits), &mut prediction),
            Err(_) => prediction.cut.clocks = true,
        }
    }
    prediction.counts = count(trace, &prediction);
    prediction
}

fn prove_patterns(prover: &mut Prover<'_, '_>, prediction: &mut Prediction) {
    for (i, pattern) in prediction.patterns.iter().enumerate() {
        let candidates: Vec<&[u32]> = pattern.iter().map(|a| &prediction.acquires[*a as usize].events[..]).collect();
        match prover.prove_any(&candidates) {
            Verdict::Proven(how, witness) => prediction.deadlocks.push(Deadlock { pattern: i, how, witness }),
            Verdict::Unreachable => {}
            Verdict::Undecided => prediction.cut.undecided += 1,
            Verdict::Untried => prediction.cut.untried += 1,
        }
    }
}

fn count(trace: &Trace, prediction: &Prediction) -> Counts {
    let places = |how: Option<How>| {
        let places = prediction.deadlocks.iter().filter(|deadlock| how.is_none_or(|how| how == deadlock.how)).map(|deadlock| {
            let mut places: Vec<u32> = deadlock.witness.goal.iter().map(|i| trace.events[*i as usize].location).collect();
            places.sort_unstable();
            places
        });
        places.collect::<BTreeSet<_>>().len()
    };
    let instances = |pattern: &Pattern| {
        pattern.iter().map(|a| prediction.acquires[*a as usize].events.len() as u64).fold(1u64, u64::saturating_mul)
    };
    Counts {
        events: trace.events.len(),
        threads: trace.threads as usize,
        locks: trace.locks as usize,
        acquires: trace.events.iter().filter(|event| matches!(event.op, Op::Acquire { .. } | Op::Section { .. })).count(),
        abstract_acquires: prediction.acquires.len(),
        abstract_patterns: prediction.patterns.len(),
        concrete_patterns: prediction.patterns.iter().map(instances).fold(0, u64::saturating_add),
        keeping_order: prediction.deadlocks.iter().filter(|deadlock| deadlock.how == How::KeepingOrder).count(),
        keeping_order_locations: places(Some(How::KeepingOrder)),
        deadlocks: prediction.deadlocks.len(),
        locations: places(None),
    }
}

/// Proves one candidate: acquisitions (or requests) and waits of distinct threads, by their index in the trace, each for what another's
/// thread holds or is to do. Where a reader only waits because a writer queues before it, the writer's acquisition is one of them.
/// The goal of the witness has further threads where those could end one of the waits.
/// For several candidates of one trace use a [`Prover`].
pub fn prove(trace: &Trace, candidate: &[u32]) -> Option<Witness> {
    let limits = Limits::default();
    let index = Index::new(trace, limits.clock_cells).ok()?;
    Prover::new(&index, &limits).prove(candidate)
}

/// What is known of a candidate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A reordering of the run reaches it; the witness was replayed.
    Proven(How, Witness),
    /// No reordering of the run does.
    Unreachable,
    /// The limits ended the proof.
    Undecided,
    /// The limit on steps was used up before.
    Untried,
}

/// Proves candidates of one trace, within one limit on steps.
#[derive(Debug)]
pub struct Prover<'i, 't> {
    closure: Closure<'i, 't>,
    scratch: Scratch,
    checker: Checker<'t>,
    limits: Limits,
}

impl<'i, 't> Prover<'i, 't> {
    /// A prover for the trace of an index.
    pub fn new(index: &'i Index<'t>, limits: &Limits) -> Prover<'i, 't> {
        Prover { closure: Closure::new(index), scratch: Scratch::default(), checker: Checker::new(index.trace), limits: *limits }
    }

    /// Steps that are left of the limit.
    pub fn left(&self) -> u64 {
        self.limits.proof_steps.saturating_sub(self.closure.work)
    }

    /// Whether none is left: what comes now is not tried.
    pub fn is_spent(&self) -> bool {
        self.left() == 0
    }

    /// Proves one candidate: see [`prove`]. `None` also where the limit on steps is used up.
    pub fn prove(&mut self, candidate: &[u32]) -> Option<Witness> {
        let lists: Vec<&[u32]> = candidate.iter().map(std::slice::from_ref).collect();
        match self.prove_any(&lists) {
            Verdict::Proven(_, witness) => Some(witness),
            _ => None,
        }
    }

    /// Proves one of several candidates: `lists[i]` are the events that may be the `i`-th acquisition, all of one thread, in order.
    pub fn prove_any(&mut self, lists: &[&[u32]]) -> Verdict {
        let verdict = self.decide(lists, Goal::Deadlock);
        if verdict != Verdict::Undecided {
            return verdict;
        }
        // A schedule leads there, but somebody is left who ends a wait: unless that thread stands somewhere as well.
        for stands in self.bystanders(lists) {
            let more: Vec<&[u32]> = lists.iter().copied().chain([&stands[..]]).collect();
            let verdict = self.decide(&more, Goal::Deadlock);
            if matches!(verdict, Verdict::Proven(..)) {
                return verdict;
            }
        }
        verdict
    }

    /// Where other threads than those of the lists may stand, if a list has waits for more than locks.
    fn bystanders(&self, lists: &[&[u32]]) -> Vec<Vec<u32>> {
        let index = self.closure.index;
        let op = |event: &u32| index.trace.events[*event as usize].op;
        if !lists.iter().any(|list| list.iter().any(|event| op(event).awaits().is_some())) {
            return Vec::new();
        }
        let is_party = |thread: u32| lists.iter().filter_map(|list| list.first()).any(|event| index.thread(*event) == thread);
        let others = (0..index.trace.threads).filter(|thread| !is_party(*thread));
        let stands = others.map(|thread| {
            index.by_thread[thread as usize]
                .iter()
                .copied()
                .filter(|event| op(event).awaits().is_some() || op(event).asks().is_some())
        });
        stands
            .map(|stands| stands.take(STANDS).collect())
            .filter(|stands: &Vec<u32>| !stands.is_empty())
            .take(BYSTANDERS)
            .collect()
    }

    /// Decides whether the threads of all lists but the first can come to be kept from going on while that of the first is about to do
    /// its event, whatever that is.
    pub fn prove_standing(&mut self, lists: &[&[u32]]) -> Verdict {
        self.decide(lists, Goal::Standing)
    }

    /// Decides whether two accesses to one variable, one a write, can come next to each other: a data race.
    pub fn prove_race(&mut self, access: u32, other: u32) -> Verdict {
        self.decide(&[&[access], &[other]], Goal::Race)
    }

    fn decide(&mut self, lists: &[&[u32]], kind: Goal) -> Verdict {
        if self.is_spent() {
            return Verdict::Untried;
        }
        let mut threads: Vec<u32> = lists.iter().filter_map(|list| Some(self.closure.index.thread(*list.first()?))).collect();
        threads.sort_unstable();
        threads.dedup();
        if threads.len() < lists.len() || threads.len() < 2 {
            return Verdict::Unreachable;
        }
        if let Some(witness) = self.keeping_order(lists, kind) {
            return Verdict::Proven(How::KeepingOrder, witness);
        }
        let mut undecided = Vec::new();
        let mut instances = Instances::new(lists);
        for goal in instances.by_ref().take(self.limits.instances) {
            if self.is_spent() {
                return Verdict::Undecided;
            }
            if !is_possible(&mut self.closure, &goal) {
                continue;
            }
            if let Some(schedule) = reverse(&mut self.closure, &mut self.scratch, &goal)
                && let Some(witness) = self.checked(schedule, &goal, kind)
            {
                return Verdict::Proven(How::Reversing, witness);
            }
            undecided.push(goal);
        }
        let mut budget = self.limits.states;
        let mut is_open = instances.next().is_some();
        for goal in undecided {
            let for_good = self.is_for_good(&goal, kind);
            match search(&mut self.closure, &goal, for_good, &mut budget) {
                Outcome::Reached(schedule, goal) => {
                    let witness = Witness { schedule, goal };
                    if self.checker.check(&witness, kind).is_ok() {
                        return Verdict::Proven(How::Searching, witness);
                    }
                    is_open = true;
                }
                Outcome::Unreachable => {}
                Outcome::Unknown => return Verdict::Undecided,
            }
        }
        if is_open { Verdict::Undecided } else { Verdict::Unreachable }
    }

    fn keeping_order(&mut self, lists: &[&[u32]], kind: Goal) -> Option<Witness> {
        let goal = sweep(&mut self.closure, lists)?;
        // The order of the run does, unless sections overlap in the trace itself, as where a wait on a monitor is not recorded.
        let in_order = self.checked(self.closure.events(), &goal, kind);
        in_order.or_else(|| {
            self.scratch.build(&mut self.closure);
            let schedule = self.scratch.linearise().ok()?;
            self.checked(schedule, &goal, kind)
        })
    }

    /// Whether others might end the goal's waits, so that it is to be seen what becomes of them.
    fn is_for_good(&self, goal: &[u32], kind: Goal) -> bool {
        let events = &self.closure.index.trace.events;
        kind == Goal::Deadlock && goal.iter().any(|event| events[*event as usize].op.awaits().is_some())
    }

    fn checked(&mut self, schedule: Vec<u32>, goal: &[u32], kind: Goal) -> Option<Witness> {
        let (schedule, goal) = if self.is_for_good(goal, kind) {
            self.closure.work += 2 * self.closure.index.trace.events.len() as u64;
            close(self.closure.index, &schedule, goal)?
        } else {
            (schedule, goal.to_vec())
        };
        let witness = Witness { schedule, goal };
        self.checker.check(&witness, kind).is_ok().then_some(witness)
    }
}

/// All combinations of one event of each list, the last list's the fastest.
struct Instances<'a> {
    lists: &'a [&'a [u32]],
    at: Option<Vec<usize>>,
}

impl<'a> Instances<'a> {
    fn new(lists: &'a [&'a [u32]]) -> Instances<'a> {
        let is_empty = lists.iter().any(|list| list.is_empty());
        Instances { lists, at: (!is_empty).then(|| vec![0; lists.len()]) }
    }
}

impl Iterator for Instances<'_> {
    type Item = Vec<u32>;

    fn next(&mut self) -> Option<Vec<u32>> {
        let at = self.at.as_mut()?;
        let instance = self.lists.iter().zip(&*at).map(|(list, at)| list[*at]).collect();
        match (0..at.len()).rev().find(|i| at[*i] + 1 < self.lists[*i].len()) {
            Some(i) => {
                at[i] += 1;
                at[i + 1..].fill(0);
            }
            None => self.at = None,
        }
        Some(instance)
    }
}
