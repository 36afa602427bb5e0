//! Locks: who holds what, in which contexts, for how long.

use conccheck_trace::{How, Mode, ObjectId, SiteId, Ticks};

use super::super::context::{Context, Held, Holding, Inside, Moments};
use super::super::lock::{Reading, Stale};
use super::super::mixed::Taken;
use super::Builder;
use crate::clock::Moment;

/// Contexts remembered for each thread.
const CACHE: usize = 64;
/// Notifiers remembered for each lock.
const NOTIFIERS: usize = 32;
/// Acquisitions remembered for each receiver and lock.
const BETWEEN: usize = 16;

impl Builder<'_> {
    pub(super) fn request(&mut self, t: usize, time: Ticks, lock: ObjectId) {
        self.tracks[t].request = Some((lock, time));
        self.model.locks.at(lock.0).is_used = true;
        for holding in &mut self.model.threads[t].held {
            holding.inside.waited_for_lock = true;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of the event")]
    pub(super) fn acquire(&mut self, t: usize, index: u32, time: Ticks, lock: ObjectId, site: SiteId, mode: Mode, how: How) {
        self.learn_from_lock(t, lock, site);
        let context = self.context(t, index, time, lock, site, mode, how);
        let state = self.model.locks.at(lock.0);
        state.is_used = true;
        state.acquisitions += 1;
        state.holders.push(t);
        if let Some((asked, since)) = self.tracks[t].request.take()
            && asked == lock
        {
            state.waits += 1;
            state.waiting.add(t, site, time.0.saturating_sub(since.0));
            if let Some((op, begun, ended)) = state.latest_op {
                let overlap = ended.0.min(time.0).saturating_sub(begun.0.max(since.0));
                let op = &mut self.model.ops[op as usize];
                if overlap > op.others_waited {
                    op.others_waited = overlap;
                    op.waiter = Some((t, site, lock));
                }
            }
        }
        for i in 0..self.tracks[t].receives.len() {
            let (channel, received) = self.tracks[t].receives[i];
            let moment = self.moment(t, index);
            let between = self.between.entry((t, lock, channel)).or_default();
            if how == How::Blocking && between.len() < BETWEEN && between.last().is_none_or(|taken| taken.received < received) {
                between.push(Taken { received, moment, site, mode });
            }
        }
        let chain = self.chain_after(context, t, lock, site, mode, how);
        let moment = self.moment(t, index);
        let inside = Inside::default();
        self.model.threads[t].held.push(Holding { lock, mode, how, site, since: time, index, chain, context, inside, moment });
    }

    pub(super) fn release(&mut self, t: usize, index: u32, time: Ticks, lock: ObjectId, wrote: bool, unwinding: bool) {
        let Some((owner, at)) = self.find_holding(t, lock) else { return };
        let holding = self.take_holding(owner, at);
        let state = self.model.locks.at(lock.0);
        if let Some(at) = state.holders.iter().rposition(|holder| *holder == owner) {
            state.holders.swap_remove(at);
        }
        let held_for = time.0.saturating_sub(holding.since.0);
        let site = self.model.sites.at(holding.site.0);
        site.acquisitions += 1;
        site.holds.add(held_for);
        if held_for >= self.long_hold {
            site.long += 1;
            if site.longest.as_ref().is_none_or(|(longest, ..)| *longest < held_for) {
                site.longest = Some((held_for, t, lock, holding.inside));
            }
            if let Some(test) = self.model.threads[t].test
                && !site.long_tests.contains(&test)
            {
                site.long_tests.push(test);
            }
        }
        state.waited_inside |= holding.inside.waited || holding.inside.slept;
        if unwinding {
            state.poisoned_by.get_or_insert((t, holding.site));
        } else {
            // Who met the poison and went on has dealt with it.
            state.poison_met.retain(|(who, site)| !(*who == t && *site == holding.site));
        }
        self.note_data(t, index, time, &holding, wrote && holding.mode != Mode::Shared);
    }

    /// The newest hold of `lock` by this thread, or by another one where the guard was sent here.
    fn find_holding(&mut self, t: usize, lock: ObjectId) -> Option<(usize, usize)> {
        if let Some(at) = self.model.threads[t].held.iter().rposition(|held| held.lock == lock) {
            return Some((t, at));
        }
        let owner = *self.model.locks.at(lock.0).holders.last()?;
        let at = self.model.threads[owner].held.iter().rposition(|held| held.lock == lock)?;
        Some((owner, at))
    }

    fn take_holding(&mut self, t: usize, at: usize) -> Holding {
        let held = &mut self.model.threads[t].held;
        let holding = held.remove(at);
        // Released out of order: what was acquired after it is now held without it.
        for i in at..self.model.threads[t].held.len() {
            let held = &self.model.threads[t].held;
            let parent = if i == 0 { 0 } else { held[i - 1].chain };
            let Holding { lock, mode, how, site, .. } = held[i];
            let chain = self.chain(Held { parent, lock, mode, how, site });
            self.model.threads[t].held[i].chain = chain;
        }
        holding
    }

    pub(super) fn convert(&mut self, t: usize, lock: ObjectId, site: SiteId, from: Mode, to: Mode) {
        self.tracks[t].request = None;
        let Some(at) = self.model.threads[t].held.iter().rposition(|held| held.lock == lock && held.mode == from) else { return };
        let held = &mut self.model.threads[t].held;
        held[at].mode = to;
        held[at].site = if site.is_some() { site } else { held[at].site };
        for i in at..self.model.threads[t].held.len() {
            let held = &self.model.threads[t].held;
            let parent = if i == 0 { 0 } else { held[i - 1].chain };
            let Holding { lock, mode, how, site, .. } = held[i];
            let chain = self.chain(Held { parent, lock, mode, how, site });
            self.model.threads[t].held[i].chain = chain;
        }
    }

    pub(super) fn summary(&mut self, lock: ObjectId, site: SiteId, count: u64) {
        self.model.summarised += count;
        self.model.locks.at(lock.0).acquisitions += count;
        self.model.sites.at(site.0).acquisitions += count;
    }

    /// Number of a held stack.
    fn chain(&mut self, held: Held) -> u32 {
        let chains = &mut self.model.chains;
        *self.chain_ids.entry(held).or_insert_with(|| {
            chains.push(held);
            u32::try_from(chains.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn chain_after(&mut self, context: u32, t: usize, lock: ObjectId, site: SiteId, mode: Mode, how: How) -> u32 {
        let after = self.model.contexts[context as usize].after;
        if after != 0 {
            return after;
        }
        let parent = self.model.threads[t].held.last().map_or(0, |held| held.chain);
        let after = self.chain(Held { parent, lock, mode, how, site });
        self.model.contexts[context as usize].after = after;
        after
    }

    /// The context of an acquisition, counted.
    #[expect(clippy::too_many_arguments, reason = "the fields of the event")]
    pub(super) fn context(
        &mut self,
        t: usize,
        index: u32,
        time: Ticks,
        lock: ObjectId,
        site: SiteId,
        mode: Mode,
        how: How,
    ) -> u32 {
        let chain = self.model.threads[t].held.last().map_or(0, |held| held.chain);
        let slot = (lock.0 ^ chain.wrapping_mul(31) ^ site.0.wrapping_mul(7)) as usize % CACHE;
        let track = &mut self.tracks[t];
        if track.cache.is_empty() {
            track.cache.resize(CACHE, u32::MAX);
        }
        let cached = track.cache[slot];
        let fits = self.model.contexts.get(cached as usize).is_some_and(|context| {
            context.lock == lock
                && context.chain == chain
                && context.site == site
                && context.mode == mode
                && context.how == how
                && context.thread == t
        });
        let id = if fits {
            cached
        } else {
            let contexts = &mut self.model.contexts;
            let locks = &mut self.model.locks;
            let key = (u32::try_from(t).unwrap_or(u32::MAX), chain, lock, mode, how, site);
            let id = *self.context_ids.entry(key).or_insert_with(|| {
                let moments = Moments::default();
                contexts.push(Context { thread: t, chain, lock, mode, how, site, count: 0, moments, after: 0 });
                let id = u32::try_from(contexts.len() - 1).unwrap_or(u32::MAX);
                locks.at(lock.0).contexts.push(id);
                id
            });
            track.cache[slot] = id;
            id
        };
        let context = &mut self.model.contexts[id as usize];
        context.count += 1;
        let clock = &self.model.threads[t].clock;
        let version = track.version;
        context.moments.add(version, || Moment { thread: t, index, clock: clock.clone() }, time);
        id
    }

    /// What taking a lock tells of other threads. A lock as such orders nothing, but two uses of it do: the state that a condition
    /// variable announces is passed on under its lock, and so is a flag that a thread polls.
    fn learn_from_lock(&mut self, t: usize, lock: ObjectId, site: SiteId) {
        let state = self.model.locks.at(lock.0);
        if !state.notified.is_empty() && !state.notifiers.contains(&t) {
            for moment in state.notified.clone() {
                self.learn(t, &moment);
            }
        }
        let state = self.model.locks.at(lock.0);
        if let Some((polled, at, writes)) = self.tracks[t].poll
            && polled == lock
            && at == site
            && state.writes > writes
            && let Some(moment) = state.last_write.clone()
        {
            self.learn(t, &moment);
        }
    }

    /// A notification passes on what was done before it, by way of the locks that its condition variable is used with.
    pub(super) fn announce(&mut self, moment: &Moment, locks: &[ObjectId]) {
        for lock in locks {
            let state = self.model.locks.at(lock.0);
            state.notified.retain(|earlier| earlier.thread != moment.thread);
            if state.notified.len() < NOTIFIERS {
                state.notified.push(moment.clone());
            }
            if !state.notifiers.contains(&moment.thread) {
                state.notifiers.push(moment.thread);
            }
        }
    }

    /// Who read and wrote the data behind the lock, for stale reads and polling.
    fn note_data(&mut self, t: usize, index: u32, time: Ticks, holding: &Holding, wrote: bool) {
        let lock = holding.lock;
        let moment = wrote.then(|| self.publish(t, index));
        let state = self.model.locks.at(lock.0);
        let Some(moment) = moment else {
            state.read_sections += 1;
            state.read_time += time.0.saturating_sub(holding.since.0);
            state.reads.insert(t, Reading { site: holding.site, writes: state.writes, time });
            self.tracks[t].poll = Some((lock, holding.site, state.writes));
            self.read_state(t, lock);
            return;
        };
        let stale = state.reads.remove(&t).filter(|read| read.writes < state.writes).zip(state.last_writer);
        state.writes += 1;
        state.last_writer = Some((t, holding.site));
        state.last_write = Some(moment.clone());
        self.publish_state(lock, &moment);
        self.tracks[t].poll = None;
        self.tracks[t].wrote = Some((lock, index));
        if let Some((read, (other, other_site))) = stale {
            let all = &mut self.model.stale;
            let id = *self.stale_ids.entry((lock, t, read.site, holding.site)).or_insert_with(|| {
                let (read, write) = (read.site, holding.site);
                all.push(Stale { lock, thread: t, read, write, other, other_site, count: 0 });
                u32::try_from(all.len() - 1).unwrap_or(u32::MAX)
            });
            self.model.stale[id as usize].count += 1;
        }
    }
}
