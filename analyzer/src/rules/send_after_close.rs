//! Senders that go on after the receivers went: see `send_after_close.md`.

use conccheck_trace::ObjectId;

use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct SendAfterClose;

static META: RuleMeta = RuleMeta {
    name: "send-after-close",
    summary: "a channel was closed from the receiving side while its senders went on",
    severity: Severity::High,
    since: "0.1.0",
    page: include_str!("send_after_close.md"),
};

impl Rule for SendAfterClose {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for (id, channel) in model.channels.iter() {
            // One failed send that is dealt with is how a receiver tells its sender to stop.
            let hurt = channel
                .closed_sends
                .iter()
                .filter(|(t, (count, _))| *count >= model.config.late_sends || model.threads[**t].panicked);
            let hurt: Vec<(usize, u64, _)> = hurt.map(|(t, (count, site))| (*t, *count, *site)).collect();
            let Some((t, _, site)) = hurt.first().copied() else { continue };
            let mut draft = Draft::new(model, &META, Confidence::Manifest, [ObjectId(id)]);
            let name = draft.quoted(ObjectId(id));
            let end = if model.threads[t].panicked { "and panicked" } else { "and went on" };
            let step = draft.step(site, format!("sent into the closed channel {name} here {end}"), true);
            draft.party(t, vec![step]);
            for (other, ..) in &hurt[1..] {
                draft.seen_by(*other);
            }
            if let Some(closer) = channel.closed_by {
                let (site, text) = match channel.last_recv {
                    Some((receiver, site)) if receiver == closer => {
                        (site, format!("received from {name} here last, and dropped the receiver"))
                    }
                    _ => (channel.created, format!("dropped the receiver of {name}, made here")),
                };
                let step = draft.step(site, text, false);
                draft.party(closer, vec![step]);
            }
            let count = hurt.iter().map(|(_, count, _)| count).sum();
            draft.evidence(format!("{name} was sent to {} after its last receiver had been dropped", times(count)));
            let message = format!("{name} was closed by its receiver while {} still sent", model.names().called(t));
            let help = format!("let the producer close {name} by dropping its senders, and drain the receiver until then");
            out.push(draft.finish(message, help, count));
        }
    }
}
