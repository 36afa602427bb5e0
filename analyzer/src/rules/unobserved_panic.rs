//! Panics of threads whose result nobody takes: see `unobserved_panic.md`.

use std::collections::BTreeMap;

use conccheck_trace::SiteId;

use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct UnobservedPanic;

static META: RuleMeta = RuleMeta {
    name: "unobserved-panic",
    summary: "a thread panicked and nobody took its result",
    severity: Severity::High,
    since: "0.1.0",
    page: include_str!("unobserved_panic.md"),
};

impl Rule for UnobservedPanic {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        let mut by_site: BTreeMap<SiteId, Vec<usize>> = BTreeMap::new();
        for (t, thread) in model.threads.iter().enumerate() {
            // The end of a scope passes panics on by itself.
            let Some(spawn) = thread.spawn.filter(|spawn| !spawn.is_scoped) else { continue };
            if thread.panicked && !thread.result_taken && !is_replaced(model, t) {
                by_site.entry(spawn.site).or_default().push(t);
            }
        }
        for (site, threads) in by_site {
            let mut draft = Draft::new(model, &META, Confidence::Manifest, []);
            let step = draft.step(site, "was started here, panicked, and was never joined", true);
            draft.party(threads[0], vec![step]);
            for other in &threads[1..] {
                draft.seen_by(*other);
            }
            let count = threads.len() as u64;
            draft.evidence(format!("seen {}", times(count)));
            let name = model.names().called(threads[0]);
            let help = format!("join {name} and look at the result, or catch the panic inside and report it");
            out.push(draft.finish(format!("{name} panicked and nobody took its result"), help, count));
        }
    }
}

/// A thread's last events are these many.
const LAST: u32 = 8;

/// Whether the thread, as it went down, started its successor in the place where it was started itself: a pool that mends itself knows.
fn is_replaced(model: &Model<'_>, t: usize) -> bool {
    let thread = &model.threads[t];
    let own = thread.spawn.as_ref().map(|spawn| spawn.site);
    model.threads.iter().filter(|other| other.parent == Some(t)).filter_map(|other| other.spawn.as_ref()).any(|spawn| {
        Some(spawn.site) == own && spawn.index <= thread.end_index && spawn.index.saturating_add(LAST) >= thread.end_index
    })
}
