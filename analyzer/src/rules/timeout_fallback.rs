//! Time limits that are mostly reached: see `timeout_fallback.md`.

use conccheck_trace::{ObjectId, Side, SiteId};

use crate::draft::Draft;
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct TimeoutFallback;

static META: RuleMeta = RuleMeta {
    name: "timeout-fallback",
    summary: "a wait with a time limit mostly runs into it",
    severity: Severity::Low,
    since: "0.1.0",
    page: include_str!("timeout_fallback.md"),
};

/// Fewer waits say nothing.
const WAITS: u64 = 10;

impl Rule for TimeoutFallback {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for (id, channel) in model.channels.iter() {
            let mut timed: Vec<_> = channel.timed.iter().collect();
            timed.sort_unstable();
            for ((side, site), counts) in timed {
                let (verb, cure) = match side {
                    Side::Sender => ("sends to", "give it more room or more receivers"),
                    Side::Receiver => ("receives from", "wait without a limit, or for longer"),
                };
                out.extend(finding(model, &[ObjectId(id)], *site, *counts, verb, cure));
            }
        }
        for ((lock, site), counts) in &model.timed_locks {
            out.extend(finding(model, &[*lock], *site, *counts, "takes", "do less while it is held, or wait for longer"));
        }
        for (site, selection) in model.timed_selections.iter().filter(|(_, selection)| !selection.channels.is_empty()) {
            let counts = (selection.begun, selection.expired, selection.thread);
            let cure = "select without a limit, or wait for longer";
            out.extend(finding(model, &selection.channels, *site, counts, "selects from", cure));
        }
    }
}

fn finding(
    model: &Model<'_>,
    ids: &[ObjectId],
    site: SiteId,
    (begun, expired, t): (u64, u64, usize),
    verb: &str,
    cure: &str,
) -> Option<Finding> {
    if begun < WAITS || (expired as f64) < begun as f64 * model.config.timeouts {
        return None;
    }
    let mut draft = Draft::new(model, &META, Confidence::Advice, ids.iter().copied());
    let name = draft.all_quoted();
    let step = draft.step(site, format!("{verb} {name} here with a limit"), true);
    draft.party(t, vec![step]);
    draft.evidence(format!("{expired} of {begun} waits ran into their limit"));
    let message = format!("{expired} of {begun} waits on {name} ran into their time limit");
    Some(draft.finish(message, format!("make the fallback of {name} the exception: {cure}"), expired))
}
