//! Threads that are told to end and run on: see `ignored_cancellation.md`.

use conccheck_trace::{ObjectId, Side, SiteId, Ticks};

use crate::draft::{Draft, duration, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct IgnoredCancellation;

static META: RuleMeta = RuleMeta {
    name: "ignored-cancellation",
    summary: "a thread runs on although the channel that it listens to was closed",
    severity: Severity::High,
    since: "0.1.0",
    page: include_str!("ignored_cancellation.md"),
};

/// Who is told so many times heard it and went on.
const TOLD: u64 = 3;

impl Rule for IgnoredCancellation {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for (id, channel) in model.channels.iter() {
            let id = ObjectId(id);
            for (&(t, site), &(count, first)) in &channel.closed_recvs {
                if count >= TOLD && ran_on(model, t, first) && listens_to_nothing_else(model, id, t) {
                    out.push(finding(model, id, t, site, count, first));
                }
            }
        }
    }
}

fn finding(model: &Model<'_>, id: ObjectId, t: usize, site: SiteId, count: u64, first: Ticks) -> Finding {
    let mut draft = Draft::new(model, &META, Confidence::Manifest, [id]);
    let name = draft.quoted(id);
    let thread = &model.threads[t];
    let mut steps = Vec::new();
    if let Some(spawn) = thread.spawn {
        steps.push(draft.step(spawn.site, "was started here", false));
    }
    steps.push(draft.step(site, format!("is told here that all senders of {name} are gone, and goes on"), true));
    draft.party(t, steps);
    let until = thread.ended.unwrap_or(model.end);
    draft.evidence(format!("it was told {} within {}", times(count), duration(model.span(first, until).0)));
    draft.evidence(if thread.ended.is_some() { "it ended at last" } else { "it never ended" });
    let who = model.names().called(t);
    let message = format!("{who} runs on after {name} was closed");
    let help =
        format!("leave the loop where receiving from {name} says `Disconnected`: only `Empty` or a timeout means to go on");
    draft.finish(message, help, count)
}

/// Whether it never ended after it was told first, or took longer than the grace period.
fn ran_on(model: &Model<'_>, t: usize, first: Ticks) -> bool {
    let thread = &model.threads[t];
    thread.ended.is_none_or(|ended| model.span(first, ended) >= model.config.grace)
        // Who got a message since has other things to do.
        && thread.received.is_some_and(|(_, _, is_end)| is_end)
        && thread.spawn.is_some()
}

/// Whether this is the only channel that the thread receives from: one of several may close while the others go on.
fn listens_to_nothing_else(model: &Model<'_>, id: ObjectId, t: usize) -> bool {
    let mut others = model.channels.iter().filter(|(other, _)| ObjectId(*other) != id);
    !others.any(|(_, channel)| {
        let mut ends = channel.handles.values().filter(|handle| handle.side == Side::Receiver);
        ends.any(|handle| handle.is_used && handle.toucher == t)
    })
}
