//! Bounded channels whose senders mostly wait: see `undersized_buffer.md`.

use conccheck_trace::ObjectId;

use crate::draft::Draft;
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct UndersizedBuffer;

static META: RuleMeta = RuleMeta {
    name: "undersized-buffer",
    summary: "senders of a bounded channel mostly wait for room",
    severity: Severity::Medium,
    since: "0.1.0",
    page: include_str!("undersized_buffer.md"),
};

/// Fewer sends say nothing.
const SENDS: u64 = 16;

impl Rule for UndersizedBuffer {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for (id, channel) in model.channels.iter() {
            let Some(capacity) = channel.capacity.filter(|capacity| *capacity > 0) else { continue };
            let share = channel.send_waits as f64 / channel.sent.max(1) as f64;
            if channel.sent < SENDS || share < model.config.blocked_sends {
                continue;
            }
            let Some((sender, site)) = channel.last_send else { continue };
            let mut draft = Draft::new(model, &META, Confidence::Advice, [ObjectId(id)]);
            let name = draft.quoted(ObjectId(id));
            let step = draft.step(site, format!("waits for room in {name} here"), true);
            draft.party(sender, vec![step]);
            draft.evidence(format!("{} of {} sends found {name} full", channel.send_waits, channel.sent));
            let message = format!("{name} has room for {capacity}, and {:.0} % of its sends had to wait", share * 100.0);
            let help =
                format!("give {name} room for a burst, {} say, or more receivers if it stays full", (capacity * 4).max(16));
            out.push(draft.finish(message, help, channel.send_waits));
        }
    }
}
