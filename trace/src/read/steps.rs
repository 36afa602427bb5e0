//! The events of one thread in larger steps.

use super::Events;
use crate::event::{Event, Record};
use crate::step::{Section, Step};
use crate::wire::{Definition, Sink};

/// The events of one thread, in program order; a section is one step, however it was recorded.
#[derive(Debug)]
pub struct Steps<'a>(Events<'a>);

impl<'a> Steps<'a> {
    pub(super) fn new(events: Events<'a>) -> Steps<'a> {
        Steps(events)
    }

    /// Adds the next steps to `steps`, until there are `most` or no more are left; one more where that makes an acquisition and its
    /// release one.
    pub fn read(&mut self, steps: &mut Vec<Step>, most: usize) {
        let mut steps = Folding(steps);
        while steps.is_open() || steps.0.len() < most {
            if self.0.read(&mut steps).is_none() {
                return;
            }
        }
    }
}

/// Steps to which more are added: a release that follows its acquisition makes one of both.
struct Folding<'a>(&'a mut Vec<Step>);

impl Folding<'_> {
    /// Whether the last one is an acquisition.
    #[inline]
    fn is_open(&self) -> bool {
        matches!(self.0.last(), Some(Step::Event(Record { event: Event::Acquire { .. }, .. })))
    }
}

impl Sink<'_> for Folding<'_> {
    #[inline]
    fn record(&mut self, record: Record) {
        if let Event::Release { .. } = record.event
            && let Some(last) = self.0.last_mut()
            && let Step::Event(acquisition) = last
            && let Some(section) = Section::of(acquisition, &record)
        {
            *last = Step::Section(section);
        } else {
            self.0.push(Step::Event(record));
        }
    }

    #[inline]
    fn section(&mut self, section: Section) {
        self.0.push(Step::Section(section));
    }

    fn definition(&mut self, _: Definition<'_>) {}
}
