//! Locks held while their thread waits for something else: see `held_across_blocking.md`.

use std::collections::BTreeMap;

use conccheck_trace::{Event, ObjectId, SiteId, Ticks};

use super::waits;
use crate::draft::{Draft, duration, list, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::context::BlockingOp;
use crate::names::file_name;
use crate::rule::{Rule, RuleMeta};
use crate::serial::serialises_tests;

pub(crate) struct HeldAcrossBlocking;

static META: RuleMeta = RuleMeta {
    name: "held-across-blocking",
    summary: "a lock is held while its thread sleeps or waits, and others wait for the lock",
    severity: Severity::High,
    since: "0.1.0",
    page: include_str!("held_across_blocking.md"),
};

/// Further places that are named.
const PLACES: usize = 3;
/// From this wait of others on, in nanoseconds, it is worth a word.
const NOTICEABLE: u64 = 1_000_000;

impl Rule for HeldAcrossBlocking {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        let mut by_hold: BTreeMap<(SiteId, SiteId), Vec<(&BlockingOp, u64)>> = BTreeMap::new();
        for op in &model.ops {
            let waited = model.span(model.trace.header.start_ticks, Ticks(model.trace.header.start_ticks.0 + op.others_waited)).0;
            let Some((_, _, lock)) = op.waiter.filter(|_| waited >= NOTICEABLE) else { continue };
            if !guards_the_other_end(model, lock, op.event) && !serialises_tests(model, lock) {
                let hold = model.held(op.chain).into_iter().find(|held| held.lock == lock).map_or(SiteId::NONE, |held| held.site);
                // Where it is not known what took the lock, each wait stands for itself.
                let wait = if hold == SiteId::NONE { op.site } else { SiteId::NONE };
                by_hold.entry((hold, wait)).or_default().push((op, waited));
            }
        }
        for ((hold, _), mut ops) in by_hold {
            // The same one is shown in each run where the same ones matter.
            let place = |op: &BlockingOp| model.site(op.site).map(|site| (site.file.clone(), site.line, site.column));
            ops.sort_by_cached_key(|(op, waited)| (*waited < model.config.others_wait.0, place(op), std::cmp::Reverse(*waited)));
            let (op, waited) = ops[0];
            let Some((waiter, waiter_site, lock)) = op.waiter else { continue };
            let objects = [Some(lock), waits::object(op.event)];
            let mut draft = Draft::new(model, &META, Confidence::Advice, objects.into_iter().flatten());
            let name = draft.quoted(lock);
            let steps = vec![
                draft.step(hold, format!("holds {name} from here"), false),
                draft.step(op.site, waits::text(model, &draft, op.event), true),
            ];
            draft.party(op.thread, steps);
            let step = draft.step(waiter_site, format!("waited for {name} here meanwhile, up to {}", duration(waited)), false);
            draft.party(waiter, vec![step]);
            for (other, _) in &ops[1..] {
                draft.seen_by(other.thread);
            }
            let count = ops.iter().map(|(op, _)| op.count).sum();
            draft.evidence(format!("seen {}", times(count)));
            let mut others: Vec<_> = ops.iter().filter_map(|(op, _)| place(op)).collect();
            others.sort();
            others.dedup();
            others.retain(|other| Some(other) != place(op).as_ref());
            if !others.is_empty() {
                let mut shown: Vec<_> =
                    others.iter().take(PLACES).map(|(file, line, _)| format!("{}:{line}", file_name(file))).collect();
                shown.extend((others.len() > PLACES).then(|| format!("{} more", others.len() - PLACES)));
                draft.evidence(format!("it is held across other waits as well: {}", list(&shown)));
            }
            let message = format!("{name} is held while its thread {}", what(op.event));
            let help = format!("copy what is needed out of {name}, release it, then wait");
            let mut finding = draft.finish(message, help, count);
            if waited < model.config.others_wait.0 {
                finding.severity = Severity::Medium;
            }
            out.push(finding);
        }
    }
}

/// Whether the lock is there to share one end of the very channel: then who holds it must wait with it.
fn guards_the_other_end(model: &Model<'_>, lock: ObjectId, event: Event) -> bool {
    let parts: &[&str] = match event {
        Event::RecvRequest { .. } => &["Receiver<"],
        Event::SendRequest { .. } => &["Sender<"],
        Event::SelectRequest { .. } => &["Receiver<", "Sender<"],
        _ => return false,
    };
    let type_name = model.trace.tables.object(lock).and_then(|object| model.trace.tables.string(object.type_name));
    type_name.is_some_and(|name| parts.iter().any(|part| name.contains(part)))
}

fn what(event: Event) -> &'static str {
    match event {
        Event::Sleep { .. } => "sleeps",
        Event::JoinRequest { .. } | Event::Join { .. } => "joins another",
        Event::RecvRequest { .. } => "waits for a message",
        Event::SendRequest { .. } => "waits for room in a channel",
        Event::SelectRequest { .. } => "selects from channels",
        Event::Wait { .. } => "waits for a notification",
        Event::BarrierWait { .. } => "waits at a barrier",
        _ => "waits",
    }
}
