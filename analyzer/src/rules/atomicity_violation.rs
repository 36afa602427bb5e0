//! Decisions on a value that another thread changed meanwhile: see `atomicity_violation.md`.

use std::collections::BTreeMap;

use conccheck_trace::SiteId;

use super::{racy_initialization, statement};
use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::lock::Stale;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct AtomicityViolation;

static META: RuleMeta = RuleMeta {
    name: "atomicity-violation",
    summary: "a value is read under a lock and written under it later, with another write between",
    severity: Severity::High,
    since: "0.1.0",
    page: include_str!("atomicity_violation.md"),
};

/// Sections further apart in the source hardly belong to one decision.
const NEAR: u32 = 30;

impl Rule for AtomicityViolation {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        let mut by_sites: BTreeMap<(SiteId, SiteId), Vec<&Stale>> = BTreeMap::new();
        for stale in
            model.stale.iter().filter(|stale| relies_on_read(model, stale) && !racy_initialization::fills_slot(model, stale))
        {
            by_sites.entry((stale.read, stale.write)).or_default().push(stale);
        }
        for found in by_sites.into_values() {
            let stale = found[0];
            let mut draft = Draft::new(model, &META, Confidence::Manifest, [stale.lock]);
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
            let count = found.iter().map(|stale| stale.count).sum();
            draft.evidence(format!("it happened {} in this run", times(count)));
            let message = format!("{name} is released between a read and the write that relies on it");
            let help = format!("keep one guard of {name} from the read to the write, or check again under the second one");
            out.push(draft.finish(message, help, count));
        }
    }
}

/// Whether the source shows that the write relies on the read. The trace only shows that both happened.
fn relies_on_read(model: &Model<'_>, stale: &Stale) -> bool {
    let (Some(read), Some(write)) = (model.site(stale.read), model.site(stale.write)) else { return false };
    if read.file != write.file || write.line < read.line || write.line - read.line > NEAR {
        return false;
    }
    let (Some(reads), Some(writes)) = (statement::at(model, stale.read), statement::at(model, stale.write)) else { return false };
    let decides = statement::decides(&reads);
    if !decides && !reads.trim_start().starts_with("let ") {
        return false;
    }
    let body = statement::uses_of_guard(model, stale.write);
    // A condition on the guard is the check again.
    let checks_again = statement::binds_guard(&writes) && body.iter().any(|text| statement::decides(text));
    !checks_again && body.iter().any(|text| overwrites(text, decides))
}

/// Whether a statement writes what it has not read under the same guard.
fn overwrites(text: &str, decided: bool) -> bool {
    // These look and write in one.
    if [".entry(", "get_or_insert", "or_insert", ".replace(", ".take()", "compare"].iter().any(|call| text.contains(call)) {
        return false;
    }
    let updates = ["+=", "-=", "*=", "|=", "&=", "^=", ".push", ".pop", ".insert(", ".remove(", ".extend(", ".clear("];
    statement::assigns(text) || decided && updates.iter().any(|update| text.contains(update))
}
