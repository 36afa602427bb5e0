//! Components that are stopped before those that use them: see `shutdown_order.md`.

use conccheck_trace::{ObjectId, Side};

use crate::draft::Draft;
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::channel::{Channel, LateSend};
use crate::rule::{Rule, RuleMeta};

pub(crate) struct ShutdownOrder;

static META: RuleMeta = RuleMeta {
    name: "shutdown-order",
    summary: "a thread was stopped before another that still sends to it",
    severity: Severity::Medium,
    since: "0.1.0",
    page: include_str!("shutdown_order.md"),
};

impl Rule for ShutdownOrder {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for (id, channel) in model.channels.iter() {
            let Some(stopped) = channel.closed_by.filter(|_| !gave_up(channel)) else { continue };
            let stop = &model.threads[stopped];
            let (Some((_, join)), Some(stopper)) = (stop.joined_at, stop.joined_by) else { continue };
            let Some(late) = channel.late_sends.iter().find(|late| is_served_late(model, channel, ObjectId(id), late)) else {
                continue;
            };
            let mut draft = Draft::new(model, &META, Confidence::Manifest, [ObjectId(id)]);
            let name = draft.quoted(ObjectId(id));
            let (first, second) = (model.names().called(stopped), model.names().called(late.thread));
            let step = draft.step(join, format!("waits for the end of {first}, which receives from {name}"), false);
            let stopper = draft.party(stopper, vec![step]);
            let step =
                draft.step(late.site, format!("still works, and sends to {name}, which nobody receives from any more"), true);
            let sender = draft.party(late.thread, vec![step]);
            let plain = draft.name(ObjectId(id)).to_owned();
            draft.scenario(stopper, format!("join({})", model.names().thread(stopped)), false);
            draft.scenario(sender, format!("send({plain}) fails"), false);
            let count = channel.late_sends.len() as u64;
            draft
                .evidence(format!("{second} went on receiving work after {first} had ended, and what it sent to {name} is lost"));
            let message = format!("{first} is stopped before {second}, which still sends to it");
            let help = format!("stop {second} first and wait for it, then close {name} and wait for {first}");
            out.push(draft.finish(message, help, count));
        }
    }
}

/// Whether the receiver ran out of patience: an answer that comes too late is no sign of a wrong order.
fn gave_up(channel: &Channel) -> bool {
    channel.timed.iter().any(|((side, _), (_, expired, _))| *side == Side::Receiver && *expired > 0)
}

/// Whether the sender was still being served, or told to end, after the receiving thread had been waited for. A sender that only
/// notices by its failed send that it is to stop is told so in this way.
fn is_served_late(model: &Model<'_>, channel: &Channel, id: ObjectId, late: &LateSend) -> bool {
    let Some(stopped) = channel.closed_by.map(|thread| &model.threads[thread]) else { return false };
    let (Some((joined, _)), Some((received, from, _))) = (stopped.joined_at, late.after) else { return false };
    let is_component = model.threads[late.thread].spawn.is_some() && stopped.joined_by != Some(late.thread);
    is_component && stopped.ended.is_some() && received > joined && from != id
}
