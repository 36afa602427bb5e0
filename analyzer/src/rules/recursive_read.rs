//! A read within a read of the same lock, with a writer about: see `recursive_read.md`.

use std::collections::BTreeMap;

use conccheck_trace::{Mode, ObjectId, SiteId};

use super::{deadlock, waits};
use crate::cycles::has_gate;
use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::handshake;
use crate::model::Model;
use crate::model::context::Context;
use crate::modes;
use crate::proof::{self, Outcome};
use crate::rule::{Rule, RuleMeta};
use crate::stuck::Cause;

/// Writers that are looked at for each read.
const MOST_WRITERS: usize = 16;

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
        let mut by_sites: BTreeMap<(SiteId, SiteId), Vec<(u32, u32)>> = BTreeMap::new();
        for (id, context) in (0..).zip(&model.contexts).filter(|(_, context)| context.can_wait() && !hung.contains(&context.lock))
        {
            if let Some((outer, writer)) = again(model, id) {
                by_sites.entry((outer, context.site)).or_default().push((id, writer));
            }
        }
        let firsts: Vec<(u32, u32)> = by_sites.values().map(|found| found[0]).collect();
        let outcomes = proof::prove_again(model, &firsts);
        for (((outer, _), found), outcome) in by_sites.into_iter().zip(outcomes) {
            out.push(finding(model, outer, &found, &outcome));
        }
    }
}

/// Where the lock that this context asks to read is read already, and a writer that can queue between the two.
fn again(model: &Model<'_>, id: u32) -> Option<(SiteId, u32)> {
    let context = &model.contexts[id as usize];
    let held = model.held(context.chain).into_iter().find(|held| held.lock == context.lock)?;
    if !modes::blocks_behind_writer(held.mode, context.mode) {
        return None;
    }
    let mut writers = model.locks.get(context.lock.0)?.contexts.iter().copied().filter(|id| {
        let writer = &model.contexts[*id as usize];
        writer.mode == Mode::Exclusive
            && writer.can_wait()
            && writer.thread() != context.thread()
            && writer.is_concurrent(context)
            // The read that is held is what the writer waits for; any other lock in common keeps the two apart.
            && !has_gate(model, context, writer)
    });
    // Best one that nothing seems to keep apart.
    let first = writers.next()?;
    let is_apart = |writer: u32| handshake::apart(model, &[vec![id, writer]], false).is_some();
    let free = [first].into_iter().chain(writers).take(MOST_WRITERS).find(|writer| !is_apart(*writer));
    Some((held.site, free.unwrap_or(first)))
}

fn help(names: &str) -> String {
    format!("pass the first guard of {names} on to where it is read again, or copy what is needed and release it first")
}

fn finding(model: &Model<'_>, outer: SiteId, found: &[(u32, u32)], outcome: &Outcome) -> Finding {
    let context = |id: u32| &model.contexts[id as usize];
    let readers = || found.iter().map(|(reader, _)| context(*reader));
    let (context, writer) = (context(found[0].0), context(found[0].1));
    let is_proven = matches!(outcome, Outcome::Proven(_));
    let pairs: Vec<Vec<u32>> = found.iter().map(|(reader, writer)| vec![*reader, *writer]).collect();
    let apart = handshake::apart(model, &pairs, is_proven);
    let confidence = if is_proven && apart.is_none() { Confidence::Proven } else { Confidence::Possible };
    let mut draft = Draft::new(model, &META, confidence, [context.lock]);
    let name = draft.quoted(context.lock);
    let plain = draft.name(context.lock).to_owned();
    let mut steps = vec![draft.step(outer, format!("reads {name} from here"), false)];
    steps.extend(draft.acquisition(context, format!("and reads {name} again here"), true));
    let reader = draft.party(context.thread(), steps);
    let steps = draft.acquisition(writer, format!("asks to write {name} here"), false);
    let writing = draft.party(writer.thread(), steps);
    draft.scenario(reader, format!("read({plain})"), false);
    draft.scenario(writing, format!("write({plain})"), true);
    draft.scenario(reader, format!("read({plain})"), true);
    for other in readers().skip(1) {
        draft.seen_by(other.thread());
    }
    let count = readers().map(Context::count).sum();
    if let Some(wait) = &apart {
        draft.evidence(wait.evidence(model));
    } else if let Outcome::Proven(schedule) = outcome {
        draft.evidence(format!("a reordering of this run reaches it (replayed, {} events)", schedule.events));
    }
    draft.evidence(format!("nothing orders the writer before or after the two reads; seen {}", times(count)));
    let message = format!("{name} is read again while it is read, and a writer that queues between blocks both");
    let mut finding = draft.finish(message, help(&name), count);
    if apart.is_some() {
        finding.severity = Severity::Medium;
    }
    finding
}
