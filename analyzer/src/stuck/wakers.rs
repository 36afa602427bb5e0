//! Who can end a blocked thread's wait.

use conccheck_trace::{Event, Mode, ObjectId, Side};

use super::holders::Holders;
use crate::model::Model;
use crate::model::thread::{Pending, State};
use crate::modes;

/// Who can end a wait.
#[derive(Clone, Default, Debug)]
pub(super) struct Wakers {
    /// Whether all of them are needed.
    pub(super) all: bool,
    /// Thread, and whether it is sure that it is one.
    pub(super) threads: Vec<(usize, bool)>,
    /// Threads to which what ends the wait may have been passed on.
    pub(super) passed_to: Vec<usize>,
    /// Whether anybody may be one.
    pub(super) unknown: bool,
    /// Whether there is a handle that would end the wait, and nobody knows who has it now.
    pub(super) strayed: bool,
    /// Whether the wait has ended already, though not on record.
    pub(super) wakes: bool,
}

pub(super) fn wakers(holders: &Holders<'_>, t: usize) -> Wakers {
    let Holders { model, states, .. } = *holders;
    let unknown = Wakers { unknown: true, ..Wakers::default() };
    let wakes = Wakers { wakes: true, ..Wakers::default() };
    let needs = |threads: Vec<(usize, bool)>| {
        if threads.is_empty() { wakes.clone() } else { Wakers { all: true, threads, ..Wakers::default() } }
    };
    let Some(pending) = &model.threads[t].pending else { return wakes };
    match pending.event {
        Event::Request { lock, mode, .. } => {
            let holders = lock_holders(model, lock, mode);
            needs(if holders.is_empty() { queued_writers(model, lock, mode, t) } else { holders })
        }
        Event::JoinRequest { .. } => {
            let children = pending.joins.iter().filter_map(|child| model.thread_index(*child));
            needs(children.filter(|child| states[*child] != State::Ended).map(|child| (child, true)).collect())
        }
        Event::OnceRequest { once, .. } => match model.onces.get(once.0).and_then(|once| once.running) {
            Some((runner, _)) => needs(vec![(runner, true)]),
            None if model.onces.get(once.0).is_some_and(|once| once.done.is_some()) => wakes,
            // It waits for a value that somebody is to set.
            None => unknown,
        },
        Event::Wait { condvar, order, .. } => {
            let Some(state) = model.condvars.get(condvar.0) else { return unknown };
            let since = state.notifications.iter().filter(|notification| notification.order > order.0);
            let in_flight = state.notified > order.0 && state.delivered > state.woken.values().sum();
            if since.clone().any(|notification| notification.all) || in_flight { wakes } else { unknown }
        }
        Event::BarrierWait { barrier, parties, order, .. } => {
            let parties = u64::from(parties.max(1));
            let full = order.0.saturating_sub(1) / parties * parties + parties;
            if model.barriers.get(barrier.0).is_some_and(|state| state.arrived >= full) { wakes } else { unknown }
        }
        Event::Park { .. } if model.threads[t].has_token => wakes,
        Event::Park { .. } => {
            let threads = model.threads[t].unparkers.iter().filter(|other| states[**other] != State::Ended);
            Wakers { threads: threads.map(|other| (*other, false)).collect(), ..unknown }
        }
        Event::CancelWait { token, .. } if model.tokens.get(token.0).is_some_and(|token| token.cancelled.is_some()) => wakes,
        Event::RecvRequest { .. } | Event::SendRequest { .. } | Event::SelectRequest { .. } => match pending.operations() {
            Some(operations) => any_wakers(holders, t, &operations),
            None => wakes,
        },
        _ => unknown,
    }
}

/// Threads that hold the lock in a way that keeps out `asked`.
fn lock_holders(model: &Model<'_>, lock: ObjectId, asked: Mode) -> Vec<(usize, bool)> {
    let Some(state) = model.locks.get(lock.0) else { return Vec::new() };
    // Who ended the process would have gone on to release it.
    let is_holder = |t: usize| {
        !model.threads[t].exits && model.threads[t].held.iter().any(|held| held.lock == lock && modes::blocks(held.mode, asked))
    };
    let mut holders: Vec<(usize, bool)> = state.holders.iter().filter(|t| is_holder(**t)).map(|t| (*t, true)).collect();
    holders.sort_unstable();
    holders.dedup();
    holders
}

/// Writers behind which a reader queues while readers hold the lock.
fn queued_writers(model: &Model<'_>, lock: ObjectId, asked: Mode, t: usize) -> Vec<(usize, bool)> {
    let is_read = model.locks.get(lock.0).is_some_and(|state| !state.holders.is_empty());
    if !is_read || !modes::blocks_behind_writer(Mode::Shared, asked) {
        return Vec::new();
    }
    let waits = |other: usize| {
        matches!(model.threads[other].pending.as_ref().map(|pending| pending.event),
            Some(Event::Request { lock: wanted, mode: Mode::Exclusive, .. }) if wanted == lock)
    };
    (0..model.threads.len()).filter(|other| *other != t && waits(*other)).map(|other| (other, true)).collect()
}

/// Who can end a wait for any of these operations.
fn any_wakers(holders: &Holders<'_>, t: usize, operations: &[(ObjectId, Side)]) -> Wakers {
    let mut any = Wakers::default();
    for (channel, side) in operations {
        let wakers = channel_wakers(holders, t, *channel, *side);
        any.wakes |= wakers.wakes;
        any.unknown |= wakers.unknown;
        any.strayed |= wakers.strayed;
        any.threads.extend(wakers.threads);
        any.passed_to.extend(wakers.passed_to);
    }
    any.threads.sort_unstable();
    any.threads.dedup_by(|a, b| {
        let same = a.0 == b.0;
        b.1 |= same && a.1;
        same
    });
    any
}

/// Who can end a wait to use the channel on this side.
fn channel_wakers(holders: &Holders<'_>, t: usize, id: ObjectId, side: Side) -> Wakers {
    let Holders { model, states, .. } = *holders;
    let wakes = Wakers { wakes: true, ..Wakers::default() };
    let Some(channel) = model.channels.get(id.0).filter(|channel| channel.is_known) else {
        return Wakers { unknown: true, ..Wakers::default() };
    };
    let queued = channel.queued();
    let opposite = match side {
        Side::Sender => Side::Receiver,
        Side::Receiver => Side::Sender,
    };
    let waits_opposite = |other: usize| {
        let operations = model.threads[other].pending.as_ref().and_then(Pending::operations);
        operations.is_some_and(|operations| operations.contains(&(id, opposite)))
    };
    let is_ready = match side {
        Side::Receiver => queued > 0,
        Side::Sender => channel.capacity.is_none_or(|capacity| queued < capacity),
    };
    let meets = (0..states.len()).any(|other| other != t && states[other] == State::Blocked && waits_opposite(other));
    if is_ready || meets || channel.alive(opposite).next().is_none() {
        return wakes;
    }
    let mut wakers = Wakers::default();
    for handle in channel.alive(opposite) {
        holders.add(handle, t, &mut wakers);
    }
    wakers
}
