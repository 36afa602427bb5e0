//! Decisions on a value that another thread changed meanwhile: see `atomicity_violation.md`.

use std::collections::BTreeMap;

use conccheck_trace::{SiteDef, SiteId};

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
/// Lines after a guard is bound that are looked at.
const BODY: u32 = 4;

impl Rule for AtomicityViolation {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        let mut by_sites: BTreeMap<(SiteId, SiteId), Vec<&Stale>> = BTreeMap::new();
        for stale in model.stale.iter().filter(|stale| relies_on_read(model, stale)) {
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
    let (Some(reads), Some(writes)) = (line(model, read, 0), line(model, write, 0)) else { return false };
    let decides = decides(&reads);
    if !decides && !reads.trim_start().starts_with("let ") {
        return false;
    }
    match bound_guard(&writes) {
        None => overwrites(&writes, decides),
        Some(guard) => {
            let body: Vec<String> = (1..=BODY).map_while(|below| line(model, write, below)).collect();
            // A condition on the guard is the check again.
            let checks_again = body.iter().any(|text| uses(text, &guard) && self::decides(text));
            !checks_again && body.iter().any(|text| uses(text, &guard) && overwrites(text, decides))
        }
    }
}

fn line(model: &Model<'_>, site: &SiteDef, below: u32) -> Option<String> {
    model.sources.line(&SiteDef { line: site.line + below, column: 1, ..site.clone() })
}

/// Whether a statement makes a decision of what it reads.
fn decides(text: &str) -> bool {
    let text = text.trim_start();
    let branches = ["if ", "while ", "match ", "} else if "].iter().any(|word| text.starts_with(word));
    let compares = ["==", "!=", ">=", "<=", " < ", " > ", "is_empty()", "is_none()", "is_some()", "contains"];
    branches || compares.iter().any(|op| text.contains(op))
}

/// Whether a statement writes what it has not read under the same guard.
fn overwrites(text: &str, decided: bool) -> bool {
    // These look and write in one.
    if [".entry(", "get_or_insert", "or_insert", ".replace(", ".take()", "compare"].iter().any(|call| text.contains(call)) {
        return false;
    }
    let updates = ["+=", "-=", "*=", "|=", "&=", "^=", ".push", ".pop", ".insert(", ".remove(", ".extend(", ".clear("];
    let assigns = text.match_indices(" = ").any(|(at, _)| !text[..at].trim_start().starts_with("let"));
    assigns || decided && updates.iter().any(|update| text.contains(update))
}

/// The name of the guard that a statement binds.
fn bound_guard(text: &str) -> Option<String> {
    let rest = text.trim_start().strip_prefix("let ")?.trim_start();
    let rest = rest.strip_prefix("mut ").unwrap_or(rest);
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let end = text.trim_end();
    let is_guard = ["lock().unwrap();", "write().unwrap();", "lock();", "write();"].iter().any(|call| end.ends_with(call));
    (is_guard && !name.is_empty()).then_some(name)
}

fn uses(text: &str, guard: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == guard)
}
