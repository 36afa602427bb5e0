//! A thread's events in larger steps: a critical section in which nothing else happened is one.
//!
//! Most of a trace is such sections, so whoever looks at all of it saves half of the steps.

use crate::event::{Event, How, Mode, Record};
use crate::ids::{ObjectId, Order, SiteId, Ticks};

/// What a thread did next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// One event.
    Event(Record),
    /// Two events: an acquisition and the release that follows it.
    Section(Section),
}

/// A whole critical section: a lock was acquired, and nothing was recorded before its release, which no panic made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Section {
    /// When the lock was acquired.
    pub time: Ticks,
    /// When it was released.
    pub end: Ticks,
    /// The lock.
    pub lock: ObjectId,
    /// Where it was acquired.
    pub site: SiteId,
    /// See [`Event::Acquire`].
    pub order: Order,
    /// How it was held.
    pub mode: Mode,
    /// How it was asked for.
    pub how: How,
    /// See [`Event::Release`].
    pub wrote: bool,
}

impl Section {
    /// The section that these two events make up, if they do.
    #[inline]
    pub fn of(acquisition: &Record, release: &Record) -> Option<Section> {
        let Event::Acquire { lock, site, mode, how, order } = acquisition.event else { return None };
        let Event::Release { lock: released, wrote, unwinding: false } = release.event else { return None };
        (lock == released).then_some(Section { time: acquisition.time, end: release.time, lock, site, order, mode, how, wrote })
    }

    /// Its first event.
    #[inline]
    pub fn acquisition(&self) -> Record {
        let Section { time, lock, site, order, mode, how, .. } = *self;
        Record { time, event: Event::Acquire { lock, site, mode, how, order } }
    }

    /// Its second event.
    #[inline]
    pub fn release(&self) -> Record {
        Record { time: self.end, event: Event::Release { lock: self.lock, wrote: self.wrote, unwinding: false } }
    }
}

impl Step {
    /// When it began.
    #[inline]
    pub fn time(&self) -> Ticks {
        match self {
            Step::Event(record) => record.time,
            Step::Section(section) => section.time,
        }
    }

    /// How many events it is.
    #[inline]
    pub fn events(&self) -> u32 {
        match self {
            Step::Event(_) => 1,
            Step::Section(_) => 2,
        }
    }
}
