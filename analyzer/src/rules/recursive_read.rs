//! A read within a read of the same lock, with a writer about: see `recursive_read.md`.

use std::collections::BTreeMap;

use conccheck_trace::{Mode, ObjectId, SiteId};

use super::{deadlock, waits};
use crate::cycles::has_gate;
use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::context::Context;
use crate::modes;
use crate::rule::{Rule, RuleMeta};
use crate::stuck::Cause;

pub(crate) struct RecursiveRead;

static META: RuleMeta = RuleMeta {
    name: "recursive-read",
    summary: "a thread reads a lock again while it reads it, and a writer can queue between",
    severity: Severity::High,
    since: "0.1.0",
    page: include_str!("recursive_read.md"),
};

impl Rule for RecursiveRead {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        let mut hung: Vec<ObjectId> = Vec::new();
        for group in model.stuck().of(Cause::RecursiveRead) {
            let draft = deadlock::ring(model, &META, group);
            hung.extend(group.threads.iter().filter_map(|t| waits::object(waits::pending(model, *t)?.0)));
            let names = draft.all_quoted();
            let message = format!("a read of {names} within a read waits behind a writer, which waits for the outer read");
            out.push(draft.finish(message, help(&names), 1));
        }
        let mut by_sites: BTreeMap<(SiteId, SiteId), Vec<(&Context, &Context)>> = BTreeMap::new();
        for context in model.contexts.iter().filter(|context| context.can_wait() && !hung.contains(&context.lock)) {
            if let Some((outer, writer)) = again(model, context) {
                by_sites.entry((outer, context.site)).or_default().push((context, writer));
            }
        }
        for ((outer, _), found) in by_sites {
            out.push(finding(model, outer, &found));
        }
    }
}

/// Where the lock that this context asks to read is read already, and a writer that can queue between the two.
fn again<'m>(model: &'m Model<'_>, context: &Context) -> Option<(SiteId, &'m Context)> {
    let held = model.held(context.chain).into_iter().find(|held| held.lock == context.lock)?;
    if !modes::blocks_behind_writer(held.mode, context.mode) {
        return None;
    }
    let writers = model.locks.get(context.lock.0)?.contexts.iter().map(|id| &model.contexts[*id as usize]);
    let mut writers = writers.filter(|writer| {
        writer.mode == Mode::Exclusive
            && writer.can_wait()
            && writer.thread != context.thread
            && writer.moments.is_concurrent(&context.moments)
            // The read that is held is what the writer waits for; any other lock in common keeps the two apart.
            && !has_gate(model, context, writer)
    });
    writers.next().map(|writer| (held.site, writer))
}

fn help(names: &str) -> String {
    format!("pass the first guard of {names} on to where it is read again, or copy what is needed and release it first")
}

fn finding(model: &Model<'_>, outer: SiteId, found: &[(&Context, &Context)]) -> Finding {
    let (context, writer) = found[0];
    let mut draft = Draft::new(model, &META, Confidence::Possible, [context.lock]);
    let name = draft.quoted(context.lock);
    let plain = draft.name(context.lock).to_owned();
    let mut steps = vec![draft.step(outer, format!("reads {name} from here"), false)];
    steps.extend(draft.acquisition(context, format!("and reads {name} again here"), true));
    let reader = draft.party(context.thread, steps);
    let steps = draft.acquisition(writer, format!("asks to write {name} here"), false);
    let writing = draft.party(writer.thread, steps);
    draft.scenario(reader, format!("read({plain})"), false);
    draft.scenario(writing, format!("write({plain})"), true);
    draft.scenario(reader, format!("read({plain})"), true);
    for (other, _) in &found[1..] {
        draft.seen_by(other.thread);
    }
    let count = found.iter().map(|(context, _)| context.count).sum();
    draft.evidence(format!("nothing orders the writer before or after the two reads; seen {}", times(count)));
    draft.finish(
        format!("{name} is read again while it is read, and a writer that queues between blocks both"),
        help(&name),
        count,
    )
}
