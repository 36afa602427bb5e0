//! Messages that nobody received: see `dropped_messages.md`.

use conccheck_trace::{ObjectId, SiteId};

use crate::draft::Draft;
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::channel::Channel;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct DroppedMessages;

static META: RuleMeta = RuleMeta {
    name: "dropped-messages",
    summary: "messages were still queued when the last receiver went",
    severity: Severity::Medium,
    since: "0.1.0",
    page: include_str!("dropped_messages.md"),
};

impl Rule for DroppedMessages {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for (id, channel) in model.channels.iter() {
            let Some((count, dropper)) = channel.dropped.filter(|(count, _)| *count >= model.config.lost_messages) else {
                continue;
            };
            let mut draft = Draft::new(model, &META, Confidence::Manifest, [ObjectId(id)]);
            let name = draft.quoted(ObjectId(id));
            let (lost, were) = if count == 1 { ("a message".to_owned(), "was") } else { (format!("{count} messages"), "were") };
            let (site, text) = dropping(channel, &name, dropper);
            let step = draft.step(site, format!("{text}, with {lost} in it"), true);
            draft.party(dropper, vec![step]);
            if let Some((sender, site)) = channel.last_send {
                let step = draft.step(site, format!("sent to {name} here last"), false);
                draft.party(sender, vec![step]);
            }
            draft.evidence(format!("{} of {} messages were received", channel.received, channel.sent));
            let message = format!("{lost} in {name} {were} never received");
            let help = format!("receive from {name} until it reports that all senders are gone, then drop the receiver");
            out.push(draft.finish(message, help, count));
        }
    }
}

/// How thread `dropper` came to drop the last receiver of a channel. Where it did so is not recorded, so the place is another, of which
/// the text says what happened there.
pub(super) fn dropping(channel: &Channel, name: &str, dropper: usize) -> (SiteId, String) {
    match channel.last_recv {
        Some((receiver, site)) if receiver == dropper => {
            (site, format!("received from {name} here last, and dropped the receiver"))
        }
        _ => (channel.created, format!("dropped the receiver of {name}, made here")),
    }
}
