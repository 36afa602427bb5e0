//! Contended locks by class: which of a table's shards are waited for is another matter in each run, that its shards are is not.

use std::collections::BTreeMap;

use conccheck_trace::{ObjectId, SiteId};

use crate::model::Model;
use crate::model::lock::{Lock, Waiting};

/// The contended locks of a class, and how they were waited for together.
#[derive(Default)]
pub(super) struct Contended<'m> {
    pub(super) locks: Vec<(ObjectId, &'m Lock)>,
    pub(super) waits: u64,
    pub(super) waiting: Waiting,
}

impl Contended<'_> {
    /// The lock that stands for all of them.
    pub(super) fn first(&self) -> ObjectId {
        self.locks.first().map_or(ObjectId::NONE, |(id, _)| *id)
    }

    /// The sum over all of them.
    pub(super) fn sum(&self, count: impl Fn(&Lock) -> u64) -> u64 {
        self.locks.iter().map(|(_, lock)| count(lock)).sum()
    }

    /// "5 locks of this kind were waited for", if it is more than one.
    pub(super) fn evidence(&self) -> Option<String> {
        (self.locks.len() > 1).then(|| format!("{} locks of this kind were waited for", self.locks.len()))
    }
}

/// The contended locks for which `is_meant`, by class.
pub(super) fn by_class<'m>(model: &'m Model<'_>, is_meant: impl Fn(ObjectId, &Lock) -> bool) -> Vec<Contended<'m>> {
    let mut classes: BTreeMap<(SiteId, &str), Contended<'m>> = BTreeMap::new();
    for (id, lock) in model.contended().filter(|(id, lock)| is_meant(*id, lock)) {
        let created = model.trace.tables.object(id).map_or(SiteId::NONE, |object| object.created);
        let class = classes.entry((created, model.names().class(id))).or_default();
        class.locks.push((id, lock));
        class.waits += lock.waits;
        add(&mut class.waiting, &lock.waiting);
    }
    classes.into_values().collect()
}

fn add(all: &mut Waiting, waiting: &Waiting) {
    for (thread, ticks) in &waiting.by_thread {
        *all.by_thread.entry(*thread).or_default() += ticks;
    }
    for (site, (count, ticks)) in &waiting.by_site {
        let (counts, sum) = all.by_site.entry(*site).or_default();
        (*counts, *sum) = (*counts + count, *sum + ticks);
    }
    all.longest = all.longest.into_iter().chain(waiting.longest).max_by_key(|(ticks, ..)| *ticks);
}
