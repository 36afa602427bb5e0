//! Reader-writer locks that nobody reads, and mutexes of one thread: see `unused_lock_mode.md`.

use std::collections::BTreeMap;

use conccheck_trace::{ObjectId, ObjectKind, SiteId};

use super::write_heavy_rwlock::is_write;
use crate::draft::Draft;
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct UnusedLockMode;

static META: RuleMeta = RuleMeta {
    name: "unused-lock-mode",
    summary: "a reader-writer lock is only ever written, or a mutex is used by one thread only",
    severity: Severity::Low,
    since: "0.1.0",
    page: include_str!("unused_lock_mode.md"),
};

/// How the locks of one creation site were used.
#[derive(Default)]
struct Use {
    first: ObjectId,
    reads: u64,
    writes: u64,
    /// The first thread that took one, and whether others did.
    thread: Option<usize>,
    is_shared: bool,
    /// A place that took the last of them.
    latest: (ObjectId, SiteId),
}

impl Rule for UnusedLockMode {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for ((created, kind), used) in by_creation(model) {
            let Some(thread) = used.thread.filter(|_| used.reads + used.writes >= model.config.unused_from) else { continue };
            let mut draft = Draft::new(model, &META, Confidence::Advice, [used.first]);
            let name = draft.quoted(used.first);
            let (message, help) = if kind == ObjectKind::RwLock && used.reads == 0 && used.is_shared {
                draft.evidence(format!("{} acquisitions were for writing, none for reading", used.writes));
                let help = format!("take `read()` where {name} is only looked at; if that is nowhere, make it a `Mutex`");
                (format!("reader-writer lock {name} is never read"), help)
            } else if kind == ObjectKind::Mutex && !used.is_shared && may_be_private(model, created) {
                draft.evidence(format!("{} took it all {} times", model.names().called(thread), used.writes));
                let help = format!("let {name} be a plain value, or a `RefCell`, as long as one thread owns it");
                (format!("mutex {name} is used by one thread only"), help)
            } else {
                continue;
            };
            let step = draft.step(used.latest.1, format!("takes {name} here"), true);
            draft.party(thread, vec![step]);
            out.push(draft.finish(message, help, used.reads + used.writes));
        }
    }
}

fn by_creation(model: &Model<'_>) -> BTreeMap<(SiteId, ObjectKind), Use> {
    let mut all: BTreeMap<(SiteId, ObjectKind), Use> = BTreeMap::new();
    for (id, _) in model.locks.iter().filter(|(_, lock)| lock.is_used) {
        let Some(object) = model.trace.tables.object(ObjectId(id)) else { continue };
        all.entry((object.created, object.kind)).or_insert_with(|| Use { first: ObjectId(id), ..Use::default() });
    }
    // There may be far more locks than classes, and more ways to take them: those are passed as they lie in memory.
    for context in &model.contexts {
        let object = model.trace.tables.object(context.lock);
        let Some(used) = object.and_then(|object| all.get_mut(&(object.created, object.kind))) else { continue };
        *(if is_write(context.mode) { &mut used.writes } else { &mut used.reads }) += context.count();
        let first = *used.thread.get_or_insert(context.thread());
        used.is_shared |= context.thread() != first;
        used.thread = Some(first.min(context.thread()));
        if context.lock >= used.latest.0 {
            used.latest = (context.lock, context.site);
        }
    }
    all
}

/// Whether what was made here could do without a lock. A static can't, and tests use only a part of what a library offers.
fn may_be_private(model: &Model<'_>, created: SiteId) -> bool {
    let is_program = model.tests.is_empty() && model.threads.iter().any(|thread| thread.spawn.is_some());
    is_program && !model.is_static(created)
}
