//! A thread that waits for a lock that it holds: see `double_lock.md`.

use std::collections::BTreeMap;

use conccheck_trace::{Mode, SiteId};

use super::{deadlock, waits};
use crate::draft::times;
use crate::finding::{Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};
use crate::stuck::{Cause, Group};

pub(crate) struct DoubleLock;

static META: RuleMeta = RuleMeta {
    name: "double-lock",
    summary: "a thread waits for a lock that it holds itself",
    severity: Severity::Critical,
    since: "0.1.0",
    page: include_str!("double_lock.md"),
};

impl Rule for DoubleLock {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        // Threads that run the same code make one finding.
        let mut by_sites: BTreeMap<(SiteId, SiteId), Vec<&Group>> = BTreeMap::new();
        for group in model.stuck().of(Cause::DoubleLock) {
            let t = group.threads[0];
            let Some((event, site)) = waits::pending(model, t) else { continue };
            let held = model.threads[t].held.iter().find(|held| Some(held.lock) == waits::object(event));
            by_sites.entry((held.map_or(SiteId::NONE, |held| held.site), site)).or_default().push(group);
        }
        for groups in by_sites.into_values() {
            let group = groups[0];
            let t = group.threads[0];
            let Some((event, _)) = waits::pending(model, t) else { continue };
            let Some(lock) = waits::object(event) else { continue };
            let mut draft = deadlock::ring(model, &META, group);
            for other in &groups[1..] {
                draft.seen_by(other.threads[0]);
            }
            let count = groups.len() as u64;
            if count > 1 {
                draft.evidence(format!("seen {} in this run", times(count)));
            }
            let name = draft.quoted(lock);
            let reads = model.threads[t].held.iter().any(|held| held.lock == lock && held.mode == Mode::Shared);
            let what = if reads { "read-locked" } else { "locked" };
            let message = format!("{} waits for {name}, which it has {what} itself", model.names().called(t));
            let help = format!("drop the guard of {name} before it is locked again, or pass the guarded value on instead");
            out.push(draft.finish(message, help, count));
        }
    }
}
