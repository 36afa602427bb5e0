//! Waits for a notification that came too early or went to another thread: see `lost_wakeup.md`.

use std::collections::BTreeMap;

use conccheck_trace::{Event, SiteId};

use super::{deadlock, waits};
use crate::draft::{Draft, duration};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};
use crate::stuck::{Cause, Group};

pub(crate) struct LostWakeup;

static META: RuleMeta = RuleMeta {
    name: "lost-wakeup",
    summary: "a thread waits for a notification that was given before it waited",
    severity: Severity::High,
    since: "0.1.0",
    page: include_str!("lost_wakeup.md"),
};

impl Rule for LostWakeup {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        let mut by_site: BTreeMap<SiteId, Vec<&Group>> = BTreeMap::new();
        for group in model.stuck().of(Cause::LostWakeup) {
            if let Some((_, site)) = waits::pending(model, group.threads[0]) {
                by_site.entry(site).or_default().push(group);
            }
        }
        for groups in by_site.into_values() {
            let t = groups[0].threads[0];
            let Some((Event::Wait { condvar, order, site, .. }, _)) = waits::pending(model, t) else { continue };
            let mut draft = Draft::new(model, &META, Confidence::Manifest, [condvar]);
            let name = draft.quoted(condvar);
            let step = draft.step(site, format!("waits for a notification of {name} here, to the end of the run"), true);
            draft.party(t, vec![step]);
            let notifications = model.condvars.get(condvar.0).map_or(&[][..], |state| &state.notifications);
            let early = notifications.iter().rev().find(|n| n.order <= order.0 && n.waiting == 0);
            let wait_alike = model.condvars.get(condvar.0).is_some_and(|state| state.wait_sites == [site]);
            let stolen = notifications.iter().find(|n| n.order > order.0 && !n.all && n.waiting > 1);
            let message = if let Some(notification) = early {
                let step = draft.step(notification.site, format!("notified {name} here, when nobody waited"), false);
                draft.party(notification.moment.thread, vec![step]);
                draft.evidence("a notification is not kept for threads that wait later");
                format!("{} waits for a notification of {name} that came before", model.names().called(t))
            } else {
                if let Some(notification) = stolen {
                    let text = format!("notified one of {} waiting threads of {name} here", notification.waiting);
                    let step = draft.step(notification.site, text, false);
                    draft.party(notification.moment.thread, vec![step]);
                }
                draft.evidence(if wait_alike {
                    "`notify_one` wakes one thread alone, and several wait here"
                } else {
                    "threads that wait for different things share the condition variable, and one was woken that had no use for it"
                });
                format!("{} waits for a notification of {name} that went to another thread", model.names().called(t))
            };
            let since = model.threads[t].pending.as_ref().map_or(model.end, |pending| pending.since);
            draft.evidence(format!("it was blocked for the last {} of the run", duration(model.span(since, model.end).0)));
            deadlock::behind(model, groups[0], &mut draft);
            for group in &groups[1..] {
                draft.seen_by(group.threads[0]);
            }
            let help = if early.is_some() {
                format!(
                    "change what is waited for under the lock that {name} is used with, and check it under that lock before waiting"
                )
            } else if wait_alike {
                format!("use `notify_all`, or notify {name} once for each thread that is to go on")
            } else {
                format!("use `notify_all`, or one condition variable for each thing that is waited for instead of {name}")
            };
            out.push(draft.finish(message, help, groups.len() as u64));
        }
    }
}
