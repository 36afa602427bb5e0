//! Orders that no primitive states: a thread that polled a flag, and state that a condition variable announces.
//!
//! Both are read off conservatively: a false order hides a finding, a missing one raises a false alarm.

use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{Event, ObjectId, SiteId};
use rustc_hash::FxHashSet;

use super::Builder;
use crate::handshake;

/// The classes of locks that a condition variable is used with. State behind such a lock (the count of a wait group, a latch) is
/// passed on also to who finds that there is nothing to wait for any more, which no event of the condition variable shows.
pub(super) fn announced_classes(trace: &ProcessTrace) -> FxHashSet<SiteId> {
    trace.census.waited_with.iter().filter_map(|lock| trace.tables.object(*lock)).map(|object| object.created).collect()
}

impl Builder<'_> {
    /// Looks whether the thread polls something that is not recorded: it yields, or sleeps again and again in one place. When it goes
    /// on with something else, whatever others did until then may be what it waited for.
    pub(super) fn watch_polling(&mut self, t: usize, event: &Event) {
        let polls = match *event {
            Event::Yield { site } => self.may_poll(site),
            Event::Sleep { site, .. } => self.model.threads[t].sleeps && self.tracks[t].slept == site && self.may_poll(site),
            _ => false,
        };
        if polls {
            self.tracks[t].polls = true;
        } else if self.tracks[t].polls && !matches!(*event, Event::Sleep { site, .. } if self.may_poll(site)) {
            self.tracks[t].polls = false;
            self.learn_all(t);
        }
    }

    fn may_poll(&mut self, site: SiteId) -> bool {
        let model = &self.model;
        *self
            .polled_at
            .entry(site)
            .or_insert_with(|| model.site(site).is_none_or(|place| handshake::may_poll(model.sources, place)))
    }

    /// Whether a thread that takes a lock at a place may do so to wait for what others change under it.
    pub(super) fn may_wait(&mut self, site: SiteId) -> bool {
        let model = &self.model;
        *self
            .awaited_at
            .entry(site)
            .or_insert_with(|| model.site(site).is_none_or(|place| handshake::may_wait(model.sources, place)))
    }

    /// Notes that the thread does something.
    #[inline]
    pub(super) fn stir(&mut self, t: usize) {
        let track = &mut self.tracks[t];
        if !track.is_stirred {
            track.is_stirred = true;
            self.stirred.push(t);
        }
    }

    /// The thread learns of all that was done. What that is, is kept up from one time to the next: threads poll often, and there may be
    /// thousands of others.
    fn learn_all(&mut self, t: usize) {
        for other in std::mem::take(&mut self.stirred) {
            self.tracks[other].is_stirred = false;
            self.done.raise(other, self.model.threads[other].events);
        }
        self.told = self.told.wrapping_add(1);
        self.model.threads[t].clock.join(&self.done);
    }

    fn is_announced(&self, lock: ObjectId) -> bool {
        !self.announced.is_empty()
            && self.model.trace.tables.object(lock).is_some_and(|object| self.announced.contains(&object.created))
    }

    /// A section changed what the lock protects: whoever looks at it later may act on that.
    pub(super) fn publish_state(&mut self, t: usize, index: u32, lock: ObjectId) {
        if self.is_announced(lock) {
            let moment = self.publish(t, index);
            self.model.locks.at(lock.0).heard.get_or_insert_default().published.join_moment(&moment);
        }
    }

    /// A section only looked at what the lock protects.
    pub(super) fn read_state(&mut self, t: usize, lock: ObjectId) {
        if self.is_announced(lock) && self.tracks[t].poll.is_some_and(|(_, site, _)| self.may_wait(site)) {
            self.tracks[t].version += 1;
            if let Some(heard) = &self.model.locks.at(lock.0).heard {
                self.model.threads[t].clock.join(&heard.published);
            }
        }
    }
}
