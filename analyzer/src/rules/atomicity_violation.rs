//! Decisions on a value that another thread changed meanwhile: see `atomicity_violation.md`.

mod flow;
mod reliance;

use std::collections::BTreeMap;

use conccheck_trace::SiteId;

use super::racy_initialization;
use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::lock::Stale;
use crate::rule::{Rule, RuleMeta};
use reliance::{Reliance, reliance};

pub(crate) struct AtomicityViolation;

static META: RuleMeta = RuleMeta {
    name: "atomicity-violation",
    summary: "a value is read under a lock and written under it later, with another write between",
    severity: Severity::High,
    since: "0.1.0",
    page: include_str!("atomicity_violation.md"),
};

impl Rule for AtomicityViolation {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        let mut by_sites: BTreeMap<(SiteId, SiteId), Vec<&Stale>> = BTreeMap::new();
        for stale in model.stale.iter().filter(|stale| !racy_initialization::fills_slot(model, stale)) {
            by_sites.entry((stale.read, stale.write)).or_default().push(stale);
        }
        for mut found in by_sites.into_values() {
            let Some(Reliance { confidence, is_replaced }) = reliance(model, found[0]) else { continue };
            let times_seen = |stale: &Stale| stale.count - if is_replaced { stale.passed } else { 0 };
            found.retain(|stale| times_seen(stale) > 0);
            let Some(&stale) = found.first() else { continue };
            let mut draft = Draft::new(model, &META, confidence, [stale.lock]);
            let name = draft.quoted(stale.lock);
            let steps = vec![
                draft.step(stale.read, format!("reads what {name} guards here, and releases it"), false),
                draft.step(stale.write, "writes it here, relying on what it read", true),
            ];
            let first = draft.party(stale.thread, steps);
            let step = draft.step(stale.other_site, "wrote it here in between", false);
            let other = draft.party(stale.other, vec![step]);
            let plain = draft.name(stale.lock).to_owned();
            draft.scenario(first, format!("read({plain})"), false);
            draft.scenario(other, format!("write({plain})"), false);
            draft.scenario(first, format!("write({plain})"), false);
            for stale in &found[1..] {
                draft.seen_by(stale.thread);
            }
            let count = found.iter().map(|stale| times_seen(stale)).sum();
            draft.evidence(format!("it happened {} in this run", times(count)));
            let message = format!("{name} is released between a read and the write that relies on it");
            let help = format!("keep one guard of {name} from the read to the write, or check again under the second one");
            if confidence == Confidence::Possible {
                draft.evidence(
                    "the read and the write are functions of their own: that the one relies on the other is likely, not sure",
                );
            }
            let mut finding = draft.finish(message, help, count);
            if confidence == Confidence::Possible {
                finding.severity = Severity::Medium;
            }
            out.push(finding);
        }
    }
}
