//! Locks that threads spend their time waiting for: see `lock_contention.md`.

use conccheck_trace::Ticks;

use super::contended::{Contended, by_class};
use crate::draft::{Draft, duration, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::lock::Waiting;
use crate::rule::{Rule, RuleMeta};
use crate::serial::serialises_tests;

pub(crate) struct LockContention;

static META: RuleMeta = RuleMeta {
    name: "lock-contention",
    summary: "threads spend much of their time waiting for one lock",
    severity: Severity::Low,
    since: "0.1.0",
    page: include_str!("lock_contention.md"),
};

/// Fewer waits say nothing.
const WAITS: u64 = 32;
/// Places that are shown.
const SITES: usize = 3;

impl Rule for LockContention {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        // Where the lock guards a wait, as the receiver of a pool of workers, waiting is what the threads are there for.
        for class in by_class(model, |id, lock| !lock.waited_inside && !serialises_tests(model, id)) {
            let Contended { waits, waiting, .. } = &class;
            let Some((longest, waiter, _)) = waiting.longest else { continue };
            let waited = span(model, waiting.ticks());
            let share = waited as f64 / lived(model, waiting).max(1) as f64;
            if *waits < WAITS || waited < model.config.contended_for.0 || share < model.config.contention {
                continue;
            }
            let mut draft = Draft::new(model, &META, Confidence::Advice, [class.first()]);
            let name = draft.quoted(class.first());
            let mut sites: Vec<_> = waiting.by_site.iter().map(|(site, (count, ticks))| (*ticks, *site, *count)).collect();
            sites.sort_unstable_by(|a, b| b.cmp(a));
            let steps = sites.iter().take(SITES).enumerate().map(|(rank, (ticks, site, count))| {
                let waited = duration(span(model, *ticks));
                draft.step(*site, format!("waits for {name} here: {waited} in all threads, {}", times(*count)), rank == 0)
            });
            let steps = steps.collect();
            draft.party(waiter, steps);
            let threads = waiting.by_thread.len();
            draft.evidence(format!("{waits} waits of {threads} threads took {} together", duration(waited)));
            draft.evidence(format!("the longest took {}", duration(span(model, longest))));
            class.evidence().into_iter().for_each(|text| draft.evidence(text));
            let message = format!("the threads that use {name} wait for it {:.0} % of their time", share * 100.0);
            let help =
                format!("do less while {name} is held, or split what it guards: a lock a shard, or results collected per thread");
            out.push(draft.finish(message, help, *waits));
        }
    }
}

/// Nanoseconds that so many ticks are.
fn span(model: &Model<'_>, ticks: u64) -> u64 {
    let start = model.trace.header.start_ticks;
    model.span(start, Ticks(start.0 + ticks)).0
}

/// How long the threads lived that waited, in nanoseconds, together.
fn lived(model: &Model<'_>, waiting: &Waiting) -> u64 {
    let lives = waiting.by_thread.keys().map(|t| &model.threads[*t]);
    lives.map(|thread| model.span(thread.started, thread.last).0).sum()
}
