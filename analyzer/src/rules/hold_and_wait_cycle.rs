//! A lock held across a wait whose end needs that lock: see `hold_and_wait_cycle.md`.

use std::collections::BTreeMap;

use conccheck_trace::{ObjectId, SiteId};

use super::{statement, waits};
use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::join_proof;
use crate::model::Model;
use crate::model::mixed::{Mixed, MixedKind};
use crate::rule::{Rule, RuleMeta};

pub(crate) struct HoldAndWaitCycle;

static META: RuleMeta = RuleMeta {
    name: "hold-and-wait-cycle",
    summary: "a lock is held across a wait whose end needs that lock",
    severity: Severity::Critical,
    since: "0.1.0",
    page: include_str!("hold_and_wait_cycle.md"),
};

impl Rule for HoldAndWaitCycle {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        // What hung is reported as the deadlock that it was.
        let stuck = &model.stuck().groups;
        let hung: Vec<ObjectId> = stuck.iter().flat_map(|group| &group.threads).flat_map(|t| waits::objects(model, *t)).collect();
        let mut by_sites: BTreeMap<(SiteId, SiteId, SiteId), Vec<&Mixed>> = BTreeMap::new();
        let could_hang = |mixed: &&Mixed| !hung.contains(&mixed.lock) && !gives_up(model, mixed.wait_site);
        for mixed in model.mixed.iter().filter(could_hang) {
            by_sites.entry((mixed.hold_site, mixed.wait_site, mixed.other_site)).or_default().push(mixed);
        }
        let found: Vec<Vec<&Mixed>> = by_sites.into_values().collect();
        let firsts: Vec<&Mixed> = found.iter().map(|same| same[0]).collect();
        let proofs = join_proof::prove(model, &firsts);
        out.extend(found.iter().zip(proofs).map(|(found, proof)| finding(model, found, proof)));
    }
}

/// Whether who waits at `site` only tries, or has a limit. That a receive succeeded does not tell how it was asked for.
fn gives_up(model: &Model<'_>, site: SiteId) -> bool {
    let by_name = |name: String| name.starts_with("try_") || name.contains("_timeout") || name.ends_with("_deadline");
    model.gives_up.contains(&site) || statement::called(model, site).is_some_and(by_name)
}

/// `proof`: the length of a reordering that reaches it.
fn finding(model: &Model<'_>, found: &[&Mixed], proof: Option<usize>) -> Finding {
    let mixed = found[0];
    let confidence = if proof.is_some() { Confidence::Proven } else { Confidence::Possible };
    let objects = [Some(mixed.lock), waits::object(mixed.event)];
    let mut draft = Draft::new(model, &META, confidence, objects.into_iter().flatten());
    let lock = draft.quoted(mixed.lock);
    let steps = vec![
        draft.step(mixed.hold_site, format!("holds {lock} from here"), false),
        draft.step(mixed.wait_site, waits::text(model, &draft, mixed.event), true),
    ];
    let holder = draft.party(mixed.holder, steps);
    let before = match mixed.kind {
        MixedKind::Join => "before it ends",
        MixedKind::Recv => "before it sends",
        MixedKind::Send => "before it receives again",
        MixedKind::Wait => "before it notifies",
    };
    let steps = vec![draft.step(mixed.other_site, format!("takes {lock} here, {before}"), false)];
    let other = draft.party(mixed.other, steps);
    let call = waits::lock_call(mixed.hold_mode, draft.name(mixed.lock));
    draft.scenario(holder, call.clone(), false);
    draft.scenario(other, call, true);
    let wait = waits::call(model, &draft, mixed.event);
    draft.scenario(holder, wait, true);
    for other in &found[1..] {
        draft.seen_by(other.holder);
    }
    let count = found.iter().map(|mixed| mixed.count).sum();
    if let Some(events) = proof {
        draft.evidence(format!("a reordering of this run reaches it (replayed, {events} events)"));
    }
    draft.evidence(match mixed.kind {
        MixedKind::Send => "the buffer had room in this run; with the receiver at the lock it fills up".to_owned(),
        _ => "in this run the lock was taken before; nothing orders it so".to_owned(),
    });
    draft.evidence(format!("seen {}", times(count)));
    let other = model.names().called(mixed.other);
    let what = match mixed.kind {
        MixedKind::Join => "a join".to_owned(),
        MixedKind::Recv => "a receive".to_owned(),
        MixedKind::Send => "a send".to_owned(),
        MixedKind::Wait => "a wait for a notification".to_owned(),
    };
    let message = format!("{lock} is held across {what} that {other} ends, which takes {lock}");
    draft.finish(message, format!("release {lock} before waiting"), count)
}
