//! Locks that are acquired in inconsistent order: see `lock_order_cycle.md`.

use conccheck_trace::{Mode, ObjectId, SiteId};

use super::waits;
use crate::cycles::Ring;
use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::proof;
use crate::rule::{Rule, RuleMeta};
use crate::stuck::Cause;

pub(crate) struct LockOrderCycle;

static META: RuleMeta = RuleMeta {
    name: "lock-order-cycle",
    summary: "locks are acquired in inconsistent order",
    severity: Severity::Critical,
    since: "0.1.0",
    page: include_str!("lock_order_cycle.md"),
};

impl Rule for LockOrderCycle {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        let hung = hung(model);
        let locks = |ring: &Ring| sorted(ring.contexts.iter().map(|id| model.contexts[*id as usize].lock));
        // What really hung is reported as what it was.
        let rings: Vec<&Ring> = model.rings().rings.iter().filter(|ring| !hung.contains(&locks(ring))).collect();
        let proven = proof::prove(model, &rings);
        out.extend(rings.iter().zip(proven).map(|(ring, proven)| finding(model, ring, proven)));
    }
}

fn sorted(locks: impl Iterator<Item = ObjectId>) -> Vec<ObjectId> {
    let mut locks: Vec<ObjectId> = locks.collect();
    locks.sort_unstable();
    locks.dedup();
    locks
}

/// The sets of locks that threads wait for in manifest deadlocks.
fn hung(model: &Model<'_>) -> Vec<Vec<ObjectId>> {
    let groups = model.stuck().of(Cause::Deadlock).chain(model.stuck().of(Cause::RecursiveRead));
    groups.map(|group| sorted(group.threads.iter().filter_map(|t| waits::object(waits::pending(model, *t)?.0)))).collect()
}

fn finding(model: &Model<'_>, ring: &Ring, is_proven: bool) -> Finding {
    let contexts: Vec<_> = ring.contexts.iter().map(|id| &model.contexts[*id as usize]).collect();
    let writers = ring.writers.iter().flatten().map(|id| &model.contexts[*id as usize]);
    let mut draft = Draft::new(
        model,
        &META,
        if is_proven { Confidence::Proven } else { Confidence::Possible },
        contexts.iter().map(|context| context.lock),
    );
    for (i, context) in contexts.iter().enumerate() {
        let before = contexts[(i + contexts.len() - 1) % contexts.len()].lock;
        let held = model.held(context.chain).into_iter().find(|held| held.lock == before).copied();
        let (site, mode) = held.map_or((SiteId::NONE, Mode::Exclusive), |held| (held.site, held.mode));
        let holds = draft.step(site, format!("holds {}{} from here", draft.quoted(before), waits::mode_words(mode)), false);
        let text = format!("and waits for {}{} here", draft.quoted(context.lock), waits::mode_words(context.mode));
        let wants = draft.step(context.site, text, true);
        let party = draft.party(context.thread, vec![holds, wants]);
        let call = waits::lock_call(mode, draft.name(before));
        draft.scenario(party, call, false);
    }
    for writer in writers {
        let text = format!("waits for {} here, so that later readers queue behind it", draft.quoted(writer.lock));
        let step = draft.step(writer.site, text, false);
        let party = draft.party(writer.thread, vec![step]);
        let call = format!("write({})", draft.name(writer.lock));
        draft.scenario(party, call, true);
    }
    for (party, context) in contexts.iter().enumerate() {
        let call = waits::lock_call(context.mode, draft.name(context.lock));
        draft.scenario(party, call, true);
    }
    for other in ring.same.iter().flatten() {
        draft.seen_by(model.contexts[*other as usize].thread);
    }
    if is_proven {
        draft.evidence("a reordering of this run reaches it");
    }
    draft.evidence(format!(
        "the acquisitions are of different threads, under no common lock, and nothing orders them; seen {}",
        times(ring.count)
    ));
    if ring.same.len() > 1 {
        draft.evidence(format!("{} sets of locks are taken that way by this code", ring.same.len()));
    }
    let names = draft.all_quoted();
    let message = format!("potential deadlock between {names}");
    let (first, second) = (contexts[contexts.len() - 1].lock, contexts[0].lock);
    let help = if model.names().class(first) == model.names().class(second) {
        format!("take the locks of `{}` in one order everywhere, by index or address", model.names().class(first))
    } else {
        format!("take {} before {} everywhere, or release one before taking the other", draft.quoted(first), draft.quoted(second))
    };
    draft.finish(message, help, ring.count)
}
