//! Which joins under a lock a reordering of the recorded run leads into while the thread that is waited for waits for that lock.

use conccheck_trace::SiteId;

use crate::model::Model;
use crate::model::mixed::{Mixed, MixedKind};
use crate::predict::{Index, Limits, Op, Prover, Reading, Recorded, Verdict, WithJoins};
use crate::proof;

/// For each of these the number of events of such a reordering, which was replayed. `None`: none is known.
pub(crate) fn prove(model: &Model<'_>, found: &[&Mixed]) -> Vec<Option<usize>> {
    let nothing = vec![None; found.len()];
    if !found.iter().any(|mixed| mixed.kind == MixedKind::Join) || proof::is_too_large(model) {
        return nothing;
    }
    let recorded = Recorded::with_locks(model.trace, Reading::FromTheStart, |lock| proof::is_shared(model, lock));
    let joins = WithJoins::new(&recorded.trace);
    let limits = Limits::default();
    let Ok(index) = Index::new(&joins.trace, limits.clock_cells) else { return nothing };
    let mut prover = Prover::new(&index, &limits);
    let mut attempt = |mixed: &&Mixed| {
        if mixed.kind != MixedKind::Join {
            return None;
        }
        let waits = waits(model, &recorded, &joins, mixed);
        let takes = takes(model, &recorded, &joins, mixed);
        if waits.is_empty() || takes.is_empty() {
            return None;
        }
        match prover.prove_any(&[&waits, &takes]) {
            Verdict::Proven(_, witness) => Some(joins.original_schedule(&witness.schedule).len()),
            Verdict::Unreachable | Verdict::Undecided | Verdict::Untried => None,
        }
    };
    found.iter().map(&mut attempt).collect()
}

/// The joins, each as the acquisition of what stands for the end of the thread that is waited for.
fn waits(model: &Model<'_>, recorded: &Recorded, joins: &WithJoins, mixed: &Mixed) -> Vec<u32> {
    let (holder, child) = (model.threads[mixed.holder].id, model.threads[mixed.other].id);
    let Some(child) = recorded.event_from(child, 0).map(|event| recorded.trace.events[event as usize].thread) else {
        return Vec::new();
    };
    let is_meant = |event: &u32| {
        let join = recorded.trace.events[*event as usize];
        join.op == Op::Join { waits: true }
            && join.object == child
            && SiteId(join.location) == mixed.wait_site
            && recorded.origin(*event).0 == holder
    };
    let events = (0..recorded.trace.events.len() as u32).filter(is_meant);
    // The acquisition stands directly before the join.
    let waits = events.filter_map(|event| joins.events[event as usize].checked_sub(1));
    waits.filter(|wait| matches!(joins.trace.events[*wait as usize].op, Op::Acquire { waits: true, .. })).collect()
}

/// The other thread's acquisitions of the lock.
fn takes(model: &Model<'_>, recorded: &Recorded, joins: &WithJoins, mixed: &Mixed) -> Vec<u32> {
    let contexts = model.locks.get(mixed.lock.0).into_iter().flat_map(|lock| &lock.contexts);
    let contexts = contexts.map(|id| &model.contexts[*id as usize]);
    let meant =
        contexts.filter(|context| context.thread == mixed.other && context.site == mixed.other_site && context.can_wait());
    let moments = meant.flat_map(|context| &context.moments.kept);
    let thread = model.threads[mixed.other].id;
    let mut takes: Vec<u32> = moments
        .filter_map(|(moment, _)| recorded.event(thread, moment.index))
        .map(|event| joins.events[event as usize])
        .collect();
    takes.sort_unstable();
    takes.dedup();
    takes
}
