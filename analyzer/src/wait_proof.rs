//! Which waits under a lock a reordering of the recorded run leads into while who would end them waits for that lock.

use conccheck_trace::SiteId;
use rustc_hash::FxHashSet;

use crate::model::Model;
use crate::model::context::Context;
use crate::model::mixed::{Mixed, MixedKind};
use crate::predict::{Prover, Reading, Recorded, Verdict};
use crate::proof::{self, Outcome, Schedule};
use crate::rules::statement;

/// Functions that wait for what they found there in this run.
const WAITING: [&str; 3] = ["recv", "send", "wait"];
/// Functions that look whether something is initialised, and don't wait for it. All others do, a dereference among them.
const LOOKING: [&str; 3] = ["get", "get_mut", "is_completed"];

/// What is known of each of these.
pub(crate) fn prove(model: &Model<'_>, found: &[&Mixed]) -> Vec<Outcome> {
    let waits_at = waiting(model, found);
    let record =
        |reading, most| Recorded::with_waits(model.trace, reading, most, |lock| proof::is_shared(model, lock), waits_at.clone());
    proof::with_provers(model, found, record, |recorded, prover, mixed, reading| try_one(model, recorded, prover, mixed, reading))
}

/// Where threads wait without limit, of the places at which they found at once what they asked for.
fn waiting(model: &Model<'_>, found: &[&Mixed]) -> FxHashSet<SiteId> {
    let waits = |mixed: &&&Mixed| {
        statement::called(model, mixed.wait_site).is_some_and(|name| match mixed.kind {
            MixedKind::Once => !LOOKING.contains(&name.as_str()),
            _ => WAITING.contains(&name.as_str()),
        })
    };
    found.iter().filter(waits).map(|mixed| mixed.wait_site).collect()
}

fn try_one(model: &Model<'_>, recorded: &Recorded, prover: &mut Prover<'_, '_>, mixed: &Mixed, reading: Reading) -> Outcome {
    let holder = model.threads[mixed.holder].id;
    let mut waits: Vec<u32> = mixed.ends.iter().filter_map(|index| recorded.event(holder, *index)).collect();
    waits.retain(|event| recorded.waits(*event));
    let takes = takes(model, recorded, mixed);
    if waits.is_empty() || takes.is_empty() {
        return Outcome::Unknown;
    }
    match prover.prove_any(&[&waits, &takes]) {
        Verdict::Proven(how, witness) => Outcome::reached(reading, Schedule::new(model, recorded, how, &witness, 2, Vec::new())),
        Verdict::Unreachable | Verdict::Undecided | Verdict::Untried => Outcome::Unknown,
    }
}

/// The other thread's acquisitions of the lock.
fn takes(model: &Model<'_>, recorded: &Recorded, mixed: &Mixed) -> Vec<u32> {
    let is_meant = |context: &&Context| context.thread() == mixed.other && context.site == mixed.other_site && context.can_wait();
    let meant = model.contexts_of(mixed.lock).filter(is_meant);
    let mut takes: Vec<u32> = meant.flat_map(|context| proof::acquisitions(model, recorded, context)).collect();
    takes.sort_unstable();
    takes.dedup();
    takes
}
