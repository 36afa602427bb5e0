//! A lock held across a wait whose end needs that lock: see `hold_and_wait_cycle.md`.

use std::collections::BTreeMap;

use conccheck_trace::{ObjectId, SiteId};

use super::{lock_order_cycle, statement, waits};
use crate::draft::{Draft, list, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::handshake;
use crate::model::Model;
use crate::model::context::Context;
use crate::model::mixed::{Mixed, MixedKind};
use crate::proof::{Outcome, Schedule};
use crate::rule::{Rule, RuleMeta};
use crate::wait_proof;

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
        let outcomes = wait_proof::prove(model, &firsts);
        let is_certain = |mixed: &Mixed, outcome: &Outcome| {
            let has_schedule = matches!(outcome, Outcome::Proven(_) | Outcome::IfIndependent(_));
            // Who else gives tokens, begins an initialisation or serves another case is not known.
            has_schedule
                || matches!(mixed.kind, MixedKind::Join | MixedKind::Recv | MixedKind::Close | MixedKind::Send | MixedKind::Wait)
        };
        let certain = found.iter().zip(&outcomes).filter(|(found, outcome)| is_certain(found[0], outcome));
        out.extend(certain.map(|(found, outcome)| finding(model, found, outcome)));
    }
}

/// Whether who waits at `site` only tries, or has a limit. That a receive succeeded does not tell how it was asked for.
fn gives_up(model: &Model<'_>, site: SiteId) -> bool {
    let by_name = |name: String| name.starts_with("try_") || name.contains("_timeout") || name.ends_with("_deadline");
    model.gives_up.contains(&site) || statement::called(model, site).is_some_and(by_name)
}

fn finding(model: &Model<'_>, found: &[&Mixed], outcome: &Outcome) -> Finding {
    let mixed = found[0];
    let is_proven = matches!(outcome, Outcome::Proven(_));
    let apart = handshake::behind(model, found.iter().flat_map(|mixed| pairs(model, mixed)), is_proven);
    let confidence = if is_proven && apart.is_none() { Confidence::Proven } else { Confidence::Possible };
    let schedule = match outcome {
        Outcome::Proven(schedule) | Outcome::IfIndependent(schedule) => Some(schedule),
        Outcome::Unreachable | Outcome::Unknown => None,
    };
    let objects = [Some(mixed.lock), waits::object(mixed.event)];
    let mut draft = Draft::new(model, &META, confidence, objects.into_iter().flatten());
    let lock = draft.quoted(mixed.lock);
    let steps = vec![
        draft.step(mixed.hold_site, format!("holds {lock} from here"), false),
        draft.step(mixed.wait_site, waits::text(model, &draft, mixed.event), true),
    ];
    let holder = draft.party(mixed.holder, steps);
    let (what, before) = words(model, mixed);
    let steps = vec![draft.step(mixed.other_site, format!("takes {lock} here, {before}"), false)];
    let other = draft.party(mixed.other, steps);
    let take = waits::lock_call(mixed.hold_mode, draft.name(mixed.lock));
    match schedule {
        Some(schedule) => {
            for (party, step) in &schedule.steps {
                let call = lock_order_cycle::call(model, &draft, *step);
                draft.scenario(*party, call, false);
            }
        }
        None => draft.scenario(holder, take.clone(), false),
    }
    draft.scenario(other, take, true);
    let wait = waits::call(model, &draft, mixed.event);
    draft.scenario(holder, wait, true);
    for other in &found[1..] {
        draft.seen_by(other.holder);
    }
    let count = found.iter().map(|mixed| mixed.count).sum();
    if let Some(wait) = &apart {
        draft.evidence(wait.evidence(model));
    } else if let Some(text) = lock_order_cycle::evidence(outcome) {
        draft.evidence(text);
    }
    if let Some(Schedule { others, .. }) = schedule.filter(|schedule| !schedule.others.is_empty()) {
        let names: Vec<String> = others.iter().map(|t| model.names().called(*t)).collect();
        draft.evidence(format!("who else could end the wait waits itself by then: {}", list(&names)));
    }
    draft.evidence(match mixed.kind {
        MixedKind::Send => "the buffer had room in this run; with the receiver at the lock it fills up".to_owned(),
        _ => {
            let (holder, other) = (model.names().called(mixed.holder), model.names().called(mixed.other));
            format!("in this run {other} happened to take {lock} before {holder} did; nothing makes it come first")
        }
    });
    if schedule.is_none() && !matches!(mixed.kind, MixedKind::Join | MixedKind::Close) {
        draft.evidence("it hangs unless another thread ends the wait meanwhile");
    }
    draft.evidence(format!("seen {}", times(count)));
    let other = model.names().called(mixed.other);
    let message = format!("{lock} is held across {what} that {other} ends, which takes {lock}");
    let mut finding = draft.finish(message, format!("release {lock} before waiting"), count);
    if apart.is_some() {
        finding.severity = Severity::Medium;
    }
    finding
}

/// How the holder takes the lock, with how the other does.
fn pairs<'m>(model: &'m Model<'_>, mixed: &'m Mixed) -> impl Iterator<Item = (&'m Context, &'m Context)> {
    let ways = |thread: usize, site: SiteId| {
        model.contexts_of(mixed.lock).filter(move |context| context.thread() == thread && context.site == site)
    };
    ways(mixed.holder, mixed.hold_site).flat_map(move |late| ways(mixed.other, mixed.other_site).map(move |early| (late, early)))
}

/// What is waited for, and before what the other thread takes the lock.
fn words(model: &Model<'_>, mixed: &Mixed) -> (&'static str, &'static str) {
    let is_group = || waits::object(mixed.event).is_some_and(|channel| waits::is_group(model, channel));
    match mixed.kind {
        MixedKind::Join => ("a join", "before it ends"),
        MixedKind::Recv => ("a receive", "before it sends"),
        MixedKind::Close if is_group() => ("a wait for a group", "before it leaves the group"),
        MixedKind::Close => ("a wait for the end of a channel", "before it drops its sender"),
        MixedKind::Send => ("a send", "before it receives again"),
        MixedKind::Wait => ("a wait for a notification", "before it notifies"),
        MixedKind::Park => ("a park", "before it unparks"),
        MixedKind::Barrier => ("a barrier", "before it arrives"),
        MixedKind::Once => ("an initialisation", "within the initialiser"),
        MixedKind::Select => ("a selection", "before it does its part"),
    }
}
