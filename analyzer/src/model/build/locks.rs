//! Locks: who holds what, in which contexts, for how long.

use conccheck_trace::{FrameId, How, Mode, ObjectId, Section, SiteId, Ticks};

use super::super::context::{Held, Holding, Inside};
use super::super::lock::{Reading, Stale};
use super::contexts::Way;
use super::{Asked, Builder, PASSED, number};
use crate::clock::Moment;

/// Notifiers remembered for each lock.
const NOTIFIERS: usize = 32;

impl Builder<'_> {
    pub(super) fn request(&mut self, t: usize, time: Ticks, lock: ObjectId) {
        let state = self.model.locks.at(lock.0);
        state.is_used = true;
        let before = state.blocked.as_ref().map(|blocked| blocked.at(time));
        self.tracks[t].request = Some(Asked { lock, since: time, before });
        for holding in &mut self.model.threads[t].held {
            holding.inside.waited_for_lock = true;
        }
    }

    pub(super) fn acquire(&mut self, t: usize, index: u32, time: Ticks, way: Way) {
        let Way { lock, site, mode, how } = way;
        self.learn_from_lock(t, lock, site);
        let context = self.context(t, index, way);
        let state = self.model.locks.at(lock.0);
        state.is_used = true;
        state.acquisitions += 1;
        state.latest = number(t);
        if let Some(Asked { lock: asked, since, before }) = self.tracks[t].request.take()
            && asked == lock
        {
            if state.waits == 0 {
                self.model.contended.push(lock);
            }
            state.waits += 1;
            state.waiting.add(t, site, time.0.saturating_sub(since.0));
            if let Some(blocked) = &state.blocked {
                let (op, overlap) = blocked.overlap(before, since, time);
                let op = &mut self.model.ops[op as usize];
                if overlap > op.others_waited {
                    op.others_waited = overlap;
                    op.waiter = Some((t, site, lock));
                }
            }
        }
        if how == How::Blocking && !self.tracks[t].receives.is_empty() {
            self.note_taken(t, index, way);
        }
        let chain = self.chain_after(context);
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
        } else if state.is_poison_met {
            // Who met the poison and went on has dealt with it.
            state.forget_poison(|(who, site)| who == t && site == holding.site);
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
            && !self.model.locks.at(lock.0).is_poison_met
    }

    /// A simple section: what an acquisition and its release would do, without the hold between them.
    pub(super) fn section(&mut self, t: usize, index: u32, section: &Section) {
        let Section { time, end, lock, site, mode, how, wrote, .. } = *section;
        let released = index.saturating_add(1);
        self.stir(t);
        self.learn_from_lock(t, lock, site);
        self.context(t, index, Way { lock, site, mode, how });
        let thread = &mut self.model.threads[t];
        thread.last = end;
        thread.events = released.saturating_add(1);
        thread.sleeps = false;
        self.model.end = self.model.end.max(end);
        let state = self.model.locks.at(lock.0);
        state.is_used = true;
        state.acquisitions += 1;
        state.latest = number(t);
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
        if let Some(heard) = state.heard.as_ref().filter(|heard| !heard.notifiers.contains(&t)) {
            let clock = &self.model.threads[t].clock;
            let is_new = |moment: &Moment| moment.thread != t && clock.get(moment.thread) <= moment.index;
            let has_new = heard.notified.iter().any(is_new);
            if has_new && self.may_wait(site) {
                let notified = self.model.locks.at(lock.0).heard.as_ref().map(|heard| heard.notified.clone());
                notified.iter().flatten().for_each(|moment| self.learn(t, moment));
            }
        }
        let state = self.model.locks.at(lock.0);
        if let Some((polled, at, writes)) = self.tracks[t].poll
            && polled == lock
            && at == site
            && state.writes > writes
            && let Some((moment, _)) = state.last_write.clone()
            && self.may_wait(site)
        {
            self.learn(t, &moment);
        }
    }

    /// A notification passes on what was done before it, by way of the locks that its condition variable is used with.
    pub(super) fn announce(&mut self, moment: &Moment, locks: &[ObjectId]) {
        for lock in locks {
            let heard = self.model.locks.at(lock.0).heard.get_or_insert_default();
            heard.notified.retain(|earlier| earlier.thread != moment.thread);
            if heard.notified.len() < NOTIFIERS {
                heard.notified.push(moment.clone());
            }
            heard.notifiers.insert(moment.thread);
        }
    }

    /// Who read and wrote the data behind the lock, for stale reads and polling.
    fn note_data(&mut self, t: usize, index: u32, time: Ticks, (lock, site, since): (ObjectId, SiteId, Ticks), wrote: bool) {
        let state = self.model.locks.at(lock.0);
        if !wrote {
            state.read_sections += 1;
            state.read_time += time.0.saturating_sub(since.0);
            state.reads.insert(number(t), Reading { site, writes: state.writes });
            let track = &mut self.tracks[t];
            track.poll = Some((lock, site, state.writes));
            track.passed[site.0 as usize % PASSED] = (site, lock);
            self.read_state(t, lock);
            return;
        }
        let last_writer = state.last_write.as_ref().map(|(moment, site)| (moment.thread, *site));
        let stale = state.reads.remove(number(t)).filter(|read| read.writes < state.writes).zip(last_writer);
        state.writes += 1;
        let clock = &self.model.threads[t].clock;
        match &mut state.last_write {
            Some((last, at)) if last.thread == t && last.clock.is_same(clock) => (last.index, *at) = (index, site),
            last => *last = Some((Moment { thread: t, index, clock: clock.clone() }, site)),
        }
        self.publish_state(t, index, lock);
        self.tracks[t].poll = None;
        self.tracks[t].wrote = Some((lock, index));
        if let Some((read, (other, other_site))) = stale {
            let all = &mut self.model.stale;
            let id = *self.stale_ids.entry((lock, t, read.site, site)).or_insert_with(|| {
                let (read, write) = (read.site, site);
                all.push(Stale { lock, thread: t, read, write, other, other_site, count: 0, passed: 0 });
                u32::try_from(all.len() - 1).unwrap_or(u32::MAX)
            });
            let (latest, of) = self.tracks[t].passed[read.site.0 as usize % PASSED];
            let is_inside = self.model.threads[t].held.iter().any(|held| held.site == read.site && held.lock != lock);
            let stale = &mut self.model.stale[id as usize];
            stale.count += 1;
            stale.passed += u64::from(is_inside || latest == read.site && of != lock);
        }
    }
}
