//! Locks: who holds what, in which contexts, for how long.

use conccheck_trace::{FrameId, How, Mode, ObjectId, Section, SiteId, Ticks};

use super::super::context::{Context, Held, Holding, Inside, Moments};
use super::super::lock::{Reading, Stale};
use super::super::mixed::Taken;
use super::Builder;
use crate::clock::Moment;

/// Contexts remembered for each thread: a power of two.
const CACHE: usize = 128;
/// Notifiers remembered for each lock.
const NOTIFIERS: usize = 32;
/// Acquisitions remembered for each receiver and lock.
const BETWEEN: usize = 16;

/// A context that a thread used lately, with what it is found by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Recent {
    chain: u32,
    lock: ObjectId,
    site: SiteId,
    mode: Mode,
    how: How,
    context: u32,
}

impl Default for Recent {
    /// None that any acquisition has.
    fn default() -> Recent {
        let (lock, site) = (ObjectId::NONE, SiteId::NONE);
        Recent { chain: u32::MAX, lock, site, mode: Mode::Exclusive, how: How::Blocking, context: u32::MAX }
    }
}

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
        state.latest = u32::try_from(t).unwrap_or(u32::MAX);
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
        // What a panic takes, its message and backtrace included, is no measure of the section.
        let held_for = if unwinding { 0 } else { time.0.saturating_sub(holding.since.0) };
        self.note_hold(t, lock, holding.site, held_for, holding.inside);
        let state = self.model.locks.at(lock.0);
        state.is_entangled |= owner != t;
        state.waited_inside |= holding.inside.waited || holding.inside.slept;
        if unwinding {
            state.poisoned_by.get_or_insert((t, holding.site));
        } else if !state.poison_met.is_empty() {
            // Who met the poison and went on has dealt with it.
            state.poison_met.retain(|(who, site)| !(*who == t && *site == holding.site));
        }
        self.note_data(t, index, time, (lock, holding.site, holding.since), wrote && holding.mode != Mode::Shared);
    }

    /// Whether a section of `lock` is no more to the thread than that: it asks for nothing, polls nothing and receives nothing that
    /// the acquisition ends or is compared with, and nobody met the lock's poison.
    #[inline]
    pub(super) fn is_simple(&mut self, t: usize, lock: ObjectId) -> bool {
        let track = &self.tracks[t];
        !track.polls
            && track.request.is_none()
            && track.receives.is_empty()
            && self.model.threads[t].pending.is_none()
            && self.model.locks.at(lock.0).poison_met.is_empty()
    }

    /// A simple section: what an acquisition and its release would do, without the hold between them.
    pub(super) fn section(&mut self, t: usize, index: u32, section: &Section) {
        let Section { time, end, lock, site, mode, how, wrote, .. } = *section;
        let released = index.saturating_add(1);
        self.learn_from_lock(t, lock, site);
        self.context(t, index, time, lock, site, mode, how);
        let thread = &mut self.model.threads[t];
        thread.last = end;
        thread.events = released.saturating_add(1);
        thread.sleeps = false;
        self.model.end = self.model.end.max(end);
        let state = self.model.locks.at(lock.0);
        state.is_used = true;
        state.acquisitions += 1;
        state.latest = u32::try_from(t).unwrap_or(u32::MAX);
        self.note_hold(t, lock, site, end.0.saturating_sub(time.0), Inside::default());
        self.note_data(t, released, end, (lock, site, time), wrote && mode != Mode::Shared);
    }

    /// Counts a section of this length.
    fn note_hold(&mut self, t: usize, lock: ObjectId, site: SiteId, held_for: u64, inside: Inside) {
        let site = self.model.sites.at(site.0);
        site.acquisitions += 1;
        site.holds.add(held_for);
        if held_for >= self.long_hold {
            site.long += 1;
            if site.longest.as_ref().is_none_or(|(longest, ..)| *longest < held_for) {
                site.longest = Some((held_for, t, lock, inside));
            }
            if let Some(test) = self.model.threads[t].test
                && !site.long_tests.contains(&test)
            {
                site.long_tests.push(test);
            }
        }
    }

    /// The newest hold of `lock` by this thread, or by another one where the guard was sent here.
    fn find_holding(&mut self, t: usize, lock: ObjectId) -> Option<(usize, usize)> {
        let held_by = |t: usize| self.model.threads.get(t)?.held.iter().rposition(|held| held.lock == lock).map(|at| (t, at));
        let latest = |lock: ObjectId| self.model.locks.get(lock.0).map_or(usize::MAX, |state| state.latest as usize);
        held_by(t).or_else(|| held_by(latest(lock))).or_else(|| (0..self.model.threads.len()).find_map(held_by))
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
        let track = &mut self.tracks[t];
        if track.cache.is_empty() {
            track.cache.resize(CACHE, Recent::default());
        }
        let hash = lock.0.wrapping_mul(0x9e37_79b1) ^ chain.wrapping_mul(0x85eb_ca77) ^ site.0.wrapping_mul(0xc2b2_ae3d);
        let recent = &mut track.cache[(hash >> (32 - CACHE.trailing_zeros())) as usize];
        let wanted = Recent { chain, lock, site, mode, how, context: recent.context };
        if *recent != wanted {
            let contexts = &mut self.model.contexts;
            let locks = &mut self.model.locks;
            let key = (u32::try_from(t).unwrap_or(u32::MAX), chain, lock, mode, how, site);
            let context = *self.context_ids.entry(key).or_insert_with(|| {
                let moments = Moments::default();
                contexts.push(Context {
                    thread: t,
                    chain,
                    lock,
                    mode,
                    how,
                    site,
                    count: 0,
                    moments,
                    stack: FrameId::NONE,
                    after: 0,
                });
                let id = u32::try_from(contexts.len() - 1).unwrap_or(u32::MAX);
                locks.at(lock.0).contexts.push(id);
                id
            });
            *recent = Recent { context, ..wanted };
        }
        let id = recent.context;
        let context = &mut self.model.contexts[id as usize];
        context.count += 1;
        context.moments.add(track.version, t, index, &self.model.threads[t].clock, time);
        id
    }

    /// The calls that led to the thread's latest acquisition.
    pub(super) fn stack(&mut self, t: usize, frame: FrameId) {
        if let Some(latest) = self.model.threads[t].held.last() {
            self.model.contexts[latest.context as usize].stack = frame;
        }
    }

    /// What taking a lock tells of other threads. A lock as such orders nothing, but two uses of it do: the state that a condition
    /// variable announces is passed on under its lock, and so is a flag that a thread polls.
    fn learn_from_lock(&mut self, t: usize, lock: ObjectId, site: SiteId) {
        if !self.model.threads[t].scopes.is_empty() {
            self.note_late(t, lock, site);
        }
        let state = self.model.locks.at(lock.0);
        if !state.notified.is_empty() && !state.notifiers.contains(&t) {
            let clock = &self.model.threads[t].clock;
            let is_new = |moment: &Moment| moment.thread != t && clock.get(moment.thread) <= moment.index;
            if state.notified.iter().any(is_new) {
                for moment in state.notified.clone() {
                    self.learn(t, &moment);
                }
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
    fn note_data(&mut self, t: usize, index: u32, time: Ticks, (lock, site, since): (ObjectId, SiteId, Ticks), wrote: bool) {
        let state = self.model.locks.at(lock.0);
        if !wrote {
            state.read_sections += 1;
            state.read_time += time.0.saturating_sub(since.0);
            state.reads.insert(t, Reading { site, writes: state.writes, time });
            self.tracks[t].poll = Some((lock, site, state.writes));
            self.read_state(t, lock);
            return;
        }
        let stale = state.reads.remove(t).filter(|read| read.writes < state.writes).zip(state.last_writer);
        state.writes += 1;
        state.last_writer = Some((t, site));
        let clock = &self.model.threads[t].clock;
        match &mut state.last_write {
            Some(last) if last.thread == t && last.clock.is_same(clock) => last.index = index,
            last => *last = Some(Moment { thread: t, index, clock: clock.clone() }),
        }
        self.publish_state(t, index, lock);
        self.tracks[t].poll = None;
        self.tracks[t].wrote = Some((lock, index));
        if let Some((read, (other, other_site))) = stale {
            let all = &mut self.model.stale;
            let id = *self.stale_ids.entry((lock, t, read.site, site)).or_insert_with(|| {
                let (read, write) = (read.site, site);
                all.push(Stale { lock, thread: t, read, write, other, other_site, count: 0 });
                u32::try_from(all.len() - 1).unwrap_or(u32::MAX)
            });
            self.model.stale[id as usize].count += 1;
        }
    }
}
