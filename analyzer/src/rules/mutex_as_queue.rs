//! Collections behind a mutex that stand in for a channel: see `mutex_as_queue.md`.

use std::collections::BTreeSet;

use conccheck_trace::{ObjectId, ObjectKind, SiteId, StringId};
use rustc_hash::FxHashMap;

use super::statement;
use crate::draft::Draft;
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::context::Context;
use crate::model::lock::Lock;
use crate::rule::{Rule, RuleMeta};

pub(crate) struct MutexAsQueue;

static META: RuleMeta = RuleMeta {
    name: "mutex-as-queue",
    summary: "a collection behind a mutex is polled by some threads for what others push",
    severity: Severity::Low,
    since: "0.1.0",
    page: include_str!("mutex_as_queue.md"),
};

impl Rule for MutexAsQueue {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        let waited_with: BTreeSet<_> = model.condvars.iter().flat_map(|(_, condvar)| condvar.locks.iter().copied()).collect();
        let mut seen = Seen::default();
        for (id, lock) in model.locks.iter() {
            let id = ObjectId(id);
            if waited_with.contains(&id) {
                continue;
            }
            let Some((pushes, takes)) = sides(model, &mut seen, id, lock) else { continue };
            let count = |side: &[&Context]| side.iter().map(|context| context.count()).sum::<u64>();
            let (pushed, taken) = (count(&pushes), count(&takes));
            let is_live = pushes.iter().any(|push| takes.iter().any(|take| push.is_concurrent(take)));
            if taken < pushed + model.config.polls || !is_live {
                continue;
            }
            let mut draft = Draft::new(model, &META, Confidence::Advice, [id]);
            let name = draft.quoted(id);
            let step = draft.step(takes[0].site, format!("looks here whether there is something in {name}"), true);
            draft.party(takes[0].thread(), vec![step]);
            let step = draft.step(pushes[0].site, format!("puts it into {name} here"), false);
            draft.party(pushes[0].thread(), vec![step]);
            draft.evidence(format!("{name} was looked into {taken} times, and put into {pushed} times, by different threads"));
            let message = format!("{name} is a queue by hand, and is polled");
            let help = format!("make {name} an `mpsc` channel: `recv` waits until there is something, without a loop that looks");
            out.push(draft.finish(message, help, taken));
        }
    }
}

/// The ways in which things are put into the collection, and taken out of it, if those are all and no thread does both.
fn sides<'m>(model: &'m Model<'_>, seen: &mut Seen, id: ObjectId, lock: &Lock) -> Option<(Vec<&'m Context>, Vec<&'m Context>)> {
    let object = model.trace.tables.object(id).filter(|object| object.kind == ObjectKind::Mutex)?;
    if !*seen.types.entry(object.type_name).or_insert_with(|| is_collection(model, object.type_name)) {
        return None;
    }
    let (mut pushes, mut takes) = (Vec::new(), Vec::new());
    for context in lock.contexts.iter().map(|id| &model.contexts[*id as usize]) {
        match *seen.uses.entry(context.site).or_insert_with(|| use_of(model, context.site)) {
            Some(Use::Push) => pushes.push(context),
            Some(Use::Take) => takes.push(context),
            None => return None,
        }
    }
    let overlap = pushes.iter().any(|push: &&Context| takes.iter().any(|take: &&Context| push.thread() == take.thread()));
    (!overlap && !pushes.is_empty() && !takes.is_empty()).then_some((pushes, takes))
}

/// What was found out of types and sites before: many locks and ways to take them share those.
#[derive(Default)]
struct Seen {
    types: FxHashMap<StringId, bool>,
    uses: FxHashMap<SiteId, Option<Use>>,
}

fn is_collection(model: &Model<'_>, type_name: StringId) -> bool {
    let Some(type_name) = model.trace.tables.string(type_name) else { return false };
    // The collection itself, not one somewhere within.
    let outer = type_name.split('<').next().unwrap_or_default();
    let name = outer.rsplit("::").next().unwrap_or(outer);
    ["VecDeque", "alloc::vec::Vec", "LinkedList", "BinaryHeap"].iter().any(|collection| collection.ends_with(name))
}

/// What a critical section does with a collection.
#[derive(Clone, Copy)]
enum Use {
    Push,
    Take,
}

fn use_of(model: &Model<'_>, site: SiteId) -> Option<Use> {
    let text = statement::uses_of_guard(model, site).join("\n");
    let has = |calls: &[&str]| calls.iter().any(|call| text.contains(call));
    match (has(&[".push", ".extend("]), has(&[".pop", ".drain(", "mem::take(", ".remove(0)"])) {
        (true, false) => Some(Use::Push),
        (false, true) => Some(Use::Take),
        _ => None,
    }
}
