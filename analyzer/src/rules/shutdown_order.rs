//! Components that are stopped before those that use them: see `shutdown_order.md`.

use std::collections::BTreeMap;

use conccheck_trace::{ObjectId, Side, SiteId};

use crate::draft::{Draft, times};
use crate::finding::{Confidence, Finding, Severity};
use crate::model::Model;
use crate::model::cancel::Scope;
use crate::model::channel::{Channel, LateSend};
use crate::rule::{Rule, RuleMeta};

pub(crate) struct ShutdownOrder;

static META: RuleMeta = RuleMeta {
    name: "shutdown-order",
    summary: "a component was stopped before another that still uses it",
    severity: Severity::Medium,
    since: "0.1.0",
    page: include_str!("shutdown_order.md"),
};

impl Rule for ShutdownOrder {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, model: &Model<'_>, out: &mut Vec<Finding>) {
        for (id, channel) in model.channels.iter() {
            let Some(stopped) = channel.closed_by.filter(|_| !gave_up(channel)) else { continue };
            let stop = &model.threads[stopped];
            let (Some((_, join)), Some(stopper)) = (stop.joined_at, stop.joined_by) else { continue };
            let Some(late) = channel.late_sends.iter().find(|late| is_served_late(model, channel, ObjectId(id), late)) else {
                continue;
            };
            let mut draft = Draft::new(model, &META, Confidence::Manifest, [ObjectId(id)]);
            let name = draft.quoted(ObjectId(id));
            let (first, second) = (model.names().called(stopped), model.names().called(late.thread));
            let step = draft.step(join, format!("waits for the end of {first}, which receives from {name}"), false);
            let stopper = draft.party(stopper, vec![step]);
            let step =
                draft.step(late.site, format!("still works, and sends to {name}, which nobody receives from any more"), true);
            let sender = draft.party(late.thread, vec![step]);
            let plain = draft.name(ObjectId(id)).to_owned();
            draft.scenario(stopper, format!("join({})", model.names().thread(stopped)), false);
            draft.scenario(sender, format!("send({plain}) fails"), false);
            let count = channel.late_sends.len() as u64;
            draft
                .evidence(format!("{second} went on receiving work after {first} had ended, and what it sent to {name} is lost"));
            let message = format!("{first} is stopped before {second}, which still sends to it");
            let help = format!("stop {second} first and wait for it, then close {name} and wait for {first}");
            out.push(draft.finish(message, help, count));
        }
        for (number, scope) in model.scopes.iter().enumerate() {
            of_scope(model, number, scope, out);
        }
    }
}

/// Locks of a scope that its threads take after its end.
fn of_scope(model: &Model<'_>, number: usize, scope: &Scope, out: &mut Vec<Finding>) {
    let mut by_lock: BTreeMap<ObjectId, Vec<(usize, SiteId)>> = BTreeMap::new();
    for (lock, t, site) in &scope.late {
        by_lock.entry(*lock).or_default().push((*t, *site));
    }
    let members: Vec<usize> = model.members(number).chain([scope.thread]).collect();
    for (lock, late) in by_lock {
        let contexts = model.locks.get(lock.0).map_or(&[][..], |lock| &lock.contexts);
        let belongs = contexts.iter().all(|id| members.contains(&model.contexts[*id as usize].thread()));
        let created = model.trace.tables.object(lock).map(|object| object.created);
        if !belongs || created.is_some_and(|created| model.is_static(created)) {
            continue;
        }
        let (t, site) = late[0];
        let mut draft = Draft::new(model, &META, Confidence::Manifest, [lock]);
        let name = draft.quoted(lock);
        let scope_name = format!("scope `{}`", model.names().class(scope.id));
        let step = draft.step(site, format!("takes {name} here, after {scope_name} has ended"), true);
        draft.party(t, vec![step]);
        let step = draft.step(scope.site, format!("enters {scope_name} here, and has left it by then"), false);
        draft.party(scope.thread, vec![step]);
        late[1..].iter().for_each(|(other, _)| draft.seen_by(*other));
        let count = late.len() as u64;
        draft.evidence(format!("it was taken {} after the end of {scope_name}", times(count)));
        let message = format!("{name} is used after {scope_name}, to which it belongs, has ended");
        let help = format!("tell {} to end and join it before {scope_name} ends", model.names().called(t));
        out.push(draft.finish(message, help, count));
    }
}

/// Whether the receiver ran out of patience: an answer that comes too late is no sign of a wrong order.
fn gave_up(channel: &Channel) -> bool {
    channel.timed.iter().any(|((side, _), (_, expired, _))| *side == Side::Receiver && *expired > 0)
}

/// Whether the sender was still being served, or told to end, after the receiving thread had been waited for. A sender that only
/// notices by its failed send that it is to stop is told so in this way.
fn is_served_late(model: &Model<'_>, channel: &Channel, id: ObjectId, late: &LateSend) -> bool {
    let Some(stopped) = channel.closed_by.map(|thread| &model.threads[thread]) else { return false };
    let (Some((joined, _)), Some((received, from, _))) = (stopped.joined_at, late.after) else { return false };
    let is_component = model.threads[late.thread].spawn.is_some() && stopped.joined_by != Some(late.thread);
    is_component && stopped.ended.is_some() && received > joined && from != id
}
