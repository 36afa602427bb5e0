//! Contended reader-writer locks that are written often: see `write_heavy_rwlock.md`.

use conccheck_trace::{Mode, ObjectKind};

use super::contended::{Contended, by_class};
use crate::draft::Draft;
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct WriteHeavyRwlock;

static META: RuleMeta = RuleMeta {
    name: "write-heavy-rwlock",
    summary: "a contended reader-writer lock is written too often to be worth its price",
    severity: Severity::Medium,
    since: "0.1.0",
    page: include_str!("write_heavy_rwlock.md"),
};

/// Fewer waits say nothing.
const WAITS: u64 = 16;
/// Fewer acquisitions say nothing.
const ACQUISITIONS: u64 = 64;

impl Rule for WriteHeavyRwlock {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for class in by_class(model, |id, _| model.kind(id) == Some(ObjectKind::RwLock)) {
            let Some((_, waiter, site)) = class.waiting.longest else { continue };
            let (reads, writes) = reads_and_writes(model, &class);
            let share = writes as f64 / (reads + writes).max(1) as f64;
            // One that is never read is the business of `unused-lock-mode`.
            if reads == 0 || reads + writes < ACQUISITIONS || class.waits < WAITS || share <= model.config.writes {
                continue;
            }
            let mut draft = Draft::new(model, &META, Confidence::Advice, [class.first()]);
            let name = draft.quoted(class.first());
            let step = draft.step(site, format!("waits for {name} here"), true);
            draft.party(waiter, vec![step]);
            draft.evidence(format!("{writes} of {} acquisitions were for writing", reads + writes));
            draft.evidence(format!("{} acquisitions had to wait", class.waits));
            class.evidence().into_iter().for_each(|text| draft.evidence(text));
            let message = format!("reader-writer lock {name} is taken for writing {:.0} % of the time", share * 100.0);
            let help = format!("make {name} a `Mutex`, which costs less, or keep what is written often apart from what is read");
            out.push(draft.finish(message, help, writes));
        }
    }
}

/// How often the locks were taken for reading, and for writing.
fn reads_and_writes(model: &Model<'_>, class: &Contended<'_>) -> (u64, u64) {
    let contexts = class.locks.iter().flat_map(|(_, lock)| &lock.contexts).map(|id| &model.contexts[*id as usize]);
    contexts.fold((0, 0), |(reads, writes), context| match is_write(context.mode) {
        true => (reads, writes + context.count()),
        false => (reads + context.count(), writes),
    })
}

/// Whether a lock is taken in this mode for writing.
pub(super) fn is_write(mode: Mode) -> bool {
    matches!(mode, Mode::Exclusive | Mode::Reentrant)
}
