//! The rare paths of writing: all that is done while the trace must be kept small.

use std::io;

use conccheck_trace::wire::{self, MAX_ENTRY};
use conccheck_trace::{Event, How, Mode, Nanos, ObjectId, Order, SiteId};

use crate::clock::{self, Pair};
use crate::local::Provisional;
use crate::recorder;
use crate::saving::{self, Count, Saving, Verdict};
use crate::session::Budget;
use crate::writer::Writer;

/// Dropped events are told when there are so many.
const TELL_AT: u64 = 1 << 14;

impl Writer<'_> {
    /// Records an event now, or loses it.
    #[inline]
    pub(crate) fn record(&mut self, event: Event) {
        if self.has_room() {
            self.write(event);
        } else {
            self.record_slowly(event);
        }
    }

    #[cold]
    #[inline(never)]
    fn record_slowly(&mut self, event: Event) {
        self.pause();
        if let Err(error) = self.make_room(MAX_ENTRY) {
            return self.lose(1, &error);
        }
        let spent = self.local.budget.get() == Budget::Spent;
        let Some(saving) = self.saving() else { return self.write(event) };
        if spent && !event.can_block() && !saving::is_of_a_life(&event) {
            let mut entry = [0; MAX_ENTRY];
            wire::put_record(&mut entry, 0, 0, event);
            // All cases of a selection or none: it says how many they are.
            if matches!(event, Event::SelectCase { .. }) || !saving.is_first(entry[0], event.site().unwrap_or_default()) {
                return self.drop_events(1);
            }
        }
        self.record_open();
        if self.make_room(MAX_ENTRY).is_ok() {
            let (from, time) = (self.local.at(), self.local.time.get());
            self.write(event);
            if event.can_block() {
                // What can block must be in the trace while it does; afterwards it may turn out to be one of many.
                self.local.provisional.set(Provisional { from, end: self.local.at(), time });
            }
            if let (Event::Wake { .. }, Some(saving)) = (event, self.saving()) {
                // The lock's acquisition stands directly behind.
                saving.forced = true;
            }
        }
    }

    /// Decides what to do with an acquisition while the trace must be kept small; [`Verdict::Record`] if it need not be.
    ///
    /// # Errors
    /// If there is no room to record it.
    pub(crate) fn judge(&mut self, lock: ObjectId, site: SiteId, mode: Mode, how: How, order: Order) -> io::Result<Verdict> {
        self.make_room(MAX_ENTRY)?;
        let budget = self.local.budget.get();
        let Some(saving) = self.saving() else { return Ok(Verdict::Record) };
        let verdict = saving.acquired((lock, site, mode, how, order), clock::now(), budget);
        match verdict {
            Verdict::Record => {
                self.record_open();
                self.make_room(MAX_ENTRY)?;
            }
            Verdict::Counted => self.take_back(),
            Verdict::Drop => self.drop_events(2),
        }
        Ok(verdict)
    }

    /// Whether this release is that of a counted acquisition, and so needs no entry.
    pub(crate) fn count_release(&mut self, lock: ObjectId) -> bool {
        let (now, budget) = (clock::now(), self.local.budget.get());
        match self.saving().and_then(|saving| saving.released(lock, now, budget)) {
            None => false,
            Some(count) => {
                if let Some(count) = count {
                    self.summarise(count);
                }
                true
            }
        }
    }

    /// Records the acquisitions that were counted and are still held.
    fn record_open(&mut self) {
        while let Some(open) = self.saving().and_then(Saving::take_open) {
            if self.make_room(MAX_ENTRY).is_ok() {
                let (lock, site, mode, how, order) = (open.lock, open.site, open.mode, open.how, open.order);
                self.write(Event::Acquire { lock, site, mode, how, order });
            }
        }
    }

    /// Takes the last entry back if it is provisional.
    fn take_back(&mut self) {
        let last = self.local.provisional.replace(Provisional::NONE);
        if last.end != 0 && last.end == self.local.at() {
            self.local.time.set(last.time);
            self.local.publish(last.from);
        }
    }

    fn drop_events(&mut self, events: u64) {
        self.take_back();
        let dropped = self.saving().map_or(0, |saving| {
            saving.dropped += events;
            if saving.dropped >= TELL_AT { std::mem::take(&mut saving.dropped) } else { 0 }
        });
        self.tell_dropped(dropped);
    }

    fn tell_dropped(&mut self, count: u64) {
        if count > 0 && self.make_room(MAX_ENTRY).is_ok() {
            self.write(Event::Lost { count });
        }
    }

    fn summarise(&mut self, Count { lock, site, count, hold }: Count) {
        let hold = recorder::session().map_or(0, |session| session.first.nanos(Pair::now(), hold));
        if self.make_room(MAX_ENTRY).is_ok() {
            self.write(Event::Summary { lock, site, count, hold: Nanos(hold) });
        }
    }

    /// Writes all that was counted so far.
    pub(crate) fn write_counts(&mut self) {
        while let Some(count) = self.saving().and_then(Saving::take_count) {
            self.summarise(count);
        }
        let dropped = self.saving().map_or(0, |saving| std::mem::take(&mut saving.dropped));
        self.tell_dropped(dropped);
    }
}
