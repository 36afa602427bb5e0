//! Contended mutexes that are mostly read: see `read_mostly_mutex.md`.

use conccheck_trace::{ObjectId, ObjectKind, Ticks};

use super::contended::by_class;
use crate::draft::{Draft, duration};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::lock::Lock;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct ReadMostlyMutex;

static META: RuleMeta = RuleMeta {
    name: "read-mostly-mutex",
    summary: "threads wait for one another to read what a mutex guards",
    severity: Severity::Medium,
    since: "0.1.0",
    page: include_str!("read_mostly_mutex.md"),
};

/// Fewer waits say nothing.
const WAITS: u64 = 16;
/// Share of acquisitions that wait from which the mutex is contended.
const CONTENDED: f64 = 0.1;
/// Sections shorter than this, in nanoseconds on average, gain nothing from a lock that costs more.
const SHORT: u64 = 10_000;

impl Rule for ReadMostlyMutex {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for class in by_class(model, |id, _| model.kind(id) == Some(ObjectKind::Mutex)) {
            let Some((_, reader, site)) = class.waiting.longest else { continue };
            let (read_sections, writes) = (class.sum(|lock| lock.read_sections), class.sum(|lock| lock.writes));
            let is_contended =
                class.waits >= WAITS && class.waits as f64 >= CONTENDED * class.sum(|lock| lock.acquisitions) as f64;
            let is_read = read_sections > model.config.reads_per_write.saturating_mul(writes);
            let start = model.trace.header.start_ticks;
            let mean = model.span(start, Ticks(start.0 + class.sum(|lock| lock.read_time) / read_sections.max(1))).0;
            if !is_contended
                || !is_read
                || mean < SHORT
                || !class.locks.iter().all(|(id, lock)| could_be_rwlock(model, *id, lock))
            {
                continue;
            }
            let mut draft = Draft::new(model, &META, Confidence::Advice, [class.first()]);
            let name = draft.quoted(class.first());
            let step = draft.step(site, format!("waits for {name} here, mostly while another thread reads"), true);
            draft.party(reader, vec![step]);
            draft.evidence(format!("{read_sections} sections only read and {writes} wrote"));
            draft.evidence(format!("reading took {} on average; {} acquisitions had to wait", duration(mean), class.waits));
            class.evidence().into_iter().for_each(|text| draft.evidence(text));
            let message = format!("mutex {name} is contended and mostly read");
            let help = format!("make {name} an `RwLock`, and take `read()` where it is only looked at");
            out.push(draft.finish(message, help, read_sections));
        }
    }
}

/// Whether a reader-writer lock could stand in a mutex's place.
fn could_be_rwlock(model: &Model<'_>, id: ObjectId, lock: &Lock) -> bool {
    let tables = &model.trace.tables;
    let type_name = tables.object(id).and_then(|object| tables.string(object.type_name)).unwrap_or_default();
    // What several threads can't look at together, or what guards nothing by itself.
    let needs_mutex = type_name == "()" || ["Receiver<", "Cell<", "Rc<"].iter().any(|part| type_name.contains(part));
    let has_condvar = model.condvars.iter().any(|(_, condvar)| condvar.locks.contains(&id));
    !needs_mutex && !has_condvar && !lock.waited_inside
}
