//! A thread for every event: see `spawn_burst.md`.

use std::collections::BTreeMap;

use conccheck_trace::{SiteId, Ticks};

use crate::draft::{Draft, duration};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct SpawnBurst;

static META: RuleMeta = RuleMeta {
    name: "spawn-burst",
    summary: "one place starts many threads at once that nobody joins",
    severity: Severity::Medium,
    since: "0.1.0",
    page: include_str!("spawn_burst.md"),
};

impl Rule for SpawnBurst {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        let mut by_site: BTreeMap<SiteId, BTreeMap<Option<usize>, Vec<usize>>> = BTreeMap::new();
        for (t, thread) in model.threads.iter().enumerate() {
            // Threads whose handles are kept are bounded by those who join them.
            if let Some(spawn) = thread.spawn.filter(|spawn| !spawn.is_scoped && thread.is_detached) {
                // Tests that run at the same time have each their own threads.
                by_site.entry(spawn.site).or_default().entry(thread.test).or_default().push(t);
            }
        }
        for (site, by_test) in by_site {
            let peaks = by_test.into_values().map(|threads| (peak(model, &threads), threads));
            let mut bursts: Vec<_> = peaks.filter(|((peak, _), _)| *peak >= model.config.burst).collect();
            bursts.sort_by_key(|((peak, _), _)| std::cmp::Reverse(*peak));
            let Some(((peak, at), threads)) = bursts.first() else { continue };
            let first = threads.iter().filter_map(|t| Some((model.threads[*t].spawn?.time, *t))).min();
            let Some((begun, t)) = first else { continue };
            let mut draft = Draft::new(model, &META, Confidence::Advice, []);
            let starter = model.threads[t].parent.unwrap_or(t);
            let step = draft.step(site, "starts a thread here each time, and drops its handle", true);
            draft.party(starter, vec![step]);
            let mut all = 0;
            for other in bursts.iter().flat_map(|(_, threads)| threads) {
                draft.seen_by(*other);
                all += 1;
            }
            let started = threads.len();
            draft.evidence(format!("{peak} of the {started} threads started here were alive at once"));
            let took = model.span(begun, *at).0;
            let rate = if took > 0 { format!(": {:.0} a second", *peak as f64 * 1e9 / took as f64) } else { String::new() };
            draft.evidence(format!("it took {} to get there{rate}", duration(took)));
            if let Some(cores) = cores(model) {
                draft.evidence(format!("the machine had {cores} {} for them", if cores == 1 { "core" } else { "cores" }));
            }
            let starter_name = model.names().called(starter);
            let help = format!(
                "let {starter_name} start a fixed number of workers once, and send them the work through a bounded channel"
            );
            out.push(draft.finish(format!("{peak} threads from one place are alive at once"), help, all));
        }
    }
}

/// Cores of the machine, where the trace says.
fn cores(model: &Model<'_>) -> Option<u64> {
    let mut facts = model.trace.header.facts.iter();
    facts.find(|(name, _)| name == "cores").and_then(|(_, cores)| cores.parse().ok())
}

/// Most of these threads that were alive at once, and when first.
fn peak(model: &Model<'_>, threads: &[usize]) -> (u64, Ticks) {
    let mut changes: Vec<(Ticks, i64)> = Vec::with_capacity(2 * threads.len());
    for thread in threads.iter().map(|t| &model.threads[*t]) {
        if let Some(spawn) = thread.spawn {
            changes.push((spawn.time, 1));
            changes.extend(thread.ended.map(|end| (end.max(spawn.time), -1)));
        }
    }
    changes.sort_unstable();
    let (mut alive, mut peak) = (0, (0, Ticks(0)));
    for (time, change) in changes {
        alive += change;
        if alive > peak.0 {
            peak = (alive, time);
        }
    }
    (peak.0.unsigned_abs(), peak.1)
}
