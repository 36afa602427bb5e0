//! Orders that no primitive states: a thread that polled a flag, and state that a condition variable announces.
//!
//! Both are read off conservatively: a false order hides a finding, a missing one raises a false alarm.

use conccheck_trace::read::ProcessTrace;
use conccheck_trace::{Event, ObjectId, SiteId};
use rustc_hash::FxHashSet;

use super::Builder;
use crate::clock::Moment;

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
            Event::Yield { .. } => true,
            Event::Sleep { site, .. } => self.model.threads[t].sleeps && self.tracks[t].slept == site,
            _ => false,
        };
        if polls {
            self.tracks[t].polls = true;
        } else if self.tracks[t].polls && !matches!(event, Event::Sleep { .. }) {
            self.tracks[t].polls = false;
            for other in 0..self.model.threads.len() {
                let thread = &self.model.threads[other];
                if other != t && thread.events > 0 {
                    let moment = Moment { thread: other, index: thread.events - 1, clock: thread.clock.clone() };
                    self.tracks[other].version += 1;
                    self.learn(t, &moment);
                }
            }
        }
    }

    fn is_announced(&self, lock: ObjectId) -> bool {
        !self.announced.is_empty()
            && self.model.trace.tables.object(lock).is_some_and(|object| self.announced.contains(&object.created))
    }

    /// A section changed what the lock protects: whoever looks at it later may act on that.
    pub(super) fn publish_state(&mut self, t: usize, index: u32, lock: ObjectId) {
        if self.is_announced(lock) {
            let moment = self.publish(t, index);
            self.model.locks.at(lock.0).published.join_moment(&moment);
        }
    }

    /// A section only looked at what the lock protects.
    pub(super) fn read_state(&mut self, t: usize, lock: ObjectId) {
        if self.is_announced(lock) {
            let published = self.model.locks.at(lock.0).published.clone();
            self.tracks[t].version += 1;
            self.model.threads[t].clock.join(&published);
        }
    }
}
