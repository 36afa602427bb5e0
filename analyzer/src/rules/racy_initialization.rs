//! Slots that two threads find empty and both fill: see `racy_initialization.md`.

use std::collections::BTreeMap;

use conccheck_trace::SiteId;

use super::statement;
use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::lock::Stale;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct RacyInitialization;

static META: RuleMeta = RuleMeta {
    name: "racy-initialization",
    summary: "two threads find the same slot empty and both initialise it",
    severity: Severity::Medium,
    since: "0.1.0",
    page: include_str!("racy_initialization.md"),
};

impl Rule for RacyInitialization {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        let mut by_sites: BTreeMap<(SiteId, SiteId), Vec<&Stale>> = BTreeMap::new();
        for stale in model.stale.iter().filter(|stale| fills_slot(model, stale)) {
            by_sites.entry((stale.read, stale.write)).or_default().push(stale);
        }
        for found in by_sites.into_values() {
            let stale = found[0];
            let mut draft = Draft::new(model, &META, Confidence::Manifest, [stale.lock]);
            let name = draft.quoted(stale.lock);
            let steps = vec![
                draft.step(stale.read, format!("finds {name} empty here, and releases it"), false),
                draft.step(stale.write, "fills it here, though it is full by now", true),
            ];
            let second = draft.party(stale.thread, steps);
            let step = draft.step(stale.other_site, "filled it here in between", false);
            let first = draft.party(stale.other, vec![step]);
            let plain = draft.name(stale.lock).to_owned();
            draft.scenario(second, format!("is {plain} empty?"), false);
            draft.scenario(first, format!("fill({plain})"), false);
            draft.scenario(second, format!("fill({plain})"), false);
            for stale in &found[1..] {
                draft.seen_by(stale.thread);
            }
            let count = found.iter().map(|stale| stale.count).sum();
            draft.evidence(format!("a full slot was filled again {} in this run; what was in it is lost", times(count)));
            let help =
                format!("make {name} a `OnceLock` and call `get_or_init`, which runs one initialiser and lets the others wait");
            out.push(draft.finish(format!("{name} is initialised by two threads"), help, count));
        }
    }
}

/// Whether a thread looked for a value in an `Option`, found none, and later put one in, while another thread did the same there.
pub(crate) fn fills_slot(model: &Model<'_>, stale: &Stale) -> bool {
    let tables = &model.trace.tables;
    let type_name = tables.object(stale.lock).and_then(|object| tables.string(object.type_name)).unwrap_or_default();
    if stale.other_site != stale.write || !type_name.starts_with("core::option::Option<") {
        return false;
    }
    let looks = statement::uses_of_guard(model, stale.read);
    let fills = statement::uses_of_guard(model, stale.write);
    let is_look = |text: &String| {
        ["Some(", "None", "is_none()", "is_some()", ".clone()", ".as_ref()"].iter().any(|part| text.contains(part))
    };
    // These look again under the same guard.
    let is_fill = |text: &String| {
        let looks_again = ["get_or_insert", "is_none()", "is_some()", ".take()"].iter().any(|part| text.contains(part));
        !looks_again
            && (statement::assigns(text) && text.contains("Some(") || text.contains(".insert(") || text.contains(".replace("))
    };
    looks.iter().any(is_look) && fills.iter().any(is_fill) && !fills.iter().any(|text| text.contains("if ") && is_look(text))
}
