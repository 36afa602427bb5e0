//! Guards that are never released: see `guard_leak.md`.

use std::collections::BTreeMap;

use conccheck_trace::SiteId;

use super::waits;
use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::context::Holding;
use crate::model::thread::State;
use crate::prediction;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct GuardLeak;

static META: RuleMeta = RuleMeta {
    name: "guard-leak",
    summary: "a lock is never released although the thread that took it ended",
    severity: Severity::High,
    since: "0.1.0",
    page: include_str!("guard_leak.md"),
};

impl Rule for GuardLeak {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        // A trace in the exchange format is of a program that has no guards, and may lack a release that its recorder did not see.
        if prediction::is_complete(model.trace) {
            return;
        }
        let mut by_site: BTreeMap<SiteId, Vec<(usize, &Holding)>> = BTreeMap::new();
        for (t, thread) in model.threads.iter().enumerate() {
            // A thread that lost events may have released what it seems to hold, and nobody can want what one holds that ended the process.
            if model.stuck().state(t) == State::Ended && thread.lost == 0 && !thread.exits {
                for held in &thread.held {
                    by_site.entry(held.site).or_default().push((t, held));
                }
            }
        }
        for found in by_site.into_values() {
            let (t, held) = found[0];
            let mut draft = Draft::new(model, &META, Confidence::Manifest, found.iter().map(|(_, held)| held.lock));
            let name = draft.quoted(held.lock);
            let step = draft.step(held.site, format!("took {name} here and ended without releasing it"), true);
            draft.party(t, vec![step]);
            for (other, _) in &found[1..] {
                draft.seen_by(*other);
            }
            for waiter in 0..model.threads.len() {
                let Some((event, site)) = waits::pending(model, waiter) else { continue };
                if waits::object(event).is_some_and(|lock| found.iter().any(|(_, held)| held.lock == lock)) {
                    let text = waits::text(model, &draft, event);
                    let step = draft.step(site, text, false);
                    draft.party(waiter, vec![step]);
                }
            }
            draft.evidence(format!("seen {}", times(found.len() as u64)));
            let message = format!("{name} stays locked: {} ended and never released it", model.names().called(t));
            let help = format!(
                "let the guard of {name} go out of scope; `mem::forget`, `Box::leak` and cycles of `Rc` keep it for ever"
            );
            out.push(draft.finish(message, help, found.len() as u64));
        }
    }
}
