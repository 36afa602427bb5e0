//! Locks that are acquired in inconsistent order: see `lock_order_cycle.md`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use conccheck_trace::{Mode, ObjectId, SiteId};

use super::waits;
use crate::cycles::Ring;
use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::handshake;
use crate::model::Model;
use crate::predict::{Cut, How};
use crate::proof::{self, Outcome, Schedule, Step};
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
        let rings = model.rings().rings.iter().filter(|ring| !hung.contains(&locks(ring)));
        let Some(predicted) = model.predicted() else {
            let rings: Vec<&Ring> = rings.collect();
            let outcomes = proof::prove(model, &rings);
            out.extend(rings.iter().zip(outcomes).map(|(ring, outcome)| finding(model, ring, &outcome)));
            return;
        };
        // Of each tuple of places in the source, one: the proven one, if there is one.
        let mut by_places: BTreeMap<Vec<SiteId>, (Ring, Outcome)> = BTreeMap::new();
        for deadlock in &predicted.prediction.deadlocks {
            let Some(ring) = predicted.ring(model, deadlock).filter(|ring| !hung.contains(&locks(ring))) else { continue };
            let (witness, contexts) = (&deadlock.witness, ring.contexts.clone());
            let schedule = Schedule::new(model, &predicted.recorded, deadlock.how, witness, contexts.len(), contexts);
            add(&mut by_places, model, ring, Outcome::Proven(schedule));
        }
        for ring in rings {
            let is_ruled_out = predicted.prediction.cut == Cut::default();
            let outcome = if is_ruled_out { Outcome::Unreachable } else { Outcome::Unknown };
            add(&mut by_places, model, ring.clone(), outcome);
        }
        out.extend(by_places.values().map(|(ring, outcome)| finding(model, ring, outcome)));
    }
}

/// Adds a ring to those that acquire at the same places.
fn add(by_places: &mut BTreeMap<Vec<SiteId>, (Ring, Outcome)>, model: &Model<'_>, ring: Ring, outcome: Outcome) {
    let mut places: Vec<SiteId> = ring.contexts.iter().map(|id| model.contexts[*id as usize].site).collect();
    places.sort_unstable();
    match by_places.entry(places) {
        Entry::Vacant(entry) => _ = entry.insert((ring, outcome)),
        Entry::Occupied(entry) => {
            let (known, _) = entry.into_mut();
            let is_new = |contexts: &Vec<u32>| {
                let same = |other: &Vec<u32>| contexts.iter().all(|id| other.contains(id));
                !known.same.iter().any(same)
            };
            let new: Vec<Vec<u32>> = ring.same.into_iter().filter(is_new).collect();
            if !new.is_empty() {
                known.count += ring.count;
                known.same.extend(new);
            }
        }
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

fn finding(model: &Model<'_>, ring: &Ring, outcome: &Outcome) -> Finding {
    let schedule = match outcome {
        Outcome::Proven(schedule) | Outcome::IfIndependent(schedule) => Some(schedule),
        Outcome::Unreachable | Outcome::Unknown => None,
    };
    let ids = schedule.map_or(&ring.contexts[..], |schedule| &schedule.contexts[..ring.contexts.len()]);
    let contexts: Vec<_> = ids.iter().map(|id| &model.contexts[*id as usize]).collect();
    let writers: Vec<_> = ring.writers.iter().flatten().map(|id| &model.contexts[*id as usize]).collect();
    let is_proven = matches!(outcome, Outcome::Proven(_));
    let apart = handshake::apart(model, &ring.same, is_proven);
    let is_sure = is_proven && apart.is_none();
    let confidence = if is_sure { Confidence::Proven } else { Confidence::Possible };
    let mut draft = Draft::new(model, &META, confidence, contexts.iter().map(|context| context.lock));
    let mut first_steps = Vec::new();
    for (i, context) in contexts.iter().enumerate() {
        let before = contexts[(i + contexts.len() - 1) % contexts.len()].lock;
        let held = model.held(context.chain).into_iter().find(|held| held.lock == before).copied();
        draft.takes(before, context.lock);
        let (site, mode) = held.map_or((SiteId::NONE, Mode::Exclusive), |held| (held.site, held.mode));
        let text = format!("holds {}{} from here", draft.quoted(before), waits::mode_words(mode));
        let mut steps = match held.and_then(|held| model.context_of(context.thread(), &held)) {
            Some(outer) => draft.acquisition(outer, text, false),
            None => vec![draft.step(site, text, false)],
        };
        let text = format!("and waits for {}{} here", draft.quoted(context.lock), waits::mode_words(context.mode));
        steps.extend(draft.acquisition(context, text, true));
        let party = draft.party(context.thread(), steps);
        first_steps.push((party, Step::Acquire(before, mode)));
    }
    for writer in &writers {
        let text = format!("waits for {} here, so that later readers queue behind it", draft.quoted(writer.lock));
        let step = draft.step(writer.site, text, false);
        draft.party(writer.thread(), vec![step]);
    }
    for (party, step) in schedule.map_or(&first_steps, |schedule| &schedule.steps) {
        let call = call(model, &draft, *step);
        draft.scenario(*party, call, false);
    }
    for (i, writer) in writers.iter().enumerate() {
        let call = format!("write({})", draft.name(writer.lock));
        draft.scenario(contexts.len() + i, call, true);
    }
    for (party, context) in contexts.iter().enumerate() {
        let call = waits::lock_call(context.mode, draft.name(context.lock));
        draft.scenario(party, call, true);
    }
    for other in ring.same.iter().flatten() {
        draft.seen_by(model.contexts[*other as usize].thread());
    }
    if let Some(wait) = &apart {
        draft.evidence(wait.evidence(model));
    } else if let Some(text) = evidence(outcome) {
        draft.evidence(text);
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
    let help = if model.names().are_of_one_class(first, second) {
        format!("take the locks of `{}` in one order everywhere, by index or address", model.names().class(first))
    } else {
        format!("take {} before {} everywhere, or release one before taking the other", draft.quoted(first), draft.quoted(second))
    };
    let mut finding = draft.finish(message, help, ring.count);
    if apart.is_some() {
        finding.severity = Severity::Medium;
    }
    finding
}

/// What speaks for it, from prediction.
pub(crate) fn evidence(outcome: &Outcome) -> Option<String> {
    Some(match outcome {
        Outcome::Proven(Schedule { how, events, .. }) => {
            let order = match how {
                How::KeepingOrder => "each lock's sections keep their order",
                How::Reversing | How::Searching => "some sections of a lock change their order",
            };
            format!("a reordering of this run reaches it (replayed, {events} events; {order})")
        }
        Outcome::IfIndependent(_) => {
            "a schedule exists if what these sections read does not decide which locks their threads take".to_owned()
        }
        Outcome::Unreachable => "no reordering of this run in which every thread reads the same reaches it".to_owned(),
        Outcome::Unknown => return None,
    })
}

/// A step of a schedule as a call.
pub(crate) fn call(model: &Model<'_>, draft: &Draft<'_, '_>, step: Step) -> String {
    match step {
        Step::Acquire(lock, mode) => waits::lock_call(mode, draft.name(lock)),
        Step::Release(lock) => format!("unlock({})", draft.name(lock)),
        Step::Other(event) => waits::done(model, event),
    }
}
