//! Decisions on a value that another thread changed meanwhile: see `atomicity_violation.md`.

use std::collections::BTreeMap;

use conccheck_trace::{ObjectId, SiteId};

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
        for stale in model.stale.iter().filter(|stale| !racy_initialization::fills_slot(model, stale)) {
            by_sites.entry((stale.read, stale.write)).or_default().push(stale);
        }
        for found in by_sites.into_values() {
            let stale = found[0];
            let Some(confidence) = reliance(model, stale) else { continue };
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
            let count = found.iter().map(|stale| stale.count).sum();
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

/// Whether the source shows that the write relies on the read, and how surely. The trace only shows that both happened.
fn reliance(model: &Model<'_>, stale: &Stale) -> Option<Confidence> {
    let (read, write) = (model.site(stale.read)?, model.site(stale.write)?);
    let (reads, writes) = (statement::at(model, stale.read)?, statement::at(model, stale.write)?);
    if read.file != write.file {
        return None;
    }
    let is_near = write.line >= read.line && write.line - read.line <= NEAR;
    let between = if is_near { statement::between(model, stale.read, stale.write) } else { Vec::new() };
    if !is_near || between.iter().any(|line| declares_function(line)) {
        let sets = || is_setter(model, stale.write, &writes) && is_computed_with(model, stale.lock);
        let likely = is_getter(&reads) && sets() || is_near && is_lookup(&reads) && adds(model, stale.write);
        return likely.then_some(Confidence::Possible);
    }
    let name = reads.starts_with("let ").then(|| statement::bound_name(&reads)).flatten();
    let decides_on =
        |line: &String| name.as_ref().is_some_and(|name| statement::decides(line) && statement::mentions(line, name));
    let decides = statement::decides(&reads) || between.iter().any(decides_on);
    if !decides && name.is_none() {
        return None;
    }
    let body = statement::uses_of_guard(model, stale.write);
    // A condition on the guard is the check again.
    let checks_again = statement::binds_guard(&writes) && body.iter().any(|text| statement::decides(text));
    (!checks_again && body.iter().any(|text| overwrites(text, decides))).then_some(Confidence::Manifest)
}

fn declares_function(line: &str) -> bool {
    line.split_whitespace().any(|word| word == "fn")
}

/// What stands in the innermost braces that a line opens and closes.
fn body(text: &str) -> &str {
    text.rsplit_once("{ ").map_or(text, |(_, body)| body).trim_end_matches('}').trim()
}

/// Whether a statement gives back what the lock guards, as it is.
fn is_getter(text: &str) -> bool {
    let body = body(text);
    !body.ends_with(';') && (body.starts_with('*') || body.ends_with(".clone()")) && !body.contains(" = ")
}

/// Whether a statement gives back whether something is among what the lock guards.
fn is_lookup(text: &str) -> bool {
    let body = body(text);
    let looks = [".contains(", ".contains_key(", ".any("].iter().any(|call| body.contains(call));
    looks && !body.ends_with(';') && !body.starts_with("if ") && !body.contains(" = ")
}

/// Whether something is added to what the lock guards, and is not looked for before under the same guard.
fn adds(model: &Model<'_>, site: SiteId) -> bool {
    let body = statement::uses_of_guard(model, site);
    let adds = |text: &String| [".push(", ".push_back(", ".insert("].iter().any(|call| text.contains(call));
    body.iter().any(adds) && !body.iter().any(|text| statement::decides(text))
}

/// Whether what the lock guards is replaced as a whole.
fn is_setter(model: &Model<'_>, site: SiteId, text: &str) -> bool {
    let replaces = |text: &str| body(text).starts_with('*') && statement::assigns(body(text));
    replaces(text) || statement::binds_guard(text) && statement::uses_of_guard(model, site).iter().any(|text| replaces(text))
}

/// Whether the lock guards a number or a collection: what is written there is mostly made of what was read.
fn is_computed_with(model: &Model<'_>, lock: ObjectId) -> bool {
    let tables = &model.trace.tables;
    let name = tables.object(lock).and_then(|object| tables.string(object.type_name)).unwrap_or_default();
    let is_number = name.strip_prefix(['i', 'u', 'f']).is_some_and(|rest| rest == "size" || rest.parse::<u32>().is_ok());
    is_number || ["alloc::vec::Vec<", "alloc::string::String", "std::collections::"].iter().any(|prefix| name.starts_with(prefix))
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
