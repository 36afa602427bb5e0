//! Asks prediction which of the rings a reordering of the recorded run reaches, and by which one.

use conccheck_trace::{Event, Mode, ObjectId};
use rustc_hash::FxHashSet;

use crate::cycles::Ring;
use crate::model::Model;
use crate::model::context::Context;
use crate::model::lock::Lock;
use crate::predict::{How, Index, Limits, Op, PEvent, Prover, Reading, Recorded, TooManyClocks, Verdict, Witness};

/// Prediction keeps the events that bear on it in memory, some 50 bytes each: of a run with more it looks at the beginning, which
/// could have been a run as well.
const MOST_EVENTS: u32 = 4_000_000;
/// The same for their clocks, in numbers of 4 bytes.
const MOST_CLOCKS: usize = 16 << 20;
/// Steps of all proofs of one kind together, by whatever reading: a second or two.
const MOST_WORK: u64 = 100_000_000;
/// Rings of the same sites that are tried.
const MOST_SAME: usize = 16;
/// Steps of a schedule that are shown, besides those at which the threads block.
const MOST_STEPS: usize = 12;

/// What is known of a ring.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// A reordering of the run reaches it, whatever sections do with what they read.
    Proven(Schedule),
    /// One does if what a section reads does not decide which locks it takes before it ends.
    IfIndependent(Schedule),
    /// No reordering in which all threads read the same does.
    Unreachable,
    /// It was not tried, or not to the end.
    Unknown,
}

impl Outcome {
    /// What a schedule shows that was found by this reading.
    pub(crate) fn reached(reading: Reading, schedule: Schedule) -> Outcome {
        if reading == Reading::AtTheEnd { Outcome::IfIndependent(schedule) } else { Outcome::Proven(schedule) }
    }
}

/// A reordering of the run into a ring. It was replayed.
#[derive(Debug)]
pub(crate) struct Schedule {
    /// By which means it was found.
    pub(crate) how: How,
    /// Number of its events.
    pub(crate) events: usize,
    /// Its last steps, as far as they bear on the ring: whose (as index into the ring's contexts, then its writers), and what.
    pub(crate) steps: Vec<(usize, Step)>,
    /// The contexts that it leads into, if they are not those of the ring itself but of another of the same sites.
    pub(crate) contexts: Vec<u32>,
    /// Threads (dense indices) that could have ended a wait besides those that were looked at, and that wait themselves by then.
    pub(crate) others: Vec<usize>,
}

/// A step of a schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Takes a lock.
    Acquire(ObjectId, Mode),
    /// Gives it back.
    Release(ObjectId),
    /// Anything else.
    Other(Event),
}

/// What is known of each ring.
pub(crate) fn prove(model: &Model<'_>, rings: &[&Ring]) -> Vec<Outcome> {
    with_provers(model, rings, shared(model), |recorded, prover, ring, reading| try_ring(model, recorded, prover, ring, reading))
}

/// What is known of each reader (context) that reads again what it reads already, with the writer (context) that queues between.
pub(crate) fn prove_again(model: &Model<'_>, pairs: &[(u32, u32)]) -> Vec<Outcome> {
    with_provers(model, pairs, shared(model), |recorded, prover, &(reader, writer), reading| {
        // The inner read is no event of its own: who comes to what follows it has come to it.
        let again = &model.contexts[reader as usize];
        let thread = model.threads[again.thread()].id;
        let mut reads: Vec<u32> = again.moments.kept().filter_map(|(index, _)| recorded.event_from(thread, index)).collect();
        reads.dedup();
        let writes: Vec<u32> = acquisitions(model, recorded, &model.contexts[writer as usize]).collect();
        if reads.is_empty() || writes.is_empty() {
            return Outcome::Unknown;
        }
        match prover.prove_standing(&[&reads, &writes]) {
            Verdict::Proven(how, witness) => {
                Outcome::reached(reading, Schedule::new(model, recorded, how, &witness, 2, vec![reader, writer]))
            }
            Verdict::Unreachable | Verdict::Undecided | Verdict::Untried => Outcome::Unknown,
        }
    })
}

/// Reads the run with the locks that bear on anything.
fn shared(model: &Model<'_>) -> impl Fn(Reading, u32) -> Recorded {
    move |reading, most| Recorded::with_locks(model.trace, reading, most, |lock| is_shared(model, lock))
}

/// Tries each candidate by what its threads are known to read, until it is proven.
pub(crate) fn with_provers<T>(
    model: &Model<'_>,
    candidates: &[T],
    record: impl Fn(Reading, u32) -> Recorded,
    mut attempt: impl FnMut(&Recorded, &mut Prover<'_, '_>, &T, Reading) -> Outcome,
) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = candidates.iter().map(|_| Outcome::Unknown).collect();
    if candidates.is_empty() {
        return outcomes;
    }
    let mut limits = Limits { proof_steps: MOST_WORK, clock_cells: MOST_CLOCKS, ..Limits::default() };
    let mut is_tried = vec![false; candidates.len()];
    let mut most = MOST_EVENTS;
    'readings: for reading in [Reading::FromTheStart, Reading::AtTheEnd] {
        while !outcomes.iter().all(|outcome| matches!(outcome, Outcome::Proven(_))) {
            let recorded = record(reading, most);
            let index = match Index::new(&recorded.trace, limits.clock_cells) {
                Ok(index) => index,
                Err(TooManyClocks { at }) if at < most && at > 0 => {
                    // Of so much there are few enough, and that is a run as well.
                    most = at - at / 16;
                    continue;
                }
                Err(_) => break,
            };
            let mut prover = Prover::new(&index, &limits);
            for (i, candidate) in candidates.iter().enumerate() {
                if prover.is_spent() {
                    break;
                }
                if !matches!(outcomes[i], Outcome::Proven(_)) {
                    outcomes[i] = attempt(&recorded, &mut prover, candidate, reading);
                }
                is_tried[i] = !recorded.is_cut || !matches!(outcomes[i], Outcome::Unknown);
            }
            let left = std::mem::replace(&mut limits.proof_steps, prover.left());
            if left == limits.proof_steps {
                // None of the candidates is in what was looked at, by whatever reading.
                break 'readings;
            }
            break;
        }
    }
    let untried = is_tried.iter().filter(|is_tried| !**is_tried).count();
    model.untried.update(|others| others + untried);
    outcomes
}

/// Whether more than one thread had to do with a lock: else it keeps nobody from anything.
pub(crate) fn is_shared(model: &Model<'_>, lock: ObjectId) -> bool {
    model.locks.get(lock.0).is_some_and(|state| is_used_by_several(model, state))
}

fn is_used_by_several(model: &Model<'_>, lock: &Lock) -> bool {
    let mut threads = lock.contexts.iter().map(|id| model.contexts[*id as usize].thread());
    let first = threads.next();
    lock.is_entangled || threads.any(|thread| Some(thread) != first)
}

/// The acquisitions of a context whose moments are kept, among the events that were recorded.
pub(crate) fn acquisitions<'a>(
    model: &Model<'_>,
    recorded: &'a Recorded,
    context: &'a Context,
) -> impl Iterator<Item = u32> + use<'a> {
    let thread = model.threads[context.thread()].id;
    context.moments.kept().filter_map(move |(index, _)| recorded.event(thread, index))
}

fn try_ring(model: &Model<'_>, recorded: &Recorded, prover: &mut Prover<'_, '_>, ring: &Ring, reading: Reading) -> Outcome {
    let mut is_ruled_out = true;
    for contexts in tried(ring) {
        let candidates: Vec<Vec<u32>> =
            contexts.iter().map(|id| acquisitions(model, recorded, &model.contexts[*id as usize]).collect()).collect();
        let lists: Vec<&[u32]> = candidates.iter().map(Vec::as_slice).collect();
        if lists.iter().any(|list| list.is_empty()) {
            is_ruled_out = false;
            continue;
        }
        match prover.prove_any(&lists) {
            Verdict::Proven(how, witness) => {
                let schedule = Schedule::new(model, recorded, how, &witness, contexts.len(), contexts);
                return Outcome::reached(reading, schedule);
            }
            Verdict::Unreachable => {}
            Verdict::Undecided | Verdict::Untried => is_ruled_out = false,
        }
    }
    // Not all moments of a context are kept.
    let has_all = |id: &u32| {
        let context = &model.contexts[*id as usize];
        context.moments.kept().count() as u64 >= context.count()
    };
    let is_whole = !recorded.is_cut && ring.same.len() <= MOST_SAME && ring.same.iter().flatten().all(has_all);
    if is_ruled_out && is_whole { Outcome::Unreachable } else { Outcome::Unknown }
}

/// The ring with its writers; and those of the same sites, where none of them needs a writer.
fn tried(ring: &Ring) -> Vec<Vec<u32>> {
    let own = ring.contexts.iter().copied().chain(ring.writers.iter().flatten().copied()).collect();
    let needs_writers = ring.writers.iter().any(Option::is_some);
    let others = ring.same.iter().skip(1).take(if needs_writers { 0 } else { MOST_SAME }).cloned();
    std::iter::once(own).chain(others).collect()
}

impl Schedule {
    /// The schedule of a witness whose goal's first events are those of so many parties, and of `contexts` where they all take locks.
    pub(crate) fn new(
        model: &Model<'_>,
        recorded: &Recorded,
        how: How,
        witness: &Witness,
        parties: usize,
        contexts: Vec<u32>,
    ) -> Schedule {
        let trace = &recorded.trace;
        let event = |i: &u32| trace.events[*i as usize];
        let party = |thread: u32| witness.goal.iter().take(parties).position(|goal| event(goal).thread == thread);
        let concerned: FxHashSet<u32> =
            witness.goal.iter().map(event).filter(|goal| goal.op.asks().is_some()).map(|goal| goal.object).collect();
        // The last steps are those since the first of the locks was taken that are still held at the end.
        let mut held: Vec<(u32, u32, usize)> = Vec::new();
        for (at, i) in witness.schedule.iter().enumerate() {
            let PEvent { thread, op, object, .. } = event(i);
            match op {
                Op::Acquire { .. } if concerned.contains(&object) && party(thread).is_some() => held.push((thread, object, at)),
                Op::Release => held.retain(|(holder, lock, _)| (*holder, *lock) != (thread, object)),
                _ => {}
            }
        }
        let first = held.iter().map(|(.., at)| *at).min().unwrap_or(witness.schedule.len());
        let tail: Vec<u32> = witness.schedule[first..].iter().copied().filter(|i| party(event(i).thread).is_some()).collect();
        let in_tail: FxHashSet<u32> = tail.iter().copied().collect();
        let orders = trace.orders.iter().filter(|order| in_tail.contains(&order.after) && in_tail.contains(&order.before));
        let linked: FxHashSet<u32> = orders
            .filter(|order| event(&order.after).thread != event(&order.before).thread)
            .flat_map(|order| [order.after, order.before])
            .collect();
        let steps = |i: &u32| {
            let PEvent { thread, op, object, .. } = event(i);
            let takes = |mode| Step::Acquire(recorded.lock(object), mode);
            let releases = || Step::Release(recorded.lock(object));
            let (first, second) = match op {
                Op::Acquire { mode, .. } if concerned.contains(&object) => (Some(takes(mode)), None),
                Op::Section { mode, .. } if concerned.contains(&object) => (Some(takes(mode)), Some(releases())),
                Op::Release if concerned.contains(&object) => (Some(releases()), None),
                Op::Fork | Op::Join { .. } if party(object).is_some() => (record(model, recorded, *i).map(Step::Other), None),
                Op::Mark | Op::Signal | Op::Await { .. } if linked.contains(i) => {
                    (record(model, recorded, *i).map(Step::Other), None)
                }
                _ => (None, None),
            };
            party(thread).into_iter().flat_map(move |party| [first, second].into_iter().flatten().map(move |step| (party, step)))
        };
        let mut shown: Vec<(usize, Step)> = tail.iter().flat_map(steps).collect();
        if shown.len() > MOST_STEPS {
            shown = held.iter().flat_map(|(.., at)| steps(&witness.schedule[*at])).collect();
        }
        let thread = |goal: &u32| model.thread_index(recorded.origin(*goal).0);
        let others = witness.goal.iter().skip(parties).filter_map(thread).collect();
        Schedule { how, events: witness.schedule.len(), steps: shown, contexts, others }
    }
}

/// The record that an event stands for.
fn record(model: &Model<'_>, recorded: &Recorded, event: u32) -> Option<Event> {
    let (thread, number) = recorded.origin(event);
    Some(model.trace.events(thread).nth(number as usize)?.event)
}
