//! Senders that go on after the receivers went: see `send_after_close.md`.

use conccheck_trace::{ObjectId, SiteId};

use super::dropped_messages::dropping;
use super::statement;
use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::channel::Channel;
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
            let hurt = channel.closed_sends.iter().filter(|(t, (count, _))| {
                let went_on = *count >= model.config.late_sends && !was_stopped(model, channel, **t);
                went_on || model.threads[**t].panicked
            });
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
                let (site, text) = dropping(channel, &name, closer);
                let step = draft.step(site, text, false);
                draft.party(closer, vec![step]);
            }
            let count = hurt.iter().map(|(_, count, _)| count).sum();
            draft.evidence(format!("{name} was sent to {} after its last receiver had been dropped", times(count)));
            let message = format!("{name} was closed by its receiver while {} still sent", model.names().called(t));
            let help = format!("let the producer close {name} by dropping its senders, and drain the receiver until then");
            let mut finding = draft.finish(message, help, count);
            // Who throws the result away on purpose does not need to know.
            if hurt.iter().all(|(t, _, site)| !model.threads[*t].panicked && throws_away(model, *site)) {
                finding.severity = Severity::Medium;
            }
            out.push(finding);
        }
    }
}

/// Whether the sender ended after it had been told something, or that there is nothing more, by somebody who knew what the closer did
/// after it closed the channel: both were being stopped, the receiving side first.
fn was_stopped(model: &Model<'_>, channel: &Channel, sender: usize) -> bool {
    let thread = &model.threads[sender];
    let is_told = |closer: usize| {
        thread.heard.as_ref().is_some_and(|heard| {
            let since = channel.closed_index;
            heard.thread == closer && heard.index > since || heard.clock.get(closer) > since.saturating_add(1)
        })
    };
    thread.ended.is_some() && channel.closed_by.is_some_and(is_told)
}

/// Whether the statement at `site` throws away what the send says.
fn throws_away(model: &Model<'_>, site: SiteId) -> bool {
    statement::at(model, site).is_some_and(|text| {
        let drops = ["let _ =", "_ =", "drop("].iter().any(|start| text.starts_with(start));
        drops || text.trim_end_matches(';').ends_with(".ok()")
    })
}
