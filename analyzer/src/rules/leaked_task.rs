//! Threads that are blocked with nobody left to wake them: see `leaked_task.md`.

use std::collections::BTreeMap;

use conccheck_trace::{Event, ObjectId, Side, SiteId};

use super::{deadlock, waits};
use crate::draft::{Draft, duration, list};
use crate::finding::{Confidence, Finding, Severity, Step};
use crate::model::Model;
use crate::model::channel::Handle;
use crate::model::thread::{Pending, State};
use crate::rule::{Rule, RuleMeta};
use crate::stuck::{self, Cause, Group};

pub(crate) struct LeakedTask;

static META: RuleMeta = RuleMeta {
    name: "leaked-task",
    summary: "a thread is blocked with nobody left who could wake it",
    severity: Severity::High,
    since: "0.1.0",
    page: include_str!("leaked_task.md"),
};

impl Rule for LeakedTask {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        let mut by_site: BTreeMap<(SiteId, Option<SiteId>, bool), Vec<&Group>> = BTreeMap::new();
        for group in model.stuck().of(Cause::Leak) {
            let t = group.threads[0];
            let Some((_, site)) = waits::pending(model, t).filter(|_| !model.is_ignored(t)) else { continue };
            by_site.entry((site, model.threads[t].spawn.map(|spawn| spawn.site), group.is_sure)).or_default().push(group);
        }
        for groups in by_site.into_values() {
            let t = groups[0].threads[0];
            let Some((event, site)) = waits::pending(model, t) else { continue };
            let is_sure = groups[0].is_sure;
            let confidence = if is_sure { Confidence::Manifest } else { Confidence::Possible };
            let mut draft = Draft::new(model, &META, confidence, waits::objects(model, t));
            let mut steps = Vec::new();
            if let Some(spawn) = model.threads[t].spawn {
                steps.push(draft.step(spawn.site, "was started here", false));
            }
            for held in &model.threads[t].held {
                steps.push(draft.step(held.site, format!("holds `{}` from here", model.names().class(held.lock)), false));
            }
            let (own, of_others): (Vec<_>, Vec<_>) = clones(model, &draft, t).into_iter().partition(|(maker, _)| *maker == t);
            steps.extend(own.into_iter().map(|(_, step)| step));
            steps.push(draft.step(site, waits::pending_text(model, &draft, t), true));
            draft.party(t, steps);
            for (maker, step) in of_others {
                draft.party(maker, vec![step]);
            }
            for group in &groups[1..] {
                draft.seen_by(group.threads[0]);
            }
            let since = model.threads[t].pending.as_ref().map_or(model.end, |pending| pending.since);
            draft.evidence(format!("it was blocked for the last {} of the run", duration(model.span(since, model.end).0)));
            explain(model, t, event, &mut draft);
            if !is_sure {
                draft.evidence(
                    "other threads still ran; nothing shows that one of them has it, but who was given it is not recorded",
                );
            }
            deadlock::behind(model, groups[0], &mut draft);
            let count = groups.len() as u64;
            if count > 1 {
                draft.evidence(format!("{count} threads of this kind were left behind"));
            }
            let (what, help) = words(model, &draft, t, event);
            let verb = if is_sure { "is" } else { "may be" };
            let message = format!("{} {verb} left behind: {what}", model.names().called(t));
            let mut finding = draft.finish(message, help, count);
            if !is_sure {
                finding.severity = Severity::Medium;
            }
            out.push(finding);
        }
    }
}

/// Why nobody can end the wait.
fn explain(model: &Model<'_>, t: usize, event: Event, draft: &mut Draft<'_, '_>) {
    match event {
        Event::RecvRequest { .. } | Event::SendRequest { .. } | Event::SelectRequest { .. } => {
            let operations = model.threads[t].pending.as_ref().and_then(Pending::operations).unwrap_or_default();
            let several = operations.len() > 1;
            operations.into_iter().for_each(|(channel, side)| not_dropped(model, t, (channel, side), several, draft));
        }
        Event::Wait { condvar, .. } => {
            let never = model.condvars.get(condvar.0).is_some_and(|state| state.notified == 0);
            draft.evidence(if never { "nobody ever notified it" } else { "no thread is left that could notify it" });
        }
        Event::BarrierWait { barrier, parties, .. } => {
            if let Some(state) = model.barriers.get(barrier.0) {
                let arrived = (state.arrived.saturating_sub(1)) % u64::from(parties.max(1)) + 1;
                draft.evidence(format!("{arrived} of {parties} threads arrived"));
            }
        }
        _ => {}
    }
}

/// What a handle is called: of a channel, or of a group that is waited for.
fn end_of(model: &Model<'_>, channel: ObjectId, side: Side) -> &'static str {
    match side {
        Side::Sender if waits::is_group(model, channel) => "member",
        Side::Sender => "sender",
        Side::Receiver => "receiver",
    }
}

/// The other side of a channel than that which a thread waits to use, and the handles that keep it open.
fn kept_open<'m>(model: &'m Model<'_>, channel: ObjectId, side: Side) -> (&'static str, Vec<&'m Handle>) {
    let other = match side {
        Side::Receiver => Side::Sender,
        Side::Sender => Side::Receiver,
    };
    let handles = model.channels.get(channel.0).map(|state| state.alive(other).collect());
    (end_of(model, channel, other), handles.unwrap_or_default())
}

/// So many clones are shown.
const CLONES: usize = 3;

/// Who cloned the handles that keep open what a thread waits for, and where, a place once.
fn clones(model: &Model<'_>, draft: &Draft<'_, '_>, t: usize) -> Vec<(usize, Step)> {
    let operations = model.threads[t].pending.as_ref().and_then(Pending::operations).unwrap_or_default();
    let mut seen = Vec::new();
    let mut steps = Vec::new();
    for (channel, side) in operations {
        let (end, handles) = kept_open(model, channel, side);
        for (maker, site) in handles.into_iter().filter_map(|handle| handle.made) {
            if seen.len() < CLONES && !seen.contains(&(maker, site)) {
                seen.push((maker, site));
                let text = format!("clones a {end} of {} here that is never dropped", draft.quoted(channel));
                steps.push((maker, draft.step(site, text, false)));
            }
        }
    }
    steps
}

/// Says which handles of the other side keep a channel open that thread `t` waits to use on this side.
fn not_dropped(model: &Model<'_>, t: usize, (channel, side): (ObjectId, Side), several: bool, draft: &mut Draft<'_, '_>) {
    let (ends, alive) = kept_open(model, channel, side);
    if let Some(handle) = alive.first() {
        let toucher = model.names().called(handle.toucher);
        let verb = if handle.is_used { "used" } else { "made or cloned" };
        let of = if several { format!(" of {}", draft.quoted(channel)) } else { String::new() };
        let count = if alive.len() == 1 { format!("one {ends}{of} was") } else { format!("{} {ends}s{of} were", alive.len()) };
        draft.evidence(format!("{count} never dropped; {toucher} {verb} it last"));
        if handle.is_used && handle.toucher != t && model.stuck().state(handle.toucher) == State::Ended {
            let waiter = model.names().called(t);
            draft.evidence(format!("if it lies in a static until the program ends, name {waiter} in `ignore-tasks`"));
        }
        if let Some(way) = given_away(model, t, handle) {
            let what = format!("{toucher} sent a message to `{}` since, perhaps with it", model.names().class(way));
            draft.evidence(format!("{what}; {}", taken_by(model, way)));
        }
    }
}

/// The channel by which a thread that waits for an answer may have given away the handle by which it is to be answered.
fn given_away(model: &Model<'_>, t: usize, handle: &Handle) -> Option<ObjectId> {
    let is_own = handle.toucher == t && handle.side == Side::Sender;
    stuck::sent_since(model, handle).into_iter().next().filter(|_| is_own)
}

/// What became of the latest message of a channel.
fn taken_by(model: &Model<'_>, channel: ObjectId) -> String {
    let Some(state) = model.channels.get(channel.0) else { return "who takes it is not known".to_owned() };
    let receiver = state.last_recv.map(|(t, _)| t).or_else(|| state.alive(Side::Receiver).next().map(|handle| handle.toucher));
    let Some(receiver) = receiver else { return "nobody is left to take it".to_owned() };
    let taker = model.names().called(receiver);
    let stands = match model.stuck().state(receiver) {
        State::Blocked => "is blocked itself",
        State::Ended => "has ended",
        State::Timed | State::Running => "runs",
    };
    if state.queued() > 0 { format!("it was not taken: {taker} {stands}") } else { format!("{taker} took it and {stands}") }
}

/// A group that is waited for, by its quoted name, which says what it is if it has none of its own.
fn group(name: &str) -> String {
    if name.starts_with("`WaitGroup") { name.to_owned() } else { format!("WaitGroup {name}") }
}

/// What it waits for, and what to do about it.
fn words(model: &Model<'_>, draft: &Draft<'_, '_>, t: usize, event: Event) -> (String, String) {
    let name = waits::object(event).map(|id| draft.quoted(id)).unwrap_or_default();
    match event {
        Event::RecvRequest { channel, .. } if waits::is_group(model, channel) => (
            format!("it waits for {}, of which a member is never dropped", group(&name)),
            format!("drop every clone of {name} when its work is done, on every path, errors included, and forget none"),
        ),
        Event::RecvRequest { channel, .. }
            if kept_open(model, channel, Side::Receiver).1.iter().any(|handle| given_away(model, t, handle).is_some()) =>
        {
            (
                format!("it waits for an answer from {name} that nobody can give"),
                format!(
                    "who gets a sender of {name} has to use or drop it, on every path, and must not wait for {} before",
                    model.names().called(t)
                ),
            )
        }
        Event::RecvRequest { .. } => (
            format!("it waits for a message from {name} that nobody can send"),
            format!(
                "drop every sender of {name} when the work is done, also the receiver's own, so that `recv` returns an error"
            ),
        ),
        Event::SendRequest { .. } => (
            format!("it waits for room in {name} that nobody will make"),
            format!(
                "drop the receiver of {name} where nobody receives any more, so that `send` returns an error, or give it a capacity"
            ),
        ),
        Event::SelectRequest { cases: 0, .. } => (
            "it waits for nothing that could ever come".to_owned(),
            "give it a channel that something is sent to, or a limit".to_owned(),
        ),
        Event::SelectRequest { .. } => {
            let channels: Vec<String> = waits::objects(model, t).into_iter().map(|id| draft.quoted(id)).collect();
            let channels = list(&channels);
            (
                format!("it selects from {channels}, and nobody is left who could end that"),
                format!(
                    "drop the other ends of {channels} when the work is done, so that one of them tells the selection that it is closed"
                ),
            )
        }
        Event::Wait { .. } => (
            format!("it waits for a notification of {name} that nobody can give"),
            format!("notify {name} on every path that ends what is waited for, errors included"),
        ),
        Event::OnceRequest { .. } => (
            format!("it waits for the value of {name}, which nobody sets"),
            format!("set {name} on every path, errors included, before what sets it ends"),
        ),
        Event::BarrierWait { .. } => (
            format!("it waits at barrier {name} for threads that don't come"),
            format!("make {name} for as many threads as reach it, also when some of them fail"),
        ),
        Event::Park { .. } => (
            "it is parked and nobody can unpark it".to_owned(),
            "keep its `Thread` handle and unpark it when it is to end".to_owned(),
        ),
        Event::JoinRequest { child, .. } => {
            let child = model.thread_index(child).map_or_else(|| "a thread".to_owned(), |child| model.names().called(child));
            (format!("it waits for {child}, which never ends"), format!("make {child} end before it is joined"))
        }
        _ => (format!("it waits for {name}"), format!("release {name} on every path")),
    }
}
