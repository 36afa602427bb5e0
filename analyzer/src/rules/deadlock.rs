//! Threads that wait for one another at the end of the trace: see `deadlock.md`.

use conccheck_trace::{Event, ObjectId};

use super::waits;
use crate::draft::{Draft, duration, list};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::rule::{Rule, RuleMeta};
use crate::stuck::{Cause, Group};

pub(crate) struct Deadlock;

static META: RuleMeta = RuleMeta {
    name: "deadlock",
    summary: "threads that wait for one another for ever",
    severity: Severity::Critical,
    since: "0.1.0",
    page: include_str!("deadlock.md"),
};

impl Rule for Deadlock {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for group in model.stuck().of(Cause::Deadlock) {
            let draft = ring(model, &META, group);
            let threads: Vec<String> = group.threads.iter().map(|t| model.names().quoted(*t)).collect();
            let objects = draft.all_quoted();
            let message = if objects.is_empty() {
                format!("deadlock of {}", list(&threads))
            } else {
                format!("deadlock of {} over {objects}", list(&threads))
            };
            let help = help(model, &draft, group);
            out.push(draft.finish(message, help, 1));
        }
    }
}

/// What would keep these threads from waiting for one another.
fn help(model: &Model<'_>, draft: &Draft<'_, '_>, group: &Group) -> String {
    let waits: Vec<(usize, Event)> = group.threads.iter().filter_map(|t| Some((*t, waits::pending(model, *t)?.0))).collect();
    let is_lock = |event: &Event| matches!(event, Event::Request { .. });
    if waits.iter().all(|(_, event)| is_lock(event)) {
        let mut locks: Vec<ObjectId> = waits.iter().filter_map(|(_, event)| waits::object(*event)).collect();
        locks.sort_unstable();
        locks.dedup();
        let name = model.names().class(locks[0]);
        return match &locks[..] {
            [lock] => format!("release {} before asking for it in another mode", draft.quoted(*lock)),
            [_, rest @ ..] if rest.iter().all(|lock| model.names().are_of_one_class(locks[0], *lock)) => {
                format!("take the locks of `{name}` in one order everywhere, by index or address")
            }
            _ => format!("take {} in one order everywhere", draft.all_quoted()),
        };
    }
    let holds = |t: usize| deadlocked(model, group, t).next();
    if let Some((lock, event)) = waits.iter().find_map(|(t, event)| Some((holds(*t).filter(|_| !is_lock(event))?, *event))) {
        return format!("release {} before {}", draft.quoted(lock), waits::doing(model, draft, event));
    }
    let received = waits.iter().find_map(|(_, event)| match event {
        Event::RecvRequest { channel, .. } => Some(*channel),
        _ => None,
    });
    let joins = waits.iter().find(|(_, event)| matches!(event, Event::JoinRequest { .. }));
    if let (Some(channel), Some((_, join))) = (received, joins) {
        return format!("drop every sender of {} before {}", draft.quoted(channel), waits::doing(model, draft, *join));
    }
    if waits.iter().all(|(_, event)| matches!(event, Event::SendRequest { .. })) {
        return format!("let {} have more room, or receive before sending on", draft.all_quoted());
    }
    let threads = list(&group.threads.iter().map(|t| model.names().quoted(*t)).collect::<Vec<_>>());
    if waits.iter().all(|(_, event)| matches!(event, Event::JoinRequest { .. })) {
        return format!("join {threads} from a thread that none of them waits for, as from the one that started them");
    }
    format!("let one of {threads} do what the others wait for before it waits itself")
}

/// The locks that a thread of a ring holds while others of the ring wait for them.
pub(crate) fn deadlocked<'m>(model: &'m Model<'_>, group: &Group, t: usize) -> impl Iterator<Item = ObjectId> + 'm {
    let others: Vec<usize> = group.threads.iter().copied().filter(|other| *other != t).collect();
    let wanted: Vec<ObjectId> = others.into_iter().flat_map(|other| waits::objects(model, other)).collect();
    model.threads[t].held.iter().map(|held| held.lock).filter(move |lock| wanted.contains(lock))
}

/// A finding on threads that wait in a ring: what each holds that another waits for, and what it waits for.
pub(crate) fn ring<'m, 'a>(model: &'m Model<'a>, meta: &'static RuleMeta, group: &Group) -> Draft<'m, 'a> {
    let wanted: Vec<ObjectId> = group.threads.iter().flat_map(|t| waits::objects(model, *t)).collect();
    let mut draft = Draft::new(model, meta, Confidence::Manifest, wanted.iter().copied());
    let mut since = 0;
    for t in &group.threads {
        let thread = &model.threads[*t];
        let Some((_, site)) = waits::pending(model, *t) else { continue };
        let mut steps = Vec::new();
        for held in thread.held.iter().filter(|held| wanted.contains(&held.lock)) {
            for object in waits::objects(model, *t) {
                draft.takes(held.lock, object);
            }
            let text = format!("holds {}{} from here", draft.quoted(held.lock), waits::mode_words(held.mode));
            steps.push(draft.step(held.site, text, false));
        }
        for (once, site) in thread.initialising.iter().filter(|(once, _)| wanted.contains(once)) {
            steps.push(draft.step(*site, format!("initialises {} from here", draft.quoted(*once)), false));
        }
        steps.push(draft.step(site, waits::pending_text(model, &draft, *t), true));
        draft.party(*t, steps);
        if let Some(pending) = &thread.pending {
            since = since.max(pending.since.0);
        }
    }
    for (party, t) in group.threads.iter().enumerate() {
        for held in model.threads[*t].held.iter().filter(|held| wanted.contains(&held.lock)) {
            let call = waits::lock_call(held.mode, draft.name(held.lock));
            draft.scenario(party, call, false);
        }
    }
    for (party, t) in group.threads.iter().enumerate() {
        if let Some(call) = waits::pending_call(model, &draft, *t) {
            draft.scenario(party, call, true);
        }
    }
    let blocked = model.span(conccheck_trace::Ticks(since), model.end);
    let who = if group.threads.len() == 1 { "it was" } else { "all of them were" };
    draft.evidence(format!("{who} still blocked at the end of the run, after {}", duration(blocked.0)));
    behind(model, group, &mut draft);
    draft
}

/// Says which other threads are stuck because of these.
pub(crate) fn behind(model: &Model<'_>, group: &Group, draft: &mut Draft<'_, '_>) {
    let mut names: Vec<String> = group.behind.iter().map(|t| model.names().quoted(*t)).collect();
    names.sort();
    let more = names.len().saturating_sub(5);
    names.truncate(5);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    if !names.is_empty() {
        draft.evidence(format!("{} {} stuck behind", list(&names), if names.len() == 1 { "is" } else { "are" }));
    }
}
