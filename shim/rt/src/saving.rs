//! What a thread does when the trace has grown large: it counts what it has seen often instead of recording it.
//!
//! A *context* is a held set, a lock and a site. While the budget is tight, an acquisition in a context that the thread has recorded
//! [`OFTEN`] times is only counted; when the budget is spent, one time is often. A counted acquisition that turns out to matter,
//! because something is recorded while it is held, is recorded then: so no recorded event misses a lock that was held.
#![expect(unsafe_code, reason = "the tables are mapped memory, since the recorder must not allocate")]

use conccheck_trace::{Event, How, Mode, ObjectId, Order, SiteId};

use crate::session::Budget;
use crate::sys;

/// How many times a thread records an acquisition in the same context while the budget is tight.
pub(crate) const OFTEN: u32 = 16;

/// Contexts that a thread can tell apart. What comes later is recorded while the budget is tight and lost when it is spent.
const CONTEXTS: usize = 1024;

/// Most counted locks that a thread can hold at once.
const OPEN: usize = 32;

/// Kinds of other events that a thread can tell apart.
const KINDS: usize = 256;

/// A context's count is written to the trace when it reaches this, while the budget is tight and when it is spent. What is counted
/// but not written when the process ends is not told, unless its thread ended before.
const WRITE_AT: [u64; 2] = [1 << 8, 1 << 14];

/// One context, and what was counted in it since its last summary. All zeros: free.
#[derive(Clone, Copy)]
struct Context {
    key: u64,
    lock: u32,
    site: u32,
    recorded: u32,
    count: u64,
    hold: u64,
}

/// A counted acquisition that is still held.
#[derive(Clone, Copy)]
pub(crate) struct Open {
    pub(crate) lock: ObjectId,
    pub(crate) site: SiteId,
    pub(crate) mode: Mode,
    pub(crate) how: How,
    pub(crate) order: Order,
    since: u64,
    context: usize,
}

/// A thread's counts.
pub(crate) struct Saving {
    contexts: [Context; CONTEXTS],
    /// Kinds of other events, with their sites, that were recorded since the budget is spent.
    kinds: [u64; KINDS],
    open: [Option<Open>; OPEN],
    opened: usize,
    /// The held set, as the exclusive or of a hash of each lock. What was held before the saving began only shifts it.
    held: u64,
    /// The next acquisition is to be recorded, whatever its context: what stands before it in the trace needs it.
    pub(crate) forced: bool,
    /// Events that were dropped since the last `Lost`.
    pub(crate) dropped: u64,
}

/// What to do with an acquisition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Record,
    /// It is noted as open, and counted when it ends.
    Counted,
    /// There is no room to count it.
    Drop,
}

/// A count to be written: the lock, the site, how often, and the sum of hold times in ticks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Count {
    pub(crate) lock: ObjectId,
    pub(crate) site: SiteId,
    pub(crate) count: u64,
    pub(crate) hold: u64,
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    value ^ (value >> 29)
}

impl Saving {
    /// Fresh counts; `None` if there is no memory. They live for good.
    pub(crate) fn new() -> Option<&'static mut Saving> {
        let place = sys::map_memory(size_of::<Saving>()).ok()?.cast::<Saving>();
        // SAFETY: fresh memory that nobody else knows; numbers are valid as zeros, the options are written before it is used.
        unsafe {
            (&raw mut (*place.as_ptr()).open).write([None; OPEN]);
            Some(&mut *place.as_ptr())
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        if self.held != 0 || self.dropped != 0 || self.contexts.iter().any(|context| context.key != 0) {
            self.contexts.fill(Context { key: 0, lock: 0, site: 0, recorded: 0, count: 0, hold: 0 });
            self.kinds.fill(0);
            (self.opened, self.held, self.dropped, self.forced) = (0, 0, 0, false);
        }
    }

    /// The context with this key: its index, if it is known or there is room for it.
    fn context(&mut self, key: u64, lock: ObjectId, site: SiteId) -> Option<usize> {
        let key = key | 1;
        (0..8).map(|step| (key >> 32) as usize % CONTEXTS + step).map(|index| index % CONTEXTS).find(|&index| {
            let context = &mut self.contexts[index];
            if context.key == 0 {
                *context = Context { key, lock: lock.0, site: site.0, recorded: 0, count: 0, hold: 0 };
            }
            context.key == key
        })
    }

    /// Whether an event of this kind (its tag) and site is the first of them, as far as can be told.
    pub(crate) fn is_first(&mut self, tag: u8, site: SiteId) -> bool {
        let key = mix((u64::from(tag) << 32) | u64::from(site.0)) | 1;
        let slots = (0..8).map(|step| ((key >> 32) as usize + step) % KINDS);
        let Some(slot) = slots.into_iter().find(|&slot| self.kinds[slot] == 0 || self.kinds[slot] == key) else { return false };
        std::mem::replace(&mut self.kinds[slot], key) == 0
    }

    /// Decides on an acquisition, and notes that the lock is held.
    pub(crate) fn acquired(&mut self, open: (ObjectId, SiteId, Mode, How, Order), now: u64, budget: Budget) -> Verdict {
        let (lock, site, mode, how, order) = open;
        let key = mix(self.held ^ mix(u64::from(lock.0) << 32 | u64::from(site.0)) ^ mode as u64);
        let often = if budget == Budget::Spent { 1 } else { OFTEN };
        let context = self.context(key, lock, site);
        let forced = std::mem::take(&mut self.forced);
        if context.is_none() && budget == Budget::Spent && !forced {
            return Verdict::Drop;
        }
        self.held ^= mix(u64::from(lock.0));
        let Some(context) = context else { return Verdict::Record };
        if self.contexts[context].recorded < often || self.opened == OPEN || forced {
            self.contexts[context].recorded += 1;
            return Verdict::Record;
        }
        self.open[self.opened] = Some(Open { lock, site, mode, how, order, since: now, context });
        self.opened += 1;
        Verdict::Counted
    }

    /// Notes that a lock is released. If its acquisition was counted: the count, where it is time to write it.
    pub(crate) fn released(&mut self, lock: ObjectId, now: u64, budget: Budget) -> Option<Option<Count>> {
        self.held ^= mix(u64::from(lock.0));
        let index = self.open[..self.opened].iter().rposition(|open| open.is_some_and(|open| open.lock == lock))?;
        let open = self.open[index]?;
        self.open.copy_within(index + 1..self.opened, index);
        self.opened -= 1;
        let context = &mut self.contexts[open.context];
        context.count += 1;
        context.hold += now.saturating_sub(open.since);
        Some((context.count >= WRITE_AT[usize::from(budget == Budget::Spent)]).then(|| context.take()))
    }

    /// The counted acquisition that has been held longest: it is to be recorded now, and is no longer counted.
    pub(crate) fn take_open(&mut self) -> Option<Open> {
        let open = self.open[..self.opened].first().copied().flatten()?;
        self.open.copy_within(1..self.opened, 0);
        self.opened -= 1;
        Some(open)
    }

    /// The next count that is not in the trace.
    pub(crate) fn take_count(&mut self) -> Option<Count> {
        self.contexts.iter_mut().find(|context| context.count > 0).map(Context::take)
    }
}

impl Context {
    fn take(&mut self) -> Count {
        let count = Count { lock: ObjectId(self.lock), site: SiteId(self.site), count: self.count, hold: self.hold };
        (self.count, self.hold) = (0, 0);
        count
    }
}

/// Whether an event tells of the life of a thread: recorded even when the budget is spent.
pub(crate) fn is_of_a_life(event: &Event) -> bool {
    matches!(event, Event::Start { .. } | Event::End { .. } | Event::Spawn { .. } | Event::Join { .. } | Event::Detach { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acquire(saving: &mut Saving, lock: u32, budget: Budget) -> Verdict {
        saving.acquired((ObjectId(lock), SiteId(1), Mode::Exclusive, How::Blocking, Order(1)), 0, budget)
    }

    #[test]
    fn what_was_seen_often_is_counted_and_the_first_in_a_new_held_set_is_recorded() {
        let saving = Saving::new().unwrap();
        for _ in 0..OFTEN {
            assert_eq!(acquire(saving, 1, Budget::Tight), Verdict::Record);
            assert_eq!(saving.released(ObjectId(1), 0, Budget::Tight), None);
        }
        assert_eq!(acquire(saving, 1, Budget::Tight), Verdict::Counted);
        assert_eq!(saving.released(ObjectId(1), 5, Budget::Tight), Some(None));
        assert_eq!(acquire(saving, 2, Budget::Tight), Verdict::Record);
        assert_eq!(acquire(saving, 1, Budget::Tight), Verdict::Record, "another lock is held");
        saving.released(ObjectId(1), 0, Budget::Tight);
        saving.released(ObjectId(2), 0, Budget::Tight);
        assert_eq!(acquire(saving, 1, Budget::Spent), Verdict::Counted);
        assert_eq!(saving.released(ObjectId(1), 5, Budget::Tight), Some(None));
        assert_eq!(saving.take_count(), Some(Count { lock: ObjectId(1), site: SiteId(1), count: 2, hold: 10 }));
        assert_eq!(saving.take_count(), None);
    }

    #[test]
    fn a_counted_lock_that_matters_later_is_handed_out_once() {
        let saving = Saving::new().unwrap();
        for lock in [1, 2] {
            for _ in 0..OFTEN {
                acquire(saving, lock, Budget::Tight);
                saving.released(ObjectId(lock), 0, Budget::Tight);
            }
        }
        assert_eq!(acquire(saving, 1, Budget::Tight), Verdict::Counted);
        assert_eq!(saving.take_open().map(|open| open.lock), Some(ObjectId(1)));
        assert!(saving.take_open().is_none());
        assert_eq!(saving.released(ObjectId(1), 0, Budget::Tight), None, "its release is to be recorded");
    }

    #[test]
    fn more_contexts_than_fit_are_recorded_until_the_budget_is_spent() {
        let saving = Saving::new().unwrap();
        let verdicts: Vec<_> = (1..100_000)
            .map(|lock| (acquire(saving, lock, Budget::Tight), saving.released(ObjectId(lock), 0, Budget::Tight)).0)
            .collect();
        assert!(verdicts.iter().all(|&verdict| verdict == Verdict::Record));
        let verdicts: Vec<_> = (1..100_000)
            .map(|lock| (acquire(saving, lock, Budget::Spent), saving.released(ObjectId(lock), 0, Budget::Tight)).0)
            .collect();
        assert!(verdicts.iter().filter(|&&verdict| verdict == Verdict::Record).count() <= CONTEXTS);
        assert!(verdicts.contains(&Verdict::Drop));
    }
}
