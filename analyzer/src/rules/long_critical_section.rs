//! Locks that are held for long: see `long_critical_section.md`.

use crate::draft::{Draft, duration, list};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};
use crate::serial::serialises_tests;
use conccheck_trace::{ObjectId, SiteId, Ticks};

pub(crate) struct LongCriticalSection;

static META: RuleMeta = RuleMeta {
    name: "long-critical-section",
    summary: "a lock is held for longer than the threshold",
    severity: Severity::Medium,
    since: "0.1.0",
    page: include_str!("long_critical_section.md"),
};

/// One in so many sections that is long may be so by chance,
const RARE: u64 = 100;
/// unless it is so many times longer than the threshold.
const FAR: u64 = 10;

impl Rule for LongCriticalSection {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for (id, site) in model.sites.iter() {
            let Some((ticks, thread, lock, inside)) = site.longest else { continue };
            if inside.waited && shares_receiver(model, lock) || serialises_tests(model, lock) {
                continue;
            }
            let nanos =
                |ticks: u64| model.span(model.trace.header.start_ticks, Ticks(model.trace.header.start_ticks.0 + ticks)).0;
            // A thread that is not scheduled for a while holds what it holds at that moment.
            let is_rare = site.long.saturating_mul(RARE) < site.acquisitions;
            let does_nothing = !(inside.slept || inside.waited_for_lock || inside.waited);
            if is_rare && does_nothing && nanos(ticks) < model.config.long_hold.0.saturating_mul(FAR) {
                continue;
            }
            let mut draft = Draft::new(model, &META, Confidence::Advice, [lock]);
            let step =
                draft.step(SiteId(id), format!("holds {} from here for {}", draft.quoted(lock), duration(nanos(ticks))), true);
            draft.party(thread, vec![step]);
            let within = |share: f64| duration(nanos(site.holds.quantile(share)).min(nanos(ticks)));
            draft.evidence(format!(
                "{} of {} sections from here were longer than {}; half took at most {}, 99 % at most {}",
                site.long,
                site.acquisitions,
                duration(model.config.long_hold.0),
                within(0.5),
                within(0.99),
            ));
            let mut done = Vec::new();
            if inside.slept {
                done.push("slept".to_owned());
            }
            if inside.waited_for_lock {
                done.push("waited for another lock".to_owned());
            }
            if inside.waited {
                done.push("waited for another thread".to_owned());
            }
            if !done.is_empty() {
                draft.evidence(format!("the longest one {} inside", list(&done)));
            }
            let name = draft.quoted(lock);
            let message = format!("{name} is held for {}", duration(nanos(ticks)));
            let help = format!("copy what is needed out of {name}, release it, and do the long work without it");
            let mut finding = draft.finish(message, help, site.long);
            finding.tests.extend(site.long_tests.iter().filter_map(|test| model.tests.get(*test).cloned()));
            finding.tests.sort();
            finding.tests.dedup();
            out.push(finding);
        }
    }
}

/// Whether the lock is there to share the receiver of a channel, as the workers of a pool do: who holds it waits for the next message,
/// and the others wait for their turn to do so.
fn shares_receiver(model: &Model<'_>, lock: ObjectId) -> bool {
    let tables = &model.trace.tables;
    tables.object(lock).and_then(|object| tables.string(object.type_name)).is_some_and(|name| name.contains("Receiver<"))
}
