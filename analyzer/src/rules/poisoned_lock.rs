//! Locks poisoned by a panic, and who went down with them: see `poisoned_lock.md`.

use super::super::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};
use conccheck_trace::ObjectId;

pub(crate) struct PoisonedLock;

static META: RuleMeta = RuleMeta {
    name: "poisoned-lock",
    summary: "a panic poisoned a lock, and another thread failed on it",
    severity: Severity::High,
    since: "0.1.0",
    page: include_str!("poisoned_lock.md"),
};

impl Rule for PoisonedLock {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for (id, lock) in model.locks.iter() {
            let Some((culprit, site)) = lock.poisoned_by else { continue };
            // Who took the poisoned guard and went on has dealt with it.
            let victims: Vec<_> = lock.poison_met.iter().filter(|(t, _)| *t != culprit && model.threads[*t].panicked).collect();
            let Some((victim, met)) = victims.first() else { continue };
            let mut draft = Draft::new(model, &META, Confidence::Manifest, [ObjectId(id)]);
            let name = draft.quoted(ObjectId(id));
            let step = draft.step(site, format!("panicked while it held {name}, taken here"), true);
            draft.party(culprit, vec![step]);
            let step = draft.step(*met, format!("met the poisoned {name} here and panicked too"), false);
            draft.party(*victim, vec![step]);
            let count = victims.len() as u64;
            draft.evidence(format!("the poison was met {}", times(count)));
            let message = format!("a panic poisoned {name}, and {} failed on it", model.names().called(*victim));
            let help = format!("do what can panic before {name} is locked, or recover with `into_inner` and `clear_poison`");
            out.push(draft.finish(message, help, count));
        }
    }
}
