//! Condition variables, onces and barriers.

use conccheck_trace::{Event, ObjectId, SiteId, Ticks};

use super::super::mixed::MixedKind;
use super::super::sync::{EarlyGet, Notification};
use super::super::thread::Pending;
use super::{Builder, number};
use crate::clock::Moment;
use crate::rules::statement;

/// Lucky looks remembered for each once.
const LUCKY: usize = 16;
/// Notifications remembered for each condition variable.
const NOTIFICATIONS: usize = 256;
/// Methods of a once that never run an initialiser.
const LOOKS_ONLY: [&str; 6] = ["get", "get_mut", "wait", "wait_force", "is_completed", "is_initialized"];
/// Arrivals remembered for each generation of a barrier.
const ARRIVALS: usize = 16;

impl Builder<'_> {
    pub(super) fn wait_event(&mut self, t: usize, index: u32, time: Ticks, event: Event) {
        match event {
            Event::Wait { condvar, lock, order, site, .. } => {
                let state = self.model.condvars.at(condvar.0);
                if !state.locks.contains(&lock) {
                    state.locks.push(lock);
                }
                if !state.waiters.contains(&t) {
                    state.waiters.push(t);
                }
                if !state.wait_sites.contains(&site) {
                    state.wait_sites.push(site);
                }
                // What was read before the wait is looked at again after it.
                self.model.locks.at(lock.0).reads.remove(number(t));
                self.tracks[t].wait_order = order.0;
                self.tracks[t].wait_site = Some(site);
                self.begin_op(t, time, event);
            }
            Event::Wake { condvar, timed_out, order } => {
                self.end_op(t, time);
                if !timed_out {
                    self.wake(t, index, condvar, event, order.0);
                }
            }
            Event::Notify { condvar, site, all, waiting, order } => {
                let moment = self.publish(t, index);
                let mut locks = self.model.condvars.at(condvar.0).locks.clone();
                // Nobody may have waited yet: then the lock is the one that was just written under, or is still held.
                let written = self.tracks[t].wrote.filter(|(_, released)| index - released <= 2).map(|(lock, _)| lock);
                locks.extend(written);
                locks.extend(self.model.threads[t].held.last().map(|held| held.lock));
                locks.sort_unstable();
                locks.dedup();
                self.announce(&moment, &locks);
                let state = self.model.condvars.at(condvar.0);
                state.notified = state.notified.max(order.0);
                state.delivered += u64::from(if all { waiting } else { waiting.min(1) });
                if state.notifications.len() >= NOTIFICATIONS {
                    state.notifications.remove(0);
                }
                state.notifications.push(Notification { order: order.0, moment, site, all, waiting });
            }
            Event::OnceBegin { once, site } => {
                let state = self.model.onces.at(once.0);
                state.running = Some((t, site));
                (state.set_site, state.begun) = (site, index);
                self.model.threads[t].initialising.push((once, site));
            }
            Event::OnceEnd { once, panicked } => {
                let moment = self.publish(t, index);
                let state = self.model.onces.at(once.0);
                state.running = None;
                if !panicked {
                    state.done = Some(moment);
                    state.did_nothing = index == state.begun + 1;
                }
                self.model.threads[t].initialising.retain(|(other, _)| *other != once);
            }
            Event::OnceGet { once, site } => {
                if let Some(moment) = self.model.onces.at(once.0).done.clone() {
                    self.note_luck(t, index, once, site, &moment);
                    self.mixed_with(t, index, MixedKind::Once, (Event::OnceRequest { once, site }, site), &moment, 0);
                    // Who would have initialised it otherwise comes behind the initialiser, but not behind what its thread did before.
                    if !(self.model.onces.at(once.0).did_nothing && self.may_initialise(site)) {
                        self.learn(t, &moment);
                    }
                }
            }
            Event::BarrierWait { barrier, parties, order, .. } => {
                let moment = self.publish(t, index);
                let generation = order.0.saturating_sub(1) / u64::from(parties.max(1));
                let state = self.model.barriers.at(barrier.0);
                state.parties = parties;
                state.arrived = state.arrived.max(order.0);
                let this = state.generations.entry(generation).or_default();
                this.clock.join_moment(&moment);
                if this.arrivals.len() < ARRIVALS {
                    this.arrivals.push(moment);
                }
                // Two generations can be in use at once: one that leaves and one that arrives.
                while state.generations.len() > 2 {
                    state.generations.pop_first();
                }
                self.tracks[t].generation = generation;
                self.begin_op(t, time, event);
            }
            Event::BarrierPass { barrier } => {
                self.end_op(t, time);
                let generations = &self.model.barriers.at(barrier.0).generations;
                if let Some(clock) = generations.get(&self.tracks[t].generation).map(|this| this.clock.clone()) {
                    self.tracks[t].version += 1;
                    self.model.threads[t].clock.join(&clock);
                }
            }
            _ => {}
        }
    }

    /// Whether who asks for a value here makes it if there is none.
    fn may_initialise(&self, site: SiteId) -> bool {
        statement::called(&self.model, site).is_some_and(|name| !LOOKS_ONLY.contains(&name.as_str()))
    }

    /// Notes a look at a once that nothing but luck made come after its initialisation.
    fn note_luck(&mut self, t: usize, index: u32, once: ObjectId, site: SiteId, done: &Moment) {
        let thread = &self.model.threads[t];
        // After the start, or a sleep after the start.
        let is_early = index == 1 || index == 2 && self.tracks[t].slept.is_some();
        let is_ordered = done.thread == t || thread.clock.get(done.thread) > done.index;
        let state = self.model.onces.at(once.0);
        if is_early && !is_ordered && thread.spawn.is_some() && state.lucky.len() < LUCKY {
            let set_site = state.set_site;
            state.lucky.push(EarlyGet { thread: t, site, setter: done.thread, set_site });
        }
    }

    /// A wait without limit is over, by `event`.
    pub(super) fn wait_ended(&mut self, t: usize, index: u32, pending: &Pending, event: Event) {
        let is_known = !pending.event.is_timed() && pending.operations().is_some();
        let selects = matches!((pending.event, event), (Event::SelectRequest { .. }, Event::Selected { .. })) && is_known;
        self.tracks[t].selected_after = pending.event.site().filter(|_| selects).map(|site| (pending.event, site));
        let (kind, site, until) = match (pending.event, event) {
            (Event::Park { site, timed }, Event::Unparked) => {
                let token = self.tracks[t].token.take();
                if token.is_none() && !timed {
                    // It may be one of those that were given before it was known who would park.
                    self.tracks[t].version += 1;
                    self.model.threads[t].clock.join(&self.early);
                }
                (MixedKind::Park, site, token.into_iter().collect::<Vec<_>>())
            }
            (Event::BarrierWait { site, barrier, .. }, Event::BarrierPass { .. }) => {
                let this = self.model.barriers.at(barrier.0).generations.get(&self.tracks[t].generation);
                let holds = !self.model.threads[t].held.is_empty();
                (MixedKind::Barrier, site, this.filter(|_| holds).map(|this| this.arrivals.clone()).unwrap_or_default())
            }
            _ => return,
        };
        for moment in until {
            self.mixed_with(t, index, kind, (pending.event, site), &moment, 0);
        }
    }

    /// A wait ended by a notification: by the first one since it began, as far as can be known.
    fn wake(&mut self, t: usize, index: u32, condvar: ObjectId, event: Event, order: u64) {
        let begun = self.tracks[t].wait_order;
        let state = self.model.condvars.at(condvar.0);
        *state.woken.entry(t).or_default() += 1;
        let since = state.notifications.iter().filter(|notification| notification.order > begun && notification.order <= order);
        let Some(Notification { moment, .. }) = since.min_by_key(|notification| notification.order).cloned() else { return };
        if let Some(site) = self.tracks[t].wait_site {
            self.mixed_with(t, index, MixedKind::Wait, (event, site), &moment, 0);
        }
        self.learn(t, &moment);
    }
}
