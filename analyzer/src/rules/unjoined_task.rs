//! Threads that had not ended when the program did: see `unjoined_task.md`.

use std::collections::BTreeMap;

use conccheck_trace::SiteId;

use crate::draft::{Draft, duration, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::thread::State;
use crate::rule::{Rule, RuleMeta};

/// A thread that records nothing for so long, in nanoseconds, may do anything.
const SILENT: u64 = 50_000_000;

pub(crate) struct UnjoinedTask;

static META: RuleMeta = RuleMeta {
    name: "unjoined-task",
    summary: "a thread was still working when the program ended, and nobody waited for it",
    severity: Severity::Medium,
    since: "0.1.0",
    page: include_str!("unjoined_task.md"),
};

impl Rule for UnjoinedTask {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        // The STD format does not say when threads end.
        if !model.trace.header.clean_end || !model.is_measured() {
            return;
        }
        let mut by_site: BTreeMap<SiteId, Vec<usize>> = BTreeMap::new();
        for (t, thread) in model.threads.iter().enumerate() {
            if let Some(spawn) = thread.spawn.filter(|_| was_working(model, t)) {
                by_site.entry(spawn.site).or_default().push(t);
            }
        }
        for (site, threads) in by_site {
            let t = threads[0];
            let mut draft = Draft::new(model, &META, Confidence::Manifest, []);
            let how = if model.threads[t].is_detached { "its handle was dropped" } else { "it was never joined" };
            let step = draft.step(site, "was started here and had not ended when the program did", true);
            draft.party(t, vec![step]);
            for other in &threads[1..] {
                draft.seen_by(*other);
            }
            let count = threads.len() as u64;
            draft.evidence(format!("{how}; seen {}", times(count)));
            let silent = model.span(model.threads[t].last, model.end).0;
            if model.stuck().state(t) == State::Running && silent >= SILENT {
                draft.evidence(format!(
                    "it recorded nothing in the last {}: it may have worked, or waited in a call that is not recorded",
                    duration(silent)
                ));
            }
            let name = model.names().called(t);
            out.push(draft.finish(
                format!("{name} had not ended when the program did"),
                format!("keep the handle of {name} and join it before the program ends, or use `thread::scope`"),
                count,
            ));
        }
    }
}

fn was_working(model: &Model<'_>, t: usize) -> bool {
    let (thread, state) = (&model.threads[t], model.stuck().state(t));
    let works = state == State::Running || state == State::Timed && thread.sleeps;
    let is_awaited = thread.joined_by.is_some() || model.is_ignored(t);
    works && thread.has_started && !is_awaited && thread.earlier_waits < model.config.service
}
