//! Bounded channels far larger than what is ever in them: see `oversized_buffer.md`.

use conccheck_trace::ObjectId;

use crate::draft::Draft;
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct OversizedBuffer;

static META: RuleMeta = RuleMeta {
    name: "oversized-buffer",
    summary: "a channel has far more room than was ever used",
    severity: Severity::Low,
    since: "0.1.0",
    page: include_str!("oversized_buffer.md"),
};

/// Fewer sends say nothing.
const SENDS: u64 = 100;

impl Rule for OversizedBuffer {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for (id, channel) in model.channels.iter() {
            let Some(capacity) = channel.capacity else { continue };
            if channel.sent < SENDS || capacity < channel.fullest.max(1).saturating_mul(model.config.oversize) {
                continue;
            }
            let Some((sender, _)) = channel.last_send else { continue };
            let mut draft = Draft::new(model, &META, Confidence::Advice, [ObjectId(id)]);
            let name = draft.quoted(ObjectId(id));
            let step = draft.step(channel.created, format!("sends to {name}, made here"), true);
            draft.party(sender, vec![step]);
            draft.evidence(format!("at most {} of {} messages were queued at once", channel.fullest, channel.sent));
            let message = format!("{name} has room for {capacity} and never held more than {}", channel.fullest);
            let help = format!(
                "room for {} does for {name}, and shows sooner when its receiver falls behind",
                (channel.fullest * 2).max(1)
            );
            out.push(draft.finish(message, help, 1));
        }
    }
}
