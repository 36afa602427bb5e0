//! Unbounded channels whose queue grows: see `unbounded_backlog.md`.

use conccheck_trace::ObjectId;

use crate::draft::{Draft, duration};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct UnboundedBacklog;

static META: RuleMeta = RuleMeta {
    name: "unbounded-backlog",
    summary: "the queue of an unbounded channel keeps growing",
    severity: Severity::Medium,
    since: "0.1.0",
    page: include_str!("unbounded_backlog.md"),
};

impl Rule for UnboundedBacklog {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for (id, channel) in model.channels.iter() {
            let grows = channel.samples.last().is_some_and(|(_, queued)| *queued * 2 >= channel.fullest);
            if channel.capacity.is_some() || channel.fullest < model.config.backlog || !grows {
                continue;
            }
            let Some((sender, site)) = channel.last_send else { continue };
            let mut draft = Draft::new(model, &META, Confidence::Advice, [ObjectId(id)]);
            let name = draft.quoted(ObjectId(id));
            let step = draft.step(site, format!("sends to {name} here"), true);
            draft.party(sender, vec![step]);
            if let Some((receiver, site)) = channel.last_recv {
                let step = draft.step(site, format!("receives from {name} here"), false);
                draft.party(receiver, vec![step]);
            }
            // Only some sends are sampled, the latest of them among the last eighth.
            let sampled = channel.samples.first().zip(channel.samples.last());
            let took = sampled.map_or(0, |((first, _), (last, _))| model.span(*first, *last).0);
            draft.evidence(format!(
                "up to {} messages were queued; {} were sent, in about {}, and {} received",
                channel.fullest,
                channel.sent,
                duration(took),
                channel.received
            ));
            let message = format!("{name} has no bound, and its queue grew to {} messages", channel.fullest);
            // Room for a burst, but not for all that was ever queued.
            let room = (channel.fullest / 16).clamp(16, 1024).next_power_of_two();
            let capacity = format!(
                "give {name} a capacity (`sync_channel`, `bounded`), {room} say, so that its senders wait for its receiver"
            );
            // With a capacity alone, the senders and who waits for them before it receives would be stuck.
            let help = if channel.fullest == channel.sent {
                format!(
                    "receive from {name} while its senders are at work: nothing was received before the last send. Then {capacity}"
                )
            } else {
                capacity
            };
            out.push(draft.finish(message, help, 1));
        }
    }
}
